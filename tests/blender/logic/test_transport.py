# SPDX-License-Identifier: Apache-2.0
"""The session on the real daemon and the shipped model: whole edits, crashes, deletions; and no thread."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from flowanchor.rendezvous import DaemonLock, Discovery
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_client import DaemonUnreachable, ServiceFailure
from flowanchor_client.channel import CALL_SECONDS, Connection
from flowanchor_client.connect import Start
from flowanchor_vse.logic.ledger import Ledger, Origin, Record
from flowanchor_vse.logic.naming import frame_file
from flowanchor_vse.logic.plan import Box, Footage, UploadPlan
from flowanchor_vse.logic.session import Session
from flowanchor_vse.logic.settings import EditSettings
from flowanchor_vse.logic.transport import CHUNK_SECONDS, ClientTransport
from flowanchor_vse.logic.views import Changes, Problem

from tests.daemon.processes import Daemons, RunningDaemon

FRAMES = 5
ORIGIN = Origin(scene="Scene", strip="uid", strip_name="shot", first=1, last=FRAMES, channel=1)
STOPPED = 4.0
"""Seconds for which a daemon is stopped."""


class Host:
    """A host program without Blender: ticks the session and keeps what it tells.

    `deadlines` are the seconds each call may have taken. How long a tick does take is no measure here: tests
    share their machine.
    """

    def __init__(self, folder: Path, runtime: Path) -> None:
        self.folder = folder
        self.runtime = runtime
        self.session = Session(ClientTransport(), time.monotonic)
        self.placed: list[Record] = []
        self.problems: dict[str, Problem] = {}
        self.deadlines: list[float] = []

    def tick(self) -> Changes:
        before = len(self.deadlines)
        changes = self.session.tick()
        assert len(self.deadlines) <= before + 1, "a tick makes one call"
        return changes

    @property
    def pid(self) -> int:
        found = Discovery.read(self.runtime)
        assert found is not None
        return found.pid

    def until(self, look: Callable[[], object], seconds: float = 200.0) -> None:
        deadline = time.monotonic() + seconds
        while not look():
            assert time.monotonic() < deadline, f"{self.session.jobs()} {self.session.daemon.problem}"
            changes = self.tick()
            self.placed += changes.to_place
            self.problems |= changes.problems
            time.sleep(min(changes.next_seconds or 0.02, 0.1))

    def state(self, record: str) -> str:
        view = self.session.job(record)
        assert view is not None
        return view.state

    def job(self, record: str) -> str:
        """The daemon's id of it."""
        view = self.session.job(record)
        assert view is not None
        assert view.record.job
        return view.record.job

    def plan(self) -> UploadPlan:
        """A red disc moving on grey: frames of 64 x 48."""
        clip = self.folder / "clip"
        clip.mkdir(exist_ok=True)
        files = []
        for index in range(FRAMES):
            picture = np.full((48, 64, 3), 110, np.uint8)
            cv2.circle(picture, (20 + 3 * index, 24), 9, (40, 40, 210), -1)
            files.append(clip / frame_file(index))
            assert cv2.imwrite(str(files[-1]), picture)
        return UploadPlan(Footage(tuple(files), 0, Fraction(24000, 1001)), boxes=(Box(8, 8, 40, 32),))

    def submit(self, steps: int = 4, deliver: str = "patch") -> str:
        settings = EditSettings(
            source_prompt="a red circle",
            target_prompt="a blue circle",
            steps=steps,
            skip=0,
            seed=3,
            deliver=deliver,
            format="png",
            device="cpu",
        )
        return self.session.submit(self.plan(), settings, ORIGIN, str(self.folder / f"out-{steps}"))


