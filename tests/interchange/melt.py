# SPDX-License-Identifier: Apache-2.0
"""MLT's own player as the judge of what was written: it renders a timeline, whose frames are then read."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
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
XVFB = shutil.which("Xvfb")


@contextmanager
def display(needed: bool) -> Iterator[dict[str, str]]:
    """An environment with a virtual screen of its own, whose number the X server itself finds free."""
    if not needed or XVFB is None:
        yield dict(os.environ)
        return
    reading, writing = os.pipe()
    line = [XVFB, "-displayfd", str(writing), "-screen", "0", "640x480x24", "-nolisten", "tcp"]
    server = subprocess.Popen(line, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        assert number, "Xvfb did not start"
        yield {**os.environ, "DISPLAY": f":{number}"}
    finally:
        server.terminate()
        server.wait(timeout=60)


def play(timeline: Path, out: Path, first: int, last: int) -> None:
    """Have frames `first` to `last`, both included, written to a lossless file.

    One run of melt 7.12 in about a hundred ends before it has begun, with an empty file, or never does
    (measured with plain documents of one clip, whatever its settings). Such a run is made again; one that
    wrote frames is not.
    """
    assert MELT is not None
    kdenlive = timeline.suffix == ".kdenlive"
    played = f"xml:{timeline}" if kdenlive else str(timeline)
    consumer = [
        f"avformat:{out}",
        "vcodec=ffv1",
        "pix_fmt=bgr0",
        "an=1",
        "real_time=-1",
        "terminate_on_pause=1",
    ]
    line = [MELT, "-silent", played, f"in={first}", f"out={last}", "-consumer", *consumer]
    told = ""
    # Kdenlive's way to lay tracks over each other is Qt's, which needs a display.
    with display(kdenlive) as environment:
        for _ in range(5):
            with contextlib.suppress(subprocess.TimeoutExpired):
                done = subprocess.run(
                    line,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=45,
                )
                told = done.stderr
                if done.returncode == 0 and out.is_file() and out.stat().st_size > 0:
                    return
            out.unlink(missing_ok=True)
    raise AssertionError(f"melt rendered nothing: {told}")


def render(timeline: Path, out: Path, first: int, last: int) -> list[tuple[int | None, bool]]:
    """Play frames `first` to `last`, both included, and read what each shows."""
    play(timeline, out, first, last)
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
