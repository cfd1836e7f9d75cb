# SPDX-License-Identifier: Apache-2.0
"""Failures as messages of the API, and back."""

from __future__ import annotations

from flowanchor.v1 import types_pb2

from flowanchor_core.errors import DeliveryError, FlowAnchorError, InputError, ModelError, ModelRunError
from flowanchor_daemon.errors.catalogue import CATALOGUE

UNEXPECTED = "unexpected"

_CLASSES = {
    types_pb2.FAILURE_KIND_INPUT: InputError,
    types_pb2.FAILURE_KIND_MODEL: ModelError,
    types_pb2.FAILURE_KIND_RUN: ModelRunError,
    types_pb2.FAILURE_KIND_DELIVERY: DeliveryError,
}


def to_failure(exception: BaseException) -> types_pb2.Failure:
    """What a user is told. An exception that is none of ours tells nothing of itself: log it before."""
    if not isinstance(exception, FlowAnchorError):
        entry = CATALOGUE[UNEXPECTED]
        return types_pb2.Failure(
            code=UNEXPECTED, message=entry.message, action=entry.action, kind=entry.kind, anchor=UNEXPECTED
        )
    entry_or_none = CATALOGUE.get(exception.code)
    return types_pb2.Failure(
        code=exception.code,
        message=exception.message,
        action=exception.action,
        kind=entry_or_none.kind if entry_or_none else _kind_of(exception),
        anchor=exception.code if entry_or_none else UNEXPECTED,
    )


def failure_error(failure: types_pb2.Failure) -> FlowAnchorError:
    """The exception a message stands for, to raise it again on this side."""
    return _CLASSES.get(failure.kind, FlowAnchorError)(failure.code, failure.message, failure.action)


def _kind_of(exception: FlowAnchorError) -> types_pb2.FailureKind:
    if isinstance(exception, ModelRunError):
        return types_pb2.FAILURE_KIND_RUN
    for kind, known in _CLASSES.items():
        if isinstance(exception, known):
            return kind
    return types_pb2.FAILURE_KIND_SERVICE
