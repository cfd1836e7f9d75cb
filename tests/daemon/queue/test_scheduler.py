# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import gc
import threading
import time
from pathlib import Path

import pytest
from flowanchor.v1 import types_pb2
from flowanchor_daemon.queue import artifacts, jobs
from flowanchor_daemon.queue.attempt import tidy
from flowanchor_daemon.queue.folders import JobFolder
from flowanchor_daemon.queue.jobs import Taken

from tests.daemon.queue.bench import LIMIT_SECONDS, bench, play
from tests.daemon.queue.standin_engine import StandInEngine, checkpointed, progress, success
from tests.daemon.queue.wishes import edit


def test_a_job_runs_to_its_end_and_leaves_only_its_results(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine()) as b:
            job = await b.submit()
            found = await b.until(job)
            assert found.state == jobs.SUCCEEDED
            assert found.result.frames == 3
            assert [(one.name, one.bytes) for one in found.artifacts] == [("result.mkv", 6)]
            await b.until_idle()
            assert b.left(job) == ["artifacts/0.mkv"]
            run = b.engine.runs[0]
            assert (run.job, run.attempt, run.memory_plan) == (job, 1, "full")
            assert run.edit == edit()
            assert run.checkpoint_every > 0
            assert ".." not in run.clip.path

    play(scene)


def test_jobs_run_one_at_a_time_in_order(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine([progress(1), "hold", *success()])) as b:
            first = await b.submit()
            await b.until_held()
            second, urgent = await b.submit(), await b.submit(priority=2)
            assert b.store.get(second).queue_position == 2
            assert b.scheduler.busy
            b.engine.let_go()
            for job in (first, second, urgent):
                assert (await b.until(job)).state == jobs.SUCCEEDED
            assert [run.job for run in b.engine.runs] == [first, urgent, second]
            await b.until_idle()

    play(scene)


def test_cancelling_a_waiting_job_ends_it_at_once(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine(["hold", *success()])) as b:
            running, waiting = await b.submit(), await b.submit()
            await b.until_held()
            assert (await b.scheduler.cancel(waiting)).state == jobs.CANCELLED
            assert b.engine.asked == []
            b.engine.let_go()
            assert (await b.until(running)).state == jobs.SUCCEEDED
            await b.until_idle()
            assert len(b.engine.runs) == 1

    play(scene)


def test_cancelling_a_running_job_goes_by_way_of_cancelling(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine([checkpointed(3), "hold", *success()])) as b:
            job = await b.submit()
            await b.until_held()
            assert (await b.scheduler.cancel(job)).state == jobs.CANCELLING
            assert (await b.until(job)).state == jobs.CANCELLED
            assert ("cancel", job) in b.engine.asked
            await b.until_idle()
            assert b.left(job) == []

    play(scene)


def test_a_cancel_right_after_the_taking_keeps_the_job_from_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine()) as b:
            real = b.store.take

            def take() -> Taken | None:
                taken = real()
                if taken is not None:
                    b.store.cancel(taken.id)
                return taken

            monkeypatch.setattr(b.store, "take", take)
            job = await b.submit()
            assert (await b.until(job)).state == jobs.CANCELLED
            assert b.engine.runs == []

    play(scene)


def test_a_result_that_came_after_the_cancel_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine()) as b:
            real = artifacts.collect

            def late(*arguments: object) -> object:
                made = real(*arguments)  # type: ignore[arg-type]
                b.store.cancel(b.engine.runs[0].job)
                return made

            monkeypatch.setattr(artifacts, "collect", late)
            job = await b.submit()
            found = await b.until(job)
            assert (found.state, len(found.artifacts)) == (jobs.CANCELLED, 0)
            await b.until_idle()
            assert b.left(job) == []

    play(scene)


def test_draining_gives_the_running_job_back_and_the_next_daemon_goes_on(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine([checkpointed(5), "hold", *success()])) as b:
            job, waiting = await b.submit(), await b.submit()
            await b.until_held()
            (b.jobs / job / "checkpoint" / "state.safetensors").write_bytes(b"state")
            await b.scheduler.drain(finish=False)
            found = b.store.get(job)
            assert (found.state, found.queue_position) == (jobs.QUEUED, 1)
            assert found.attempts[0].outcome == "daemon-ended"
            assert b.left(job) == ["checkpoint/state.safetensors"]
            assert b.store.get(waiting).state == jobs.QUEUED
        async with bench(tmp_path, StandInEngine()) as b:
            assert (await b.until(job)).state == jobs.SUCCEEDED
            assert (await b.until(waiting)).state == jobs.SUCCEEDED

    play(scene)


