# SPDX-License-Identifier: Apache-2.0
"""The reader of movies inside Resolve says what the core's own says, of movies that FFmpeg has written."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from flowanchor_daemon.cli.resolve import reach
from flowanchor_resolve import quicktime
from flowanchor_resolve.problems import ResolveProblem
from hypothesis import given
from hypothesis import strategies as st

RATES = [
    Fraction(24),
    Fraction(25),
    Fraction(30),
    Fraction(50),
    Fraction(24_000, 1001),
    Fraction(30_000, 1001),
    Fraction(60_000, 1001),
]


def write(
    path: Path,
    rate: Fraction = Fraction(24),
    frames: int = 12,
    pix_fmt: str = "yuv422p10le",
    timecode: str | None = None,
    codec: str = "prores_ks",
    alpha: int = 255,
) -> Path:
    with av.open(str(path), "w") as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=rate))
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        if timecode is not None:
            stream.metadata["timecode"] = timecode
        for number in range(frames):
            picture = np.full((48, 64, 4), [number * 9 % 256, 80, 90, alpha], np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgba")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("timecode", [None, "10:20:30:05"])
def test_it_agrees_with_the_core(tmp_path: Path, rate: Fraction, timecode: str | None) -> None:
    path = write(tmp_path / "movie.mov", rate, 11, timecode=timecode)
    found, told = quicktime.probe(path), reach.probe(path)
    assert (found.frames, found.rate) == (11, rate)
    assert (found.width, found.height, found.alpha) == (64, 48, False)
    assert found.start_timecode == timecode == told.start_timecode
    assert (found.frames, found.rate, found.alpha) == (told.frames, told.rate, told.alpha)


@pytest.mark.parametrize("rate", [Fraction(30_000, 1001), Fraction(60_000, 1001)])
def test_drop_frame_timecode(tmp_path: Path, rate: Fraction) -> None:
    path = write(tmp_path / "movie.mov", rate, timecode="00:59:59;20")
    assert quicktime.probe(path).start_timecode == "00:59:59;20"


@pytest.mark.parametrize("alpha", [255, 100])
def test_alpha(tmp_path: Path, alpha: int) -> None:
    path = write(tmp_path / "movie.mov", pix_fmt="yuva444p10le", alpha=alpha)
    found, told = quicktime.probe(path), reach.probe(path)
    assert found.alpha
    assert told.alpha
    assert found.transparent is None
    assert told.transparent == (alpha < 255)


def test_mp4(tmp_path: Path) -> None:
    found = quicktime.probe(write(tmp_path / "movie.mp4", codec="mpeg4", pix_fmt="yuv420p"))
    assert (found.frames, found.rate, found.width) == (12, Fraction(24), 64)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write(tmp_path_factory.mktemp("whole") / "movie.mov", timecode="01:00:00:00").read_bytes()


@pytest.mark.parametrize(
    "content", [b"", b"abc", b"no movie at all, but long enough to look at", b"\0" * 4096]
)
def test_what_is_no_movie(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "movie.mov"
    path.write_bytes(content)
    with pytest.raises(ResolveProblem) as caught:
        quicktime.probe(path)
    assert caught.value.code == "render-unreadable"


def test_a_missing_file(tmp_path: Path) -> None:
    for probe in (quicktime.probe, reach.probe):
        with pytest.raises(ResolveProblem) as caught:
            probe(tmp_path / "movie.mov")
        assert caught.value.code == "render-unreadable"


def test_a_file_that_is_still_written(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "movie.mov"
    for share in (0.3, 0.9, 0.999):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(ResolveProblem):
            quicktime.probe(path)


@given(data=st.data())
def test_damage_never_comes_through_as_something_else(
    tmp_path_factory: pytest.TempPathFactory, whole: bytes, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "movie.mov"
    content = bytearray(whole)
    index = whole.index(b"moov")
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(index - 4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with contextlib.suppress(ResolveProblem):  # anything else is a failure of the reader
        assert quicktime.probe(path).frames > 0
