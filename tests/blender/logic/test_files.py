# SPDX-License-Identifier: Apache-2.0
"""A copied .blend follows the original's edits and leaves them to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2
from flowanchor_vse.logic.files import FileId, on_this_computer, opened, same_path, saved_at
from flowanchor_vse.logic.ledger import Ledger
from flowanchor_vse.logic.saving import inherit
from hypothesis import given

from tests.blender.logic.anything import junk, records
from tests.blender.logic.conftest import Desk

A, B = "/films/a.blend", "/films/b.blend"
NOW = 1_700_000_000_000
"""When a desk's edits are made."""


def new_id() -> str:
    return "new"


def there(*paths: str) -> Callable[[str], bool]:
    return lambda path: path in paths


def test_a_file_at_its_path_is_itself() -> None:
    assert opened([FileId("id-a", A)], A, new_id, there(A)) == FileId("id-a", A)
    assert opened([FileId("id-x", B), FileId("id-a", "/films/../films/a.blend")], A, new_id) == FileId(
        "id-a", A
    )


def test_a_file_elsewhere_is_a_copy_while_the_first_is_there() -> None:
    assert opened([FileId("id-a", A)], B, new_id, there(A, B)) == FileId("new", B)
    assert opened([FileId("id-a", A)], B, new_id, there(B)) == FileId("id-a", B), "it was moved"


def test_a_file_that_says_nothing_gets_an_id_and_a_new_one_has_none() -> None:
    assert opened([FileId()], A, new_id) == FileId("new", A)
    assert opened([FileId("id-a", A)], "", new_id) == FileId()


def test_saved_elsewhere_it_is_another_file() -> None:
    assert saved_at(FileId("id-a", A), A, new_id) == FileId("id-a", A)
    assert saved_at(FileId("id-a", A), B, new_id) == FileId("new", B)
    assert saved_at(FileId(), A, new_id) == FileId("new", A)
    assert not same_path("", "")


@pytest.mark.parametrize(
    "path", ["//server/share/a.blend", "\\\\server\\share\\a.blend", "a.blend", "", "/x\0"]
)
def test_paths_a_file_from_anybody_says_are_not_followed_off_this_computer(path: str) -> None:
    assert not on_this_computer(path)


def test_a_file_is_seen_on_this_computer(tmp_path: Path) -> None:
    file = tmp_path / "a.blend"
    assert not on_this_computer(str(file))
    file.touch()
    assert on_this_computer(str(file))


def test_a_link_to_a_file_is_no_copy_of_it(tmp_path: Path) -> None:
    file, copy, link = (tmp_path / name for name in ("a.blend", "copy.blend", "link.blend"))
    file.touch()
    copy.touch()
    link.symlink_to(file)
    stored = [FileId("id-a", str(file))]
    assert opened(stored, str(link), new_id) == FileId("id-a", str(link))
    assert opened(stored, str(copy), new_id) == FileId("new", str(copy))
    file.unlink()
    assert opened(stored, str(copy), new_id) == FileId("id-a", str(copy))


@given(records, junk)
def test_a_ledger_keeps_its_file_and_a_spoiled_one_is_none(one: object, spoiled: object) -> None:
    ledger = Ledger([one], FileId("id-a", A), FileId("id-b", B))  # type: ignore[list-item]
    for same in (Ledger.from_json(ledger.to_json()), ledger.map(lambda record: record)):
        assert (same.file, same.earlier) == (FileId("id-a", A), FileId("id-b", B))
    text = json.dumps({**json.loads(ledger.to_json()), "file": spoiled, "earlier": spoiled})
    assert Ledger.from_json(text) == ledger
    assert isinstance(Ledger.from_json(text).file, FileId)


# In a session


def save(desk: Desk, path: str, *, copy: bool = False, at: str = "") -> Ledger:
    """As Blender saves; the ledger in the written file. `at` is where the open file lay before."""
    written = Ledger.from_json(desk.session.save_to(path).to_json())
    desk.session.saved(at if copy else path)
    return written


def open_at(desk: Desk, ledger: Ledger, path: str, *others: str, written: int | None = None) -> None:
    """As the host opens a file that holds this ledger. `written`: when the one it was saved from was."""
    copied = Ledger.from_json(ledger.to_json())
    said = copied.file
    copied.file = opened([said], path, lambda: f"opened {path}", there(path, *others))
    copied.earlier = copied.earlier if copied.file.id == said.id else FileId()
    copied = inherit(copied, lambda path: written)
    desk.session.close()
    desk.session = desk.new_session()
    desk.session.open(copied)


def test_forgetting_in_a_copy_leaves_the_originals_job_alone(desk: Desk) -> None:
    record = desk.running()
    on_disk = save(desk, A)
    open_at(desk, on_disk, B, A)
    desk.until(lambda: desk.view(record).fraction == 0.25)
    assert not desk.view(record).owned
    desk.session.delete(record)
    desk.idle()
    assert desk.session.job(record) is None
    assert desk.standin.only.state == jobs_pb2.JOB_STATE_RUNNING
    assert (desk.standin.calls["cancel"], desk.standin.calls["delete"]) == (0, 0)
    open_at(desk, on_disk, A)
    assert desk.view(record).owned
    desk.session.delete(record)
    desk.until(lambda: not desk.standin.jobs or desk.standin.calls["cancel"])
    assert desk.standin.calls["cancel"] == 1


def test_an_edit_made_in_a_copy_is_the_copys(desk: Desk) -> None:
    open_at(desk, Ledger(file=FileId("id-a", A)), B, A)
    record = desk.running()
    assert desk.view(record).owned
    open_at(desk, save(desk, B), B, A)
    assert desk.view(record).owned