@pytest.fixture
def host(tmp_path: Path, daemon: Daemons, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A host whose user has the daemon's folders, and no daemon. What it starts is ended afterwards."""
    with hosting(tmp_path, daemon.environment, monkeypatch) as made:
        try:
            yield made
        finally:
            if DaemonLock(made.runtime).is_held():
                end(made.pid)


@pytest.fixture
def served_host(tmp_path: Path, served: RunningDaemon, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A host with a daemon that other tests edit with, too."""
    with hosting(tmp_path, served.environment, monkeypatch) as made:
        yield made


@contextlib.contextmanager
def hosting(folder: Path, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A host of this environment, which may start no thread."""
    for name, value in environment.items():
        if name.startswith(("FLOWANCHOR_", "PYTHONPATH", "OMP_")):
            monkeypatch.setenv(name, value)
    made = Host(folder, Path(environment["FLOWANCHOR_RUNTIME"]))
    before = set(threading.enumerate())

    def refuse(thread: threading.Thread) -> None:
        raise AssertionError(f"{thread} was started in the host")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    call = Connection.call

    def noted(self: Connection, method: Any, request: Any, timeout: float = CALL_SECONDS) -> Any:
        made.deadlines.append(timeout)
        return call(self, method, request, timeout)

    monkeypatch.setattr(Connection, "call", noted)
    try:
        yield made
        assert set(threading.enumerate()) <= before
    finally:
        made.session.close()


def end(pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(family, 120)


def test_an_edit_from_nothing_to_frames_on_disk(host: Host) -> None:
    record = host.submit()
    host.until(lambda: host.placed or host.problems)
    assert not host.problems
    (done,) = host.placed
    assert len(done.paths) == FRAMES
    pictures = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in done.paths]
    assert {picture.shape for picture in pictures if picture is not None} == {(48, 64, 4)}
    assert done.size == (64, 48)
    alpha = pictures[0]
    assert alpha is not None
    assert alpha[24, 24, 3] == 255
    assert alpha[2, 60, 3] == 0
    assert (done.id, done.seed) == (record, 3)
    info = host.session.daemon.info
    assert info is not None
    assert {editor.name for editor in info.editors} >= {"flowanchor"}
    assert [model.name for model in host.session.daemon.models or ()].count("shapes") == 1
    assert host.deadlines
    assert max(host.deadlines) <= CHUNK_SECONDS


def test_cancel_retry_and_delete(served_host: Host) -> None:
    host = served_host
    record = host.submit(steps=400)
    host.until(lambda: host.state(record) == "running")
    host.session.cancel(record)
    host.until(lambda: host.state(record) == "cancelled")
    again = host.session.retry(record)
    host.until(lambda: host.state(again) == "running")
    jobs = [host.job(record), host.job(again)]
    assert len(set(jobs)) == 2
    host.session.delete(again)
    host.session.delete(record)
    host.until(lambda: host.session.tick().next_seconds is None)
    transport = ClientTransport()
    while transport.connect(Start.NEVER) is None:
        time.sleep(0.02)
    try:
        for one in jobs:
            with pytest.raises(ServiceFailure) as caught:
                transport.job(one, 0, -1)
            assert caught.value.code == "job-unknown"
    finally:
        transport.close()


def test_a_daemon_killed_in_mid_job_is_started_again_and_the_job_goes_on(host: Host, daemon: Daemons) -> None:
    daemon()
    record = host.submit(steps=16)

    def samples() -> bool:
        view = host.session.job(record)
        return view is not None and view.phase == "edit" and view.step > 1 and view.thumbnail is not None

    host.until(samples)
    first = host.pid
    end(first)
    host.until(lambda: host.placed or host.problems)
    assert not host.problems
    assert host.pid != first
    assert len(host.placed[0].paths) == FRAMES


def test_a_file_opened_again_finds_its_finished_edit_and_offers_it(served_host: Host) -> None:
    host = served_host
    record = host.submit()
    host.until(lambda: host.state(record) in ("waiting", "running"))
    stored = host.session.ledger.to_json()
    host.session.close()

    host.session = Session(ClientTransport(), time.monotonic)
    host.session.open(Ledger.from_json(stored))
    host.until(lambda: host.state(record) == "placing")
    view = host.session.job(record)
    assert view is not None
    assert view.offered
    assert not host.placed
    host.session.fetch(record)
    host.until(lambda: host.placed)
    assert all(path.is_file() for path in host.placed[0].paths)


def test_an_estimate_says_what_the_edit_then_costs(host: Host, daemon: Daemons) -> None:
    daemon()  # one that has not learned how long an edit takes here
    edit = types_pb2.EditRequest(sampling=types_pb2.Sampling(steps=4, skip=0), device="cpu")
    box = types_pb2.Box(x=8, y=8, width=40, height=32)
    asked = jobs_pb2.EstimateEditRequest(edit=edit, width=64, height=48, frames=FRAMES, region=box)
    host.session.estimate(asked)
    host.until(lambda: host.session.daemon.estimate)
    assert host.session.daemon.estimate is not None
    question, found = host.session.daemon.estimate
    assert question == asked
    assert (found.forwards, found.windows, found.HasField("seconds")) == (15, 1, False)


def test_a_stopped_daemon_is_told_and_started_by_a_wish(host: Host, daemon: Daemons) -> None:
    daemon()
    host.session.wish("refresh")
    host.until(lambda: host.session.daemon.diagnosis is not None)
    host.session.wish("stop")
    host.until(lambda: host.session.daemon.state == "stopped" and not DaemonLock(host.runtime).is_held())
    host.session.wish("start")
    host.until(lambda: host.session.daemon.state == "running")


def test_a_result_deleted_in_the_daemon_is_told(served_host: Host) -> None:
    host = served_host
    record = host.submit()
    host.until(lambda: host.placed)
    host.session.placed(record, "strip")
    transport = ClientTransport()
    while transport.connect(Start.NEVER) is None:
        time.sleep(0.02)
    job = host.placed[0].job
    transport.delete(job)
    transport.close()
    host.placed[0].paths[0].unlink()
    host.session.fetch(record)
    host.until(lambda: host.problems)
    assert (host.problems[record].code, host.problems[record].remedy) == ("job-unknown", "retry")
    again = host.session.retry(record)
    host.until(lambda: len(host.placed) == 2)
    assert host.placed[1].id == again


def test_a_daemon_that_hangs_costs_a_fraction_of_the_hosts_time(host: Host, daemon: Daemons) -> None:
    daemon()
    record = host.submit(steps=300)
    host.until(lambda: host.state(record) == "running")
    hung = host.pid
    os.kill(hung, signal.SIGSTOP)
    try:
        begun, before = time.monotonic(), len(host.deadlines)
        while (passed := time.monotonic() - begun) < STOPPED:
            changes = host.tick()
            time.sleep(min(changes.next_seconds or 0.05, 0.5))
        assert 0 < sum(host.deadlines[before:]) < passed * 0.25
    finally:
        os.kill(hung, signal.SIGCONT)
    host.session.cancel(record)
    host.until(lambda: host.state(record) == "cancelled")


def test_the_start_is_given_up_when_another_is_wished(host: Host) -> None:
    transport = ClientTransport()
    assert transport.connect(Start.ON_DEMAND) is None
    transport.drop()
    with pytest.raises(DaemonUnreachable, match="no connection"):
        transport.models()
    host.until(lambda: DaemonLock(host.runtime).is_held() and Discovery.read(host.runtime) is not None)
