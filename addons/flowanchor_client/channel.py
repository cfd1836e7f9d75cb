# SPDX-License-Identifier: Apache-2.0
"""One connection to one daemon: token, API version and a deadline on every call, plain failures.

Only unary calls are made, and only in the calling thread: grpc starts Python threads for streams, futures
and connectivity callbacks, which hosts such as Blender must not have.
"""

from __future__ import annotations

import ipaddress
from typing import Any, TypeVar

import grpc
from flowanchor import rendezvous
from flowanchor.v1 import jobs_pb2_grpc, media_pb2_grpc, models_pb2_grpc, system_pb2_grpc

from flowanchor_client.errors import DaemonUnreachable, failure_of

Request = TypeVar("Request")
Response = TypeVar("Response")

CALL_SECONDS = 60.0
"""Deadline of a call that does not wait for anything but the disk, which a large upload is synced to."""

_LARGEST_MESSAGE = 64 << 20

_OPTIONS: list[tuple[str, Any]] = [
    ("grpc.enable_http_proxy", 0),  # a proxy of the user's must not carry calls to this machine
    ("grpc.use_local_subchannel_pool", 1),  # a new connection starts without an old one's back-off
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.enable_retries", 0),  # repeating a call is decided in client.py, which knows what may be repeated
    ("grpc.max_receive_message_length", _LARGEST_MESSAGE),  # a job of many images names each of them
    ("grpc.max_send_message_length", _LARGEST_MESSAGE),
]


class Connection:
    """The five services' stubs behind one channel; `call` makes a call on one of them."""

    def __init__(self, address: str, token: str, root_certificates: bytes | None = None) -> None:
        """Nothing is sent yet. Outside this machine the token never travels in the clear: TLS is always used.

        Args:
            address: a gRPC target: "unix:/path", "127.0.0.1:port" or "host:port".
            token: the daemon's.
            root_certificates: PEM; None for the system's own. Given, TLS is used on any address.
        """
        self.address = address
        self.token = token
        if root_certificates is None and is_local(address):
            self._channel = grpc.insecure_channel(address, options=_OPTIONS)
        else:
            credentials = grpc.ssl_channel_credentials(root_certificates)
            self._channel = grpc.secure_channel(address, credentials, options=_OPTIONS)
        self._metadata = (
            (rendezvous.TOKEN_KEY, rendezvous.bearer(token)),
            (rendezvous.API_KEY, rendezvous.format_api()),
        )
        self.warning: str | None = None
        self.jobs = jobs_pb2_grpc.JobsStub(self._channel)
        self.media = media_pb2_grpc.MediaStub(self._channel)
        self.models = models_pb2_grpc.ModelsStub(self._channel)
        self.system = system_pb2_grpc.SystemStub(self._channel)

    def call(
        self,
        method: grpc.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        timeout: float = CALL_SECONDS,
    ) -> Response:
        """Make a call and wait for its answer, `timeout` seconds at most; raises ServiceFailure."""
        try:
            response, call = method.with_call(request, timeout=timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            raise failure_of(error) from None
        except ValueError as error:  # grpc's own for a channel that was closed
            raise DaemonUnreachable(
                "daemon-unreachable", f"The connection is closed ({error}).", "Connect again."
            ) from None
        for key, value in call.trailing_metadata() or ():
            if key == rendezvous.WARNING_KEY:
                self.warning = value if isinstance(value, str) else value.decode("utf-8", "replace")
        return response

    def close(self) -> None:
        self._channel.close()


def is_local(address: str) -> bool:
    """Whether a gRPC target stays on this machine."""
    if address.startswith("unix:"):
        return True
    host = address.removeprefix("dns:///").rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # "localhost" too: what a name means is for others to say
