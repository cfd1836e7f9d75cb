# SPDX-License-Identifier: Apache-2.0
"""Names that Resolve takes.

Resolve 21.1 refuses names with some characters, and says nothing.
"""

from __future__ import annotations

import re

TRACK = "FlowAnchor"
"""Name of the tracks results are placed on, of the bin they are kept in and of the markers."""
MASK_TRACK = "FA MASK"
"""Name of the track whose clips mark the region."""

_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""What Windows takes for a device, whatever comes behind its dot."""
_FORBIDDEN = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]+')
LONGEST = 180
"""Bytes: file systems take 255, of which what is put before and behind needs some."""


def safe_name(name: str) -> str:
    """A name with what Resolve and file systems refuse replaced by "-"; never empty, at most 180
    bytes long."""
    written = name.encode("utf-8", "ignore").decode("utf-8")  # without halves of characters
    cleaned = re.sub(r"\s+", " ", _FORBIDDEN.sub("-", written)).strip(" .")
    apart = f"-{cleaned}" if _DEVICE.fullmatch(cleaned) else cleaned
    cut = apart.encode("utf-8")[:LONGEST].decode("utf-8", "ignore")
    return cut.rstrip(" .") or "untitled"


def is_mask_track(name: str) -> bool:
    """Whether a track's name says that its clips mark the region."""
    return " ".join(name.split()).upper() == MASK_TRACK


def is_result_track(name: str) -> bool:
    """Whether a track is one of ours, by its name."""
    return name.strip() == TRACK
