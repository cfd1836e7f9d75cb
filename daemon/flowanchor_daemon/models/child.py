# SPDX-License-Identifier: Apache-2.0
"""What the processes of model tasks have in common: JSON lines to the daemon, and an end with it.

{"event": "progress", "file": "vae/config.json", "done": 12, "total": 345}
{"event": "failed", "code": "pull-offline", "message": "…", "action": "…"}
{"event": "done"}
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable

from flowanchor_core.errors import FlowAnchorError, ModelError
from flowanchor_daemon.media.quota import is_disk_full

_PACE_SECONDS = 0.1


class Report:
    """Tells progress, a few times a second and at each new file."""

    def __init__(self, total: int = 0) -> None:
        self.total = total
        self.done = 0
        self._file = ""
        self._told = -1.0

    def at(self, file: str, done: int) -> None:
        """`done` bytes of all are done; `file` is the one at work."""
        now = time.monotonic()
        self.done = done
        if file != self._file or now - self._told >= _PACE_SECONDS:
            self._file, self._told = file, now
            _tell({"event": "progress", "file": file, "done": done, "total": self.total})

    def add(self, file: str, count: int) -> None:
        self.at(file, self.done + count)


def run(work: Callable[[], None], code: str) -> int:
    """Do `work`, report how it ended, return the exit status. `code` is for failures of the system.

    The process ends when its standard input does: with the daemon, however that ends.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        work()
    except FlowAnchorError as failure:
        return _failed(failure)
    except OSError as error:
        if is_disk_full(error):
            return _failed(disk_full())
        return _failed(
            ModelError(
                code, f"A file could not be read or written ({error.strerror or error}).", "Try again."
            )
        )
    _tell({"event": "done"})
    return 0


def disk_full(total: int | None = None, free: int | None = None) -> ModelError:
    """No room for a model, of `total` bytes where `free` are left if both are known."""
    sizes = ""
    if total is not None and free is not None:
        sizes = f" {total / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free."
    return ModelError(
        "disk-full",
        f"The disk of the models folder is full.{sizes}",
        "Free space, or put $FLOWANCHOR_MODELS on a larger disk; the download goes on where it was.",
    )


def require_free(folder: os.PathLike[str], need: int, floor: int = 1 << 29) -> None:
    """Raise the failure unless `need` bytes fit beside `folder` with `floor` left."""
    free = shutil.disk_usage(folder).free
    if free < need + floor:
        raise disk_full(need + floor, free)


def _failed(failure: FlowAnchorError) -> int:
    _tell({"event": "failed", "code": failure.code, "message": failure.message, "action": failure.action})
    return 1


def _tell(event: dict[str, object]) -> None:
    print(json.dumps(event), flush=True)


def _end_with_parent() -> None:
    # not through sys.stdin, whose lock this thread would hold while the process ends by itself
    while os.read(0, 1 << 16):
        pass
    os._exit(1)
