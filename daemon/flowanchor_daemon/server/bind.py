# SPDX-License-Identifier: Apache-2.0
"""Where the daemon listens: a Unix socket in the private folder, or loopback; elsewhere only with TLS."""

from __future__ import annotations

import ipaddress
import os
import ssl
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc
import grpc.aio
from flowanchor.rendezvous import socket_path, socket_target

from flowanchor_daemon.errors import ServiceError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Listen:
    """An address beside the private one, from `serve --listen HOST:PORT`; PEM files for TLS."""

    host: str
    port: int  # 0: one the system chooses
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def parse(cls, text: str, certificate: Path | None, key: Path | None) -> Listen:
        """Read "HOST:PORT" or "[IPv6]:PORT"; ServiceError("bind-refused") if it cannot be allowed or read."""
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not (colon and host and port.isascii() and port.isdigit() and int(port) < 65536):
            raise ServiceError("bind-refused", f'"{text}" is no address.', "Give it as host:port.")
        listen = cls(host, int(port), certificate, key)
        listen.check()
        return listen

    def check(self) -> None:
        """ServiceError("bind-refused") unless the address is loopback or certificate and key fit together."""
        if (self.certificate is None) != (self.key is None):
            raise ServiceError(
                "bind-refused", "A certificate and its key belong together.", "Give --tls-cert and --tls-key."
            )
        if self.certificate is None and not _is_loopback(self.host):
            raise ServiceError(
                "bind-refused",
                f"The daemon does not listen on {self.host} without TLS: others could read along.",
            )
        if self.certificate is not None and self.key is not None:
            try:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.certificate, self.key, password=lambda: "")
            except (OSError, ssl.SSLError) as failure:
                raise ServiceError(
                    "bind-refused",
                    f"The certificate {self.certificate} and the key {self.key} cannot be used ({failure}).",
                    "Give an unencrypted key and its certificate as PEM files.",
                ) from failure

    def bind(self, server: grpc.aio.Server) -> str:
        """Add the address to the server; gives it with the port in use. ServiceError("bind-refused")."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        target = f"{host}:{self.port}"
        if self.certificate is None or self.key is None:
            return f"{host}:{_added(server.add_insecure_port, target)}"
        pair = (self.key.read_bytes(), self.certificate.read_bytes())
        credentials = grpc.ssl_server_credentials([pair])
        return f"{host}:{_added(lambda name: server.add_secure_port(name, credentials), target)}"


def bind_private(server: grpc.aio.Server, folder: Path) -> str:
    """Bind the user's own address and give it as a gRPC target. The daemon's lock on `folder` must be held.

    ServiceError("state-not-ours") if something that is no socket stands in the socket's place.
    """
    path = socket_path(folder)
    if path is None:
        return f"{LOOPBACK}:{_added(server.add_insecure_port, f'{LOOPBACK}:0')}"
    if os.path.lexists(path):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ServiceError("state-not-ours", f"{path} is no socket.", "Remove it, then try again.")
        path.unlink()  # left by a daemon that was killed: nobody else may hold our lock
    target = socket_target(path)
    _added(server.add_insecure_port, target)
    path.chmod(0o600)
    return target


def _added(add: Callable[[str], int], target: str) -> int:
    try:
        if port := add(target):
            return port
        reason = None
    except RuntimeError as failure:
        reason = failure
    raise ServiceError(
        "bind-refused",
        f"The daemon cannot listen on {target}: the address is taken or not this machine's.",
        "Choose another address or end the program that uses it.",
    ) from reason


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name may mean anything tomorrow, "localhost" included
