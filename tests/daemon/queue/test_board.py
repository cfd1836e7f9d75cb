# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio

import pytest
from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import jobs_pb2
from flowanchor_daemon.queue.board import Board
from hypothesis import given
from hypothesis import strategies as st


def filled(board: Board, job: str = "a") -> jobs_pb2.Job:
    message = jobs_pb2.Job(id=job)
    board.fill(message, board.revision(job))
    return message


def test_revisions_grow_with_each_change_and_each_start() -> None:
    board = Board(3)
    seen = [board.revision("a")]
    for _ in range(3):
        board.touch(["a", "b"])
        seen.append(board.revision("a"))
    assert seen == sorted(set(seen))
    assert seen[-1] < board.latest == board.revision("b")
    assert board.latest < Board(4).revision("a")
    assert seen[0] >= 3 << 32


@given(st.lists(st.floats(allow_nan=False)), st.lists(st.integers(0, 2**40), min_size=1))
def test_fraction_and_memory_never_fall_within_an_attempt(fractions: list[float], memory: list[int]) -> None:
    board = Board(1)
    board.begin("a")
    before = 0.0
    for index, fraction in enumerate(fractions):
        used = memory[index % len(memory)]
        board.progress("a", engine_pb2.Progress(phase="edit", fraction=fraction, memory_bytes=used))
        now = filled(board).progress
        assert before <= now.fraction <= 1
        assert now.memory_bytes >= used
        before = now.fraction
    board.begin("a")
    assert filled(board).progress.fraction == 0


def test_progress_is_shown_as_it_came_and_gone_after_the_attempt() -> None:
    board = Board(1)
    board.begin("a")
    board.progress("a", engine_pb2.Progress(phase="edit", step=3, total=9, fraction=0.5, seconds_left=2.5))
    shown = filled(board).progress
    assert (shown.phase, shown.step, shown.total, shown.fraction, shown.seconds_left) == (
        "edit",
        3,
        9,
        0.5,
        2.5,
    )
    board.progress("a", engine_pb2.Progress(phase="decode"))
    assert not filled(board).progress.HasField("seconds_left")
    board.end("a")
    assert not filled(board).HasField("progress")


def test_a_preview_is_given_to_those_who_have_not_seen_it() -> None:
    board = Board(1)
    board.begin("a")
    assert board.preview_of("a", 0) == b""
    board.preview("a", b"one")
    revision = filled(board).preview_revision
    assert revision == filled(board).revision
    assert board.preview_of("a", 0) == b"one"
    assert board.preview_of("a", revision) == b""
    assert board.preview_of("a", -1) == b""
    board.progress("a", engine_pb2.Progress(phase="edit"))
    assert filled(board).preview_revision == revision
    board.preview("a", b"two")
    assert board.preview_of("a", revision) == b"two"


def test_waiting_ends_with_a_change_of_that_job_only() -> None:
    async def scene() -> None:
        board = Board(1)
        since = board.revision("a")
        waiting = asyncio.create_task(board.wait("a", since, 600))
        await asyncio.sleep(0)
        board.touch(["b"])
        await asyncio.sleep(0)
        assert not waiting.done()
        board.touch(["a"])
        assert await waiting
        assert await board.wait("a", since, 600)  # it has changed already

    asyncio.run(scene())


def test_waiting_ends_when_the_time_is_up() -> None:
    async def scene() -> None:
        board = Board(1)
        assert not await board.wait("a", board.revision("a"), 0.01)
        assert not await board.wait("a", board.revision("a"), 0)
        assert board.watchers == 0

    asyncio.run(scene())


@pytest.mark.parametrize("watchers", [1, 300])
def test_watchers_that_do_not_look_cost_nothing_and_find_the_newest_state(watchers: int) -> None:
    async def scene() -> None:
        board = Board(1)
        since = board.revision("a")
        waiting = [asyncio.create_task(board.wait("a", since)) for _ in range(watchers)]
        await asyncio.sleep(0)
        assert board.watchers == watchers
        for _ in range(1000):
            board.touch(["a"])
        assert board.watchers == 0  # told once, however much has happened since
        assert all(await asyncio.gather(*waiting))
        assert board.revision("a") == since + 1000

    asyncio.run(scene())


def test_a_watcher_that_goes_away_leaves_nothing_behind() -> None:
    async def scene() -> None:
        board = Board(1)
        waiting = asyncio.create_task(board.wait("a", board.revision("a")))
        await asyncio.sleep(0)
        assert board.watchers == 1
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert board.watchers == 0
        board.touch(["a"])

    asyncio.run(scene())


def test_closing_sends_all_watchers_home() -> None:
    async def scene() -> None:
        board = Board(1)
        waiting = asyncio.create_task(board.wait("a", board.revision("a")))
        await asyncio.sleep(0)
        board.close()
        assert not await waiting
        assert not await board.wait("a", board.revision("a"))

    asyncio.run(scene())


def test_a_revision_never_given_counts_as_none() -> None:
    board = Board(2)
    board.touch(["a"])
    assert board.clamp(board.latest) == board.latest
    assert board.clamp(board.latest + 1) == 0
    assert board.clamp(-5) == 0
