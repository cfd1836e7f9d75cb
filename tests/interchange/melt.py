# SPDX-License-Identifier: Apache-2.0
"""MLT's own player as the judge of what was written: it renders a timeline, whose frames are then read."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from flowanchor_interchange import files, place
from flowanchor_interchange.model import Span

from tests.interchange.documents import DOCUMENTS, ENDINGS
from tests.interchange.scene import (
    EDITED,
    FRAMES,
    LENGTH,
    TWO_AT,
    Scene,
    after,
    seen,
    write_edited,
    write_footage,
)

MELT = shutil.which("melt")
XVFB = shutil.which("xvfb-run") if shutil.which("xauth") is not None else None


def render(timeline: Path, out: Path, first: int, last: int) -> list[tuple[int | None, bool]]:
    """Play frames `first` to `last`, both included, into a lossless file, and read what each shows."""
    assert MELT is not None
    # Some of Kdenlive's transitions need a display, which a virtual one is enough for.
    display = [XVFB, "-a"] if XVFB is not None and timeline.suffix == ".kdenlive" else []
    played = f"xml:{timeline}" if timeline.suffix == ".kdenlive" else str(timeline)
    consumer = [
        f"avformat:{out}",
        "vcodec=ffv1",
        "pix_fmt=bgr0",
        "an=1",
        "real_time=-1",
        "terminate_on_pause=1",
    ]
    line = [*display, MELT, "-silent", played, f"in={first}", f"out={last}", "-consumer", *consumer]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120)
    assert out.is_file(), done.stderr
    with av.open(str(out)) as container:
        return [seen(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


@dataclass(frozen=True)
class Outcome:
    """How many frames inside and outside the result's range show what they must, of how many."""

    inside: tuple[int, int]
    outside: tuple[int, int]
    wrong: tuple[str, ...]

    @property
    def good(self) -> bool:
        return not self.wrong and self.inside[0] == self.inside[1] and self.outside[0] == self.outside[1]


def check(folder: Path, rate: Fraction, hours: int, source: str, target: str, alpha: bool = False) -> Outcome:
    """Write the scene's timeline with a result and have it rendered.

    Args:
        folder: an empty one.
        rate: of timeline and footage.
        hours: at which the timeline starts, and the timecode of the footage.
        source: format of the timeline that is read.
        target: format that is written, "mlt" or "kdenlive".
        alpha: the result is a patch, transparent but for its mark.
    """
    scene = Scene(rate, hours, folder / "footage.mkv")
    write_footage(scene.footage, rate, scene.label, Span(0, FRAMES))
    result = write_edited(scene, folder / "edited.mkv", alpha)
    path = folder / f"scene{ENDINGS[source]}"
    path.write_bytes(DOCUMENTS[source](scene))
    out = folder / f"new{ENDINGS[target]}"
    read = files.read(path)
    place.save(place.render(read, out, scene.result(result, alpha), {}).data, out)
    shown = render(out, folder / "rendered.mkv", 0, LENGTH - 1)
    return compare(shown)


def compare(shown: list[tuple[int | None, bool]]) -> Outcome:
    """Hold what a render shows to the scene with the result."""
    edited = EDITED.moved(TWO_AT)
    inside, outside, wrong = [0, 0], [0, 0], []
    if len(shown) != LENGTH:
        wrong.append(f"{len(shown)} frames instead of {LENGTH}")
    for frame in range(LENGTH):
        count = inside if edited.start <= frame < edited.end else outside
        count[1] += 1
        got = shown[frame] if frame < len(shown) else (-1, False)
        if got == after(frame):
            count[0] += 1
        else:
            wrong.append(f"frame {frame} shows {got}, not {after(frame)}")
    return Outcome((inside[0], inside[1]), (outside[0], outside[1]), tuple(wrong))
