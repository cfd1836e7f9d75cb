# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import types_pb2
from flowanchor_daemon.engine.api import EngineFailed
from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.queue import jobs
from flowanchor_daemon.queue.ending import SMALL_PLAN
from flowanchor_daemon.queue.jobs import MAX_CRASHES

from tests.daemon.queue.bench import bench, play
from tests.daemon.queue.standin_engine import Script, StandInEngine, checkpointed, failed, progress, success
from tests.daemon.queue.wishes import CLIP


def test_progress_previews_and_notices_reach_the_board_while_it_runs(tmp_path: Path) -> None:
    notice = types_pb2.Notice(code="shapes-only", text="Shapes know shapes only.")
    script: Script = [
        progress(2, 0.7),
        engine_pb2.Event(notice=notice),
        engine_pb2.Event(preview_jpeg=b"jpeg"),
        progress(3, 0.2),
        "hold",
        *success(),
    ]

    async def scene() -> None:
        async with bench(tmp_path, StandInEngine(script)) as b:
            job = await b.submit()
            await b.until_held()
            found = b.store.get(job)
            b.board.fill(found, b.board.revision(job))
            assert (found.progress.step, found.progress.fraction) == (3, 0.7)
            assert list(found.notices) == [notice]
            assert b.board.preview_of(job, 0) == b"jpeg"
            b.engine.let_go()
            await b.until(job)
            await b.until_idle()
            assert b.board.preview_of(job, 0) == b""

    play(scene)


def crash(step: int) -> Script:
    return [checkpointed(step), "crash"]


def keep_state(run: engine_pb2.Run) -> None:
    Path(run.checkpoint).write_bytes(b"state")


def test_a_crash_goes_on_from_the_checkpoint(tmp_path: Path) -> None:
    script: Script = [checkpointed(4), "crash"]
    resumed: Script = [engine_pb2.Event(resumed=4), *success()]

    async def scene() -> None:
        engine = StandInEngine(script, resumed)
        engine.before_run = keep_state
        async with bench(tmp_path, engine) as b:
            job = await b.submit()
            found = await b.until(job)
            assert found.state == jobs.SUCCEEDED
            assert [(one.outcome, one.resumed_at) for one in found.attempts] == [
                ("engine-crashed", 0),
                ("succeeded", 4),
            ]
            assert b.engine.runs[0].checkpoint == b.engine.runs[1].checkpoint
            assert b.engine.runs[0].output_folder != b.engine.runs[1].output_folder
            await b.until_idle()
            assert b.left(job) == ["artifacts/0.mkv"]

    play(scene)


def test_the_checkpoint_is_there_for_the_next_attempt(tmp_path: Path) -> None:
    seen: list[bool] = []

    def before(run: engine_pb2.Run) -> None:
        seen.append(Path(run.checkpoint).exists())
        Path(run.checkpoint).write_bytes(b"state")

    async def scene() -> None:
        engine = StandInEngine([checkpointed(1), "crash"])
        engine.before_run = before
        async with bench(tmp_path, engine) as b:
            await b.until(await b.submit())
            assert seen == [False, True]

    play(scene)


def test_crashes_at_one_place_end_the_job_and_the_queue_goes_on(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine(*[crash(2) for _ in range(MAX_CRASHES)])) as b:
            job, next_one = await b.submit(), await b.submit()
            found = await b.until(job)
            assert (found.state, found.failure.code) == (jobs.FAILED, "engine-crashed")
            assert len(found.attempts) == MAX_CRASHES
            assert (await b.until(next_one)).state == jobs.SUCCEEDED
            await b.until_idle()
            assert b.left(job) == []

    play(scene)


def test_twenty_kills_with_progress_between_do_not_fail_a_healthy_job(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine(*[crash(n) for n in range(1, 21)])) as b:
            found = await b.until(await b.submit())
            assert found.state == jobs.SUCCEEDED
            assert len(found.attempts) == 21

    play(scene)


def test_an_engine_that_says_nothing_at_the_end_has_crashed(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine([progress(1)])) as b:
            found = await b.until(await b.submit())
            assert [one.outcome for one in found.attempts] == ["engine-crashed", "succeeded"]

    play(scene)


def test_memory_that_runs_out_is_tried_once_more_in_the_small_plan(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine([failed("out-of-memory")])) as b:
            found = await b.until(await b.submit())
            assert found.state == jobs.SUCCEEDED
            assert [(one.outcome, one.memory_plan) for one in found.attempts] == [
                ("out-of-memory", "full"),
                ("succeeded", "small"),
            ]
            assert [run.memory_plan for run in b.engine.runs] == ["full", "small"]
            assert list(found.notices) == [SMALL_PLAN]

    play(scene)


def test_memory_that_runs_out_twice_fails_with_advice(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine([failed("out-of-memory")], [failed("out-of-memory")])) as b:
            found = await b.until(await b.submit())
            assert (found.state, found.failure.code) == (jobs.FAILED, "out-of-memory")
            assert found.failure.action
            assert [one.outcome for one in found.attempts] == ["out-of-memory", "out-of-memory"]

    play(scene)


def test_failures_are_the_jobs_and_the_queue_goes_on(tmp_path: Path) -> None:
    start = types_pb2.Failure(code="engine-start-failed", message="It did not start.")
    scripts = ([failed("model-failed")], [EngineFailed(start)], [RuntimeError("secret detail")])

    async def scene() -> None:
        async with bench(tmp_path, StandInEngine(*scripts)) as b:
            submitted = [await b.submit() for _ in range(4)]
            found = [await b.until(job) for job in submitted]
            codes = [job.failure.code for job in found]
            assert codes == ["model-failed", "engine-start-failed", "unexpected", ""]
            assert "secret" not in found[2].failure.message

    play(scene)


def test_an_engine_ended_by_the_draining_daemon_has_not_crashed(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine(["hold", "crash"])) as b:
            job = await b.submit()
            await b.until_held()
            draining = asyncio.create_task(b.scheduler.drain(finish=True))
            await asyncio.sleep(0)
            await b.engine.close()
            await draining
            found = b.store.get(job)
            assert (found.state, found.attempts[0].outcome) == (jobs.QUEUED, "daemon-ended")

    play(scene)


def test_a_missing_clip_fails_its_job(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine()) as b:
            (tmp_path / "media" / CLIP[:2] / CLIP).unlink()
            found = await b.until(await b.submit())
            assert (found.state, found.failure.code) == (jobs.FAILED, "media-missing")

    play(scene)


def test_a_job_waits_while_a_model_is_loaded_by_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowanchor_daemon.queue.attempt._BUSY_PAUSE", 0.001)
    busy: Script = [ServiceError("engine-busy")]

    async def scene() -> None:
        async with bench(tmp_path, StandInEngine(busy, busy, busy)) as b:
            found = await b.until(await b.submit())
            assert found.state == jobs.SUCCEEDED
            assert [one.outcome for one in found.attempts] == ["succeeded"]
            assert len(b.engine.runs) == 4

    play(scene)
