# SPDX-License-Identifier: Apache-2.0
"""Where `flowanchor jobs fetch` puts results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_daemon.cli.fetch import check_places, destination, targets

from flowanchor_core.errors import InputError


def job(*names: str, context: bytes = b"", client: str = "cli") -> jobs_pb2.Job:
    artifacts = [jobs_pb2.Artifact(kind=jobs_pb2.ARTIFACT_KIND_RESULT, name=name) for name in names]
    return jobs_pb2.Job(
        id="one",
        client=client,
        artifacts=artifacts,
        request=types_pb2.EditRequest(host_context=context),
        result=types_pb2.EditResult(format="png" if names and names[0].endswith(".png") else "ffv1"),
    )


def test_results_go_where_they_were_first_asked_for_unless_told_otherwise(tmp_path: Path) -> None:
    context = json.dumps({"out": "/a/out.mkv", "sheet": "/a/sheet.png"}).encode()
    assert destination(job(context=context), None, None) == (Path("/a/out.mkv"), Path("/a/sheet.png"))
    assert destination(job(context=context), tmp_path / "b.mkv", None) == (tmp_path / "b.mkv", None)


def test_a_variation_or_an_unnamed_result_replaces_nothing(tmp_path: Path) -> None:
    for name in ("out.mkv", "sheet.png"):
        (tmp_path / name).touch()
    asked = {"out": str(tmp_path / "out.mkv"), "sheet": str(tmp_path / "sheet.png")}
    first = job(context=json.dumps(asked).encode())
    assert destination(first, None, None) == (tmp_path / "out.mkv", tmp_path / "sheet.png")
    first.parent = "another"
    assert destination(first, None, None) == (tmp_path / "out-2.mkv", tmp_path / "sheet-2.png")
    unnamed = job(context=json.dumps({**asked, "unnamed": "yes"}).encode())
    assert destination(unnamed, None, None) == (tmp_path / "out-2.mkv", tmp_path / "sheet.png")


@pytest.mark.parametrize(
    ("context", "client"),
    [(b"", "cli"), (b"\xff", "cli"), (b"[]", "cli"), (b'{"out": 3}', "cli"), (b'{"out": "/a"}', "blender")],
)
def test_a_job_that_does_not_say_where_to_needs_a_name(context: bytes, client: str) -> None:
    with pytest.raises(InputError) as caught:
        destination(job(context=context, client=client), None, None)
    assert caught.value.code == "output-name"


def test_a_movie_gets_the_name_or_its_own_in_a_folder(tmp_path: Path) -> None:
    assert targets(job("result.mkv"), tmp_path / "b.MKV") == [tmp_path / "b.MKV"]
    assert targets(job("result.mkv"), tmp_path) == [tmp_path / "result.mkv"]
    with pytest.raises(InputError, match=r"is a \.mkv file"):
        targets(job("result.mkv"), tmp_path / "b.mp4")


def test_a_name_the_daemon_suggests_is_never_a_path(tmp_path: Path) -> None:
    assert targets(job("../../evil.mkv"), tmp_path) == [tmp_path / "evil.mkv"]


IMAGES = ("result.000024.png", "result.000025.png")


def test_images_keep_their_numbers(tmp_path: Path) -> None:
    assert targets(job(*IMAGES), tmp_path / "a.%04d.png") == [
        tmp_path / "a.0024.png",
        tmp_path / "a.0025.png",
    ]
    assert targets(job(*IMAGES), tmp_path / "a.##.png") == [tmp_path / "a.24.png", tmp_path / "a.25.png"]
    new = tmp_path / "new"
    assert targets(job(*IMAGES), new) == [new / "new.000024.png", new / "new.000025.png"]


def test_images_replace_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.0025.png").touch()
    for out in (tmp_path / "a.%04d.png", tmp_path, tmp_path / "a.0025.png"):
        with pytest.raises(InputError):
            targets(job(*IMAGES), out)


def test_a_job_without_a_result_or_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        targets(job(), tmp_path / "a.mkv")
    with pytest.raises(InputError) as caught:
        targets(job("result.mkv"), tmp_path / "no" / "a.mkv")
    assert caught.value.code == "output-folder-missing"


@pytest.mark.parametrize(
    ("out", "sheet", "code"),
    [
        ("clip.mkv", None, "output-is-input"),
        ("linked.mkv", None, "output-is-input"),
        ("masks/m.0001.png", None, "output-is-input"),
        ("new.mkv", "clip.mkv", "sheet-format"),
        ("new.png", "new.png", "output-twice"),
    ],
)
def test_nothing_the_edit_was_made_of_is_replaced(
    tmp_path: Path, out: str, sheet: str | None, code: str
) -> None:
    (tmp_path / "masks").mkdir()
    for name in ("clip.mkv", "masks/m.0001.png", "masks/m.0002.png"):
        (tmp_path / name).write_bytes(b"mine")
    (tmp_path / "linked.mkv").hardlink_to(tmp_path / "clip.mkv")
    reads = [str(tmp_path / "clip.mkv"), str(tmp_path / "masks"), str(tmp_path / "gone.mkv")]
    made = job("result.mkv", context=json.dumps({"out": "o.mkv", "reads": reads}).encode())
    with pytest.raises(InputError) as caught:
        check_places(made, [tmp_path / out], None if sheet is None else tmp_path / sheet)
    assert caught.value.code == code
    check_places(made, [tmp_path / "new.mkv"], tmp_path / "new.png")
