# SPDX-License-Identifier: Apache-2.0
"""How much may be kept, and the failures of keeping too much."""

from __future__ import annotations

import errno
import shutil
from dataclasses import dataclass
from pathlib import Path

from flowanchor_daemon.errors import ServiceError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True)
class MediaLimits:
    """What the media store accepts; sizes in bytes.

    `max_store_bytes` is the quota over media and job results together. `free_floor_bytes` stay free on the
    store's disk, so that the queue can still write when footage has filled the rest. A file that was used in
    the last `grace_seconds` is not evicted: its job may be on its way.
    """

    max_media_bytes: int = 64 << 30
    max_chunk_bytes: int = 1 << 20
    max_store_bytes: int = 200 << 30
    free_floor_bytes: int = 1 << 30
    grace_seconds: float = 900.0


def check_free(folder: Path, need: int, floor: int) -> None:
    """Raise ServiceError "disk-full" unless `need` bytes fit beside `folder` with `floor` left free."""
    free = shutil.disk_usage(folder).free
    if free - need < floor:
        raise disk_full(free, need + floor)


def is_disk_full(error: OSError) -> bool:
    """Whether the system refused a write for lack of room (or by its own quota)."""
    return error.errno in _FULL


def disk_full(free: int, wanted: int) -> ServiceError:
    """The failure for a disk with `free` bytes where `wanted` are needed, the reserve included."""
    return ServiceError(
        "disk-full",
        f"The disk has {human(free)} free; {human(wanted)} are needed.",
        "Free space on the disk, or delete jobs that are no longer needed.",
    )


def quota_full(media: int, results: int, need: int, limit: int) -> ServiceError:
    """The failure for a store that cannot make room for `need` bytes within `limit`."""
    return ServiceError(
        "quota-full",
        f"Media take {human(media)} and results {human(results)} of the {human(limit)} the daemon may keep; "
        f"{human(need)} more do not fit.",
        "Delete finished jobs that are no longer needed (`flowanchor jobs delete`).",
    )


def human(size: int) -> str:
    """A size for people: "512 B", "1.5 GB" (powers of 1000)."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 1000:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"
