# SPDX-License-Identifier: Apache-2.0
"""What a failed call carries."""

from __future__ import annotations

from typing import Any

import pytest
from flowanchor.v1 import types_pb2
from flowanchor_daemon.errors import CATALOGUE, ServiceError, failure_error, to_failure
from flowanchor_daemon.errors.details import failure_in, status_of
from google.protobuf import message
from google.rpc import error_details_pb2  # type: ignore[import-untyped]

from flowanchor_core.errors import DeliveryError, FlowAnchorError, InputError, ModelError, ModelRunError


def detail(status: Any, kind: type[message.Message]) -> Any:
    for packed in status.details:
        found = kind()
        if packed.Unpack(found):
            return found
    return None


def test_service_error_speaks_for_itself() -> None:
    failure = ServiceError("quota-full")
    assert (failure.message, failure.action) == (
        CATALOGUE["quota-full"].message,
        CATALOGUE["quota-full"].action,
    )


def test_service_error_of_no_code_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        ServiceError("no-such-code")


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (InputError("no-video", "a.", "b."), types_pb2.FAILURE_KIND_INPUT),
        (ModelError("model-card", "a.", "b."), types_pb2.FAILURE_KIND_MODEL),
        (ModelRunError("out-of-memory", "a.", "b."), types_pb2.FAILURE_KIND_RUN),
        (DeliveryError("disk-full", "a.", "b."), types_pb2.FAILURE_KIND_DELIVERY),
        (ServiceError("disk-full"), types_pb2.FAILURE_KIND_SERVICE),
        (ServiceError("job-unknown"), types_pb2.FAILURE_KIND_INPUT),
        (FlowAnchorError("of-tomorrow", "a.", "b."), types_pb2.FAILURE_KIND_SERVICE),
    ],
)
def test_kind_and_way_back(failure: FlowAnchorError, kind: types_pb2.FailureKind.ValueType) -> None:
    told = to_failure(failure)
    assert (told.code, told.message, told.action, told.kind) == (
        failure.code,
        failure.message,
        failure.action,
        kind,
    )
    again = failure_error(told)
    assert (again.code, again.message, again.action) == (failure.code, failure.message, failure.action)
    assert to_failure(again).kind == kind


def test_unexpected_tells_nothing_of_itself() -> None:
    status = status_of(RuntimeError("/home/anna/secret token=abc"))
    assert "anna" not in str(status)
    assert failure_in(status).code == "unexpected"  # type: ignore[union-attr]


def test_details_for_any_tool() -> None:
    status = status_of(ServiceError("draining", limit=3))
    info = detail(status, error_details_pb2.ErrorInfo)
    assert (info.reason, info.domain, dict(info.metadata)) == ("draining", "flowanchor", {"limit": "3"})
    assert detail(status, error_details_pb2.Help).links[0].url == "daemon/ERRORS.md#draining"
    assert detail(status, error_details_pb2.LocalizedMessage).locale == "en"
    assert detail(status, error_details_pb2.RetryInfo).retry_delay.seconds == 2
    assert status.code == 14


def test_no_retry_where_waiting_does_not_help() -> None:
    assert detail(status_of(ServiceError("unauthenticated")), error_details_pb2.RetryInfo) is None


@pytest.mark.parametrize("letter", ["x", "漢", "\U0001f3ac"])
def test_long_sentences_fit_into_metadata(letter: str) -> None:
    status = status_of(ServiceError("request-invalid", letter * 20_000, letter * 20_000))
    # Base64 in the trailing metadata, and the message once more, percent-encoded.
    assert len(status.SerializeToString()) * 4 / 3 + len(status.message.encode()) * 3 < 8 * 1024
    assert status.message.endswith("…")


def test_our_own_message_reads_a_status() -> None:
    """A client needs no package beside protobuf: StatusDetails has the wire format of google.rpc.Status."""
    status = types_pb2.StatusDetails.FromString(status_of(ServiceError("job-unknown")).SerializeToString())
    failures = [
        types_pb2.Failure.FromString(packed.value)
        for packed in status.details
        if packed.type_url.endswith("/flowanchor.v1.Failure")
    ]
    assert [failure.code for failure in failures] == ["job-unknown"]
    assert status.code == 5
