# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_daemon.queue import jobs
from flowanchor_daemon.queue.jobs import MAX_CRASHES, MAX_ENDS, StoredArtifact, Taken
from flowanchor_daemon.queue.store import JobStore

from tests.daemon.queue.wishes import wish


def begin(store: JobStore) -> Taken:
    taken = store.take()
    assert taken is not None
    return taken


@pytest.fixture
def job(store: JobStore) -> str:
    return store.submit(wish())[0].id


def test_nothing_is_taken_from_an_empty_queue(store: JobStore) -> None:
    assert store.take() is None


def test_a_taken_job_runs_with_a_numbered_attempt(store: JobStore, job: str) -> None:
    taken = begin(store)
    assert (taken.id, taken.attempt, taken.memory_plan, taken.furthest) == (job, 1, "full", 0)
    found = store.get(job)
    assert found.state == jobs.RUNNING
    assert (found.attempts[0].number, found.attempts[0].outcome) == (1, "running")
    assert found.started_ms > 0
    assert store.take() is None


def test_success_records_result_artifacts_and_state_together(store: JobStore, job: str) -> None:
    begin(store)
    artifact = StoredArtifact(0, jobs_pb2.ARTIFACT_KIND_RESULT, "result.mkv", "0.mkv", 10, "ab" * 32)
    result = types_pb2.EditResult(editor="flowanchor", frames=3)
    assert store.succeed(job, result, [artifact]) == jobs.SUCCEEDED
    found = store.get(job)
    assert found.result == result
    assert list(found.artifacts) == [artifact.message()]
    assert found.attempts[0].outcome == "succeeded"
    assert found.finished_ms > 0
    assert store.artifact(job, 0) == artifact
    assert store.artifact_bytes() == 10


def test_a_job_cancelled_meanwhile_ends_cancelled_whatever_came(store: JobStore) -> None:
    failure = types_pb2.Failure(code="model-failed")
    endings: tuple[Callable[[str], int], ...] = (
        lambda job: store.succeed(job, types_pb2.EditResult(), []),
        lambda job: store.fail(job, failure),
        lambda job: store.put_back(job, "daemon-ended"),
        lambda job: store.crashed(job, 0, "signal SIGKILL"),
    )
    for ending in endings:
        job = store.submit(wish())[0].id
        begin(store)
        store.cancel(job)
        assert ending(job) == jobs.CANCELLED
        found = store.get(job)
        assert found.state == jobs.CANCELLED
        assert not found.HasField("result")
        assert not found.HasField("failure")
        assert found.attempts[0].outcome == "cancelled"


def test_a_job_that_was_put_back_goes_first_among_its_priority(store: JobStore, job: str) -> None:
    other = store.submit(wish())[0].id
    begin(store)
    urgent = store.submit(wish(priority=1))[0].id
    assert store.put_back(job, "daemon-ended") == jobs.QUEUED
    assert [begin(store).id for _ in range(3)] == [urgent, job, other]
    assert store.get(job).attempts[1].number == 2


def test_out_of_memory_puts_back_with_the_small_plan_and_a_notice(store: JobStore, job: str) -> None:
    begin(store)
    notice = types_pb2.Notice(code="memory-small-plan", text="again")
    store.put_back(job, "out-of-memory", "small", notice)
    taken = begin(store)
    assert taken.memory_plan == "small"
    found = store.get(job)
    assert [(one.outcome, one.memory_plan) for one in found.attempts] == [
        ("out-of-memory", "full"),
        ("running", "small"),
    ]
    assert list(found.notices) == [notice]


def test_three_crashes_at_one_place_fail_the_job(store: JobStore, job: str) -> None:
    states = []
    for _ in range(MAX_CRASHES):
        begin(store)
        states.append(store.crashed(job, 4, "signal SIGSEGV"))
    assert states == [jobs.QUEUED] * (MAX_CRASHES - 1) + [jobs.FAILED]
    found = store.get(job)
    assert found.failure.code == "engine-crashed"
    assert "SIGSEGV" in found.failure.message
    assert [attempt.outcome for attempt in found.attempts] == ["engine-crashed"] * MAX_CRASHES


def test_twenty_crashes_with_progress_between_them_fail_nothing(store: JobStore, job: str) -> None:
    for step in range(20):
        assert begin(store).furthest == step
        assert store.crashed(job, step + 1, "signal SIGKILL") == jobs.QUEUED


def test_progress_known_only_from_a_resumption_counts_too(store: JobStore, job: str) -> None:
    for step in (0, 3):
        for _ in range(MAX_CRASHES - 1):
            begin(store)
            store.resumed(job, step)
            assert store.crashed(job, step, "signal SIGKILL") == jobs.QUEUED
    assert store.get(job).attempts[-1].resumed_at == 3


def test_violent_ends_of_the_daemon_requeue_and_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    store = JobStore.open(path)
    running, cancelled = store.submit(wish())[0].id, store.submit(wish())[0].id
    begin(store)
    begin(store)
    store.cancel(cancelled)
    for end in range(1, MAX_ENDS + 1):
        store.close()
        store = JobStore.open(path)
        assert running in store.recover()
        state = store.get(running).state
        assert state == (jobs.QUEUED if end < MAX_ENDS else jobs.FAILED)
        if state == jobs.QUEUED:
            begin(store)
    assert store.get(cancelled).state == jobs.CANCELLED
    assert store.get(running).failure.code == "attempts-exhausted"
    assert {attempt.outcome for attempt in store.get(running).attempts} == {"daemon-ended"}
    assert store.recover() == []
    store.close()


def test_orderly_ends_of_the_daemon_count_for_nothing(store: JobStore, job: str) -> None:
    for _ in range(2 * MAX_ENDS):
        begin(store)
        assert store.put_back(job, "daemon-ended") == jobs.QUEUED


def test_a_notice_is_kept_once(store: JobStore, job: str) -> None:
    for text in ("one", "two", "one"):
        store.add_notice(job, types_pb2.Notice(code="notice", text=text))
    assert [notice.text for notice in store.get(job).notices] == ["one", "two"]


def test_no_way_leads_out_of_an_end(store: JobStore, job: str) -> None:
    store.cancel(job)
    with pytest.raises(AssertionError):
        store.fail(job, types_pb2.Failure(code="model-failed"))
    assert store.get(job).state == jobs.CANCELLED
