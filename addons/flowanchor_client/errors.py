# SPDX-License-Identifier: Apache-2.0
"""What a call to the daemon can end with: one code, one plain sentence, one thing to do."""

from __future__ import annotations

import grpc
from flowanchor.v1 import types_pb2

_DETAILS = "grpc-status-details-bin"
_FAILURE = "/flowanchor.v1.Failure"


class ServiceFailure(Exception):
    """A failure a user can meet. `code` is an entry of the error catalogue; `kind` says what it is about."""

    def __init__(
        self,
        code: str,
        message: str,
        action: str,
        kind: types_pb2.FailureKind.ValueType = types_pb2.FAILURE_KIND_SERVICE,
    ) -> None:
        super().__init__(code, message, action, kind)
        self.code = code
        self.message = message
        self.action = action
        self.kind = kind

    def __str__(self) -> str:
        return f"{self.message} {self.action}".strip()

    @classmethod
    def of(cls, failure: types_pb2.Failure) -> ServiceFailure:
        """From a message of the API, such as a failed job's."""
        return cls(failure.code, failure.message, failure.action, failure.kind)


class DaemonUnreachable(ServiceFailure):
    """There is no daemon to talk to, or not for this program. The message tells the cause.

    `log` are the last lines a daemon that could not start has written. `stopped` is whether there is surely
    none running, as against one that does not answer.
    """

    def __init__(
        self, code: str, message: str, action: str, log: tuple[str, ...] = (), stopped: bool = False
    ) -> None:
        super().__init__(code, message, action)
        self.log = log
        self.stopped = stopped


def failure_of(error: grpc.RpcError) -> ServiceFailure:
    """What a failed call says in its status details, else what its status says."""
    stated = _stated(error)
    if stated is not None:
        if stated.code in ("unauthenticated", "api-version", "draining", "daemon-unreachable"):
            return DaemonUnreachable(stated.code, stated.message, stated.action)
        return ServiceFailure.of(stated)
    status = error.code()
    details = error.details() or status.name.lower()
    if status in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):  # cancelled: by a daemon that ends
        return DaemonUnreachable(
            "daemon-unreachable", f"The daemon cannot be reached ({details}).", "Is it running?"
        )
    if status == grpc.StatusCode.DEADLINE_EXCEEDED:
        return DaemonUnreachable(
            "daemon-silent",
            "The daemon did not answer in time.",
            "Try again; if it stays silent, end it with `flowanchor stop`.",
        )
    if status == grpc.StatusCode.UNAUTHENTICATED:
        return DaemonUnreachable("unauthenticated", "The daemon did not accept the token.", "Connect again.")
    if status == grpc.StatusCode.RESOURCE_EXHAUSTED:
        return ServiceFailure(
            "request-too-large",
            f"A message is larger than can be sent ({details}).",
            "Use fewer frames or shapes.",
            types_pb2.FAILURE_KIND_INPUT,
        )
    if status == grpc.StatusCode.UNIMPLEMENTED:
        return DaemonUnreachable(
            "api-version",
            f"The daemon does not know this call ({details}).",
            "Update FlowAnchor, then restart the daemon with `flowanchor stop`.",
        )
    return ServiceFailure(
        "unexpected", f"The daemon failed ({status.name}: {details}).", "Look into the daemon's log."
    )


def _stated(error: grpc.RpcError) -> types_pb2.Failure | None:
    for datum in error.trailing_metadata() or ():
        key, value = datum.key, datum.value
        if key == _DETAILS and isinstance(value, bytes):
            for detail in types_pb2.StatusDetails.FromString(value).details:
                if detail.type_url.endswith(_FAILURE):
                    return types_pb2.Failure.FromString(detail.value)
    return None
