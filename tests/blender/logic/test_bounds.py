# SPDX-License-Identifier: Apache-2.0
"""A tick does little, however much there is to do: counted, not timed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from flowanchor_vse.logic import uploading
from flowanchor_vse.logic.plan import Box, Footage, UploadPlan
from flowanchor_vse.logic.session import REST, Session
from flowanchor_vse.logic.uploading import STEP_BYTES, STEP_FILES, Upload
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.blender.logic.conftest import ORIGIN, SETTINGS, Desk
from tests.blender.logic.standin import StandIn


def test_a_tick_makes_one_call_at_most_in_a_whole_edit(desk: Desk) -> None:
    """The stand-in refuses a second one; this holds it to having counted."""
    desk.done()
    desk.idle()
    assert sum(desk.standin.calls.values()) > 20
    desk.standin.this_tick = 1
    with pytest.raises(AssertionError, match="second call"):
        desk.standin._count("job")


def test_a_big_file_is_read_a_few_mib_a_step(tmp_path: Path) -> None:
    path = tmp_path / "big.png"
    content = bytes(range(256)) * ((3 * STEP_BYTES + 5000) // 256)
    path.write_bytes(content)
    upload, transport, before, steps = Upload([path]), StandIn(runs=True), 0, 0
    upload.step(transport)
    assert upload.progress == ("hash", 0, len(content)), "measured first"
    while not upload.hashed:
        upload.step(transport)
        done = upload.progress[1] if not upload.hashed else len(content)
        assert done - before <= STEP_BYTES
        before, steps = done, steps + 1
    assert steps == 4
    assert transport.calls.total() == 0
    assert upload.sha256[path] == hashlib.sha256(content).hexdigest()


def test_many_small_files_are_opened_a_few_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = 0
    real = uploading._Reading.__init__

    def count(self: uploading._Reading, path: Path) -> None:
        nonlocal opened
        opened += 1
        real(self, path)

    monkeypatch.setattr(uploading._Reading, "__init__", count)
    files = [tmp_path / f"{index}.png" for index in range(100)]
    for index, path in enumerate(files):
        path.write_bytes(b"%d" % index)
    upload = Upload(files)
    while not upload.hashed:
        before = opened
        upload.step(StandIn(runs=True))
        assert opened - before <= STEP_FILES
    assert opened == 100


sizes = st.lists(st.integers(1, 5000), min_size=1, max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    sizes=sizes,
    chunk=st.integers(1, 3000),
    drops=st.lists(st.integers(0, 40), max_size=4),
    twins=st.booleans(),
)
def test_whatever_is_lost_on_the_way_arrives_whole(
    tmp_path: Path, sizes: list[int], chunk: int, drops: list[int], twins: bool
) -> None:
    """Files of any size, pieces of any size, the daemon's half of an upload lost at any step."""
    standin = StandIn(runs=True, chunk=max(chunk, 1 + max(sizes) // 50))
    standin._connected = True
    files = []
    for index, size in enumerate(sizes):
        path = tmp_path / f"{index}.png"
        path.write_bytes(bytes((index * (not twins) + place) % 251 for place in range(size)))
        files.append(path)
    upload, steps = Upload(files), 0
    while not upload.complete:
        standin.this_tick = 0
        upload.step(standin, standin.chunk)
        steps += 1
        if steps in drops:
            standin.media = {one: data for one, data in standin.media.items() if one in standin.complete}
            upload.forget_sent()
        assert steps < 2000
        phase, done, total = upload.progress
        contents = {path.read_bytes() for path in files}
        assert 0 <= done <= total
        assert phase == "hash" or total == sum(map(len, contents)), "the same content is sent once"
    for path in files:
        assert hashlib.sha256(path.read_bytes()).hexdigest() in standin.complete


def test_a_step_that_took_long_is_followed_by_a_rest(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.running()
    real = desk.standin.job

    def slow(*arguments: Any) -> Any:
        desk.now += 0.3
        return real(*arguments)

    monkeypatch.setattr(desk.standin, "job", slow)
    begun, held = desk.now, 0.0
    while desk.now < begun + 60:
        before = desk.now
        desk.standin.this_tick = 0
        changes = desk.session.tick()
        held += desk.now - before
        desk.now += changes.next_seconds or 0.25
    assert held / (desk.now - begun) <= 1 / (1 + REST) + 0.01


def test_a_tick_before_its_time_does_nothing(desk: Desk) -> None:
    """Hosts call when they like: a redraw must not make the daemon busy."""
    desk.running()
    desk.until(lambda: not desk.last.jobs)
    before = desk.standin.calls.copy()
    for _ in range(50):
        desk.standin.this_tick = 0
        desk.session.tick()
    assert desk.standin.calls == before or desk.standin.calls.total() == before.total() + 1


def test_thousands_of_frames_take_no_more_work_in_a_tick(tmp_path: Path) -> None:
    """The work of a tick, counted in calls of Python functions, does not grow with the clip."""
    import sys

    def most_work(frames: int) -> int:
        standin = StandIn(runs=True, chunk=1 << 20)
        now = 0.0
        session = Session(standin, lambda: now)
        folder = tmp_path / str(frames)
        folder.mkdir()
        files = []
        for index in range(frames):
            files.append(folder / f"{index:06d}.png")
            files[-1].write_bytes(b"%d" % index)
        plan = UploadPlan(Footage(tuple(files), 0), boxes=(Box(0, 0, 1, 1),))
        session.submit(plan, SETTINGS, ORIGIN, str(tmp_path / "out"))
        for _ in range(9):  # to the daemon, and the list of files laid out once
            standin.this_tick = 0
            session.tick()
            now += 0.1
        most = 0
        for _ in range(60):  # measuring, hashing, asking and the first pieces
            standin.this_tick = 0
            count = 0

            def count_calls(frame: Any, event: str, argument: Any) -> None:
                nonlocal count
                count += event == "call"

            sys.setprofile(count_calls)
            try:
                session.tick()
            finally:
                sys.setprofile(None)
            most = max(most, count)
            now += 0.01
        return most

    assert most_work(3000) < 1.5 * most_work(600)
