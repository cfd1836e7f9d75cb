# SPDX-License-Identifier: Apache-2.0
"""The daemon's log: a file that rotates, and warnings on standard error. The token never gets into either.

Standard error is a file when a client starts the daemon (start.log, for what goes wrong before there is a
log); nothing rotates that, so it is not written to beyond a size."""

from __future__ import annotations

import logging
import logging.handlers
import os
import stat
import sys
import time
from pathlib import Path
from typing import TextIO

_BYTES = 2 << 20
_FILES = 3
_START_BYTES = 64 << 10  # of a file that standard error goes to


class _Redacted(logging.Formatter):
    """Replaces the token wherever it stands, tracebacks included."""

    def __init__(self, token: str) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime
        self._token = token

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace(self._token, "[token]")


class _Terminal(logging.StreamHandler[TextIO]):
    def emit(self, record: logging.LogRecord) -> None:
        if self._has_room():
            super().emit(record)

    def _has_room(self) -> bool:
        try:
            status = os.fstat(self.stream.fileno())
        except (OSError, ValueError):  # no file of the system
            return True
        return not stat.S_ISREG(status.st_mode) or status.st_size < _START_BYTES


def start(file: Path, token: str) -> None:
    """Send this process's logging to `file` (8 MiB with its predecessors), warnings to the terminal."""
    formatter = _Redacted(token)
    rotating = logging.handlers.RotatingFileHandler(
        file, maxBytes=_BYTES, backupCount=_FILES, encoding="utf-8"
    )
    terminal = _Terminal(sys.stderr)
    terminal.setLevel(logging.WARNING)
    for handler in (rotating, terminal):
        handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[rotating, terminal], force=True)
