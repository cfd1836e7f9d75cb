# SPDX-License-Identifier: Apache-2.0
"""The daemon's log: a file that rotates, and warnings on standard error. The token never gets into either."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import time
from pathlib import Path

_BYTES = 2 << 20
_FILES = 3


class _Redacted(logging.Formatter):
    """Replaces the token wherever it stands, tracebacks included."""

    def __init__(self, token: str) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime
        self._token = token

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace(self._token, "[token]")


def start(file: Path, token: str) -> None:
    """Send this process's logging to `file` (8 MiB with its predecessors), warnings to the terminal."""
    formatter = _Redacted(token)
    rotating = logging.handlers.RotatingFileHandler(
        file, maxBytes=_BYTES, backupCount=_FILES, encoding="utf-8"
    )
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.WARNING)
    for handler in (rotating, terminal):
        handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[rotating, terminal], force=True)
