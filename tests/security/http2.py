# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 by hand, to say what no gRPC library would."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
_END_STREAM, _END_HEADERS = 1, 4
_HEAD = struct.Struct(">BHBBI")  # length as 8 + 16 bits, kind, flags, stream
SECONDS = 120.0


def connect(address: str) -> socket.socket:
    """A connection to "unix:/…" or "127.0.0.1:port"."""
    if address.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(address.removeprefix("unix:"))
    else:
        host, _, port = address.rpartition(":")
        connection = socket.create_connection((host, int(port)))
    connection.settimeout(SECONDS)
    return connection


def exchange(address: str, data: bytes, seconds: float = 1.0) -> bytes:
    """Send bytes, close our half, and read until the other half closes or nothing comes for `seconds`."""
    received = b""
    with connect(address) as connection:
        connection.settimeout(seconds)
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(1 << 16):
                received += piece
        except OSError:  # it was closed on us, or nothing comes
            pass
    return received


def frame(kind: int, content: bytes, flags: int = 0, stream: int = 0) -> bytes:
    return _HEAD.pack(len(content) >> 16, len(content) & 0xFFFF, kind, flags, stream) + content


def opening(path: str, headers: Mapping[str, str], end: bool = False) -> bytes:
    """Preface, settings and the headers of a POST on stream 1; names and values of up to 126 bytes."""
    lines = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost", **headers}
    block = b"".join(b"\0" + _text(name) + _text(value) for name, value in lines.items())
    flags = _END_HEADERS | (_END_STREAM if end else 0)
    return PREFACE + frame(SETTINGS, b"") + frame(HEADERS, block, flags, 1)


def _text(text: str) -> bytes:
    """A literal of HPACK, as it is."""
    content = text.encode()
    assert len(content) < 127
    return bytes([len(content)]) + content


def data(content: bytes, end: bool = True) -> bytes:
    """Content of stream 1, in frames of 16 KiB. A new stream may send 65535 bytes in all."""
    pieces = [content[at : at + 16_384] for at in range(0, len(content), 16_384)]
    last = len(pieces) - 1
    return b"".join(
        frame(DATA, piece, _END_STREAM if end and n == last else 0, 1) for n, piece in enumerate(pieces)
    )


def message(content: bytes, length: int | None = None, packed: bool = False) -> bytes:
    """A gRPC message; `length` is what it says to have."""
    return struct.pack(">BI", packed, len(content) if length is None else length) + content


def ask(address: str, sent: bytes) -> int:
    """Send bytes and read to the end of stream 1; kind of the frame that ended it (HEADERS is a gRPC answer),
    -1 for a connection that was closed."""
    with connect(address) as connection:
        connection.sendall(sent)
        reader = connection.makefile("rb")
        while len(head := reader.read(_HEAD.size)) == _HEAD.size:
            high, low, kind, flags, stream = _HEAD.unpack(head)
            reader.read(high << 16 | low)
            if kind == GOAWAY or (stream == 1 and (kind == RST_STREAM or flags & _END_STREAM)):
                return int(kind)
    return -1
