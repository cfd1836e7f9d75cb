# SPDX-License-Identifier: Apache-2.0
"""Messages over a stream socket: each is preceded by its length as a 4-byte big-endian number.

One side is asyncio (the daemon), the other blocks (the engine). A stream that ends, also in the middle of a
message, is an end like any other: whoever was to write the rest is gone.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

LIMIT = 64 << 20
"""Largest message, bytes; the largest real one is a preview or a request with its geometry."""

_LENGTH = struct.Struct(">I")
M = TypeVar("M", bound=Message)


class FramingError(Exception):
    """The other side sent, or this side was about to send, what is no message of the protocol."""


def pack(message: Message) -> bytes:
    """A message as it goes over the socket; FramingError when it is over the limit."""
    content = message.SerializeToString()
    if len(content) > LIMIT:
        raise FramingError(f"a message of {len(content)} bytes is over the limit of {LIMIT}")
    return _LENGTH.pack(len(content)) + content


async def read(reader: asyncio.StreamReader, kind: type[M]) -> M | None:
    """The next message, None at the end of the stream; FramingError for what is none."""
    try:
        size = _size(await reader.readexactly(_LENGTH.size))
        return _parsed(kind, await reader.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def write(writer: asyncio.StreamWriter, message: Message) -> None:
    """Send a message; ConnectionError when the other side is gone."""
    writer.write(pack(message))
    await writer.drain()


def receive(connection: socket.socket, kind: type[M]) -> M | None:
    """As `read`, blocking."""
    try:
        head = _exactly(connection, _LENGTH.size)
        content = None if head is None else _exactly(connection, _size(head))
    except ConnectionError:
        return None
    return None if content is None else _parsed(kind, content)


def send(connection: socket.socket, message: Message) -> None:
    """As `write`, blocking."""
    connection.sendall(pack(message))


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    content = bytearray(size)
    view = memoryview(content)
    while view:
        count = connection.recv_into(view)
        if not count:
            return None
        view = view[count:]
    return bytes(content)


def _size(head: bytes) -> int:
    size: int = _LENGTH.unpack(head)[0]
    if size > LIMIT:
        raise FramingError(f"a message of {size} bytes is over the limit of {LIMIT}")
    return size


def _parsed(kind: type[M], content: bytes) -> M:
    try:
        return kind.FromString(content)
    except DecodeError as failure:
        raise FramingError(f"{len(content)} bytes that are no {kind.__name__}") from failure
