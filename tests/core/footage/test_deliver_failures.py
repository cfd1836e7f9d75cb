# SPDX-License-Identifier: Apache-2.0
"""A delivery that breaks off leaves nothing, and one that came out wrong is not kept."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from flowanchor_core.errors import DeliveryError
from flowanchor_core.footage import ClipInfo, Delivery, probe, writers
from tests.core.footage.clips import (
    marked,
    region_of,
    write_png,
)
from tests.core.footage.deliveries import FULL, PATCH, deliver, edits, sounding_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> ClipInfo:
    return sounding_clip(tmp_path_factory.mktemp("clip"))


def folder_state(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


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
