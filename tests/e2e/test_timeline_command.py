# SPDX-License-Identifier: Apache-2.0
"""`flowanchor timeline edit` with a real daemon and the embedded model, from a timeline to a rendered one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import opentimelineio as otio  # type: ignore[import-untyped]
import pytest

from flowanchor_core.shapes.demo import DemoClip, demo_clip
from tests.e2e.conftest import Run
from tests.interchange.melt import MELT, play

FIRST, LENGTH, AT = 2, 14, 5
"""The clip shows frames 2 to 15 of the demo's 17, from the timeline's sixth frame on."""
EDITED = (3, 11)
"""Of the clip, both included: frames 5 to 13 of the file, 8 to 16 of the timeline."""


def span(start: int, frames: int) -> Any:
    return otio.opentime.TimeRange(
        otio.opentime.RationalTime(start, 24), otio.opentime.RationalTime(frames, 24)
    )


@pytest.fixture
def demo(tmp_path: Path) -> DemoClip:
    return demo_clip(tmp_path)


@pytest.fixture
def timeline(demo: DemoClip, tmp_path: Path) -> Path:
    """The demo's clip on a track, at 01:00:00:05."""
    media = otio.schema.ExternalReference(demo.clip.as_uri(), span(0, 17))
    whole = otio.schema.Timeline("demo", global_start_time=otio.opentime.RationalTime(86400, 24))
    gap, clip = (
        otio.schema.Gap(source_range=span(0, AT)),
        otio.schema.Clip("things", media, span(FIRST, LENGTH)),
    )
    whole.tracks.append(otio.schema.Track("V1", [gap, clip]))
    path = tmp_path / "demo.otio"
    otio.adapters.write_to_file(whole, str(path))
    return path


def frames_of(path: Path) -> list[npt.NDArray[np.int16]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").astype(np.int16) for frame in container.decode(video=0)]


def arguments(timeline: Path, demo: DemoClip, out: Path) -> list[object]:
    edit = demo.edits[0]
    prompts = [
        "--source",
        demo.source_prompt,
        "--target",
        edit.target_prompt,
        "--words",
        ",".join(edit.words),
    ]
    marked = [
        "--mask",
        edit.mask,
        "--feather",
        2,
        "--frames",
        f"{EDITED[0]}-{EDITED[1]}",
        "--preset",
        "draft",
    ]
    return [
        "timeline",
        "edit",
        timeline,
        "--clip",
        "things",
        *prompts,
        *marked,
        "--format",
        "ffv1",
        "-o",
        out,
        "--json",
    ]


def test_from_a_timeline_to_a_rendered_one(run: Run, demo: DemoClip, timeline: Path, tmp_path: Path) -> None:
    original = timeline.read_bytes()
    out = tmp_path / "new.otio"
    done = run(*arguments(timeline, demo, out))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["frames"], told["rate"], told["model"]) == (9, "24/1", "shapes")
    assert told["max_abs_diff_outside"] == 0
    assert told["timeline"] == {
        "output": str(out),
        "track": 2,
        "track_name": "FlowAnchor",
        "clip": "things",
        "start": "01:00:00:08",
        "first": 8,
        "last": 16,
    }
    source, edited = frames_of(demo.clip), frames_of(Path(told["output"]))
    marks = frames_of(demo.edits[0].mask)
    assert len(edited) == 9
    for frame, now in enumerate(edited, FIRST + EDITED[0]):
        changed = np.abs(now - source[frame]).max(axis=-1) > 0
        inside = marks[frame][..., 0] > 127
        near = inside | np.isin(np.arange(64 * 64).reshape(64, 64), _around(inside))
        assert changed[inside].mean() > 0.5, "the marked thing of this very frame has changed"
        assert not changed[~near].any()
    assert timeline.read_bytes() == original
    theirs = otio.adapters.read_from_file(str(out))
    (placed,) = theirs.video_tracks()[1].find_clips()
    assert placed.range_in_parent() == span(8, 9)
    assert placed.metadata["flowanchor"]["job"] == told["job"]
    assert placed.metadata["flowanchor"]["target"] == demo.edits[0].target_prompt


def _around(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Indices of the pixels within three of the marked ones: the soft edge is two wide."""
    rows, columns = np.nonzero(inside)
    found = [
        (row + down) * 64 + column + right
        for row, column in zip(rows, columns, strict=True)
        for down in range(-3, 4)
        for right in range(-3, 4)
        if 0 <= row + down < 64 and 0 <= column + right < 64
    ]
    return np.unique(np.asarray(found, np.intp))


@pytest.mark.skipif(MELT is None, reason="melt (Debian's package of that name) is not installed")
def test_melt_plays_the_edit_in_its_place(run: Run, demo: DemoClip, timeline: Path, tmp_path: Path) -> None:
    out = tmp_path / "new.mlt"
    done = run(*arguments(timeline, demo, out))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert any("the start timecode 01:00:00:00 was left out" in text for text in told["notices"])
    rendered = tmp_path / "rendered.mkv"
    play(out, rendered, 0, AT + LENGTH - 1)
    played, source, edited = (frames_of(path) for path in (rendered, demo.clip, Path(told["output"])))
    assert len(played) == AT + LENGTH
    for frame, picture in enumerate(played):
        if frame < AT:
            assert picture.max() < 20, "nothing yet"
            continue
        wanted = edited[frame - 8] if 8 <= frame <= 16 else source[frame - AT + FIRST]
        other = source[frame - AT + FIRST] if 8 <= frame <= 16 else edited[min(max(frame - 8, 0), 8)]
        # MLT goes through YUV, so pictures are compared as a whole.
        assert np.abs(picture - wanted).mean() < 2
        assert np.abs(picture - wanted).mean() < np.abs(picture - other).mean()


def test_a_refusal_leaves_nothing_behind(run: Run, demo: DemoClip, timeline: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    done = run(*arguments(timeline, demo, timeline))
    assert done.returncode == 2
    assert "demo.otio is the timeline itself" in done.stderr
    assert sorted(tmp_path.iterdir()) == before
