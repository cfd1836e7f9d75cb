# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import os
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import pytest

from flowanchor_core.errors import InputError
from flowanchor_core.footage import ClipInfo, Delivery, probe
from flowanchor_core.footage.preflight import Room, image_names, make_folder
from tests.core.footage.clips import FFV1, PRORES, Recipe, write_movie, write_sequence


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> ClipInfo:
    return probe(write_movie(tmp_path_factory.mktemp("clip") / "clip.mkv", FFV1, 12))


def refusal(delivery: Delivery, clip: ClipInfo) -> InputError:
    with pytest.raises(InputError) as caught:
        delivery.preflight(clip, 2, 6)
    return caught.value


@pytest.mark.parametrize(
    ("kind", "name", "out"),
    [
        ("full", "h264", "a.mp4"),
        ("full", "h264", "a.MOV"),
        ("full", "prores", "a.mov"),
        ("full", "ffv1", "a.mkv"),
        ("full", "png", "frames"),
        ("full", "png", "a.%04d.png"),
        ("patch", "prores4444", "a.mov"),
        ("patch", "png", "frames"),
    ],
)
def test_what_is_fine_passes_and_writes_nothing(
    tmp_path: Path, clip: ClipInfo, kind: str, name: str, out: str
) -> None:
    Delivery(kind, name, tmp_path / out).preflight(clip, 2, 6)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "name", "out", "code"),
    [
        ("whole", "ffv1", "a.mkv", "kind-unknown"),
        ("full", "av1", "a.mkv", "format-unknown"),
        ("patch", "h264", "a.mp4", "format-unknown"),
        ("full", "ffv1", "a.mp4", "output-name"),
        ("full", "h264", "a", "output-name"),
        ("full", "png", "a.png", "output-name"),
        ("patch", "png", "a.mov", "output-name"),
        ("full", "ffv1", "nowhere/a.mkv", "output-folder-missing"),
        ("full", "png", "nowhere/frames", "output-folder-missing"),
    ],
)
def test_what_is_wrong_already(
    tmp_path: Path, clip: ClipInfo, kind: str, name: str, out: str, code: str
) -> None:
    error = refusal(Delivery(kind, name, tmp_path / out), clip)
    assert error.code == code
    assert error.message.endswith(".")


def test_outputs_that_would_replace_something(tmp_path: Path, clip: ClipInfo) -> None:
    assert refusal(Delivery("full", "ffv1", clip.path), clip).code == "output-is-clip"
    (tmp_path / "frames").mkdir()
    Delivery("full", "png", tmp_path / "frames").preflight(clip, 2, 6)
    (tmp_path / "frames" / "notes.txt").write_text("mine")
    assert refusal(Delivery("full", "png", tmp_path / "frames"), clip).code == "output-exists"
    Delivery("full", "png", tmp_path / "frames" / "a.%03d.png").preflight(clip, 2, 6)
    (tmp_path / "frames" / "a.004.png").write_text("mine")
    assert refusal(Delivery("full", "png", tmp_path / "frames" / "a.%03d.png"), clip).code == "output-exists"
    assert refusal(Delivery("full", "png", tmp_path / "frames" / "notes.txt"), clip).code == "output-name"
    (tmp_path / "movie.mkv").mkdir()
    assert refusal(Delivery("full", "ffv1", tmp_path / "movie.mkv"), clip).code == "output-name"


def test_sound_that_the_container_cannot_hold(tmp_path: Path) -> None:
    clip = probe(write_movie(tmp_path / "a.mkv", FFV1, 12, sound="flac"))
    error = refusal(Delivery("full", "h264", tmp_path / "b.mov"), clip)
    assert error.code == "sound-container"
    assert "flac" in error.message
    Delivery("full", "h264", tmp_path / "b.mkv").preflight(clip, 2, 6)
    Delivery("patch", "prores4444", tmp_path / "b.mov").preflight(clip, 2, 6)  # a patch carries no sound


def test_h264_needs_even_sides_and_the_others_do_not(tmp_path: Path) -> None:
    clip = probe(write_movie(tmp_path / "a.mkv", FFV1, 7, size=(49, 65)))
    assert refusal(Delivery("full", "h264", tmp_path / "b.mp4"), clip).code == "odd-size"
    for name, out in (("ffv1", "b.mkv"), ("prores", "b.mov"), ("png", "b")):
        Delivery("full", name, tmp_path / out).preflight(clip, 2, 6)


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_too_little_disk(tmp_path: Path, clip: ClipInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 1 << 20))
    error = refusal(Delivery("full", "ffv1", tmp_path / "a.mkv"), clip)
    assert error.code == "disk-too-small"
    assert "1 MiB free" in error.message


