# SPDX-License-Identifier: Apache-2.0
"""What a failed call becomes."""

from __future__ import annotations

from typing import Any, NamedTuple

import grpc
import pytest
from flowanchor.v1 import types_pb2
from flowanchor_client.errors import DaemonUnreachable, ServiceFailure, failure_of


class Datum(NamedTuple):
    key: str
    value: str | bytes


class Failed(grpc.RpcError):
    def __init__(self, status: grpc.StatusCode, details: str = "", trailing: tuple[Datum, ...] = ()) -> None:
        super().__init__()
        self._status, self._details, self._trailing = status, details, trailing

    def code(self) -> grpc.StatusCode:
        return self._status

    def details(self) -> str:
        return self._details

    def trailing_metadata(self) -> Any:
        return self._trailing


def with_failure(failure: types_pb2.Failure) -> tuple[Datum, ...]:
    details = types_pb2.StatusDetails(
        details=[
            types_pb2.PackedDetail(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\x0a\x01x"),
            types_pb2.PackedDetail(
                type_url="type.googleapis.com/flowanchor.v1.Failure", value=failure.SerializeToString()
            ),
        ]
    )
    return (Datum("other", "text"), Datum("grpc-status-details-bin", details.SerializeToString()))


def test_status_details_are_what_counts() -> None:
    kind = types_pb2.FAILURE_KIND_INPUT
    said = types_pb2.Failure(
        code="media-kind", message="It is a playlist.", action="Give the clip.", kind=kind
    )
    found = failure_of(Failed(grpc.StatusCode.INTERNAL, "for developers", with_failure(said)))
    assert not isinstance(found, DaemonUnreachable)
    assert (found.code, found.message, found.action, found.kind) == (
        "media-kind",
        "It is a playlist.",
        "Give the clip.",
        kind,
    )
    assert str(found) == "It is a playlist. Give the clip."


@pytest.mark.parametrize("code", ["unauthenticated", "api-version", "draining"])
def test_a_daemon_that_does_not_take_this_client_is_unreachable(code: str) -> None:
    said = types_pb2.Failure(code=code, message="No.", action="Stop.")
    found = failure_of(Failed(grpc.StatusCode.UNKNOWN, "", with_failure(said)))
    assert isinstance(found, DaemonUnreachable)
    assert found.code == code


@pytest.mark.parametrize(
    ("status", "code", "unreachable"),
    [
        (grpc.StatusCode.UNAVAILABLE, "daemon-unreachable", True),
        (grpc.StatusCode.CANCELLED, "daemon-unreachable", True),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "daemon-silent", True),
        (grpc.StatusCode.UNAUTHENTICATED, "unauthenticated", True),
        (grpc.StatusCode.UNIMPLEMENTED, "api-version", True),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "request-too-large", False),
        (grpc.StatusCode.INTERNAL, "unexpected", False),
    ],
)
def test_without_details_the_status_decides(status: grpc.StatusCode, code: str, unreachable: bool) -> None:
    found = failure_of(Failed(status, "because"))
    assert (found.code, isinstance(found, DaemonUnreachable)) == (code, unreachable)
    assert isinstance(found, ServiceFailure)
    assert found.message
    assert found.action
