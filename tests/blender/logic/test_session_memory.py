# SPDX-License-Identifier: Apache-2.0
"""What a .blend remembers: over save and load, over undo, and over a Blender that was closed in between."""

from __future__ import annotations

import pytest
from flowanchor.v1 import jobs_pb2
from flowanchor_client.connect import Start
from flowanchor_vse.logic.ledger import Ledger

from tests.blender.logic.conftest import Desk


def test_an_edit_that_ended_while_blender_was_closed_is_offered_and_fetched_when_wished(desk: Desk) -> None:
    record = desk.running()
    desk.standin.succeed(desk.standin.only.id, seed=5)
    desk.reopen()
    desk.until_state(record, "placing")
    view = desk.view(record)
    assert (view.offered, view.record.seed) == (True, 5)
    desk.idle()
    assert (desk.placed, desk.standin.calls["download_chunk"]) == ([], 0)
    desk.session.fetch(record)
    desk.until(lambda: desk.placed)
    assert not desk.view(record).offered


def test_an_edit_that_still_runs_is_watched_again_and_then_offered(desk: Desk) -> None:
    record = desk.running()
    desk.reopen()
    desk.until(lambda: desk.view(record).fraction == 0.25)
    desk.standin.succeed(desk.standin.only.id)
    desk.idle()
    assert desk.view(record).offered


def test_an_edit_offered_before_is_offered_again(desk: Desk) -> None:
    record = desk.finished()
    desk.reopen()
    desk.idle()
    assert desk.view(record).offered
    before = desk.standin.calls["download_chunk"]
    desk.session.fetch(record)
    desk.until(lambda: len(desk.placed) == 2)
    assert desk.standin.calls["download_chunk"] == before, "its files were here"


@pytest.mark.parametrize("state", ["starting", "uploading"])
def test_an_edit_that_was_never_sent_says_so_and_is_sent_when_wished(desk: Desk, state: str) -> None:
    record = desk.submit()
    desk.until_state(record, state)
    desk.tick()
    desk.stored = desk.session.ledger.to_json()
    desk.reopen()
    desk.standin.runs = True
    desk.idle()
    problem = desk.view(record).problem
    assert problem is not None
    assert (desk.state(record), problem.code, problem.remedy) == ("failed", "not-sent", "retry")
    assert desk.session.retry(record) == record
    desk.until_state(record, "waiting")


def test_opening_a_file_starts_no_daemon(desk: Desk) -> None:
    record = desk.running()
    desk.standin.die(crash=False)
    desk.reopen()
    desk.until(lambda: desk.view(record).problem)
    problem = desk.view(record).problem
    assert problem is not None
    assert problem.remedy == "start"
    assert not desk.standin.runs
    assert set(desk.standin.connects[-3:]) <= {Start.NEVER, Start.ON_DEMAND}
    desk.standin.runs = True
    desk.until(lambda: desk.view(record).problem is None)


def test_what_has_ended_is_left_alone_after_a_load(desk: Desk) -> None:
    done = desk.done()
    desk.reopen()
    desk.idle()
    assert desk.state(done) == "done"
    assert desk.view(done).record.placed == "strip-1"


def test_a_failure_is_still_told_after_a_load(desk: Desk) -> None:
    record = desk.running()
    desk.standin.fail(desk.standin.only.id)
    desk.idle()
    before = desk.view(record).problem
    desk.reopen()
    assert desk.view(record).problem == before


def test_another_file_has_other_edits_and_the_first_ones_go_on(desk: Desk) -> None:
    desk.running()
    desk.session.open(Ledger())
    desk.tick()
    assert desk.session.jobs() == []
    assert desk.tick().next_seconds is None
    assert desk.standin.only.state == jobs_pb2.JOB_STATE_RUNNING


def test_undo_takes_no_edit_back(desk: Desk) -> None:
    first = desk.submitted()
    older = desk.stored
    second = desk.submit(desk.plan(1, 10, "other"), name="other")
    desk.until_state(second, "waiting")
    desk.session.delete(first)
    desk.tick()
    assert desk.session.merge(Ledger.from_json(older)), "the file holds less now and is to be written"
    assert [view.id for view in desk.session.jobs()] == [second]
    assert not desk.session.merge(Ledger.from_json(desk.session.ledger.to_json()))


