# SPDX-License-Identifier: Apache-2.0
"""Results in edit decision lists of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flowanchor_interchange import files, place
from flowanchor_interchange.model import Span

from tests.interchange.conftest import Make
from tests.interchange.scene import EDITED, TWO_AT


def test_labels_begin_again_at_midnight(make: Make, tmp_path: Path) -> None:
    """No list has an hour of 24."""
    path, scene = make("otio")
    source = files.read(path)
    midnight = 24 * 60 * 60 * 24  # 23.976 counts 24 to a second
    record = EDITED.moved(TWO_AT)
    timeline = replace(source.timeline, start=midnight - record.start - 4)
    result = replace(scene.result(tmp_path / "r.mov"), start=midnight - 5)
    data = place.render(replace(source, timeline=timeline), tmp_path / "new.edl", result, {}).data
    (line,) = [line for line in data.decode().splitlines() if line.startswith("001")]
    assert line.split()[-4:] == ["23:59:59:19", "00:00:00:05", "23:59:59:20", "00:00:00:06"]
    (tmp_path / "new.edl").write_bytes(data)
    (clip,) = files.read(tmp_path / "new.edl", scene.rate).timeline.tracks[0].clips
    assert (clip.record.duration, clip.obstacles) == (10, ())
    assert clip.source == Span(midnight - 5, midnight + 5)
