# SPDX-License-Identifier: Apache-2.0
"""What interruptions and failures of an edit at the daemon become."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from flowanchor.v1 import jobs_pb2, system_pb2, types_pb2
from flowanchor_client import Client, JobUpdate, ServiceFailure
from flowanchor_daemon.cli import edit_job, jobs
from flowanchor_daemon.cli.delivery import deliver
from flowanchor_daemon.cli.interruption import Interrupted, Terminated
from flowanchor_daemon.cli.leaving import leaving_it
from flowanchor_daemon.cli.outcome import exit_code
from flowanchor_daemon.cli.progress import Lines

from flowanchor_core.errors import ModelError
from flowanchor_core.models import find_model

RUNNING, CANCELLED = jobs_pb2.JOB_STATE_RUNNING, jobs_pb2.JOB_STATE_CANCELLED


class Daemon:
    """Plays a client: gives a job's states one after the other, raises what is put among them."""

    def __init__(self, *states: Any) -> None:
        self.states = list(states)
        self.cancelled: list[str] = []
        self.written: list[Path] = []
        self.refuses: Path | None = None
        self.engine = system_pb2.ENGINE_STATE_BUSY

    def watch(self, job: str, since: int = 0) -> Iterator[JobUpdate]:
        while self.states:
            state = self.states.pop(0)
            if isinstance(state, BaseException):
                raise state
            yield JobUpdate(jobs_pb2.Job(id=job, state=state), b"")

    def diagnose(self) -> system_pb2.DiagnoseResponse:
        return system_pb2.DiagnoseResponse(engine=self.engine)

    def cancel(self, job: str) -> jobs_pb2.Job:
        self.cancelled.append(job)
        return jobs_pb2.Job(id=job, state=CANCELLED)

    def download(self, job: str, artifact: jobs_pb2.Artifact, target: Path, progress: Any = None) -> None:
        if target == self.refuses:
            kind = types_pb2.FAILURE_KIND_DELIVERY
            raise ServiceFailure("disk-full", "The disk filled up.", "Free some space.", kind)
        self.written.append(target)

    def download_images(self, job: str, found: Sequence[Any], targets: Sequence[Path], _: Any) -> None:
        self.written.extend(targets)


def client(daemon: Daemon) -> Client:
    return cast(Client, daemon)


def test_cancelling_waits_until_the_job_has_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    daemon = Daemon(RUNNING, jobs_pb2.JOB_STATE_CANCELLING, CANCELLED)
    assert edit_job.cancel(client(daemon), "one") == "cancelled"
    assert (daemon.cancelled, daemon.states) == (["one"], [])
    assert "Cancelling" in capsys.readouterr().err