def test_undo_to_before_the_first_edit_keeps_it(desk: Desk) -> None:
    record = desk.finished()
    assert desk.session.merge(Ledger.from_json(""))
    desk.session.placed(record, "strip")
    desk.idle()
    assert desk.state(record) == "done"
    assert len(desk.placed) == 1


def test_what_another_scene_of_the_file_knows_more_is_taken(desk: Desk) -> None:
    record = desk.submitted()
    other = Desk(desk.folder / "..")
    other.session.open(Ledger.from_json(desk.stored))
    newer = desk.session.ledger.get(record)
    assert newer is not None
    newest = newer.changed(state="done", placed="there")
    assert not desk.session.merge(Ledger([newest]))
    desk.idle()
    assert (desk.state(record), desk.view(record).record.placed) == ("done", "there")


def test_every_state_can_be_written_and_read(desk: Desk) -> None:
    record = desk.submit()
    seen = set()

    def look() -> bool:
        if desk.state(record) not in seen:
            seen.add(desk.state(record))
            again = Ledger.from_json(desk.session.ledger.to_json())
            assert again.get(record) == desk.view(record).record
        for job in desk.standin.jobs.values():
            if job.state == jobs_pb2.JOB_STATE_QUEUED and "waiting" in seen:
                desk.standin.run(job.id, 1, 2)
            elif job.state == jobs_pb2.JOB_STATE_RUNNING and "running" in seen:
                desk.standin.succeed(job.id)
        return bool(desk.placed)

    desk.until(look)
    assert len(seen) >= 5


# A file that was saved while an edit was being sent


def saved_while_sending(desk: Desk) -> str:
    """An edit that the daemon has queued, and a file that knows only that it was to be sent."""
    record = desk.submit()
    desk.until_state(record, "uploading")
    early = desk.session.ledger.to_json()
    desk.until_state(record, "waiting")
    desk.stored = early
    return record


def test_a_file_saved_while_sending_finds_its_job_by_the_request(desk: Desk) -> None:
    record = saved_while_sending(desk)
    desk.standin.succeed(desk.standin.only.id)
    stored = desk.stored
    desk.session.close()
    desk.stored = stored
    desk.reopen()
    desk.idle()
    view = desk.view(record)
    assert (view.state, view.offered) == ("placing", True)
    assert view.record.job == desk.standin.only.id
    assert desk.standin.calls["submit"] == 1, "it was asked for, not sent again"
    desk.session.fetch(record)
    desk.until(lambda: desk.placed)


def test_it_is_asked_for_when_the_daemon_is_there_and_none_is_started_for_it(desk: Desk) -> None:
    record = saved_while_sending(desk)
    desk.standin.die(crash=False)
    desk.reopen()
    desk.until(lambda: desk.view(record).problem)
    problem = desk.view(record).problem
    assert problem is not None
    assert (desk.state(record), problem.remedy) == ("starting", "start")
    assert not desk.standin.runs
    desk.standin.runs = True
    desk.until_state(record, "waiting")


def test_it_can_be_cancelled_before_it_was_found(desk: Desk) -> None:
    record = saved_while_sending(desk)
    desk.reopen()
    desk.session.cancel(record)
    desk.idle()
    assert desk.state(record) == "cancelled"
    assert desk.standin.only.state == jobs_pb2.JOB_STATE_CANCELLED


def test_it_can_be_forgotten_before_it_was_found(desk: Desk) -> None:
    record = saved_while_sending(desk)
    desk.reopen()
    desk.session.delete(record)
    desk.idle()
    assert desk.standin.jobs == {}


def test_an_edit_that_never_arrived_can_be_cancelled_and_forgotten(desk: Desk) -> None:
    for act in ("cancel", "delete"):
        record = desk.submit(desk.plan(1, 10, act), name=act)
        desk.until_state(record, "uploading")
        desk.stored = desk.session.ledger.to_json()
        desk.reopen()
        getattr(desk.session, act)(record)
        desk.idle()
        found = desk.session.job(record)
        assert found is None if act == "delete" else found is not None and found.state == "cancelled"
    assert desk.standin.calls["submit"] == 0
