# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from flowanchor_core.errors import DeliveryError
from flowanchor_core.footage import ClipInfo, Delivery, DeliveryWriter, Proof, probe, read_frames, writers
from flowanchor_core.footage.colour import Picture, frame_to_rgb, to_8bit
from flowanchor_core.footage.composite import composite, over
from flowanchor_core.footage.planes import samples
from flowanchor_core.footage.verify import full_matte
from tests.core.footage.clips import (
    FFV1,
    H264,
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

FULL = [
    ("ffv1", "o.mkv"),
    ("h264", "o.mp4"),
    ("h264", "o.mov"),
    ("h264", "o.mkv"),
    ("prores", "o.mov"),
    ("png", "o"),
]
PATCH = [("prores4444", "o.mov"), ("png", "o")]


def edits(writer: DeliveryWriter, clip: ClipInfo, first: int, last: int) -> Iterator[Picture]:
    """The region of each frame, inverted: a change that depends on the frame."""
    for frame in read_frames(clip, first, last):
        yield 1 - writer.region.cut(frame, clip.colour)


def deliver(delivery: Delivery, clip: ClipInfo, first: int, last: int) -> Proof:
    delivery.preflight(clip, first, last)
    track = marked(last - first + 1, clip.height, clip.width)
    with delivery.open(clip, first, last, region_of(track), track) as writer:
        for edited in edits(writer, clip, first, last):
            writer.write(edited)
        assert list(writer.verify()) == list(range(1, last - first + 2))
    assert writer.proof is not None
    return writer.proof


def expected_full(clip: ClipInfo, first: int, last: int) -> list[Picture]:
    """The composite, frame by frame, as R'G'B'."""
    track = marked(last - first + 1, clip.height, clip.width)
    region = region_of(track)
    result = []
    for index, frame in enumerate(read_frames(clip, first, last)):
        edited = region.place(1 - region.cut(frame, clip.colour))
        full = composite(frame, edited, region.matte(track[index]), region.window, clip.colour)
        result.append(frame_to_rgb(full, clip.colour))
    return result


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> ClipInfo:
    folder = tmp_path_factory.mktemp("clip")
    return probe(
        write_movie(
            folder / "clip.mp4",
            H264,
            40,
            Fraction(24),
            sound="aac",
            timecode="01:00:00:00",
            tags=(1, 1, 1, 1),
        )
    )


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


def folder_state(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


@pytest.mark.parametrize(("name", "out"), [form for form in FULL + PATCH if "." in form[1]])
def test_equal_edits_are_equal_files(tmp_path: Path, clip: ClipInfo, name: str, out: str) -> None:
    contents = set()
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        deliver(Delivery("patch" if (name, out) in PATCH else "full", name, folder / out), clip, 1, 4)
        contents.add((folder / out).read_bytes())
    assert len(contents) == 1


@pytest.mark.parametrize(
    ("kind", "name", "out"), [("full", *case) for case in FULL] + [("patch", *case) for case in PATCH]
)
def test_nothing_is_left_after_an_exception(
    tmp_path: Path, clip: ClipInfo, kind: str, name: str, out: str
) -> None:
    track = marked(6)
    writer = Delivery(kind, name, tmp_path / out).open(clip, 0, 5, region_of(track), track)

    def halfway() -> None:
        with writer:
            for index, edited in enumerate(edits(writer, clip, 0, 5)):
                writer.write(edited)
                if index == 3:
                    assert not (tmp_path / out).exists()
                    assert folder_state(tmp_path)
                    raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        halfway()
    assert folder_state(tmp_path) == []


def test_nothing_is_left_after_a_closed_generator(tmp_path: Path, clip: ClipInfo) -> None:
    def running() -> Iterator[int]:
        track = marked(6)
        with Delivery("full", "ffv1", tmp_path / "o.mkv").open(clip, 0, 5, region_of(track), track) as writer:
            for index, edited in enumerate(edits(writer, clip, 0, 5)):
                writer.write(edited)
                yield index

    steps = running()
    next(steps)
    assert folder_state(tmp_path)
    steps.close()  # type: ignore[attr-defined]  # a generator
    assert folder_state(tmp_path) == []


def test_an_old_result_is_replaced_only_by_a_whole_one(tmp_path: Path, clip: ClipInfo) -> None:
    out = tmp_path / "o.mkv"
    out.write_text("the last result")
    track = marked(3)
    with (
        pytest.raises(ValueError, match="0 of 3"),
        Delivery("full", "ffv1", out).open(clip, 0, 2, region_of(track), track),
    ):
        pass  # a range that got no frames
    assert out.read_text() == "the last result"
    deliver(Delivery("full", "ffv1", out), clip, 0, 2)
    assert probe(out).frames == 3
    assert folder_state(tmp_path) == ["o.mkv"]


class Small(io.FileIO):
    """A file on a disk with little room."""

    room = 3000

    def write(self, data: object) -> int:
        if self.tell() + len(memoryview(data)) > self.room:  # type: ignore[arg-type]  # bytes of some kind
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)  # type: ignore[arg-type]  # the same


@pytest.mark.parametrize(
    ("kind", "name", "out"), [("full", *case) for case in FULL] + [("patch", *case) for case in PATCH]
)
@pytest.mark.parametrize("buffering", [0, 1 << 20])
def test_a_full_disk_is_one_sentence(
    tmp_path: Path,
    clip: ClipInfo,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    name: str,
    out: str,
    buffering: int,
) -> None:
    def create(path: Path) -> BinaryIO:
        raw = Small(path, "xb+")
        return io.BufferedRandom(raw, buffering) if buffering else raw

    monkeypatch.setattr(writers, "create_file", create)
    monkeypatch.setattr(Small, "room", 100 if name == "png" else 3000)
    with pytest.raises(DeliveryError) as caught:
        deliver(Delivery(kind, name, tmp_path / out), clip, 0, 20)
    assert caught.value.code == "disk-full"
    assert caught.value.message.count(".") == 1 + str(tmp_path).count(".")
    assert folder_state(tmp_path) == []


def test_other_write_failures_are_named(
    tmp_path: Path, clip: ClipInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> BinaryIO:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(writers, "create_file", refused)
    with pytest.raises(DeliveryError) as caught:
        deliver(Delivery("full", "ffv1", tmp_path / "o.mkv"), clip, 0, 3)
    assert caught.value.code == "write-failed"
    assert folder_state(tmp_path) == []


@pytest.mark.parametrize(("name", "out"), [("ffv1", "n" * 251 + ".mkv"), ("png", "n" * 243 + ".%04d.png")])
def test_the_longest_name_there_can_be_works(tmp_path: Path, clip: ClipInfo, name: str, out: str) -> None:
    deliver(Delivery("full", name, tmp_path / out), clip, 0, 1)
    assert len(folder_state(tmp_path)) == (1 if name == "ffv1" else 2)


def test_a_failure_in_cleaning_up_is_told_as_plainly(
    tmp_path: Path, clip: ClipInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(path: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    track = marked(2)
    monkeypatch.setattr(Path, "unlink", stuck)
    with (
        pytest.raises(DeliveryError, match="Input/output error"),
        Delivery("full", "ffv1", tmp_path / "o.mkv").open(clip, 0, 1, region_of(track), track),
    ):
        raise RuntimeError("halfway")


def test_a_result_that_was_damaged_on_its_way_is_not_kept(tmp_path: Path, clip: ClipInfo) -> None:
    track = marked(4)
    writer = Delivery("full", "png", tmp_path / "o").open(clip, 0, 3, region_of(track), track)

    def damaged() -> None:
        with writer:
            for edited in edits(writer, clip, 0, 3):
                writer.write(edited)
            temporary = next(tmp_path.iterdir())
            write_png(sorted(temporary.iterdir())[2], np.zeros((clip.height, clip.width), np.uint8))
            list(writer.verify())

    with pytest.raises(DeliveryError) as caught:
        damaged()
    assert caught.value.code == "verification-failed"
    assert folder_state(tmp_path) == []


def test_a_result_that_lost_frames_is_not_kept(tmp_path: Path, clip: ClipInfo) -> None:
    track = marked(4)
    writer = Delivery("patch", "png", tmp_path / "o").open(clip, 0, 3, region_of(track), track)

    def shortened() -> None:
        with writer:
            for edited in edits(writer, clip, 0, 3):
                writer.write(edited)
            sorted(next(tmp_path.iterdir()).iterdir())[3].unlink()
            list(writer.verify())

    with pytest.raises(DeliveryError) as caught:
        shortened()
    assert caught.value.code == "verification-failed"
    assert "3 frames instead of 4" in caught.value.message


def test_more_frames_than_the_range_are_a_mistake(tmp_path: Path, clip: ClipInfo) -> None:
    track = marked(1)
    writer = Delivery("full", "ffv1", tmp_path / "o.mkv").open(clip, 0, 0, region_of(track), track)
    picture = np.zeros((writer.region.model_height, writer.region.model_width, 3), np.float32)
    with writer:
        writer.write(picture)
        with pytest.raises(ValueError, match="only 1 frames"):
            writer.write(picture)


def test_rotation_and_pixel_aspect_are_carried(tmp_path: Path, clip: ClipInfo) -> None:
    from dataclasses import replace

    turned = replace(clip, rotation=90, sample_aspect=Fraction(4, 3))
    deliver(Delivery("full", "h264", tmp_path / "o.mov"), turned, 0, 3)
    made = probe(tmp_path / "o.mov")
    assert (made.rotation, made.sample_aspect) == (90, Fraction(4, 3))
    assert any("rotated" in note for note in made.notes)