@pytest.mark.parametrize("again", [KeyboardInterrupt(), SystemExit(143)])
def test_a_second_interruption_leaves_at_once_and_says_what_goes_on(
    again: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon = Daemon(RUNNING, again, CANCELLED)
    assert edit_job.cancel(client(daemon), "one") == "cancelling"
    assert daemon.states == [CANCELLED]
    assert "The job one goes on being cancelled in the daemon." in capsys.readouterr().err


def test_a_daemon_that_is_gone_does_not_hide_the_interruption(capsys: pytest.CaptureFixture[str]) -> None:
    gone = Daemon(ServiceFailure("draining", "It ends.", "Wait."))
    assert edit_job.cancel(client(gone), "one") == "running"
    assert "could not be cancelled: It ends. Wait." in capsys.readouterr().err


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), SystemExit(143)])
def test_an_interrupted_submission_is_withdrawn_and_its_job_is_told(
    interrupt: BaseException, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wishes: list[str] = []

    class Submitting(Daemon):
        def info(self) -> system_pb2.GetInfoResponse:
            return system_pb2.GetInfoResponse()

        def submit(self, edit: object, wish: str, priority: int) -> jobs_pb2.Job:
            wishes.append(wish)
            if len(wishes) == 1:
                raise interrupt
            return jobs_pb2.Job(id="one")

    for name in ("ship", "uploaded", "message", "known_model"):
        monkeypatch.setattr(edit_job, name, lambda *_: None)
    request = SimpleNamespace(
        delivery=SimpleNamespace(out=tmp_path / "out.mkv"), sheet=None, clip=tmp_path / "in.mkv", masks=()
    )
    daemon = Submitting()
    with pytest.raises((Interrupted, Terminated)) as caught:
        edit_job.submit(client(daemon), cast(Any, SimpleNamespace(request=request)), "auto", 0, Lines())
    ended = caught.value
    assert isinstance(ended, Interrupted | Terminated)
    assert (daemon.cancelled, ended.job, ended.state) == (["one"], "one", "cancelled")
    assert isinstance(ended, type(interrupt)), "exit codes go by it"
    assert len(set(wishes)) == 1, "asked for again, it is the same job"


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), SystemExit(143)])
def test_who_stops_waiting_for_a_job_is_told_that_it_goes_on(
    interrupt: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    class Asked(Daemon):
        def job(self, job: str) -> JobUpdate:
            return JobUpdate(jobs_pb2.Job(id=job, state=RUNNING), b"")

    queued = jobs_pb2.Job(id="one", state=jobs_pb2.JOB_STATE_QUEUED)
    with pytest.raises((Interrupted, Terminated)) as caught, leaving_it(client(Asked()), queued):
        raise interrupt
    ended = caught.value
    assert isinstance(ended, Interrupted | Terminated)
    assert isinstance(ended, type(interrupt))
    assert (ended.job, ended.state) == ("one", "running")
    assert "No longer waiting for the job one" in capsys.readouterr().err


def test_a_job_that_has_ended_is_not_cancelled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon = Daemon()
    ended = jobs_pb2.Job(id="one", state=jobs_pb2.JOB_STATE_SUCCEEDED)
    monkeypatch.setattr(jobs, "connected", lambda: contextlib.nullcontext(daemon))
    monkeypatch.setattr(jobs, "find", lambda *_: ended)
    jobs.cancel("one")
    assert capsys.readouterr().out == "one has already ended (succeeded).\n"
    assert daemon.cancelled == []


def test_a_model_that_nobody_knows_comes_with_those_that_can_be_pulled() -> None:
    with pytest.raises(ModelError) as caught, edit_job._named_if_it_can_be_pulled("wan"):
        find_model("wan")
    assert "the path of a model folder" in caught.value.action
    assert "`flowanchor models pull wan2.1-t2v-1.3b`" in caught.value.action


def test_a_job_cancelled_elsewhere_is_exit_code_130() -> None:
    with pytest.raises(ServiceFailure) as caught:
        edit_job.follow(client(Daemon(RUNNING, CANCELLED)), jobs_pb2.Job(id="one"), Lines())
    assert exit_code(caught.value) == 130
    assert "`flowanchor jobs retry one`" in caught.value.action


def test_the_start_of_an_engine_is_told_once_and_only_then(capsys: pytest.CaptureFixture[str]) -> None:
    for engine, times in ((system_pb2.ENGINE_STATE_STARTING, 1), (system_pb2.ENGINE_STATE_BUSY, 0)):
        daemon = Daemon(RUNNING, RUNNING, jobs_pb2.JOB_STATE_SUCCEEDED)
        daemon.engine = engine
        edit_job.follow(client(daemon), jobs_pb2.Job(id="one"), Lines())
        assert capsys.readouterr().err.count("Starting the engine") == times


def test_a_failed_job_raises_what_it_says() -> None:
    class Failing(Daemon):
        def watch(self, job: str, since: int = 0) -> Iterator[JobUpdate]:
            failure = types_pb2.Failure(
                code="clip-damaged", message="Frame 3 is bad.", kind=types_pb2.FAILURE_KIND_INPUT
            )
            yield JobUpdate(jobs_pb2.Job(id=job, state=jobs_pb2.JOB_STATE_FAILED, failure=failure), b"")

    with pytest.raises(ServiceFailure) as caught:
        edit_job.follow(client(Failing()), jobs_pb2.Job(id="one"), Lines())
    assert (caught.value.code, exit_code(caught.value)) == ("clip-damaged", 2)


def finished(*names: str, file_format: str = "ffv1") -> jobs_pb2.Job:
    artifacts = [
        jobs_pb2.Artifact(index=index, kind=jobs_pb2.ARTIFACT_KIND_RESULT, name=name)
        for index, name in enumerate(names)
    ]
    artifacts.append(jobs_pb2.Artifact(index=len(names), kind=jobs_pb2.ARTIFACT_KIND_SHEET, name="sheet.png"))
    result = types_pb2.EditResult(
        format=file_format,
        rate=types_pb2.Rational(numerator=24000, denominator=1001),
        seconds={"edit": 2.0, "load": 1.0, "verify": 0.5},
        settings={"gamma": types_pb2.ParameterValue(number=0.5)},
        crop=types_pb2.Box(x=1, y=2, width=32, height=16),
    )
    return jobs_pb2.Job(id="one", artifacts=artifacts, result=result)


def test_results_and_sheet_are_delivered_and_told_as_before(tmp_path: Path) -> None:
    daemon, out, sheet = Daemon(), tmp_path / "out.mkv", tmp_path / "sheet.png"
    result = deliver(client(daemon), finished("result.mkv"), [out], out, sheet)
    assert daemon.written == [out, sheet]
    told = result.to_json()
    assert (told["job"], told["rate"], told["output"], told["sheet"]) == (
        "one",
        "24000/1001",
        str(out),
        str(sheet),
    )
    assert list(told["seconds"]) == ["load", "edit", "verify"]
    assert (told["settings"], told["crop"], told["start_timecode"]) == ({"gamma": 0.5}, (1, 2, 32, 16), None)


def test_a_sheet_that_cannot_be_written_costs_only_itself(tmp_path: Path) -> None:
    daemon, out, sheet = Daemon(), tmp_path / "out.mkv", tmp_path / "sheet.png"
    daemon.refuses = sheet
    result = deliver(client(daemon), finished("result.mkv"), [out], out, sheet)
    assert (daemon.written, result.sheet) == ([out], None)
    assert result.notices == ("The contact sheet was not written: The disk filled up.",)


def test_images_go_to_the_names_they_are_given(tmp_path: Path) -> None:
    daemon, targets = Daemon(), [tmp_path / "a.1.png", tmp_path / "a.2.png"]
    job = finished("result.000001.png", "result.000002.png", file_format="png")
    deliver(client(daemon), job, targets, tmp_path / "a.%d.png", None)
    assert daemon.written == targets


def test_a_result_of_another_number_of_files_is_not_delivered(tmp_path: Path) -> None:
    daemon = Daemon()
    with pytest.raises(ServiceFailure):
        deliver(client(daemon), finished("result.mkv"), [tmp_path / "a", tmp_path / "b"], tmp_path, None)
    assert daemon.written == []
