# SPDX-License-Identifier: Apache-2.0
"""Whether anybody opens a file, in whatever process: Linux's inotify."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

AVAILABLE = sys.platform == "linux"

_OPEN, _ACCESS = 0x20, 0x01
_EVENT = struct.Struct("iIII")


@contextmanager
def watched(path: Path) -> Iterator[Callable[[], list[str]]]:
    """Gives a function that lists what happened to the file since: "open", "read"."""
    library = ctypes.CDLL(None, use_errno=True)
    descriptor = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0 or library.inotify_add_watch(descriptor, os.fsencode(path), _OPEN | _ACCESS) < 0:
        raise OSError(ctypes.get_errno(), "inotify")
    seen: list[str] = []

    def accesses() -> list[str]:
        try:
            events = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return seen
        while events:
            _, mask, _, length = _EVENT.unpack_from(events)
            seen.append("open" if mask & _OPEN else "read")
            events = events[_EVENT.size + length :]
        return seen

    try:
        yield accesses
    finally:
        os.close(descriptor)
