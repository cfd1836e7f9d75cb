# SPDX-License-Identifier: Apache-2.0
"""Hand-offs: whole or not at all, and never believed."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flowanchor_resolve import handoff, handoff_files
from flowanchor_resolve.handoff import REQUEST, RESULT
from flowanchor_resolve.host import Footage, Region, Selection
from flowanchor_resolve.problems import ResolveProblem

from tests.resolve.surfaces.conftest import SELECTION, TRIANGLE, FakeHost, narrowed, result_of

Own = Callable[[str], Path]


def filled(folder: Path) -> tuple[Selection, Footage, Region | None]:
    host = FakeHost(movies=2)
    footage = host.export_range(SELECTION, folder, lambda text: None)
    return SELECTION, footage, host.export_mask(SELECTION, "auto", folder, lambda text: None)


@pytest.fixture
def request_(own_folders: Own) -> handoff.Request:
    return handoff.leave(filled)


def change(folder: Path, name: str, alter: Callable[[dict[str, Any]], None]) -> None:
    content = json.loads((folder / name).read_text())
    alter(content)
    (folder / name).write_text(json.dumps(content))


def broken(folder: Path) -> str:
    with pytest.raises(ResolveProblem) as caught:
        handoff.read(folder)
    assert caught.value.code in ("handoff-broken", "resolve-note-broken")
    return caught.value.message


def test_what_is_left_comes_back(own_folders: Own, request_: handoff.Request) -> None:
    assert request_.folder.parent == own_folders("results") / "hand-off"
    assert request_.selection == SELECTION
    names = sorted(path.name for path in request_.folder.iterdir())
    assert names == ["footage.mov", "mask-1.mov", "mask-2.mov", REQUEST]
    found = handoff.read(request_.folder)
    assert found == request_
    assert found.footage.path.read_bytes() == b"pictures"
    assert found.region is not None
    assert [movie.path.read_bytes() for movie in found.region.movies] == [b"white", b"whitewhite"]
    assert [movie.in_alpha for movie in found.region.movies] == [False, True]
    assert list(found.region.polygons) == [TRIANGLE]


def test_it_moves_as_a_whole(request_: handoff.Request, tmp_path: Path) -> None:
    moved = tmp_path / "taken along"
    shutil.move(request_.folder, moved)
    assert handoff.read(moved).footage.path == moved / "footage.mov"


def test_a_clips_own_file_is_never_moved(own_folders: Own, tmp_path: Path) -> None:
    own = tmp_path / "card" / "A001.MOV"
    own.parent.mkdir()
    own.write_bytes(b"original")

    def fill(folder: Path) -> tuple[Selection, Footage, Region | None]:
        return SELECTION, FakeHost(own_file=own).export_range(SELECTION, folder, print), None

    request = handoff.leave(fill)
    assert own.read_bytes() == b"original"
    assert request.footage.path.read_bytes() == b"original"
    assert (request.footage.first, request.region) == (3, None)
    handoff.finish(request, made(tmp_path))
    assert own.read_bytes() == b"original"


@pytest.mark.parametrize("failure", [ResolveProblem("resolve-refused", "No.", "Look."), KeyboardInterrupt()])
def test_a_failed_export_leaves_no_hand_off(own_folders: Own, failure: BaseException) -> None:
    def fill(folder: Path) -> tuple[Selection, Footage, Region | None]:
        filled(folder)
        raise failure

    with pytest.raises(type(failure)):
        handoff.leave(fill)
    assert list(handoff.root().iterdir()) == []


def test_an_unfinished_one_is_not_seen(own_folders: Own) -> None:
    def fill(folder: Path) -> tuple[Selection, Footage, Region | None]:
        assert handoff.waiting() == []
        return filled(folder)

    assert handoff.leave(fill).folder in handoff.waiting()


def made(tmp_path: Path, content: bytes = b"edited") -> Any:
    path = tmp_path / "edited.mov"
    path.write_bytes(content)
    return result_of(path)


def test_its_life(own_folders: Own, request_: handoff.Request, tmp_path: Path) -> None:
    folder = request_.folder
    assert (handoff.waiting(), handoff.finished()) == ([folder], [])
    assert handoff.find() == folder == handoff.find(folder.name) == handoff.find(str(folder))
    kept = handoff.finish(request_, made(tmp_path))
    assert (handoff.waiting(), handoff.finished()) == ([], [folder])
    assert kept.path == folder / "result.mov"
    assert kept.path.read_bytes() == b"edited"
    assert not (folder / "footage.mov").exists()
    assert not (folder / "mask-1.mov").exists()
    selection, result = handoff.read_result(folder)
    assert selection == SELECTION
    assert result == kept
    host = FakeHost()
    handoff.note_placed(folder, host.place(selection, result))
    assert (handoff.waiting(), handoff.finished()) == ([], [])
    with pytest.raises(ResolveProblem) as caught:
        handoff.find()
    assert caught.value.code == "handoff-unknown"


def test_the_newest_that_waits_is_taken(own_folders: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = []
    for second in ("07", "08", "09"):
        monkeypatch.setattr(time, "strftime", lambda form, second=second: f"20260101-1000{second}")
        folders.append(handoff.leave(filled).folder)
    assert handoff.waiting() == folders
    assert handoff.find() == folders[-1]


# A hand-off is a folder that anybody may have written into.


@pytest.mark.parametrize(
    "name", ["../../secret.mov", "/etc/passwd", "..", "sub/footage.mov", "sub\\footage.mov", ".footage.mov"]
)
def test_paths_out_of_the_folder(request_: handoff.Request, name: str) -> None:
    def alter(content: dict[str, Any]) -> None:
        content["files"][name] = content["files"]["footage.mov"]
        content["footage"]["file"] = name

    change(request_.folder, REQUEST, alter)
    assert "no plain name" in broken(request_.folder)


@pytest.mark.skipif(os.name != "posix", reason="links")
@pytest.mark.parametrize("kind", ["symbolic", "folder", "pipe"])
def test_what_is_no_plain_file(request_: handoff.Request, tmp_path: Path, kind: str) -> None:
    path = request_.footage.path
    secret = tmp_path / "secret.mov"
    path.rename(secret)
    if kind == "symbolic":
        path.symlink_to(secret)
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    assert "no plain file" in broken(request_.folder)


def test_another_content_of_the_same_length(request_: handoff.Request) -> None:
    request_.footage.path.write_bytes(b"PICTURES")
    assert "another content" in broken(request_.folder)


def test_another_length(request_: handoff.Request) -> None:
    request_.footage.path.write_bytes(b"pictures and more")
    assert "not as long as stated" in broken(request_.folder)


def test_a_file_that_is_missing(request_: handoff.Request) -> None:
    request_.footage.path.unlink()
    assert "is missing" in broken(request_.folder)


def test_a_file_that_is_not_stated(request_: handoff.Request) -> None:
    change(request_.folder, REQUEST, lambda content: content["files"].pop("mask-2.mov"))
    assert "does not state the file mask-2.mov" in broken(request_.folder)


def test_a_stated_size_beyond_reason(request_: handoff.Request, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handoff_files, "LARGEST_MOVIE", 4)
    assert "not as long" in broken(request_.folder)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "missing or no JSON"),
        ('{"flowanchor": "hand-off", "version": 1', "missing or no JSON"),
        ("[]", "missing or no JSON"),
        ("[" * 200_000, "missing or no JSON"),
        ('{"flowanchor": "hand-off", "version": 2}', "version 2"),
        ('{"flowanchor": "hand-off", "version": 1}', "states no files"),
        ('{"flowanchor": "hand-off", "version": 1, "files": {}}', "no object"),
    ],
)
def test_a_request_that_is_none(request_: handoff.Request, content: str, said: str) -> None:
    (request_.folder / REQUEST).write_text(content)
    assert said in broken(request_.folder)


def test_a_huge_request(request_: handoff.Request, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handoff_files, "LARGEST_NOTE", 100)
    assert "missing or no JSON" in broken(request_.folder)


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("selection", "end", 0),
        ("selection", "rate", "1e999999999"),
        ("selection", "track", True),
        ("footage", "frames", 23),
        ("footage", "first", -1),
        ("region", "source", "anything"),
    ],
)
def test_values_that_make_no_sense(request_: handoff.Request, part: str, name: str, value: object) -> None:
    change(request_.folder, REQUEST, lambda content: content[part].update({name: value}))
    broken(request_.folder)


def test_a_result_is_not_believed_either(request_: handoff.Request, tmp_path: Path) -> None:
    handoff.finish(request_, made(tmp_path))
    change(request_.folder, RESULT, lambda content: content["result"].update(frames=23))
    with pytest.raises(ResolveProblem) as caught:
        handoff.read_result(request_.folder)
    assert "23 frames" in caught.value.message
    change(request_.folder, RESULT, lambda content: content["result"].update(frames=24, file="../x.mov"))
    with pytest.raises(ResolveProblem):
        handoff.read_result(request_.folder)


def test_names_of_hand_offs_are_no_paths(own_folders: Own) -> None:
    with pytest.raises(ResolveProblem) as caught:
        handoff.find("20260101-100000-../../x")
    assert caught.value.code == "handoff-unknown"


def test_a_hand_off_of_a_part(own_folders: Own) -> None:
    part = narrowed(SELECTION, start=86_412)

    def fill(folder: Path) -> tuple[Selection, Footage, Region | None]:
        return part, FakeHost().export_range(part, folder, print), None

    assert handoff.leave(fill).footage.frames == part.frames == 22