def test_a_folder_that_cannot_be_written_to(
    tmp_path: Path, clip: ClipInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)  # tests may run as root
    assert refusal(Delivery("full", "ffv1", tmp_path / "a.mkv"), clip).code == "output-folder-locked"


def test_a_place_that_refuses_new_files_is_found_by_trying(
    tmp_path: Path, clip: ClipInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: int = 0o666, exist_ok: bool = True) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "touch", refuse)
    error = refusal(Delivery("full", "ffv1", tmp_path / "a.mkv"), clip)
    assert error.code == "output-folder-locked"
    assert "Read-only" in error.message


@pytest.mark.parametrize(
    ("kind", "name", "out"),
    [
        ("full", "ffv1", "n" * 300 + ".mkv"),
        ("full", "png", "n" * 300),
        ("full", "png", "n" * 249 + "%d.png"),
        ("full", "png", "n" * 248),
    ],
)
def test_names_that_are_too_long(tmp_path: Path, clip: ClipInfo, kind: str, name: str, out: str) -> None:
    if out.endswith("%d.png"):
        clip = replace(clip, first_number=1000)
    error = refusal(Delivery(kind, name, tmp_path / out), clip)
    assert error.code == "path-unusable"
    assert error.message.count("n" * 61) == 0
    assert list(tmp_path.iterdir()) == []


def test_estimates_are_on_the_safe_side(tmp_path: Path) -> None:
    from flowanchor_core.footage.formats import estimate_bytes, find_format
    from flowanchor_core.footage.planes import layout_of

    noise = tmp_path / "noise"
    size = 256
    for name, recipe in (
        ("ffv1", Recipe("x", "ffv1", "yuv420p")),
        ("h264", Recipe("x", "libx264", "yuv420p", {"crf": "16"})),
        ("prores", PRORES),
    ):
        path = write_movie(noise.with_name(f"{name}.mkv"), recipe, 20, size=(size, size))
        assert (
            estimate_bytes(find_format("full", name), layout_of("yuv420p"), size, size, 20, 0)
            > path.stat().st_size
        )


def test_image_names(tmp_path: Path, clip: ClipInfo) -> None:
    folder, names = image_names(tmp_path / "patch", clip, 9, 10)
    assert (folder, names) == (tmp_path / "patch", ["patch.000009.png", "patch.000010.png"])
    folder, names = image_names(tmp_path / "a_%04d_b.png", clip, 9, 10)
    assert (folder, names) == (tmp_path, ["a_0009_b.png", "a_0010_b.png"])
    numbered = probe(write_sequence(tmp_path / "in", frames=3, start=1001), Fraction(24))
    assert image_names(tmp_path / "a.###.png", numbered, 1, 2)[1] == ["a.1002.png", "a.1003.png"]


def test_a_result_keeps_to_the_room_it_is_given(tmp_path: Path, clip: ClipInfo) -> None:
    delivery = Delivery("full", "ffv1", tmp_path / "a.mkv")
    delivery.preflight(clip, 2, 6, Room(0, 1 << 30))
    codes = []
    for room in (Room(1 << 60), Room(0, 10), Room(0, -5)):
        with pytest.raises(InputError) as refused:
            delivery.preflight(clip, 2, 6, room)
        codes.append(refused.value.code)
    assert codes == ["disk-too-small", "quota-full", "quota-full"]


def test_a_folder_of_results_is_made_once_and_what_is_in_the_way_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        make_folder(tmp_path / "results")
    assert [path.name for path in tmp_path.rglob("*")] == ["results"]
    (tmp_path / "file").touch()
    for wrong, code in (("file", "output-name"), ("no/folder", "output-folder-missing")):
        with pytest.raises(InputError) as caught:
            make_folder(tmp_path / wrong)
        assert caught.value.code == code

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(
        InputError, match=r"cannot be written to \(Read-only file system\)\. Choose"
    ) as caught:
        make_folder(tmp_path / "more")
    assert caught.value.code == "output-folder-locked"
