# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_daemon.queue import jobs
from flowanchor_daemon.queue.listing import Query
from flowanchor_daemon.queue.store import JobStore

from flowanchor_core.errors import FlowAnchorError
from tests.daemon.queue.wishes import CLIP, edit, wish

QUEUE = Query(jobs_pb2.JOB_ORDER_QUEUE)


def order(store: JobStore) -> list[str]:
    return [job.id for job in store.page(QUEUE).jobs]


def submit(store: JobStore, **values: object) -> str:
    return store.submit(wish(**values))[0].id  # type: ignore[arg-type]


def test_a_submitted_job_is_kept_as_it_was_asked(store: JobStore) -> None:
    job, created = store.submit(wish(priority=3, client="cli", target="a\n  blue circle"))
    assert created
    assert job == store.get(job.id)
    assert (job.state, job.priority, job.client, job.queue_position) == (jobs.QUEUED, 3, "cli", 1)
    assert job.label == "a blue circle"
    assert job.request == edit("a\n  blue circle")
    assert jobs.JOB_ID.fullmatch(job.id)


def test_a_long_target_makes_a_label_of_80_characters(store: JobStore) -> None:
    label = store.submit(wish(target="x" * 300))[0].label
    assert len(label) == 80
    assert label.endswith("…")


def test_the_same_request_id_gives_the_same_job(store: JobStore) -> None:
    first, created = store.submit(wish("request-a"))
    again, created_again = store.submit(wish("request-a"))
    assert (created, created_again) == (True, False)
    assert again == first
    assert store.counts() == {"queued": 1}


def test_a_request_id_with_another_wish_is_refused(store: JobStore) -> None:
    store.submit(wish("request-a"))
    with pytest.raises(FlowAnchorError) as refused:
        store.submit(wish("request-a", target="a green circle"))
    assert refused.value.code == "request-id-reused"
    with pytest.raises(FlowAnchorError) as refused:
        store.find_request("request-a", b"another")
    assert refused.value.code == "request-id-reused"
    assert store.find_request("request-b", b"any") is None


def test_many_threads_with_one_request_id_make_one_job(store: JobStore) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(store.submit(wish("request-a"))[0].id)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_higher_priorities_run_first_and_equals_in_order_of_arrival(store: JobStore) -> None:
    low, high, middle = submit(store, priority=-5), submit(store, priority=9), submit(store)
    also_high = submit(store, priority=9)
    assert order(store) == [high, also_high, middle, low]
    assert [store.get(job).queue_position for job in (high, also_high, middle, low)] == [1, 2, 3, 4]
    taken = store.take()
    assert taken is not None
    assert taken.id == high


def test_a_job_is_moved_before_another_and_takes_its_priority(store: JobStore) -> None:
    a, b, c = submit(store), submit(store), submit(store)
    d = submit(store, priority=5)
    assert store.move(c, before=b).queue_position == 3
    assert order(store) == [d, a, c, b]
    assert store.move(b, before=d).priority == 5
    assert order(store) == [b, d, a, c]
    store.move(b)
    assert order(store) == [d, b, a, c]
    store.move(d, priority=-1)
    assert order(store) == [b, a, c, d]


def test_only_waiting_jobs_are_moved(store: JobStore) -> None:
    running, waiting = submit(store), submit(store)
    store.take()
    for job, before in ((running, ""), (waiting, running)):
        with pytest.raises(FlowAnchorError) as refused:
            store.move(job, before=before)
        assert refused.value.code == "job-not-waiting"
    with pytest.raises(FlowAnchorError) as refused:
        store.move(waiting, before=waiting)
    assert refused.value.code == "request-invalid"


def test_cancel_ends_a_waiting_job_and_marks_a_running_one(store: JobStore) -> None:
    running, waiting = submit(store), submit(store)
    store.take()
    assert store.cancel(waiting).state == jobs.CANCELLED
    assert store.cancel(running).state == jobs.CANCELLING
    assert store.cancel(running).state == jobs.CANCELLING
    assert store.end_cancelled(running) == jobs.CANCELLED
    assert store.cancel(running).state == jobs.CANCELLED
    assert [attempt.outcome for attempt in store.get(running).attempts] == ["cancelled"]


def test_only_ended_jobs_are_deleted_and_their_folder_is_remembered(store: JobStore) -> None:
    job = submit(store)
    with pytest.raises(FlowAnchorError) as refused:
        store.delete(job)
    assert refused.value.code == "job-not-finished"
    store.cancel(job)
    store.delete(job)
    assert store.removals() == [job]
    store.removed(job)
    assert store.removals() == []
    with pytest.raises(FlowAnchorError) as refused:
        store.get(job)
    assert refused.value.code == "job-unknown"


def test_times_come_from_the_clock_and_order_nothing(tmp_path: Path) -> None:
    times = iter([5_000, 4_000, 3_000, 2_000, 1_000, 500, 400])
    store = JobStore.open(tmp_path / "q", now_ms=lambda: next(times))
    a, b = submit(store), submit(store)
    taken = store.take()
    assert taken is not None
    assert taken.id == a
    store.succeed(a, types_pb2.EditResult(), [])
    done = store.get(a)
    assert done.created_ms == 5_000
    assert done.started_ms == 3_000
    assert done.finished_ms == 5_000
    assert done.attempts[0].ended_ms >= done.attempts[0].started_ms
    assert [job.id for job in store.page(Query()).jobs] == [b, a]
    store.close()


def test_changes_are_told_once_they_are_on_disk(store: JobStore) -> None:
    told: list[frozenset[str]] = []
    store.on_commit = told.append
    a, b = submit(store), submit(store)
    assert told == [{a}, {b}]
    told.clear()
    store.submit(wish(priority=1))
    assert told[0] >= {a, b}  # both fell back by one
    told.clear()
    store.submit(wish("request-x"))
    store.submit(wish("request-x"))
    assert len(told) == 1
    told.clear()
    with pytest.raises(FlowAnchorError):
        store.delete(a)
    assert told == []


def test_media_of_waiting_and_running_jobs_are_in_use(store: JobStore) -> None:
    assert store.media_in_use() == set()
    job = submit(store)
    assert store.media_in_use() == {CLIP}
    store.take()
    assert store.media_in_use() == {CLIP}
    store.fail(job, types_pb2.Failure(code="model-failed"))
    assert store.media_in_use() == set()


def test_counts_and_last_failures_serve_diagnosis(store: JobStore) -> None:
    for code in ("first", "second"):
        job = submit(store)
        store.take()
        store.fail(job, types_pb2.Failure(code=code))
    submit(store)
    assert store.counts() == {"failed": 2, "queued": 1}
    assert [failure.code for failure in store.last_failures()] == ["second", "first"]
    assert len(store.last_failures(1)) == 1


def test_calls_run_on_one_thread_beside_the_event_loop(store: JobStore) -> None:
    async def both() -> set[int]:
        return set(await asyncio.gather(*(store.db(threading.get_ident) for _ in range(4))))

    threads = asyncio.run(both())
    assert len(threads) == 1
    assert threading.get_ident() not in threads
