# SPDX-License-Identifier: Apache-2.0
"""The way of an edit through its states, and what the user can do on it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_client.connect import Start
from flowanchor_vse.logic.plan import Footage, UploadPlan
from flowanchor_vse.logic.settings import EditSettings

from tests.blender.logic.conftest import ORIGIN, SETTINGS, Desk


def test_a_result_is_told_when_the_host_may_place_it(desk: Desk) -> None:
    record = desk.running()
    desk.standin.succeed(desk.standin.only.id)
    for _ in range(50):
        desk.standin.this_tick = 0
        assert not desk.session.tick(may_place=False).to_place
        desk.now += 0.25
    assert desk.state(record) == "placing"
    assert [one.id for one in desk.session.tick().to_place] == [record]
    assert not desk.session.tick().to_place


def test_an_edit_goes_through_all_its_states_and_ends_as_files_to_place(desk: Desk) -> None:
    record = desk.submit()
    seen = [desk.state(record)]

    def step() -> bool:
        for job in desk.standin.jobs.values():
            if job.state == jobs_pb2.JOB_STATE_QUEUED and "waiting" in seen:
                desk.standin.run(job.id, 2, 4, b"jpeg")
            elif job.state == jobs_pb2.JOB_STATE_RUNNING and "running" in seen:
                desk.standin.succeed(job.id)
        if desk.state(record) != seen[-1]:
            seen.append(desk.state(record))
        return bool(desk.placed)

    desk.until(step)
    assert seen == ["starting", "uploading", "waiting", "running", "downloading", "placing"]
    (ready,) = desk.placed
    assert ready.origin.range.count == 3
    assert [path.read_bytes()[:7] for path in ready.paths] == [b"frame 0", b"frame 1", b"frame 2"]
    assert ready.seed == 7
    assert not list(Path(ready.folder).glob("*.partial"))
    desk.session.placed(record, "strip-9")
    desk.idle()
    assert desk.state(record) == "done"
    assert desk.session.ledger.get(record) == desk.view(record).record
    assert desk.view(record).record.placed == "strip-9"
    assert len(desk.placed) == 1, "told once"
    assert desk.tick().next_seconds is None


def test_the_request_says_what_the_panel_holds(desk: Desk) -> None:
    settings = EditSettings(
        source_prompt="a fox",
        target_prompt="an owl",
        words=("owl",),
        negative_prompt="",
        preset="draft",
        steps=9,
        parameters={"beta1": 0.5, "blend": True, "n_avg": 2, "contrast": "signed"},
        seed=99,
        deliver="full",
        format="ffv1",
        priority=3,
    )
    plan = desk.plan()
    plan = UploadPlan(plan.clip, (Footage(desk.plan(3, name="mask").clip.files),), plan.boxes, 0, 2)
    desk.until_state(desk.submit(plan, settings), "waiting")
    request = desk.standin.only.request
    assert (request.source_prompt, request.target_prompt, list(request.words)) == ("a fox", "an owl", ["owl"])
    assert request.HasField("negative_prompt")
    assert (request.sampling.steps, request.sampling.HasField("skip")) == (9, False)
    assert request.parameters["beta1"].number == 0.5
    assert request.parameters["blend"].flag
    assert request.parameters["n_avg"].integer == 2
    assert request.parameters["contrast"].text == "signed"
    assert (request.seed, request.seed_mode) == (99, types_pb2.SEED_MODE_FIXED)
    assert (request.clip.rate.numerator, request.clip.rate.denominator) == (24, 1)
    assert len(request.clip.images.frames) == len(request.masks[0].images.frames) == 3
    assert (request.first, request.last) == (0, 2)
    assert request.geometry[0].box.height == 4
    assert b"request-00000000" in request.host_context


def test_what_the_panel_shows_while_it_runs(desk: Desk) -> None:
    record = desk.submitted()
    assert desk.view(record).position == 1
    job = desk.view(record).record.job
    desk.standin.run(job, 1, 4, b"first")
    view = desk.until_state(record, "running")
    desk.until(lambda: desk.view(record).thumbnail == b"first")
    view = desk.view(record)
    assert (view.phase, view.step, view.total, view.fraction, view.seconds_left) == ("edit", 1, 4, 0.25, 3.0)
    assert (view.position, view.problem, view.active) == (0, None, True)
    edition = view.thumbnail_edition
    desk.standin.run(job, 2, 4, b"second")
    desk.until(lambda: desk.view(record).step == 2)
    assert desk.view(record).thumbnail == b"second"
    assert desk.view(record).thumbnail_edition > edition


def test_a_tick_without_news_changes_nothing(desk: Desk) -> None:
    record = desk.running()
    desk.until(lambda: desk.last.jobs == frozenset())
    writes = desk.ledger_writes
    for _ in range(5):
        changes = desk.tick()
        assert (changes.jobs, changes.daemon, changes.ledger) == (frozenset(), False, False)
        assert changes.next_seconds is not None
        assert 0.2 < changes.next_seconds <= 0.5
    assert desk.ledger_writes == writes
    assert desk.state(record) == "running"


def test_nothing_to_do_makes_no_call_and_asks_for_no_tick(desk: Desk) -> None:
    assert desk.tick().next_seconds is None
    assert not desk.standin.calls
    desk.done()
    desk.idle()
    before = desk.standin.calls.copy()
    for _ in range(5):
        assert desk.tick().next_seconds is None
    assert desk.standin.calls == before


def test_files_that_the_daemon_has_are_not_sent_again(desk: Desk) -> None:
    plan = desk.plan()
    desk.until_state(desk.submit(plan), "waiting")
    sent = desk.standin.calls["upload_chunk"]
    assert sent == 3 * 3, "three files of three pieces each"
    desk.until_state(desk.submit(plan, name="again"), "waiting")
    assert desk.standin.calls["upload_chunk"] == sent


def test_edits_take_turns(desk: Desk) -> None:
    long = desk.submit(desk.plan(4, 60_000, "long"))
    desk.until_state(long, "uploading")
    short = desk.submit(desk.plan(1, 500, "short"))
    desk.until_state(short, "waiting")
    assert desk.state(long) == "uploading"


@pytest.mark.parametrize("state", ["starting", "uploading"])
def test_cancelled_before_it_was_sent_the_daemon_never_hears_of_it(desk: Desk, state: str) -> None:
    record = desk.submit()
    desk.until_state(record, state)
    desk.session.cancel(record)
    desk.idle()
    assert desk.state(record) == "cancelled"
    assert not desk.standin.jobs
    assert desk.standin.calls["submit"] == 0


@pytest.mark.parametrize("state", ["waiting", "running"])
def test_cancelled_in_the_daemon(desk: Desk, state: str) -> None:
    record = desk.submitted() if state == "waiting" else desk.running()
    desk.session.cancel(record)
    assert desk.view(record).cancelling
    if state == "running":
        desk.until(lambda: desk.standin.only.state == jobs_pb2.JOB_STATE_CANCELLING)
        assert desk.state(record) == "running"
        desk.standin.see(desk.standin.only.id, state=jobs_pb2.JOB_STATE_CANCELLED)
    desk.idle()
    assert desk.state(record) == "cancelled"
    assert not desk.view(record).cancelling
    assert desk.standin.calls["cancel"] == 1


def test_an_edit_that_ends_before_it_hears_the_cancel_is_not_placed_but_can_be_fetched(desk: Desk) -> None:
    record = desk.running()
    desk.session.cancel(record)
    desk.standin.succeed(desk.standin.only.id)
    desk.idle()
    assert (desk.state(record), desk.placed) == ("cancelled", [])
    desk.session.fetch(record)
    desk.until(lambda: desk.placed)
    assert desk.state(record) == "placing"


def test_a_cancelled_download_leaves_nothing_half(desk: Desk) -> None:
    record = desk.running()
    desk.standin.succeed(desk.standin.only.id)
    desk.until(lambda: desk.view(record).phase == "download" and desk.view(record).step > 0)
    assert list((desk.folder / "out").glob("*.partial"))
    desk.session.cancel(record)
    desk.idle()
    assert desk.state(record) == "cancelled"
    assert not list((desk.folder / "out").glob("*.partial"))


def test_cancelling_what_has_ended_does_nothing(desk: Desk) -> None:
    record = desk.done()
    desk.session.cancel(record)
    desk.idle()
    assert desk.state(record) == "done"
    assert desk.standin.calls["cancel"] == 0


def test_a_retry_is_a_new_job_with_the_seed_that_was_drawn(desk: Desk) -> None:
    first = desk.submit(settings=replace(SETTINGS, seed_mode="random"))
    desk.until_state(first, "waiting")
    desk.standin.succeed(desk.standin.only.id)
    desk.until_state(first, "placing")
    assert desk.view(first).record.seed == 777
    again = desk.session.retry(first)
    assert again != first
    desk.until_state(again, "waiting")
    assert desk.standin.calls["retry"] == 1
    record = desk.view(again).record
    assert (record.parent, record.settings.seed, record.settings.seed_mode) == (first, 777, "fixed")
    assert record.folder != desk.view(first).record.folder
    assert [view.id for view in desk.session.jobs()] == [again, first]


def test_results_of_a_variation_go_where_the_file_keeps_them_now(desk: Desk) -> None:
    first = desk.done()
    beside = Path(desk.view(desk.session.vary(first)).record.folder)
    elsewhere = Path(
        desk.view(desk.session.retry(first, lambda name: desk.folder / "elsewhere" / name)).record.folder
    )
    assert beside.parent == Path(desk.view(first).record.folder).parent
    assert elsewhere.parent == desk.folder / "elsewhere"


@pytest.mark.parametrize("seed", [None, 5])
def test_a_variation_has_another_seed(desk: Desk, seed: int | None) -> None:
    first = desk.done()
    other = desk.session.vary(first, seed)
    desk.until_state(other, "waiting")
    job = desk.view(other).record.job
    desk.standin.succeed(job)
    desk.until_state(other, "placing")
    assert desk.view(other).record.seed == (4242 if seed is None else 5)
    assert desk.view(other).record.origin == ORIGIN


def test_a_retry_of_a_job_that_was_deleted_sends_the_files_again(desk: Desk) -> None:
    first = desk.done()
    desk.standin.lose(desk.view(first).record.job)
    desk.standin.complete.clear()
    desk.standin.media.clear()
    again = desk.session.retry(first)
    desk.until_state(again, "waiting")
    assert desk.standin.only.request_id == again
    assert desk.standin.only.request.seed == 7


def test_a_retry_of_a_job_that_was_deleted_with_its_export_gone_asks_to_submit_it_anew(desk: Desk) -> None:
    first = desk.done()
    desk.standin.lose(desk.view(first).record.job)
    for path in desk.plan().files:
        path.unlink()
    again = desk.session.retry(first)
    desk.idle()
    problem = desk.view(again).problem
    assert problem is not None
    assert (desk.state(again), problem.remedy) == ("failed", "resubmit")


def test_a_deleted_edit_is_forgotten_in_the_daemon_and_stays_forgotten(desk: Desk) -> None:
    record = desk.done()
    files = desk.view(record).record.paths
    desk.session.delete(record)
    assert desk.session.jobs() == []
    desk.idle()
    assert not desk.standin.jobs
    assert all(path.exists() for path in files), "a strip shows them"
    assert desk.session.ledger.get(record) is None


def test_a_running_edit_is_cancelled_before_it_is_deleted(desk: Desk) -> None:
    record = desk.running()
    job = desk.standin.only.id
    desk.session.delete(record)
    desk.until(lambda: desk.standin.jobs[job].state == jobs_pb2.JOB_STATE_CANCELLING)
    desk.until(lambda: desk.standin.calls["delete"] == 2)
    desk.standin.see(job, state=jobs_pb2.JOB_STATE_CANCELLED)
    desk.idle()
    assert not desk.standin.jobs


def test_a_result_is_placed_again_from_its_files_without_a_call(desk: Desk) -> None:
    record = desk.done()
    desk.idle()
    before = desk.standin.calls.copy()
    desk.session.fetch(record)
    desk.idle()
    assert [one.id for one in desk.placed] == [record, record]
    assert desk.standin.calls == before


def test_a_result_whose_files_are_gone_is_fetched_again(desk: Desk) -> None:
    record = desk.done()
    desk.view(record).record.paths[1].unlink()
    desk.session.fetch(record)
    desk.until(lambda: len(desk.placed) == 2)
    assert all(path.exists() for path in desk.placed[1].paths)


def test_a_placement_that_fails_keeps_the_result_for_another_try(desk: Desk) -> None:
    record = desk.finished()
    desk.session.place_failed(record, "All channels are taken.", "Move a strip.")
    changes = desk.tick()
    assert record in changes.jobs
    problem = desk.view(record).problem
    assert problem is not None
    assert (desk.state(record), problem.remedy) == ("placing", "fetch")
    desk.session.fetch(record)
    desk.until(lambda: len(desk.placed) == 2)
    assert desk.view(record).problem is None


def test_a_hundred_waiting_edits_do_not_flood_the_daemon(desk: Desk) -> None:
    desk.standin.chunk = 100_000
    records = [desk.submit(desk.plan(1, 100), name=f"out{number}") for number in range(100)]
    desk.until(lambda: len(desk.standin.jobs) == len(records), 5000)
    before, begun = desk.standin.calls["job"], desk.now
    desk.until(lambda: desk.now > begun + 20)
    assert (desk.standin.calls["job"] - before) / 20 < 20, "calls a second"


def test_an_edit_without_a_region_is_not_taken(desk: Desk) -> None:
    with pytest.raises(ValueError, match="mask or a box"):
        desk.submit(UploadPlan(Footage(desk.plan().clip.files, 0, Fraction(24))))


def test_submitting_starts_a_daemon_and_looking_does_not(desk: Desk) -> None:
    desk.session.wish("connect")
    desk.idle()
    assert set(desk.standin.connects) == {Start.NEVER}
    assert desk.session.daemon.state == "stopped"
    desk.submitted()
    assert Start.ON_DEMAND in desk.standin.connects
