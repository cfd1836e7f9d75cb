# SPDX-License-Identifier: Apache-2.0
"""One edit from the timeline to the timeline, and what is left when a step fails."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from flowanchor_resolve import session
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.session import Order
from hypothesis import given
from hypothesis import strategies as st

from tests.resolve.surfaces.conftest import SELECTION, FakeEditing, FakeHost, result_of

REFUSED = ResolveProblem("resolve-refused", "Resolve did not.", "Look at Resolve.")


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_the_whole_path(host: FakeHost, editing: FakeEditing, temporary: Path) -> None:
    told: list[str] = []
    done = session.edit(host, Order(), editing, told.append)
    assert host.seen == ["select", "export_range", "export_mask", "place"]
    assert done.selection == SELECTION
    assert done.placed == host.on_timeline[0][0]
    assert done.result is not None
    assert done.result.path == editing.out
    assert host.file_at_place
    assert editing.tasks[0].region is not None
    assert editing.tasks[0].region.source == "track"
    assert told == [
        'Editing "street.mov" on track 2 of "Reel 1", 24 frames.',
        "Placing the result on the timeline.",
    ]
    assert names(temporary) == []


def test_without_a_region_on_the_timeline_none_is_exported(
    host: FakeHost, editing: FakeEditing, temporary: Path
) -> None:
    session.edit(host, Order(mask=None), editing, lambda text: None)
    assert "export_mask" not in host.seen
    assert editing.tasks[0].region is None


def test_nothing_is_placed_unasked(host: FakeHost, editing: FakeEditing, temporary: Path) -> None:
    done = session.edit(host, Order(place=False), editing, lambda text: None)
    assert done.placed is None
    assert host.on_timeline == []
    assert editing.out.is_file()


def test_an_edit_left_to_itself_is_not_placed(host: FakeHost, editing: FakeEditing, temporary: Path) -> None:
    editing.detach = True
    done = session.edit(host, Order(), editing, lambda text: None)
    assert (done.result, done.placed) == (None, None)
    assert names(temporary) == []


def test_as_a_take(host: FakeHost, editing: FakeEditing, temporary: Path) -> None:
    session.edit(host, Order(as_take=True), editing, lambda text: None)
    assert host.on_timeline[0][0].take == 1


def test_what_is_wrong_is_told_before_anything_is_exported(host: FakeHost, editing: FakeEditing) -> None:
    editing.refuses = REFUSED
    with pytest.raises(ResolveProblem):
        session.edit(host, Order(), editing, lambda text: None)
    assert host.seen == ["select"]


@pytest.mark.parametrize("step", ["select", "export_range", "export_mask"])
@pytest.mark.parametrize("failure", [REFUSED, KeyboardInterrupt(), RuntimeError("by surprise")])
def test_a_failed_export_leaves_nothing(
    host: FakeHost, editing: FakeEditing, temporary: Path, step: str, failure: BaseException
) -> None:
    host.fails[step] = failure
    with pytest.raises(type(failure)):
        session.edit(host, Order(), editing, lambda text: None)
    assert names(temporary) == []
    assert not editing.out.exists()
    assert host.on_timeline == []


@pytest.mark.parametrize("failure", [REFUSED, KeyboardInterrupt()])
def test_a_failed_edit_leaves_nothing(
    host: FakeHost, editing: FakeEditing, temporary: Path, failure: BaseException
) -> None:
    editing.fails = failure
    with pytest.raises(type(failure)):
        session.edit(host, Order(), editing, lambda text: None)
    assert names(temporary) == []
    assert "place" not in host.seen


def test_a_result_that_cannot_be_placed_is_removed_and_the_way_to_it_told(
    host: FakeHost, editing: FakeEditing, temporary: Path
) -> None:
    host.fails["place"] = REFUSED
    with pytest.raises(ResolveProblem) as caught:
        session.edit(host, Order(), editing, lambda text: None)
    assert caught.value.code == "resolve-refused"
    assert "`flowanchor resolve place job-1`" in caught.value.action
    assert not editing.out.exists()


def test_an_interrupted_placing_removes_the_file_too(
    host: FakeHost, editing: FakeEditing, temporary: Path
) -> None:
    host.fails["place"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        session.edit(host, Order(), editing, lambda text: None)
    assert not editing.out.exists()


@given(st.integers(-3, 30), st.integers(-3, 30))
def test_a_part_of_the_clip_is_cut_or_refused(first: int, last: int) -> None:
    if 0 <= first <= last < SELECTION.frames:
        part = session.narrowed(SELECTION, first, last)
        assert part.start == SELECTION.start + first
        assert part.frames == last - first + 1
        assert part.end <= SELECTION.end
    else:
        with pytest.raises(ResolveProblem) as caught:
            session.narrowed(SELECTION, first, last)
        assert caught.value.code == "resolve-frames"


def test_an_open_end_is_the_clips(host: FakeHost) -> None:
    assert session.narrowed(SELECTION, 4, None).end == SELECTION.end


def test_record_frames_name_a_part_as_well(host: FakeHost, editing: FakeEditing, temporary: Path) -> None:
    done = session.edit(host, Order(span=(86_412, 86_420)), editing, lambda text: None)
    assert (done.selection.start, done.selection.end) == (86_412, 86_420)
    with pytest.raises(ResolveProblem):
        session.edit(host, Order(span=(86_400, 86_420)), editing, lambda text: None)


def test_the_newest_result_is_the_one_made_last(host: FakeHost, tmp_path: Path) -> None:
    for job, at in (("job-a", 5.0), ("job-c", 9.0), ("job-b", 7.0)):
        host.place(SELECTION, result_of(tmp_path / "x.mov", job=job, at=at))
    placed = list(host.placed())
    assert session.newest(placed)[1].job == "job-c"
    assert session.newest(placed, "job-a")[1].job == "job-a"
    with pytest.raises(ResolveProblem) as caught:
        session.newest(placed, "other")
    assert caught.value.code == "resolve-nothing-placed"
    with pytest.raises(ResolveProblem):
        session.newest([])


def test_large_exports_do_not_go_where_temporary_files_may_be_kept_in_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    if os.path.isdir("/var/tmp"):
        assert session.temporary_parent() == "/var/tmp"
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert session.temporary_parent() == str(tmp_path)
