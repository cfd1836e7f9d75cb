# SPDX-License-Identifier: Apache-2.0
"""The scene as an EDL."""

from __future__ import annotations

from flowanchor_interchange.timecode import Timecode

from tests.interchange.scene import FIRST, TWO, TWO_AT, Scene


def edl_document(scene: Scene) -> bytes:
    """As Resolve writes it: one track, so without "top"."""

    def times(source: int, at: int, frames: int) -> str:
        sources = (scene.recorded + source, scene.recorded + source + frames)
        numbers = (*sources, scene.start + at, scene.start + at + frames)
        return " ".join(str(Timecode(number, scene.rate, scene.drop)) for number in numbers)

    return f"""TITLE: Scene
FCM: {"DROP FRAME" if scene.drop else "NON-DROP FRAME"}

001  FOOTAGE  V     C        {times(FIRST.start, 0, FIRST.duration)}
* FROM CLIP NAME: {scene.footage.name}

002  FOOTAGE  V     C        {times(TWO.start, TWO_AT, TWO.duration)}
* FROM CLIP NAME: {scene.footage.name}
* COMMENT: look here
003  FOOTAGE  A     C        {times(TWO.start, TWO_AT, TWO.duration)}
""".encode()
