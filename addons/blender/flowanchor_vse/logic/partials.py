# SPDX-License-Identifier: GPL-3.0-or-later
"""Files a result arrives in before it has its name. Each says which process of which computer writes it: a
folder may be shared, and what a Blender that was killed has left there is nobody's."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import re
import uuid
from collections.abc import Collection
from pathlib import Path

_PARTIAL = re.compile(r"(?P<name>.+)\.(?P<place>[0-9a-f]{12})-(?P<process>[1-9][0-9]{0,9})\.partial")


def partial_name(name: str) -> str:
    """Where this process writes the file of that name until it is whole."""
    return f"{name}.{_place()}-{os.getpid()}.partial"


def remove_abandoned(folder: Path, names: Collection[str]) -> None:
    """Remove the partial files of these names, if they are this computer's and their process is no more."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:  # there is no folder yet
        for entry in list(entries):
            found = _PARTIAL.fullmatch(entry.name)
            if (
                found is not None
                and found["name"] in names
                and found["place"] == _place()
                and entry.is_file(follow_symlinks=False)
                and not _runs(int(found["process"]))
            ):
                with contextlib.suppress(OSError):  # another Blender was faster, or it is not ours to remove
                    os.unlink(entry)


@functools.cache
def _place() -> str:
    """The computer, and on Linux the container, within which a process is known by its number."""
    try:
        container = os.readlink("/proc/self/ns/pid")
    except OSError:
        container = ""
    told = f"{platform.node()} {uuid.getnode()} {container}"
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _runs(process: int) -> bool:
    """Whether there is a process of that number; True when in doubt. Windows removes no file that a process
    has open, so there none needs to be asked for; and the signal 0 would be a real one."""
    if os.name == "nt":
        return process == os.getpid()
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
