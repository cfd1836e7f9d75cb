# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from flowanchor_core.errors import InputError
from flowanchor_core.footage.sequences import find_sequence, is_pattern


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(b"x")


def names(path: Path) -> list[str]:
    return [file.name for file in find_sequence(path).files]


def test_folder_pattern_and_one_file_name_the_same_sequence(tmp_path: Path) -> None:
    wanted = [f"a.{number:04d}.png" for number in range(8, 12)]
    touch(tmp_path, *reversed(wanted))
    touch(tmp_path, "notes.txt", ".a.0099.png")
    assert names(tmp_path) == wanted
    assert names(tmp_path / "a.%04d.png") == wanted
    assert names(tmp_path / "a.####.png") == wanted
    assert names(tmp_path / "a.0010.png") == wanted
    assert find_sequence(tmp_path).start == 8


def test_numbers_order_the_files_not_their_names(tmp_path: Path) -> None:
    touch(tmp_path, *(f"f{number}.jpg" for number in range(8, 12)))
    assert names(tmp_path) == ["f8.jpg", "f9.jpg", "f10.jpg", "f11.jpg"]


def test_a_hole_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "a1.png", "a2.png", "a4.png")
    with pytest.raises(InputError) as caught:
        find_sequence(tmp_path)
    assert caught.value.code == "sequence-holes"
    assert "no image number 3" in caught.value.message


def test_one_number_twice_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a1.png", "a01.png", "a2.png")
    with pytest.raises(InputError) as caught:
        find_sequence(tmp_path)
    assert caught.value.code == "sequence-holes"
    assert "number 1 twice" in caught.value.message


@pytest.mark.parametrize(
    ("files", "asked", "code"),
    [
        ((), "", "sequence-empty"),
        (("notes.txt",), "", "sequence-empty"),
        (("picture.png",), "", "sequence-empty"),
        (("a1.png", "b1.png"), "", "sequence-ambiguous"),
        (("a1.png",), "b.%04d.png", "clip-missing"),
        ((), "nowhere/b.%04d.png", "clip-missing"),
    ],
)
def test_nothing_to_read_is_said(tmp_path: Path, files: tuple[str, ...], asked: str, code: str) -> None:
    touch(tmp_path, *files)
    with pytest.raises(InputError) as caught:
        find_sequence(tmp_path / asked if asked else tmp_path)
    assert caught.value.code == code
    assert code != "sequence-empty" or "holds no numbered images" in caught.value.message


def test_a_file_that_is_there_is_no_pattern(tmp_path: Path) -> None:
    touch(tmp_path, "a%04d.png")
    assert not is_pattern(tmp_path / "a%04d.png")
    assert is_pattern(tmp_path / "b%04d.png")
    assert not is_pattern(tmp_path / "b.png")
