# SPDX-License-Identifier: Apache-2.0
"""The service itself, called as the server calls it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_daemon.media.quota import MediaLimits
from flowanchor_daemon.models.manager import ModelManager
from flowanchor_daemon.queue import jobs
from flowanchor_daemon.queue.jobs_service import JobsService
from flowanchor_daemon.queue.limits import limits_with

from flowanchor_core.errors import FlowAnchorError
from tests.daemon.queue.bench import LIMIT_SECONDS, Bench, bench, play
from tests.daemon.queue.standin_engine import Script, StandInEngine, progress, success
from tests.daemon.queue.wishes import edit

NO_CONTEXT = cast(Any, None)  # the service asks nothing of the call


class OnlyShapes:
    """A stand-in for the models: one is there."""

    def exists(self, name: str) -> bool:
        return name == "shapes"


class Desk:
    def __init__(self, b: Bench) -> None:
        self.bench = b
        self.service = JobsService(
            b.store,
            b.board,
            b.scheduler,
            b.media,
            cast(ModelManager, OnlyShapes()),
            limits_with(MediaLimits()),
        )

    async def submit(self, request_id: str = "request-a", **values: Any) -> jobs_pb2.SubmitJobResponse:
        request = jobs_pb2.SubmitJobRequest(request_id=request_id, edit=edit(), client="cli")
        for name, value in values.items():
            if isinstance(value, types_pb2.EditRequest):
                request.edit.CopyFrom(value)
            else:
                setattr(request, name, value)
        return await self.service.SubmitJob(request, NO_CONTEXT)

    async def get(self, job: str, **values: int) -> jobs_pb2.GetJobResponse:
        return await self.service.GetJob(jobs_pb2.GetJobRequest(id=job, **values), NO_CONTEXT)

    async def watch(
        self, job: str, since: int = 0, previews: bool = False
    ) -> list[jobs_pb2.WatchJobResponse]:
        request = jobs_pb2.WatchJobRequest(id=job, since=since, previews=previews)
        async with asyncio.timeout(LIMIT_SECONDS):
            return [message async for message in self.service.WatchJob(request, NO_CONTEXT)]


@asynccontextmanager
async def desk(root: Path, *scripts: Script, started: bool = True) -> AsyncIterator[Desk]:
    async with bench(root, StandInEngine(*scripts), started=started) as b:
        yield Desk(b)


async def code_of(call: Awaitable[object]) -> str:
    with pytest.raises(FlowAnchorError) as refused:
        await call
    return refused.value.code


def test_a_submitted_edit_comes_back_normalised(tmp_path: Path) -> None:
    async def scene() -> None:
        async with desk(tmp_path, ["hold"]) as d:
            answer = await d.submit(priority=4)
            assert answer.created
            assert (answer.job.client, answer.job.priority) == ("cli", 4)
            assert answer.job.request.preset == "standard"
            assert answer.job.revision > 0

    play(scene)


def test_a_repeated_submit_gives_the_first_job_even_once_its_clip_is_gone(tmp_path: Path) -> None:
    async def scene() -> None:
        async with desk(tmp_path) as d:
            random = edit()
            random.seed_mode = types_pb2.SEED_MODE_RANDOM
            first = await d.submit(edit=random)
            assert first.job.request.seed > 0
            await d.bench.until(first.job.id)
            for path in (tmp_path / "media").rglob("*"):
                if path.is_file():
                    path.unlink()
            again = await d.submit(edit=random)
            assert not again.created
            assert (again.job.id, again.job.request) == (first.job.id, first.job.request)
            assert await code_of(d.submit(priority=1)) == "request-id-reused"
            assert await code_of(d.submit("request-b")) == "media-missing"

    play(scene)


def test_what_is_not_here_is_refused_before_it_is_queued(tmp_path: Path) -> None:
    async def scene() -> None:
        async with desk(tmp_path) as d:
            other = edit()
            other.model = "wan2.1-t2v-1.3b"
            assert await code_of(d.submit(edit=other)) == "model-unknown"
            other = edit()
            other.clip.movie.sha256 = "0" * 64
            assert await code_of(d.submit(edit=other)) == "media-missing"
            assert await code_of(d.submit("bad")) == "request-invalid"
            assert d.bench.store.states() == {}

    play(scene)


def test_nothing_is_queued_once_the_daemon_drains(tmp_path: Path) -> None:
    async def scene() -> None:
        async with desk(tmp_path) as d:
            first = await d.submit()
            await d.bench.scheduler.drain(finish=True)
            assert await code_of(d.submit("request-b")) == "draining"
            assert not (await d.submit()).created
            assert (await d.get(first.job.id)).job.id == first.job.id

    play(scene)


def test_a_poller_sees_each_change_once_and_waits_for_the_next(tmp_path: Path) -> None:
    async def scene() -> None:
        async with desk(tmp_path, [progress(1), "hold", *success()]) as d:
            job = (await d.submit()).job.id
            await d.bench.until_held()
            seen = await d.get(job)
            assert seen.changed
            assert seen.job.progress.step == 1
            unchanged = await d.get(job, since=seen.job.revision)
            assert not unchanged.changed
            assert not unchanged.HasField("job")
            waiting = asyncio.create_task(d.get(job, since=seen.job.revision, wait_ms=30_000))
            while d.bench.board.watchers == 0:
                await asyncio.sleep(0.001)
            d.bench.engine.let_go()
            changed = await waiting
            assert changed.job.revision > seen.job.revision
            assert (await d.get(job, since=changed.job.revision + 1000)).changed  # never given: none
            await d.bench.until_idle()

    play(scene)


def test_a_wait_ends_by_itself(tmp_path: Path) -> None:
    async def scene() -> None:
        async with desk(tmp_path, ["hold"]) as d:
            job = (await d.submit()).job.id
            await d.bench.until_held()
            revision = (await d.get(job)).job.revision
            assert not (await d.get(job, since=revision, wait_ms=20)).changed
            assert await code_of(d.get(job, wait_ms=30_001)) == "request-invalid"
            assert await code_of(d.get(job, wait_ms=-1)) == "request-invalid"

    play(scene)


def test_previews_are_sent_when_they_are_new_and_wanted(tmp_path: Path) -> None:
    script: Script = [engine_pb2.Event(preview_jpeg=b"one"), "hold"]

    async def scene() -> None:
        async with desk(tmp_path, script) as d:
            job = (await d.submit()).job.id
            await d.bench.until_held()
            first = await d.get(job)
            assert first.preview_jpeg == b"one"
            assert (await d.get(job, preview_since=first.job.preview_revision)).preview_jpeg == b""
            assert (await d.get(job, preview_since=-1)).preview_jpeg == b""

    play(scene)


def test_unknown_jobs_are_unknown_to_every_call(tmp_path: Path) -> None:
    async def scene() -> None:
        async with desk(tmp_path) as d:
            s, ids = d.service, ["0123456789abcdef", "../../etc/passwd", "a\0b", ""]
            for job in ids:
                calls: list[Awaitable[object]] = [
                    d.get(job),
                    d.get(job, wait_ms=30_000, since=d.bench.board.latest),
                    d.watch(job),
                    s.CancelJob(jobs_pb2.CancelJobRequest(id=job), NO_CONTEXT),
                    s.DeleteJob(jobs_pb2.DeleteJobRequest(id=job), NO_CONTEXT),
                    s.MoveJob(jobs_pb2.MoveJobRequest(id=job), NO_CONTEXT),
                    s.RetryJob(jobs_pb2.RetryJobRequest(id=job, request_id="request-z"), NO_CONTEXT),
                    s.VaryJob(jobs_pb2.VaryJobRequest(id=job, request_id="request-z"), NO_CONTEXT),
                ]
                assert {await code_of(call) for call in calls} == {"job-unknown"}

    play(scene)


def test_a_watch_shows_changes_to_the_end_and_then_ends(tmp_path: Path) -> None:
    script: Script = [engine_pb2.Event(preview_jpeg=b"one"), progress(1), "hold", *success()]

    async def scene() -> None:
        async with desk(tmp_path, script) as d:
            job = (await d.submit()).job.id
            await d.bench.until_held()
            watching = asyncio.create_task(d.watch(job, previews=True))
            while d.bench.board.watchers == 0:
                await asyncio.sleep(0.001)
            d.bench.engine.let_go()
            messages = await watching
            assert messages[0].job.state == jobs.RUNNING
            assert messages[-1].job.state == jobs.SUCCEEDED
            revisions = [message.job.revision for message in messages]
            assert revisions == sorted(set(revisions))
            assert [message.preview_jpeg for message in messages].count(b"one") == 1
            await d.bench.until_idle()
            last = (await d.get(job)).job.revision
            assert await d.watch(job, since=last) == []
            assert [message.job.id for message in await d.watch(job)] == [job]

    play(scene)


def test_a_watcher_that_goes_away_is_forgotten(tmp_path: Path) -> None:
    async def scene() -> None:
        async with desk(tmp_path, ["hold"]) as d:
            job = (await d.submit()).job.id
            await d.bench.until_held()
            stream = d.service.WatchJob(jobs_pb2.WatchJobRequest(id=job), NO_CONTEXT)

            async def follow() -> None:
                async with aclosing(cast(Any, stream)) as messages:
                    async for _ in messages:
                        pass

            watching = asyncio.create_task(follow())
            while d.bench.board.watchers == 0:
                await asyncio.sleep(0.001)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            assert d.bench.board.watchers == 0

    play(scene)


def test_a_slow_watcher_gets_the_newest_state_and_no_backlog(tmp_path: Path) -> None:
    script: Script = [progress(0), "hold", *(progress(step, step / 500) for step in range(500)), "hold"]

    async def scene() -> None:
        async with desk(tmp_path, script) as d:
            job = (await d.submit()).job.id
            await d.bench.until_held()
            stream = cast(Any, d.service.WatchJob(jobs_pb2.WatchJobRequest(id=job), NO_CONTEXT))
            await anext(stream)
            d.bench.engine.let_go()
            while (await d.get(job)).job.progress.step != 499:  # while the watcher does not look
                await asyncio.sleep(0.001)
            assert (await anext(stream)).job.progress.step == 499
            await stream.aclose()

    play(scene)


def test_a_waiting_job_shows_its_place_as_it_changes(tmp_path: Path) -> None:
    async def scene() -> None:
        async with desk(tmp_path, ["hold"]) as d:
            await d.submit("request-a")
            await d.bench.until_held()
            ahead = (await d.submit("request-b")).job
            behind = (await d.submit("request-c")).job
            assert behind.queue_position == 2
            revision = (await d.get(behind.id)).job.revision
            await d.service.CancelJob(jobs_pb2.CancelJobRequest(id=ahead.id), NO_CONTEXT)
            found = await d.get(behind.id, since=revision)
            assert found.job.queue_position == 1

    play(scene)


def test_a_client_that_saw_more_than_the_disk_is_put_right_after_a_restart(tmp_path: Path) -> None:
    async def scene() -> None:
        async with desk(tmp_path, [progress(1), "hold"]) as d:
            job = (await d.submit()).job.id
            await d.bench.until_held()
            seen = (await d.get(job)).job.revision
        async with desk(tmp_path, started=False) as d:
            found = await d.get(job, since=seen)
            assert found.changed
            assert found.job.state == jobs.QUEUED

    play(scene)


def test_retry_repeats_the_edit_and_vary_changes_its_seed(tmp_path: Path) -> None:
    async def scene() -> None:
        async with desk(tmp_path) as d:
            parent = (await d.submit(priority=2)).job
            retry = jobs_pb2.RetryJobRequest(id=parent.id, request_id="request-r")
            first = (await d.service.RetryJob(retry, NO_CONTEXT)).job
            assert (await d.service.RetryJob(retry, NO_CONTEXT)).job.id == first.id
            assert first.request == parent.request
            assert (first.parent, first.client, first.priority) == (parent.id, "cli", 2)
            vary = jobs_pb2.VaryJobRequest(id=parent.id, request_id="request-v")
            second = (await d.service.VaryJob(vary, NO_CONTEXT)).job
            repeated = (await d.service.VaryJob(vary, NO_CONTEXT)).job
            assert (repeated.id, repeated.request.seed) == (second.id, second.request.seed)
            assert second.request.seed != parent.request.seed
            vary = jobs_pb2.VaryJobRequest(id=parent.id, request_id="request-w", seed=0)
            assert (await d.service.VaryJob(vary, NO_CONTEXT)).job.request.seed == 0
            vary.request_id = "request-r"
            assert await code_of(d.service.VaryJob(vary, NO_CONTEXT)) == "request-id-reused"
            for job in (parent, first, second):
                await d.bench.until(job.id)
            await d.bench.until_idle()
            await d.service.DeleteJob(jobs_pb2.DeleteJobRequest(id=parent.id), NO_CONTEXT)
            assert (await d.service.RetryJob(retry, NO_CONTEXT)).job.id == first.id

    play(scene)


def test_lists_are_paged_and_checked(tmp_path: Path) -> None:
    async def scene() -> None:
        async with desk(tmp_path, ["hold"]) as d:
            made = [(await d.submit(f"request-{n}")).job.id for n in range(5)]
            await d.bench.until_held()
            page = await d.service.ListJobs(jobs_pb2.ListJobsRequest(page_size=2), NO_CONTEXT)
            assert ([job.id for job in page.jobs], page.total) == (made[:2:-1], 5)
            assert all(job.revision > 0 and not job.HasField("request") for job in page.jobs)
            rest = jobs_pb2.ListJobsRequest(page_token=page.next_page_token)
            page = await d.service.ListJobs(rest, NO_CONTEXT)
            assert ([job.id for job in page.jobs], page.next_page_token) == (made[2::-1], "")
            asked = jobs_pb2.ListJobsRequest(request_id="request-2", page_size=1)
            assert [job.id for job in (await d.service.ListJobs(asked, NO_CONTEXT)).jobs] == [made[2]]
            bad = [
                jobs_pb2.ListJobsRequest(page_size=501),
                jobs_pb2.ListJobsRequest(page_size=-1),
                jobs_pb2.ListJobsRequest(client="c" * 41),
                jobs_pb2.ListJobsRequest(request_id="short"),
                jobs_pb2.ListJobsRequest(request_id="request 1 %"),
            ]
            bad.append(jobs_pb2.ListJobsRequest.FromString(b"\x20\x09"))  # an order nobody knows
            bad.append(jobs_pb2.ListJobsRequest.FromString(b"\x18\x09"))  # a state nobody knows
            for request in bad:
                assert await code_of(d.service.ListJobs(request, NO_CONTEXT)) == "request-invalid"

    play(scene)


def test_move_takes_a_place_or_a_priority_and_not_both(tmp_path: Path) -> None:
    async def scene() -> None:
        async with desk(tmp_path, ["hold"]) as d:
            await d.submit("request-a")
            await d.bench.until_held()
            b, c = [(await d.submit(f"request-{n}")).job.id for n in "bc"]
            moved = await d.service.MoveJob(jobs_pb2.MoveJobRequest(id=c, before=b), NO_CONTEXT)
            assert moved.job.queue_position == 1
            moved = await d.service.MoveJob(jobs_pb2.MoveJobRequest(id=c, priority=-7), NO_CONTEXT)
            assert (moved.job.queue_position, moved.job.priority) == (2, -7)
            for bad in (
                jobs_pb2.MoveJobRequest(id=c, priority=0, before=b),
                jobs_pb2.MoveJobRequest(id=c, priority=101),
            ):
                assert await code_of(d.service.MoveJob(bad, NO_CONTEXT)) == "request-invalid"

    play(scene)


def test_sixteen_clients_submit_two_hundred_jobs_at_once(tmp_path: Path) -> None:
    async def scene() -> None:
        async with desk(tmp_path) as d:

            async def client(number: int) -> list[str]:
                return [(await d.submit(f"request-{number}-{n}")).job.id for n in range(number, 200, 16)]

            made = [job for found in await asyncio.gather(*map(client, range(16))) for job in found]
            assert len(set(made)) == 200
            for job in made:
                assert (await d.bench.until(job)).state == jobs.SUCCEEDED
            assert [run.attempt for run in d.bench.engine.runs] == [1] * 200

    play(scene)
