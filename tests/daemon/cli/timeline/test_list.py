# SPDX-License-Identifier: Apache-2.0
"""`flowanchor timeline list`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flowanchor_interchange import files

from tests.daemon.cli.timeline.command import PROMPTS, Editor, Make, call
from tests.interchange.documents import DOCUMENTS
from tests.interchange.scene import LENGTH


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_list(kind: str, make: Make) -> None:
    path, scene = make(kind)
    code, stdout, _ = call("list", path)
    assert code == 0
    assert files.FORMATS[kind] in stdout
    code, stdout, _ = call("list", path, "--json")
    told = json.loads(stdout)
    assert (code, told["format"], told["rate"], told["frames"]) == (0, kind, "24000/1001", LENGTH)
    two = told["tracks"][0]["clips"][1]
    assert (two["clip"], two["first"], two["last"], two["frames"]) == (2, 30, 59, 30)
    assert two["start"] == ("00:00:01:06" if kind in ("mlt", "kdenlive") else "01:00:01:06")
    assert (two["media"], two["obstacle"]) == (str(scene.footage), None)
    scene.footage.unlink()
    if kind != "edl":
        told = json.loads(call("list", path, "--json")[1])
        assert told["tracks"][0]["clips"][1]["obstacle"] == "its file is not there"
        assert "its file is not there" in call("list", path)[1]


def test_list_says_what_keeps_a_clip_from_being_edited(make: Make) -> None:
    path, _ = make("mlt")
    path.write_bytes(path.read_bytes().replace(b"avformat-novalidate", b"timewarp"))
    told = json.loads(call("list", path, "--json")[1])
    assert told["tracks"][0]["clips"][0]["obstacle"] == "its speed is changed"


def test_list_says_that_a_file_runs_at_another_rate(make: Make) -> None:
    path, _ = make("mlt")
    stated = '<property name="meta.media.frame_rate_{0}">{1}</property>'
    both = f'{stated.format("num", 30)}{stated.format("den", 1)}<property name="resource">'
    path.write_text(path.read_text().replace('<property name="resource">', both, 1))
    told = json.loads(call("list", path, "--json")[1])
    obstacle = told["tracks"][0]["clips"][0]["obstacle"]
    assert obstacle == "its file runs at 30 frames a second, the timeline at 24000/1001"


def test_list_of_what_is_no_timeline(tmp_path: Path) -> None:
    for name, data in {
        "a.xml": b"<html/>",
        "b.edl": b"hello",
        "c.otioz": b"PK\x03\x04...",
        "d": b"\0" * 100,
    }.items():
        (tmp_path / name).write_bytes(data)
        code, stdout, _ = call("list", tmp_path / name, "--json")
        assert code == 2
        expected = "timeline-unreadable" if name == "c.otioz" else "timeline-format"
        assert json.loads(stdout)["error"]["code"] == expected
    (tmp_path / "x.fcpxmld").mkdir()
    (tmp_path / "x.fcpxmld" / "Info.fcpxml").touch()
    code, stdout, _ = call("list", tmp_path / "x.fcpxmld", "--json")
    assert json.loads(stdout)["error"]["action"] == "Give the Info.fcpxml in it."


def test_names_do_not_command_the_terminal(make: Make, editor: Editor, tmp_path: Path) -> None:
    """Whoever made the timeline chose them: they are shown, but move no cursor and add no lines."""
    path, _ = make("otio")
    plain = json.loads(path.read_text())
    for track in plain["tracks"]["children"][:2]:
        track["name"] = "V\x1b[2J"
    clip = plain["tracks"]["children"][0]["children"][2]
    clip["name"] = "two\x1b[31m\nNo such thing\x9b\x07"
    clip["effects"][0]["name"] = "Grade\x1b]0;x\x07"
    path.write_text(json.dumps(plain))
    ugly = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]|^No such", re.MULTILINE)
    code, stdout, _ = call("list", path)
    assert code == 0
    assert not ugly.search(stdout)
    two = ["edit", path, *PROMPTS, "--track", 1, "--clip", 2]
    _, _, refused = call(*two, "--frames", "0-99", "-o", tmp_path / "a.otio")
    assert "shows 30 frames" in refused
    _, _, noted = call(*two, "--frames", "0-3", "-o", tmp_path / "b.otio")
    assert "The result lacks" in noted
    assert not ugly.search(refused + noted)


def test_folders_are_named_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"no file a.otio in {tmp_path}." in call("list", "a.otio")[2]
    assert f"{tmp_path.name} is a folder" in call("list", ".")[2]
