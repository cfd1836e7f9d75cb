# SPDX-License-Identifier: Apache-2.0
"""Models known by name, and where they are published.

A revision is the publisher's commit, so what is pulled is the same tomorrow. `manifest` holds the files'
sizes and hashes where they are known for certain (see pinned.py). Where they are not, the first pull asks the
hub for the files of that revision and writes the hub's own hashes into the model's manifest.json; every later
pull and check is held to it. The same happens for an entry without a revision, which begins at `main`.

Wan2.1 VACE is not here: its transformer is of another class, which the core cannot load.
"""

from __future__ import annotations

from dataclasses import dataclass

from flowanchor_daemon.models.manifest import Manifest
from flowanchor_daemon.models.pinned import WAN_1_3B


@dataclass(frozen=True)
class Known:
    """A published model. `bytes` is the size of the download; `native_size` (width, height) in pixels and
    `native_frames` what it was trained on; `licence` an SPDX id."""

    name: str
    title: str
    repository: str
    revision: str
    bytes: int
    manifest: Manifest | None = None
    licence: str = "Apache-2.0"
    native_size: tuple[int, int] = (832, 480)
    native_frames: int = 81


KNOWN: tuple[Known, ...] = (
    Known(
        name="wan2.1-t2v-1.3b",
        title="Wan2.1 text-to-video, 1.3B",
        repository=WAN_1_3B.repository,
        revision=WAN_1_3B.revision,
        bytes=WAN_1_3B.total_bytes,
        manifest=WAN_1_3B,
    ),
    Known(
        name="wan2.1-t2v-14b",
        title="Wan2.1 text-to-video, 14B",
        repository="Wan-AI/Wan2.1-T2V-14B-Diffusers",
        revision="38ec498cb3208fb688890f8cc7e94ede2cbd7f68",
        bytes=80_400_000_000,  # about; the hub tells the exact number when the pull begins
    ),
)


def find(name: str) -> Known | None:
    """The published model of that name, if there is one."""
    return next((entry for entry in KNOWN if entry.name == name), None)
