# SPDX-License-Identifier: Apache-2.0
"""A result gets the timecode of its place, and keeps everything else."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from flowanchor_daemon.cli.resolve.timecode import record_timecode, stamp

from flowanchor_core.errors import InputError
from flowanchor_core.footage import probe
from tests.resolve.surfaces.conftest import SELECTION


def write(path: Path, rate: Fraction, timecode: str | None, pix_fmt: str) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("prores_ks", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        stream.codec_context.color_primaries = stream.codec_context.color_trc = 1
        stream.codec_context.colorspace = 1
        if timecode is not None:
            stream.metadata["timecode"] = timecode
        for number in range(7):
            picture = np.full((48, 64, 4), [number * 30, 80, 90, 200], np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgba")))
        container.mux(stream.encode())
    return path


def content(path: Path) -> tuple[str, list[tuple[Any, ...]]]:
    """The kind of ProRes, and its packets."""
    with av.open(str(path)) as container:
        packets = [(bytes(one), one.pts, one.time_base) for one in container.demux(video=0) if one.size]
        return container.streams.video[0].codec_context.codec_tag, packets


@pytest.mark.parametrize("pix_fmt", ["yuv422p10le", "yuva444p10le"])
@pytest.mark.parametrize("before", [None, "14:15:16:17"])
@pytest.mark.parametrize(
    ("rate", "timecode"),
    [
        (Fraction(24), "01:00:00:10"),
        (Fraction(24_000, 1001), "23:59:59:23"),
        (Fraction(30_000, 1001), "01:00:00;02"),
    ],
)
def test_only_the_timecode_changes(
    tmp_path: Path, rate: Fraction, timecode: str, before: str | None, pix_fmt: str
) -> None:
    path = write(tmp_path / "result.mov", rate, before, pix_fmt)
    frames, was = content(path), probe(path)
    stamp(path, timecode)
    now = probe(path)
    assert now.start_timecode == timecode
    assert content(path) == frames
    assert replace(now, start_timecode=None) == replace(was, start_timecode=None)
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.mov"]


@pytest.mark.parametrize(
    "rate", [Fraction(16), Fraction(48_000, 1001), Fraction(60), Fraction(96), Fraction(120)]
)
def test_all_of_resolves_rates(tmp_path: Path, rate: Fraction) -> None:
    path = write(tmp_path / "result.mov", rate, None, "yuv422p10le")
    at = replace(SELECTION, rate=rate, start=90_000 + int(rate) - 1, end=90_000 + int(rate) + 6)
    stamp(path, record_timecode(at))
    assert probe(path).start_timecode == record_timecode(at)


def test_a_result_that_is_no_movie_stays(tmp_path: Path) -> None:
    path = tmp_path / "result.mov"
    path.write_bytes(b"no movie")
    with pytest.raises(InputError) as caught:
        stamp(path, "01:00:00:00")
    assert caught.value.code == "clip-unreadable"
    assert path.read_bytes() == b"no movie"
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.mov"]


def test_the_place_on_the_timeline() -> None:
    assert record_timecode(SELECTION) == "01:00:00:10"
    at = replace(SELECTION, start=107_892, end=107_900, rate=Fraction(30_000, 1001), drop_frame=True)
    assert record_timecode(at) == "01:00:00;00"
