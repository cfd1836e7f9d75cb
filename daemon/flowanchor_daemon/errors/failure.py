# SPDX-License-Identifier: Apache-2.0
"""Failures as messages of the API, and back."""

from __future__ import annotations

from flowanchor.v1 import types_pb2

from flowanchor_core.errors import DeliveryError, FlowAnchorError, InputError, ModelError, ModelRunError
from flowanchor_daemon.errors.catalogue import CATALOGUE

UNEXPECTED = "unexpected"

_CLASSES: dict[types_pb2.FailureKind.ValueType, type[FlowAnchorError]] = {
    types_pb2.FAILURE_KIND_INPUT: InputError,
    types_pb2.FAILURE_KIND_RUN: ModelRunError,
    types_pb2.FAILURE_KIND_MODEL: ModelError,  # after its subclass
    types_pb2.FAILURE_KIND_DELIVERY: DeliveryError,
}


def to_failure(exception: BaseException) -> types_pb2.Failure:
    """What a user is told. An exception that is none of ours tells nothing of itself: log it before."""
    if not isinstance(exception, FlowAnchorError):
        entry = CATALOGUE[UNEXPECTED]
        return types_pb2.Failure(
            code=UNEXPECTED, message=entry.message, action=entry.action, kind=entry.kind, anchor=UNEXPECTED
        )
    known = CATALOGUE.get(exception.code)
    return types_pb2.Failure(
        code=exception.code,
        message=_plain(exception.message),
        action=_plain(exception.action),
        kind=kind_of(exception),
        anchor=exception.code if known else "",
    )


def _plain(text: str) -> str:
    """One line that shows what it says: names from files and clients may hold line breaks, escape sequences
    for terminals and signs that turn the direction of writing."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def kind_of(exception: FlowAnchorError) -> types_pb2.FailureKind.ValueType:
    """By the exception's class where the core has one (a disk can be full for a result), else by its code."""
    for kind, known in _CLASSES.items():
        if isinstance(exception, known):
            return kind
    entry = CATALOGUE.get(exception.code)
    return entry.kind if entry else types_pb2.FAILURE_KIND_SERVICE


def failure_error(failure: types_pb2.Failure) -> FlowAnchorError:
    """The exception a message stands for, to raise it again on this side."""
    return _CLASSES.get(failure.kind, FlowAnchorError)(failure.code, failure.message, failure.action)