def test_draining_can_finish_the_running_job(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine(["hold", *success()])) as b:
            job, waiting = await b.submit(), await b.submit()
            await b.until_held()
            draining = asyncio.create_task(b.scheduler.drain(finish=True))
            await asyncio.sleep(0)
            assert b.scheduler.draining
            b.engine.let_go()
            await draining
            assert b.store.get(job).state == jobs.SUCCEEDED
            assert b.store.get(waiting).state == jobs.QUEUED
            assert b.engine.asked == []

    play(scene)


def test_a_start_repairs_what_a_violent_end_left(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine(), started=False) as b:
            stopped, going, done = await b.submit(), await b.submit(), await b.submit()
            for job in (stopped, going, done):
                b.store.take()
                (b.jobs / job / "attempt-1" / "output").mkdir(parents=True)
                (b.jobs / job / "attempt-1" / "output" / "half.mkv").write_bytes(b"half")
                (b.jobs / job / "artifacts").mkdir()
                (b.jobs / job / "artifacts" / "0.mkv").write_bytes(b"whole")
            b.store.cancel(stopped)
            b.store.succeed(done, types_pb2.EditResult(), [])
            gone = await b.submit()
            b.store.cancel(gone)
            b.store.delete(gone)
            (b.jobs / gone).mkdir()
            (b.jobs / "somebody-elses").mkdir()
        async with bench(tmp_path, StandInEngine(["hold", *success()])) as b:
            assert b.store.get(stopped).state == jobs.CANCELLED
            await b.until_held()
            assert b.engine.runs[0].job == going
            assert b.engine.runs[0].attempt == 2
            assert (b.left(stopped), b.left(done)) == ([], ["artifacts/0.mkv"])
            assert not any(path.startswith("artifacts") for path in b.left(going))
            assert not (b.jobs / gone).exists()
            assert b.store.removals() == []
            assert (b.jobs / "somebody-elses").exists()
            b.engine.let_go()
            assert (await b.until(going)).state == jobs.SUCCEEDED

    play(scene)


def test_an_idle_scheduler_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine()) as b:
            await b.until(await b.submit())
            await b.until_idle()
            loop = asyncio.get_running_loop()
            turns = [0]
            real = loop._run_once  # type: ignore[attr-defined]

            def counted() -> None:
                turns[0] += 1
                real()

            monkeypatch.setattr(loop, "_run_once", counted)
            gc.collect()
            gc.disable()  # a collection of all that other tests left is no work of the scheduler's
            try:
                began, worked = time.monotonic(), time.process_time()
                await asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.3)
                assert 1 <= turns[0] <= 4
                assert time.process_time() - worked < (time.monotonic() - began) / 2
            finally:
                gc.enable()
            assert not b.scheduler.busy

    play(scene)


def test_deleting_removes_record_and_folder(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine()) as b:
            job = await b.submit()
            await b.until(job)
            await b.until_idle()
            await b.scheduler.delete(job)
            assert not (b.jobs / job).exists()
            assert b.store.removals() == []
            assert b.store.states() == {}

    play(scene)


def test_deleting_waits_for_what_the_last_attempt_still_clears_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, go_on = threading.Event(), threading.Event()

    def slowly(folder: JobFolder, state: int) -> None:
        at_work.set()
        assert go_on.wait(LIMIT_SECONDS)
        tidy(folder, state)

    async def scene() -> None:
        async with bench(tmp_path, StandInEngine()) as b:
            monkeypatch.setattr("flowanchor_daemon.queue.attempt.tidy", slowly)
            job = await b.submit()
            await b.until(job)
            assert await asyncio.to_thread(at_work.wait, LIMIT_SECONDS)
            deleting = asyncio.create_task(b.scheduler.delete(job))
            while job in b.store.states():
                await asyncio.sleep(0.001)
            assert (b.jobs / job).exists()
            go_on.set()
            await deleting
            assert not (b.jobs / job).exists()
            assert b.store.removals() == []

    play(scene)