def test_an_edit_of_another_file_that_was_never_sent_is_sent_as_one_of_ours(desk: Desk) -> None:
    record = desk.submit()
    open_at(desk, save(desk, A), B, A)
    desk.standin.runs = True
    desk.until_state(record, "failed")
    again = desk.session.retry(record)
    assert again != record
    desk.until_state(again, "waiting")
    assert desk.view(again).owned
    assert desk.view(record).state == "failed"


def test_saved_as_another_file_what_the_first_knows_stays_its_own(desk: Desk) -> None:
    known = desk.running()
    on_disk = save(desk, A)
    fresh = desk.submit(desk.plan(1, 10, "other"), name="other")
    desk.until_state(fresh, "waiting")
    second = save(desk, B)
    assert [desk.view(one).owned for one in (known, fresh)] == [False, True]
    open_at(desk, on_disk, A, B)
    assert desk.view(known).owned
    assert desk.session.job(fresh) is None
    open_at(desk, second, B, A)
    assert not desk.view(known).owned


def test_after_a_copy_was_saved_the_open_file_goes_on_as_itself(desk: Desk) -> None:
    known = desk.running()
    save(desk, A)
    fresh = desk.submit(desk.plan(1, 10, "other"), name="other")
    desk.until_state(fresh, "waiting")
    copied = save(desk, B, copy=True, at=A)
    assert [desk.view(one).owned for one in (known, fresh)] == [True, True]
    first = save(desk, A)
    open_at(desk, copied, B, A, written=NOW + 1)
    assert [desk.view(one).owned for one in (known, fresh)] == [False, False]
    open_at(desk, first, A, B)
    assert [desk.view(one).owned for one in (known, fresh)] == [True, True]


def begun_after_the_last_save(desk: Desk) -> tuple[str, str]:
    """An edit that the file at A knows, and one begun since."""
    known = desk.running()
    save(desk, A)
    fresh = desk.submit(desk.plan(1, 10, "other"), name="other")
    desk.until_state(fresh, "waiting")
    return known, fresh


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize("written", [None, NOW - 1])
def test_what_the_first_file_cannot_know_is_its_heirs(desk: Desk, copy: bool, written: int | None) -> None:
    known, fresh = begun_after_the_last_save(desk)
    second = save(desk, B, copy=copy, at=A)
    open_at(desk, second, B, A, written=written)
    assert [desk.view(one).owned for one in (known, fresh)] == [False, True]
    desk.standin.see(desk.view(known).record.job, state=jobs_pb2.JOB_STATE_CANCELLED)
    desk.standin.succeed(desk.view(fresh).record.job)
    desk.until(lambda: desk.view(fresh).offered)
    third = save(desk, B)
    open_at(desk, third, B, A, written=NOW + 1)
    assert desk.view(fresh).owned, "once inherited it stays"
    open_at(desk, third, "/films/c.blend", A, B)
    assert not desk.view(fresh).owned
    desk.idle()
    open_at(desk, second, B, A, written=written)
    desk.session.delete(fresh)
    desk.idle()
    assert len(desk.standin.jobs) == 1, "the daemon is told to forget it"


def test_what_the_first_file_may_know_stays_its_own(desk: Desk) -> None:
    known, fresh = begun_after_the_last_save(desk)
    second = save(desk, B)
    open_at(desk, second, B, A, written=NOW)
    assert [desk.view(one).owned for one in (known, fresh)] == [False, False]


def test_a_copy_of_the_heir_inherits_nothing(desk: Desk) -> None:
    _, fresh = begun_after_the_last_save(desk)
    second = save(desk, B)
    open_at(desk, second, "/films/c.blend", A, B, written=NOW - 1)
    assert not desk.view(fresh).owned


def test_a_copy_of_a_file_that_was_never_saved_takes_its_edits(desk: Desk) -> None:
    record = desk.running()
    copied = save(desk, B, copy=True)
    assert not desk.view(record).owned, "one of them has it"
    open_at(desk, copied, B)
    assert desk.view(record).owned


@pytest.mark.parametrize("path", ["", A])
def test_a_save_that_failed_changes_no_owner(desk: Desk, path: str) -> None:
    record = desk.running()
    if path:
        save(desk, path)
    before = desk.session.ledger.to_json()
    desk.session.save_to("/full/c.blend")
    desk.session.not_saved()
    assert desk.session.ledger.to_json() == before
    desk.session.saved(path)  # as for a save that nobody announced
    written = save(desk, path or B)
    assert desk.view(record).owned
    open_at(desk, written, path or B)
    assert desk.view(record).owned


def test_an_edit_before_the_first_save_is_ours(desk: Desk) -> None:
    record = desk.running()
    assert desk.view(record).owned
    save(desk, A)
    assert desk.view(record).owned
    open_at(desk, Ledger.from_json(desk.session.ledger.to_json()), A)
    assert desk.view(record).owned


def test_undo_changes_no_owner(desk: Desk) -> None:
    record = desk.running()
    before = Ledger.from_json(desk.session.ledger.to_json())
    save(desk, A)
    desk.session.merge(before)
    assert desk.view(record).owned
    assert desk.session.ledger.file.path == A


def test_a_record_says_whose_it_is_in_the_file(desk: Desk) -> None:
    record = desk.submitted()
    written = save(desk, A)
    found = written.get(record)
    assert found is not None
    assert found.file == written.file.id != ""
    assert replace(found, file="") != found
