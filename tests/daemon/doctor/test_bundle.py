# SPDX-License-Identifier: Apache-2.0
"""The bundle holds what helps and nothing that is nobody's business."""

from __future__ import annotations

import errno
import json
import os
import stat
import zipfile
from pathlib import Path

import pytest
from flowanchor import rendezvous
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_client import launch
from flowanchor_daemon.cli.main import app
from flowanchor_daemon.doctor import Finding, Places, Report, machine
from flowanchor_daemon.doctor.bundle import README, tail, write_bundle
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from flowanchor_core.errors import DeliveryError, InputError
from tests.daemon.doctor.conftest import FakeDaemon

HOME, USER = "/data/people/gwendolyn", "gwendolyn"
PROMPT = "a very private dragon"
REPORT = Report((Finding("failure target-word-missing", "warning", f'"{PROMPT}" has no fox', "Say it."),))


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user with a name and a home of their own."""
    monkeypatch.setenv("HOME", HOME)
    for variable in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(variable, USER)


def members(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def job() -> jobs_pb2.Job:
    edit = types_pb2.EditRequest(source_prompt="a dragon", target_prompt=PROMPT, words=["dragon"])
    edit.clip.movie.name = "secret-client-shot.mov"
    return jobs_pb2.Job(
        id="job-1",
        state=jobs_pb2.JOB_STATE_FAILED,
        request=edit,
        label=PROMPT,
        attempts=[jobs_pb2.Attempt(number=1, started_ms=5, ended_ms=9, outcome="failed", memory_plan="full")],
        failure=types_pb2.Failure(
            code="out-of-memory", message=f"for {PROMPT}", kind=types_pb2.FAILURE_KIND_RUN
        ),
        result=types_pb2.EditResult(editor="flowanchor", target_words=["dragon"], seconds={"edit": 2.5}),
    )


@pytest.mark.usefixtures("somebody")
def test_nothing_private_is_in_any_member(places: Places, daemon: FakeDaemon, tmp_path: Path) -> None:
    daemon.jobs = [job()]
    places.state.logs.mkdir(parents=True)
    lines = [
        f"INFO call with Bearer {daemon.token}",
        f"INFO token {rendezvous.new_token()} of the daemon before",
        f"ERROR {HOME}/.local/share/x failed for {USER.upper()}: '{PROMPT}' in secret-client-shot.mov",
        f'INFO {{"path": {json.dumps(HOME + chr(92) + USER)}}}',
        "INFO kept: engine ended with signal 9",
    ]
    places.state.daemon_log.write_text("\n".join(lines))
    places.state.engine_log.write_bytes(b"\xff\xfe broken " + f"{HOME} {USER}".encode())
    (places.runtime / launch.LOG_FILE).write_text(f"Traceback {HOME}/lib/python\n")
    report = Report((*REPORT.findings, Finding("disk", "ok", f"{HOME}/videos of {USER}")))
    path = write_bundle(tmp_path / "b.zip", report, places)
    found = members(path)
    assert set(found) == {
        "README.txt",
        "findings.json",
        "versions.json",
        "jobs.json",
        "logs/daemon.log",
        "logs/engine.log",
        "logs/start.log",
    }
    everything = "\n".join([*found, *found.values()]).lower()
    for secret in (daemon.token, HOME, USER, PROMPT, "dragon", "secret-client", "bearer a"):
        assert secret.lower() not in everything
    assert "Bearer [****]" in found["logs/daemon.log"]
    assert "kept: engine ended with signal 9" in found["logs/daemon.log"]
    told = json.loads(found["jobs.json"])["jobs"][0]
    assert (told["id"], told["state"]) == ("job-1", "JOB_STATE_FAILED")
    assert told["failure"] == {"code": "out-of-memory", "kind": "FAILURE_KIND_RUN"}
    assert told["attempts"][0]["milliseconds"] == 4
    assert told["result"]["seconds"] == {"edit": 2.5}
    assert json.loads(found["versions.json"])["libraries"]["grpcio"]
    assert json.loads(found["findings.json"])["findings"][1]["text"] == "~/videos of [**]"


@pytest.mark.skipif(os.name == "nt", reason="modes are the system's own there")
def test_the_bundle_is_its_users_alone_and_replaces_an_older_one(places: Places, tmp_path: Path) -> None:
    target = tmp_path / "b.zip"
    target.write_text("older")
    assert write_bundle(target, REPORT, places) == target
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert json.loads(members(target)["jobs.json"]) == {"note": "no daemon was running"}
    assert [path.name for path in tmp_path.iterdir()] == ["b.zip"]


@pytest.mark.parametrize(("name", "code"), [("b.txt", "output-name"), ("no/b.zip", "output-folder-missing")])
def test_a_place_it_cannot_go_to_is_refused(places: Places, tmp_path: Path, name: str, code: str) -> None:
    with pytest.raises(InputError) as refused:
        write_bundle(tmp_path / name, REPORT, places)
    assert refused.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_leaves_nothing(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: zipfile.ZipFile, name: str, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(DeliveryError) as failed:
        write_bundle(tmp_path / "b.zip", REPORT, places)
    assert (failed.value.code, "No space left" in failed.value.message) == ("write-failed", True)
    assert list(tmp_path.iterdir()) == []


def test_a_daemon_that_does_not_answer_costs_the_jobs_only(
    places: Places, tmp_path: Path, daemon: FakeDaemon
) -> None:
    daemon.jobs = [job()]
    found = rendezvous.Discovery.read(places.runtime)
    assert found is not None
    rendezvous.Discovery(found.pid, found.address, (9, 0), "9", found.token, 0).write(places.runtime)
    jobs = json.loads(members(write_bundle(tmp_path / "b.zip", REPORT, places))["jobs.json"])
    assert jobs == {"note": "the daemon was unreachable (api-version)"}


@given(
    st.lists(st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), max_size=20)),
    st.integers(1, 60),
)
def test_a_log_is_cut_between_lines(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], most: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "x.log"
    content = "".join(f"{line}\n" for line in lines)
    path.write_bytes(content.encode())
    found = tail(path, most)
    assert len(found.encode()) <= most
    assert content.endswith(found)
    assert content[: len(content) - len(found)].endswith("\n") or found == content or not found


def test_the_command_prints_json_and_names_its_bundle(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_PROBE", "import os; os.abort()")
    done = CliRunner().invoke(app, ["doctor", "--json", "--bundle", str(tmp_path / "b.zip")])
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["bundle"] == str(tmp_path / "b.zip")
    assert [finding["name"] for finding in answer["findings"] if finding["level"] == "problem"] == ["device"]
    assert (done.exit_code, answer["problems"]) == (4, 1)
    assert json.loads(members(tmp_path / "b.zip")["findings.json"])["problems"] == 1


def test_the_command_prints_one_line_a_finding_and_its_action(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"torch": "2", "threads": 1, "cuda": None, "devices": [], "missing_codecs": ["ffv1"]}
    monkeypatch.setattr(machine, "_PROBE", f"print({json.dumps(answer)!r})")
    done = CliRunner().invoke(app, ["doctor"])
    lines = done.stdout.splitlines()
    index = next(index for index, line in enumerate(lines) if line.split()[1] == "codecs")
    assert lines[index].startswith("problem")
    assert lines[index + 1].strip().startswith("-> Install")
    assert done.exit_code == 4
    assert done.stderr.endswith("findings is a problem.\n")


def test_the_command_without_a_problem_ends_well(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"torch": "2", "threads": 1, "cuda": None, "devices": [], "missing_codecs": []}
    monkeypatch.setattr(machine, "_PROBE", f"print({json.dumps(answer)!r})")
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 0


def test_a_place_that_cannot_be_used_is_refused_before_anything_is_looked_at(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(places: Places) -> None:
        raise AssertionError("it was looked at")

    monkeypatch.setattr("flowanchor_daemon.doctor.checks_of", never)
    done = CliRunner().invoke(app, ["doctor", "--bundle", str(tmp_path / "b.txt")])
    assert (done.exit_code, "is no zip" in done.output) == (2, True)

    def refused(**_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("tempfile.TemporaryFile", refused)
    done = CliRunner().invoke(app, ["doctor", "--bundle", str(tmp_path / "b.zip")])
    assert (done.exit_code, f"{tmp_path} cannot be written to" in done.output) == (2, True)


@pytest.mark.usefixtures("somebody")
def test_the_bundles_own_words_are_left_alone(
    places: Places, daemon: FakeDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/data/people/home")
    starring = job()
    starring.request.words.append("star")
    daemon.jobs = [starring]
    found = members(write_bundle(tmp_path / "b.zip", REPORT, places))
    assert found["README.txt"] == README
    assert "started_ms" in json.loads(found["jobs.json"])["jobs"][0]
