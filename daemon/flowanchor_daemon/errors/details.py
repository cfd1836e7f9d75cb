# SPDX-License-Identifier: Apache-2.0
"""A failure on the wire: a gRPC status, with `google.rpc` details that any gRPC tool can read and our own."""

from __future__ import annotations

from typing import Any, Final, NoReturn

import grpc
import grpc.aio
from flowanchor.v1 import types_pb2
from google.protobuf import any_pb2, duration_pb2, message
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]

from flowanchor_daemon.errors.catalogue import CATALOGUE
from flowanchor_daemon.errors.failure import UNEXPECTED, to_failure

DETAILS_KEY: Final = "grpc-status-details-bin"
DOMAIN: Final = "flowanchor"
PAGE: Final = "daemon/ERRORS.md"

# Clients refuse more than 8 KiB of trailing metadata, so the longest sentences (with names of files) are cut.
_LONGEST_MESSAGE: Final = 800  # bytes
_LONGEST_ACTION: Final = 400


def status_of(exception: BaseException) -> status_pb2.Status:
    """The exception as google.rpc.Status: ErrorInfo, LocalizedMessage, Help, Failure, perhaps RetryInfo."""
    failure = to_failure(exception)
    failure.message = _cut(failure.message, _LONGEST_MESSAGE)
    failure.action = _cut(failure.action, _LONGEST_ACTION)
    entry = CATALOGUE.get(failure.code) or CATALOGUE[UNEXPECTED]
    details: list[message.Message] = [
        error_details_pb2.ErrorInfo(
            reason=failure.code, domain=DOMAIN, metadata=getattr(exception, "metadata", {})
        ),
        error_details_pb2.LocalizedMessage(locale="en", message=f"{failure.message} {failure.action}"),
        error_details_pb2.Help(
            links=[error_details_pb2.Help.Link(description="What helps", url=f"{PAGE}#{failure.anchor}")]
        ),
        failure,
    ]
    if entry.retry is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(round(entry.retry * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    status = status_pb2.Status(code=entry.status.value[0], message=failure.message)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


async def abort(context: grpc.aio.ServicerContext[Any, Any], exception: BaseException) -> NoReturn:
    """End the call with the exception's status; metadata set for the end of the call stays."""
    status = status_of(exception)
    entry = CATALOGUE.get(to_failure(exception).code) or CATALOGUE[UNEXPECTED]
    trailing = (*(context.trailing_metadata() or ()), (DETAILS_KEY, status.SerializeToString()))
    await context.abort(entry.status, status.message, trailing)
    raise AssertionError("abort returned")


def failure_in(status: status_pb2.Status) -> types_pb2.Failure | None:
    """Our own part of a status; None if it has none."""
    for detail in status.details:
        failure = types_pb2.Failure()
        if detail.Unpack(failure):
            return failure
    return None


def _cut(text: str, limit: int) -> str:
    data = text.encode()
    return text if len(data) <= limit else data[: limit - 3].decode(errors="ignore") + "…"
