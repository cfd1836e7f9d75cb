# SPDX-License-Identifier: Apache-2.0
"""What deliveries hold: pictures, rate, timecode, sound, and the same bytes for the same edit."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from flowanchor_core.footage import ClipInfo, Delivery, probe, read_frames
from flowanchor_core.footage.colour import frame_to_rgb, to_8bit
from flowanchor_core.footage.composite import over
from flowanchor_core.footage.planes import samples
from flowanchor_core.footage.verify import full_matte
from tests.core.footage.clips import (
    FFV1,
    PRORES,
    Recipe,
    marked,
    number_of,
    packets_of,
    region_of,
    write_movie,
    write_png,
    write_sequence,
)
from tests.core.footage.deliveries import FULL, PATCH, deliver, expected_full, sounding_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> ClipInfo:
    return sounding_clip(tmp_path_factory.mktemp("clip"))


@pytest.mark.parametrize(("name", "out"), FULL)
def test_full_deliveries(tmp_path: Path, clip: ClipInfo, name: str, out: str) -> None:
    proof = deliver(Delivery("full", name, tmp_path / out), clip, 12, 30)
    made = probe(tmp_path / out, clip.rate)
    assert (made.frames, made.rate, made.width, made.height) == (19, Fraction(24), clip.width, clip.height)
    assert (proof.frames, proof.rate) == (19, Fraction(24))
    assert [number_of(frame) for frame in read_frames(made, 0, 18)] == list(range(12, 31))
    if name != "png":
        assert made.start_timecode == proof.start_timecode == "01:00:00:12"
        assert made.audio
        assert proof.audio
        assert (made.colour.tag_matrix, made.colour.tag_range, made.colour.tag_primaries) == (1, 1, 1)
    if name in ("ffv1", "png"):
        assert proof.lossless
        assert proof.max_abs_diff_outside == 0
        for frame, wanted in zip(read_frames(made, 0, 18), expected_full(clip, 12, 30), strict=True):
            assert np.abs(frame_to_rgb(frame, made.colour) - wanted).max() < 0.003
    else:
        assert not proof.lossless
        assert proof.max_abs_diff_outside < 40 * (4 if name == "prores" else 1)
    assert [path.name for path in tmp_path.iterdir()] == [out]
    assert proof.bytes > 0


@pytest.mark.parametrize("pix_fmt", ["yuv422p10le", "yuv444p", "gray", "yuva420p", "gbrp10le", "yuv411p"])
def test_ffv1_keeps_the_pixel_format(tmp_path: Path, pix_fmt: str) -> None:
    clip = probe(write_movie(tmp_path / "in.mkv", Recipe("in", "ffv1", pix_fmt), 4, size=(47, 63)))
    proof = deliver(Delivery("full", "ffv1", tmp_path / "o.mkv"), clip, 1, 3)
    made = probe(tmp_path / "o.mkv")
    assert made.pix_fmt == clip.pix_fmt == pix_fmt
    assert proof.max_abs_diff_outside == 0
    track = marked(3, 47, 63)
    matte = full_matte(region_of(track), track[0])
    old, new = next(read_frames(clip, 1, 1)), next(read_frames(made, 0, 0))
    luma = samples(old)[0] != samples(new)[0]
    assert luma.any()
    assert not luma[matte == 0].any()


def test_full_range_video_stays_full_range(tmp_path: Path) -> None:
    clip = probe(write_movie(tmp_path / "in.mkv", FFV1, 3, tags=(5, 2, 6, 5)))
    for name, out in (("ffv1", "o.mkv"), ("h264", "o.mp4")):
        deliver(Delivery("full", name, tmp_path / out), clip, 0, 2)
        assert probe(tmp_path / out).colour.full_range
    deliver(Delivery("full", "prores", tmp_path / "o.mov"), clip, 0, 2)
    assert not probe(tmp_path / "o.mov").colour.full_range


def test_an_image_sequence_in_and_out(tmp_path: Path) -> None:
    clip = probe(write_sequence(tmp_path / "in", frames=5, start=1001), Fraction(25))
    proof = deliver(Delivery("full", "png", tmp_path / "out.%04d.png"), clip, 1, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "in",
        "out.1002.png",
        "out.1003.png",
        "out.1004.png",
    ]
    assert proof.max_abs_diff_outside == 0
    made = probe(tmp_path / "out.%04d.png", Fraction(25))
    assert [number_of(frame) for frame in read_frames(made, 0, 2)] == [1, 2, 3]
    deliver(Delivery("full", "ffv1", tmp_path / "out.mkv"), clip, 1, 3)
    assert probe(tmp_path / "out.mkv").pix_fmt == "rgb24"


def test_deep_images_stay_deep(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_png(tmp_path / "in" / "a1.png", np.arange(48 * 64, dtype=np.uint8).reshape(48, 64))
    deep = probe(write_movie(tmp_path / "in.mkv", Recipe("in", "ffv1", "gbrp16le"), 2))
    deliver(Delivery("full", "png", tmp_path / "o"), deep, 0, 1)
    assert probe(tmp_path / "o").pix_fmt == "gbrp16le"


@pytest.mark.parametrize(("name", "out"), PATCH)
def test_patch_deliveries(tmp_path: Path, clip: ClipInfo, name: str, out: str) -> None:
    proof = deliver(Delivery("patch", name, tmp_path / out), clip, 5, 14)
    assert proof.max_abs_diff_outside == 0
    assert proof.max_abs_diff_full is not None
    assert proof.max_abs_diff_full <= 1
    assert not proof.audio
    made = probe(tmp_path / out, clip.rate)
    assert (made.frames, made.rate) == (10, Fraction(24))
    assert made.layout.alpha
    if name == "prores4444":
        assert made.start_timecode == "01:00:00:05"
    wanted = expected_full(clip, 5, 14)
    worst = 0
    for index, (patch, source) in enumerate(
        zip(read_frames(made, 0, 9), read_frames(clip, 5, 14), strict=True)
    ):
        below = to_8bit(frame_to_rgb(source, clip.colour))
        alpha = samples(patch)[-1].astype(np.float32) / made.layout.peak
        rgba = np.dstack([to_8bit(frame_to_rgb(patch, made.colour)), np.rint(alpha * 255).astype(np.uint8)])
        worst = max(worst, int(np.abs(over(below, rgba).astype(int) - to_8bit(wanted[index])).max()))
    # ProRes is lossy even at its best: 2 of 255 measured, here and on natural footage
    assert worst <= (1 if name == "png" else 3)


@pytest.mark.parametrize(
    ("rate", "start", "first", "expected"),
    [
        ("24000/1001", "01:00:00:00", 25, "01:00:01:01"),
        ("30000/1001", "00:00:59;20", 12, "00:01:00;04"),
        ("60000/1001", "00:00:59;50", 12, "00:01:00;06"),
        ("25", "23:59:59:20", 7, "00:00:00:02"),
        ("50", "10:00:00:00", 10, "10:00:00:10"),
    ],
)
@pytest.mark.parametrize(("name", "out"), [("h264", "o.mp4"), ("ffv1", "o.mkv"), ("prores", "o.mov")])
def test_rate_and_timecode(
    tmp_path: Path, name: str, out: str, rate: str, start: str, first: int, expected: str
) -> None:
    clip = probe(write_movie(tmp_path / "in.mov", PRORES, 30, Fraction(rate), timecode=start))
    assert clip.start_timecode == start
    proof = deliver(Delivery("full", name, tmp_path / out), clip, first, 29)
    made = probe(tmp_path / out)
    assert made.rate == proof.rate == Fraction(rate)
    assert made.start_timecode == expected


@pytest.mark.parametrize("sound", ["aac", "pcm_s16le"])
@pytest.mark.parametrize("suffix", ["mov", "mkv"])
def test_all_sound_is_copied_with_the_whole_clip(tmp_path: Path, sound: str, suffix: str) -> None:
    source = write_movie(tmp_path / "in.mov", PRORES, 30, sound=sound)
    deliver(Delivery("full", "prores", tmp_path / f"o.{suffix}"), probe(source), 0, 29)
    assert b"".join(packets_of(tmp_path / f"o.{suffix}")) == b"".join(packets_of(source))


@pytest.mark.parametrize(("name", "out", "lead"), [("h264", "o.mp4", 2), ("h264", "o.mkv", 0)])
def test_a_range_gets_its_own_sound(tmp_path: Path, clip: ClipInfo, name: str, out: str, lead: int) -> None:
    deliver(Delivery("full", name, tmp_path / out), clip, 12, 30)
    kept, whole = packets_of(tmp_path / out), packets_of(clip.path)
    # AAC: 1024 samples a packet, the clip's first one starts 1024 samples early
    begin = -(-Fraction(12, 24) * 44100 // 1024) + 1 - lead
    end = -(-Fraction(31, 24) * 44100 // 1024) + 1
    assert kept == whole[int(begin) : int(end)]


@pytest.mark.parametrize(("name", "out"), [form for form in FULL + PATCH if "." in form[1]])
def test_equal_edits_are_equal_files(tmp_path: Path, clip: ClipInfo, name: str, out: str) -> None:
    contents = set()
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        deliver(Delivery("patch" if (name, out) in PATCH else "full", name, folder / out), clip, 1, 4)
        contents.add((folder / out).read_bytes())
    assert len(contents) == 1


def test_rotation_and_pixel_aspect_are_carried(tmp_path: Path, clip: ClipInfo) -> None:
    from dataclasses import replace

    turned = replace(clip, rotation=90, sample_aspect=Fraction(4, 3))
    deliver(Delivery("full", "h264", tmp_path / "o.mov"), turned, 0, 3)
    made = probe(tmp_path / "o.mov")
    assert (made.rotation, made.sample_aspect) == (90, Fraction(4, 3))
    assert any("rotated" in note for note in made.notes)
