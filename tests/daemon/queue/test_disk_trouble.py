# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import types_pb2
from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.queue import artifacts, jobs
from flowanchor_daemon.queue.attempt import RESERVE_BYTES
from flowanchor_daemon.queue.database import Database

from tests.daemon.queue.bench import bench, play
from tests.daemon.queue.standin_engine import Script, StandInEngine, success


def test_a_full_store_is_found_before_the_job_starts(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine(), quota=1 << 20) as b:
            found = await b.until(await b.submit())
            assert (found.state, found.failure.code) == (jobs.FAILED, "quota-full")
            assert b.engine.runs == []

    play(scene)


def test_the_engine_is_told_what_room_there_is(tmp_path: Path) -> None:
    async def scene() -> None:
        async with bench(tmp_path, StandInEngine(success(bytes(1000))), quota=64 << 20) as b:
            for _ in range(2):
                assert (await b.until(await b.submit())).state == jobs.SUCCEEDED
            first, second = b.engine.runs
            floor = b.media.limits.free_floor_bytes
            assert first.spare_bytes == second.spare_bytes == floor + RESERVE_BYTES
            assert first.most_output_bytes == (64 << 20) - b.media.used_bytes()
            assert second.most_output_bytes == first.most_output_bytes - 1000

    play(scene)


def test_a_disk_that_fills_up_under_the_result_fails_the_job_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path) -> None:
        raise OSError(28, os.strerror(28))

    async def scene() -> None:
        async with bench(tmp_path, StandInEngine()) as b:
            with monkeypatch.context() as patch:
                patch.setattr(artifacts, "sync_folder", full)
                job = await b.submit()
                found = await b.until(job)
                assert (found.state, found.failure.code) == (jobs.FAILED, "disk-full")
                await b.until_idle()
                assert b.left(job) == []
            assert (await b.until(await b.submit())).state == jobs.SUCCEEDED

    play(scene)


def test_a_queue_that_cannot_take_the_result_fails_the_job_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        script = [*success()]
        done = script[-1]
        assert isinstance(done, engine_pb2.Event)
        done.done.result.target_words.extend(["word" * 50] * 2000)  # too large for what is left
        async with bench(tmp_path, StandInEngine(["hold", *script])) as b:
            job = await b.submit()
            await b.until_held()
            sql = b.store._database.connection
            sql.execute(f"PRAGMA max_page_count = {sql.execute('PRAGMA page_count').fetchone()[0]}")
            real, left = b.store.fail, []

            def fail(*arguments: Any) -> int:
                left.extend(b.left(job))
                return real(*arguments)

            monkeypatch.setattr(b.store, "fail", fail)
            b.engine.let_go()
            found = await b.until(job)
            assert (found.state, found.failure.code) == (jobs.FAILED, "disk-full")
            assert not any(path.startswith("artifacts") for path in left), "no room made for the failure"
            await b.until_idle()
            assert b.left(job) == []

    play(scene)


def test_an_ending_that_cannot_be_written_yet_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowanchor_daemon.queue.ending._FIRST_PAUSE", 0.01)

    async def scene() -> None:
        async with bench(tmp_path, StandInEngine(["hold", *success()])) as b:
            job = await b.submit()
            await b.until_held()
            real, refusals = Database.transaction, [0]

            def locked(database: Database) -> object:
                refusals[0] += 1
                if refusals[0] <= 3:
                    raise ServiceError("queue-locked")
                return real(database)

            monkeypatch.setattr(Database, "transaction", locked)
            b.engine.let_go()
            found = await b.until(job)
            assert found.state == jobs.SUCCEEDED
            assert refusals[0] > 3

    play(scene)


def test_a_notice_that_cannot_be_written_costs_nothing_but_itself(tmp_path: Path) -> None:
    large = types_pb2.Notice(code="large", text="word " * 20_000)

    async def scene() -> None:
        script: Script = ["hold", engine_pb2.Event(notice=large), *success()]
        async with bench(tmp_path, StandInEngine(script)) as b:
            job = await b.submit()
            await b.until_held()
            sql = b.store._database.connection
            sql.execute(f"PRAGMA max_page_count = {sql.execute('PRAGMA page_count').fetchone()[0] + 1}")
            b.engine.let_go()
            found = await b.until(job)
            assert (found.state, len(found.notices)) == (jobs.SUCCEEDED, 0)

    play(scene)
