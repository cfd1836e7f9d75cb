# SPDX-License-Identifier: Apache-2.0
"""The demo's clip, as scenarios inside Blender are told of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flowanchor_core.shapes.demo import demo_clip

FRAMES = 17
FIRST = 11
"""Scene frame at which scenarios put the clip."""


def arguments(folder: Path, **more: Any) -> dict[str, Any]:
    """A clip of two things (17 frames of 64x64 at 24), and the edit of its circle; written into `folder`."""
    made = demo_clip(folder)
    return {
        "clip": str(made.clip),
        "size": [64, 64],
        "first": FIRST,
        "source": made.source_prompt,
        "target": made.edits[0].target_prompt,
        "box": [2, 6, 44, 38],
        **more,
    }
