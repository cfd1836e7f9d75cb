# SPDX-License-Identifier: Apache-2.0
"""What the catalogue says about one code."""

from __future__ import annotations

from dataclasses import dataclass

from flowanchor.v1 import types_pb2
from grpc import StatusCode


@dataclass(frozen=True)
class Entry:
    """One way of failing: stable kebab-case code, what it is about, gRPC status, a sentence and an action.

    `retry`: seconds after which the same call may succeed by itself, if that can be.
    """

    code: str
    kind: types_pb2.FailureKind.ValueType
    status: StatusCode
    message: str
    action: str
    retry: float | None = None


def of_input(code: str, message: str, action: str, status: StatusCode = StatusCode.INVALID_ARGUMENT) -> Entry:
    """Something the user gave cannot be used."""
    return Entry(code, types_pb2.FAILURE_KIND_INPUT, status, message, action)


def of_model(
    code: str,
    message: str,
    action: str,
    status: StatusCode = StatusCode.FAILED_PRECONDITION,
    retry: float | None = None,
) -> Entry:
    """A model is missing, damaged or of the wrong kind."""
    return Entry(code, types_pb2.FAILURE_KIND_MODEL, status, message, action, retry)


def of_run(code: str, message: str, action: str, status: StatusCode = StatusCode.ABORTED) -> Entry:
    """The edit failed while it ran."""
    return Entry(code, types_pb2.FAILURE_KIND_RUN, status, message, action)


def of_delivery(
    code: str, message: str, action: str, status: StatusCode = StatusCode.FAILED_PRECONDITION
) -> Entry:
    """The result could not be written or did not pass its check."""
    return Entry(code, types_pb2.FAILURE_KIND_DELIVERY, status, message, action)


def of_service(code: str, message: str, action: str, status: StatusCode, retry: float | None = None) -> Entry:
    """The daemon refused or could not answer."""
    return Entry(code, types_pb2.FAILURE_KIND_SERVICE, status, message, action, retry)
