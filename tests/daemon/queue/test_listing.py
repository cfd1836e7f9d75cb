# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_daemon.queue import jobs
from flowanchor_daemon.queue.jobs import StoredArtifact
from flowanchor_daemon.queue.listing import Page, Query
from flowanchor_daemon.queue.store import JobStore
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowanchor_core.errors import FlowAnchorError
from tests.daemon.queue.wishes import wish

QUEUE = Query(jobs_pb2.JOB_ORDER_QUEUE)


def pages(store: JobStore, query: Query) -> list[Page]:
    found = [store.page(query)]
    while found[-1].token:
        found.append(store.page(replace(query, token=found[-1].token)))
    return found


def ids(found: list[Page]) -> list[str]:
    return [job.id for page in found for job in page.jobs]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    priorities=st.lists(st.integers(-2, 2), max_size=12),
    take=st.integers(0, 3),
    size=st.integers(1, 5),
    data=st.data(),
)
def test_pages_joined_are_the_whole_list(
    store: JobStore, priorities: list[int], take: int, size: int, data: st.DataObject
) -> None:
    for job in store.states():
        if store.cancel(job).state == jobs.CANCELLING:
            store.end_cancelled(job)
        store.delete(job)
    submitted = [store.submit(wish(priority=priority))[0].id for priority in priorities]
    for job in data.draw(st.lists(st.sampled_from(submitted), unique=True)) if submitted else []:
        store.move(job)
    running = [taken.id for taken in (store.take() for _ in range(take)) if taken]
    newest = pages(store, Query(size=size))
    assert ids(newest) == submitted[::-1]
    assert all(page.total == len(submitted) for page in newest)
    assert all(len(page.jobs) == size for page in newest[:-1])
    queued = ids(pages(store, replace(QUEUE, size=size)))
    assert set(queued[: len(running)]) == set(running)
    waiting = queued[len(running) :]
    positions = {job.id: job.queue_position for page in newest for job in page.jobs}
    assert [positions[job] for job in waiting] == list(range(1, len(waiting) + 1))
    assert [store.get(job).queue_position for job in waiting] == list(range(1, len(waiting) + 1))
    taken = []
    while (one := store.take()) is not None:
        taken.append(one.id)
    assert taken == waiting


def test_a_page_ends_before_it_outgrows_a_message(store: JobStore) -> None:
    files = [
        StoredArtifact(n, jobs_pb2.ARTIFACT_KIND_RESULT, f"result.{n:06d}.png", f"{n}.png", 10, "ab" * 32)
        for n in range(4000)
    ]
    made = [store.submit(wish())[0].id for _ in range(5)]
    for job in made:
        store.take()
        store.succeed(job, types_pb2.EditResult(), files)
    found = pages(store, Query())
    assert ids(found) == made[::-1]
    assert len(found) > 1
    assert all(sum(job.ByteSize() for job in page.jobs) <= 1 << 20 for page in found)


def test_jobs_that_come_and_go_between_pages_shift_nothing(store: JobStore) -> None:
    submitted = [store.submit(wish())[0].id for _ in range(6)]
    first = store.page(Query(size=3))
    store.submit(wish())
    store.cancel(submitted[3])
    store.delete(submitted[3])
    rest = store.page(Query(size=10, token=first.token))
    assert ids([first, rest]) == submitted[::-1]


def test_filters_by_state_and_client(store: JobStore) -> None:
    a, b = store.submit(wish(client="cli"))[0].id, store.submit(wish(client="blender"))[0].id
    store.cancel(a)
    assert ids([store.page(Query(client="cli"))]) == [a]
    assert ids([store.page(Query(states=frozenset({jobs.QUEUED})))]) == [b]
    assert store.page(Query(states=frozenset({jobs.FAILED}))).total == 0
    assert ids([store.page(QUEUE)]) == [b]
    assert store.page(replace(QUEUE, states=frozenset({jobs.CANCELLED}))).total == 0


def test_a_request_finds_the_job_it_has_made(store: JobStore) -> None:
    for _ in range(3):
        store.submit(wish())
    made = store.submit(wish("request-mine", client="blender"))[0].id
    store.cancel(made)
    found = store.page(Query(request_id="request-mine"))
    assert ([job.id for job in found.jobs], found.total, found.token) == ([made], 1, "")
    assert found.jobs[0].request_id == "request-mine"
    assert store.page(Query(request_id="request-mine", client="cli")).jobs == []
    assert store.page(Query(request_id="request-min_")).total == 0, "no pattern"
    store.delete(made)
    assert store.page(Query(request_id="request-mine")).jobs == []


def test_a_list_has_no_requests_but_what_lists_show(store: JobStore) -> None:
    store.submit(wish())
    job = store.page(Query()).jobs[0]
    assert not job.HasField("request")
    assert (job.label, job.queue_position) == ("a blue circle", 1)


@pytest.mark.parametrize("token", ["x", "é", "W10=", "e30=", "A" * 5000, "bnVsbA==", "W1tbW1tbW1tb"])
def test_a_token_that_was_never_given_is_refused(store: JobStore, token: str) -> None:
    with pytest.raises(FlowAnchorError) as refused:
        store.page(Query(token=token))
    assert refused.value.code == "request-invalid"


def test_a_token_of_another_list_is_refused(store: JobStore) -> None:
    for _ in range(3):
        store.submit(wish())
    token = store.page(Query(size=1)).token
    for other in (
        replace(QUEUE, token=token),
        Query(client="cli", token=token),
        Query(request_id="request-mine", token=token),
    ):
        with pytest.raises(FlowAnchorError) as refused:
            store.page(other)
        assert refused.value.code == "request-invalid"
