# SPDX-License-Identifier: Apache-2.0
"""The store against a simple model of a queue, through any sequence of calls, restarts and violent ends."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_daemon.queue import jobs
from flowanchor_daemon.queue.jobs import MAX_CRASHES, NewJob
from flowanchor_daemon.queue.listing import Query
from flowanchor_daemon.queue.store import JobStore
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from flowanchor_core.errors import FlowAnchorError
from tests.daemon.queue.wishes import edit

PRIORITIES = st.integers(-1, 1)


@dataclass
class Model:
    """What a job should be."""

    state: int
    priority: int
    crashes: int = 0
    outcomes: list[str] = field(default_factory=list)


class QueueMachine(RuleBasedStateMachine):
    known = Bundle("known")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "queue.sqlite"
        self.store = JobStore.open(self.path)
        self.jobs: dict[str, Model] = {}
        self.waiting: dict[int, list[str]] = {-1: [], 0: [], 1: []}  # by priority, in order
        self.requests: dict[str, str] = {}

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def end(self, job: str, state: int) -> None:
        self.jobs[job].state = state
        for row in self.waiting.values():
            if job in row:
                row.remove(job)

    def put_back(self, job: str, outcome: str) -> None:
        self.jobs[job].outcomes[-1] = outcome
        self.jobs[job].state = jobs.QUEUED
        self.waiting[self.jobs[job].priority].insert(0, job)

    @rule(target=known, number=st.integers(0, 8), priority=PRIORITIES)
    def submit(self, number: int, priority: int) -> str:
        """Few numbers, so that requests are repeated."""
        request_id = f"request-{number}"
        new = NewJob(request_id, b"same", edit(), "model", priority)
        job, created = self.store.submit(new)
        assert created == (request_id not in self.requests)
        if created:
            self.requests[request_id] = job.id
            self.jobs[job.id] = Model(jobs.QUEUED, priority)
            self.waiting[priority].append(job.id)
        assert self.requests[request_id] == job.id
        return job.id

    @rule(job=known)
    def submit_reused(self, job: str) -> None:
        request_id = next((one for one, owner in self.requests.items() if owner == job), None)
        if request_id is not None:
            new = NewJob(request_id, b"another", edit(), "model", 0)
            assert refusal(lambda: self.store.submit(new)) == "request-id-reused"

    @rule(job=known)
    def cancel(self, job: str) -> None:
        if job not in self.jobs:
            assert refusal(lambda: self.store.cancel(job)) == "job-unknown"
            return
        model = self.jobs[job]
        if model.state == jobs.QUEUED:
            self.end(job, jobs.CANCELLED)
        elif model.state == jobs.RUNNING:
            model.state = jobs.CANCELLING
        assert self.store.cancel(job).state == model.state

    @rule(job=known, before=st.none() | known, priority=st.none() | PRIORITIES)
    def move(self, job: str, before: str | None, priority: int | None) -> None:
        if job not in self.jobs:
            expected = "job-unknown"
        elif self.jobs[job].state != jobs.QUEUED:
            expected = "job-not-waiting"
        elif before == job:
            expected = "request-invalid"
        elif before is not None and before not in self.jobs:
            expected = "job-unknown"
        elif before is not None and self.jobs[before].state != jobs.QUEUED:
            expected = "job-not-waiting"
        else:
            self.store.move(job, None if before else priority, before or "")
            self.waiting[self.jobs[job].priority].remove(job)
            if before is not None:
                self.jobs[job].priority = self.jobs[before].priority
                row = self.waiting[self.jobs[job].priority]
                row.insert(row.index(before), job)
            else:
                self.jobs[job].priority = self.jobs[job].priority if priority is None else priority
                self.waiting[self.jobs[job].priority].append(job)
            return
        assert refusal(lambda: self.store.move(job, priority, before or "")) == expected

    @rule()
    def take(self) -> None:
        expected = next((job for priority in (1, 0, -1) for job in self.waiting[priority]), None)
        taken = self.store.take()
        assert (taken and taken.id) == expected
        if expected is not None:
            self.end(expected, jobs.RUNNING)
            self.jobs[expected].outcomes.append("running")

    def active(self) -> list[str]:
        return [job for job, model in self.jobs.items() if model.state in jobs.ACTIVE]

    @rule(ending=st.sampled_from(["succeed", "fail", "put_back", "crash"]), data=st.data())
    def end_attempt(self, ending: str, data: st.DataObject) -> None:
        active = self.active()
        if not active:
            return
        job = data.draw(st.sampled_from(sorted(active)))
        model = self.jobs[job]
        cancelled = model.state == jobs.CANCELLING
        if ending == "succeed":
            self.store.succeed(job, types_pb2.EditResult(), [])
        elif ending == "fail":
            self.store.fail(job, types_pb2.Failure(code="model-failed"))
        elif ending == "put_back":
            self.store.put_back(job, "daemon-ended")
        else:
            self.store.crashed(job, 0, "signal SIGKILL")
        if cancelled:
            model.outcomes[-1] = "cancelled"
            self.end(job, jobs.CANCELLED)
        elif ending == "succeed":
            model.outcomes[-1] = "succeeded"
            self.end(job, jobs.SUCCEEDED)
        elif ending == "fail":
            model.outcomes[-1] = "failed"
            self.end(job, jobs.FAILED)
        elif ending == "put_back":
            self.put_back(job, "daemon-ended")
        else:
            model.crashes += 1
            if model.crashes < MAX_CRASHES:
                self.put_back(job, "engine-crashed")
            else:
                model.outcomes[-1] = "engine-crashed"
                self.end(job, jobs.FAILED)

    @rule(job=consumes(known))
    def delete(self, job: str) -> None:
        if job not in self.jobs:
            assert refusal(lambda: self.store.delete(job)) == "job-unknown"
        elif self.jobs[job].state not in jobs.ENDED:
            assert refusal(lambda: self.store.delete(job)) == "job-not-finished"
        else:
            self.store.delete(job)
            del self.jobs[job]
            self.requests = {wish: owner for wish, owner in self.requests.items() if owner != job}

    @rule()
    def restart(self) -> None:
        """The daemon ends without a word and starts again."""
        epoch = self.store.epoch
        self.store.close()
        self.store = JobStore.open(self.path)
        assert self.store.epoch == epoch + 1
        active = self.active()
        assert sorted(active) == self.store.recover()
        for job in reversed(list(self.jobs)):  # the one that came first shall be first again
            if job not in active:
                continue
            if self.jobs[job].state == jobs.RUNNING:
                self.put_back(job, "daemon-ended")
            else:
                self.jobs[job].outcomes[-1] = "cancelled"
                self.end(job, jobs.CANCELLED)

    @invariant()
    def the_store_is_the_model(self) -> None:
        assert self.store.states() == {job: model.state for job, model in self.jobs.items()}
        page = self.store.page(Query(jobs_pb2.JOB_ORDER_QUEUE, frozenset({jobs.QUEUED}), size=500))
        assert [job.id for job in page.jobs] == [job for row in (1, 0, -1) for job in self.waiting[row]]
        for job in self.store.page(Query(size=500)).jobs:
            model = self.jobs[job.id]
            assert job.priority == model.priority
            assert [attempt.outcome for attempt in job.attempts] == model.outcomes
            assert (job.finished_ms > 0) == (model.state in jobs.ENDED)


def refusal(call: object) -> str:
    try:
        call()  # type: ignore[operator]
    except FlowAnchorError as refused:
        return refused.code
    raise AssertionError("nothing was refused")


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
