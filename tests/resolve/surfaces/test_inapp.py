# SPDX-License-Identifier: Apache-2.0
"""The one-shot actions inside Resolve, with hand-offs between them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flowanchor_resolve import handoff, inapp
from flowanchor_resolve.handoff import PLACED, RESULT
from flowanchor_resolve.host import Placed
from flowanchor_resolve.problems import ResolveProblem

from tests.resolve.surfaces.conftest import FakeHost, narrowed
from tests.resolve.surfaces.test_handoff import change, made

Own = Callable[[str], Path]


def test_export_then_place_then_undo(own_folders: Own, host: FakeHost, tmp_path: Path) -> None:
    told: list[str] = []
    assert "flowanchor resolve edit --handoff" in inapp.act_on("edit", host, told.append)
    folder = handoff.find()
    handoff.finish(handoff.read(folder), made(tmp_path))
    assert inapp.act_on("place", host, told.append) == "1 result is on the timeline."
    assert host.on_timeline[0][1].path == folder / "result.mov"
    assert (folder / PLACED).is_file()
    with pytest.raises(ResolveProblem) as caught:
        inapp.act_on("place", host, told.append)
    assert caught.value.code == "handoff-none-finished"
    assert "job-1" in inapp.act_on("undo", host, told.append)
    assert host.on_timeline == []


def test_a_clip_without_a_marked_region_is_exported_all_the_same(own_folders: Own, host: FakeHost) -> None:
    host.fails["export_mask"] = ResolveProblem("resolve-no-mask", "There is none.", "Mark one.")
    told: list[str] = []
    inapp.act_on("edit", host, told.append)
    assert handoff.read(handoff.find()).region is None
    assert any("--box" in text for text in told)


def test_another_failure_of_the_mask_is_one(own_folders: Own, host: FakeHost) -> None:
    host.fails["export_mask"] = ResolveProblem("resolve-dialog-open", "A dialog is open.", "Close it.")
    with pytest.raises(ResolveProblem):
        inapp.act_on("edit", host, lambda text: None)
    assert handoff.waiting() == []


def finished(host: FakeHost, tmp_path: Path) -> Path:
    """A hand-off that is edited and not placed."""
    inapp.act_on("edit", host, lambda text: None)
    folder = handoff.find()
    handoff.finish(handoff.read(folder), made(tmp_path))
    return folder


def test_one_that_cannot_be_placed_keeps_none_from_its_turn(
    own_folders: Own, host: FakeHost, tmp_path: Path
) -> None:
    bad, good = sorted(finished(host, tmp_path) for _ in range(2))
    change(bad, RESULT, lambda content: content["result"].update(frames=23))
    told: list[str] = []
    assert inapp.act_on("place", host, told.append) == "1 result is on the timeline. 1 could not be placed."
    assert any(text.startswith(f"{bad.name} is not placed: ") for text in told)
    assert host.on_timeline[0][1].path == good / "result.mov"
    with pytest.raises(ResolveProblem, match="23 frames"):
        inapp.act_on("place", host, told.append)


def test_one_whose_placing_cannot_be_noted_is_taken_off_again(
    own_folders: Own, host: FakeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or it would be placed once more the next time."""
    finished(host, tmp_path)

    def full(folder: Path, placed: Placed) -> None:
        raise ResolveProblem("resolve-disk", "The disk is full.", "Make room.")

    monkeypatch.setattr(handoff, "note_placed", full)
    with pytest.raises(ResolveProblem, match="disk is full"):
        inapp.act_on("place", host, lambda text: None)
    assert host.on_timeline == []


def test_results_of_another_project_stay(own_folders: Own, host: FakeHost, tmp_path: Path) -> None:
    inapp.act_on("edit", host, lambda text: None)
    handoff.finish(handoff.read(handoff.find()), made(tmp_path))
    host.fails["place"] = ResolveProblem("resolve-timeline-gone", "It is not here.", "Open it.")
    with pytest.raises(ResolveProblem) as caught:
        inapp.act_on("place", host, lambda text: None)
    assert "1 more belong to other projects" in caught.value.message
    assert len(handoff.finished()) == 1


def test_what_the_free_edition_cannot_do(host: FakeHost) -> None:
    with pytest.raises(ResolveProblem) as caught:
        inapp.act_on("again", host, lambda text: None)
    assert caught.value.code == "resolve-needs-studio"


def test_what_was_taken_off_can_be_placed_again(own_folders: Own, host: FakeHost, tmp_path: Path) -> None:
    folder = finished(host, tmp_path)
    inapp.act_on("place", host, lambda text: None)
    inapp.act_on("undo", host, lambda text: None)
    told = inapp.act_on("place", host, lambda text: None)
    assert told == 'Placed "street.mov" on track 2 of "Reel 1", 24 frames again, since nothing else waits.'
    assert [result.path for _, result in host.on_timeline] == [folder / "result.mov"]
    with pytest.raises(ResolveProblem) as caught:
        inapp.act_on("place", host, lambda text: None)
    assert caught.value.code == "handoff-none-finished"


def test_what_waits_is_placed_before_what_was_taken_off(
    own_folders: Own, host: FakeHost, tmp_path: Path
) -> None:
    """A result that the user did not want does not come back with the next one."""
    finished(host, tmp_path)
    inapp.act_on("place", host, lambda text: None)
    inapp.act_on("undo", host, lambda text: None)
    new = finished(host, tmp_path)
    assert inapp.act_on("place", host, lambda text: None) == "1 result is on the timeline."
    assert [result.path for _, result in host.on_timeline] == [new / "result.mov"]


def test_of_several_that_were_taken_off_the_last_comes_back_first(
    own_folders: Own, host: FakeHost, tmp_path: Path
) -> None:
    folders = []
    for _ in range(2):
        folders.append(finished(host, tmp_path))
        inapp.act_on("place", host, lambda text: None)
    host.on_timeline.clear()
    for folder in reversed(folders):
        inapp.act_on("place", host, lambda text: None)
        assert host.on_timeline[-1][1].path == folder / "result.mov"


def test_what_cannot_be_placed_again_is_left_alone(own_folders: Own, host: FakeHost, tmp_path: Path) -> None:
    folder = finished(host, tmp_path)
    inapp.act_on("place", host, lambda text: None)
    host.on_timeline.clear()
    here = host.selection
    host.selection = narrowed(here, timeline_id="another")
    with pytest.raises(ResolveProblem, match="No finished edit"):
        inapp.act_on("place", host, lambda text: None)
    host.selection = here
    (folder / "result.mov").unlink()
    with pytest.raises(ResolveProblem, match="No finished edit"):
        inapp.act_on("place", host, lambda text: None)
    (folder / PLACED).write_text('{"placed": {"track": "?"}}')
    with pytest.raises(ResolveProblem, match="No finished edit"):
        inapp.act_on("place", host, lambda text: None)
