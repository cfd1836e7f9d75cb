# SPDX-License-Identifier: Apache-2.0
"""Each check by what it says when a thing is well and when it is not."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import time
from collections import namedtuple
from collections.abc import Iterable
from pathlib import Path

import pytest
from flowanchor import rendezvous
from flowanchor.rendezvous import DaemonLock, Discovery
from flowanchor.v1 import jobs_pb2, system_pb2, types_pb2
from flowanchor_client import connect, launch
from flowanchor_daemon.doctor import Finding, Places, checks_of, examine, machine, versions
from flowanchor_daemon.doctor import places as place_checks
from flowanchor_daemon.doctor import service as service_checks

from tests.daemon.doctor.conftest import FakeDaemon


def by_name(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


# versions


def test_installed_libraries_are_named_with_their_versions() -> None:
    found = by_name(versions.check_versions())
    assert set(versions.LIBRARIES) | {"python", "flowanchor"} == set(found)
    assert found["grpcio"].text == importlib.metadata.version("grpcio")
    assert all(finding.level == "ok" for finding in found.values())


def test_every_library_of_the_package_is_looked_at() -> None:
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    listed = text[text.index("dependencies = [") : text.index("[project.optional-dependencies]")]
    for name in versions.LIBRARIES:
        assert f'"{name}' in listed
    assert listed.count('\n    "') == len(versions.LIBRARIES)


def test_a_missing_library_is_a_problem_and_another_version_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(versions, "version_of", lambda name: None if name == "av" else "1.0+cpu")
    monkeypatch.setattr(versions, "pinned", lambda: {"torch": "2.13.0", "numpy": "1.0"})
    found = by_name(versions.check_versions())
    assert (found["av"].level, found["torch"].level, found["numpy"].level) == ("problem", "warning", "ok")
    assert "2.13.0" in found["torch"].text
    assert "setup" in found["av"].action


def test_pins_are_those_of_the_installed_package(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["torch==2.13.0", "numpy>=2", 'grpcio-tools==1.85.1 ; extra == "dev"']
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: lines)
    assert versions.pinned() == {"torch": "2.13.0"}


# machine


def program(folder: Path, body: str) -> str:
    """An nvidia-smi of our own; gives the PATH to find it by."""
    folder.mkdir(exist_ok=True)
    (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{body}\n")
    (folder / "nvidia-smi").chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def test_no_driver_is_fine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [finding.level for finding in machine.check_driver()] == ["ok"]


def test_each_gpu_is_told_with_its_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = r"echo '0, NVIDIA A, 580.1, 24564, 20000'; echo '1, NVIDIA B, 580.1, 8192, 1000'"
    monkeypatch.setenv("PATH", program(tmp_path / "bin", said))
    driver, first, second = machine.check_driver()
    assert driver.text == "NVIDIA 580.1"
    assert (first.name, first.level, first.text) == ("vram 0", "ok", "NVIDIA A: 21.0 GB of 25.8 GB free")
    assert (second.level, "models unload" in second.action) == ("warning", True)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo 'Driver/library version mismatch' >&2; exit 18", "mismatch"),
        ("echo garbage", "unpack"),
        ("", "lists no GPU"),
        ("exec sleep 60", "no answer within"),
    ],
)
def test_a_driver_that_does_not_answer_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str, said: str
) -> None:
    monkeypatch.setenv("PATH", program(tmp_path / "bin", body))
    monkeypatch.setattr(machine, "DRIVER_SECONDS", 0.5 if "sleep" in body else 120.0)
    (found,) = machine.check_driver()
    assert found.level == "problem"
    assert said in found.text


def test_torch_and_codecs_are_asked_in_another_process() -> None:
    device, codecs = machine.check_device()
    assert device.level == codecs.level == "ok"
    assert device.text.startswith(("CPU", "cuda:0"))
    assert "ffv1" in codecs.text


ANSWER = {"torch": "2.13.0", "threads": 2, "cuda": None, "devices": [], "missing_codecs": []}


def answering(monkeypatch: pytest.MonkeyPatch, **changes: object) -> dict[str, Finding]:
    monkeypatch.setattr(machine, "_PROBE", f"print({json.dumps({**ANSWER, **changes})!r})")
    return by_name(machine.check_device())


def test_what_the_other_process_says_becomes_findings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gpu = answering(monkeypatch, cuda="12.9", devices=[["NVIDIA A", 24e9], ["NVIDIA B", 8e9]])["device"]
    assert (gpu.level, gpu.text) == ("ok", "cuda:0, NVIDIA A, 24 GB and 1 more (CUDA 12.9)")
    assert answering(monkeypatch, missing_codecs=["libx264"])["codecs"].level == "problem"
    broken = answering(monkeypatch, torch_failure="OSError: libcudart", codec_failure="ImportError: av")
    assert broken["device"].level == broken["codecs"].level == "problem"
    assert "libcudart" in broken["device"].text
    monkeypatch.setenv("PATH", program(tmp_path / "bin", "echo"))
    idle = answering(monkeypatch)["device"]
    assert (idle.level, "--torch-index" in idle.action) == ("warning", True)


@pytest.mark.parametrize(
    "body", ["import os; os.abort()", "import time; time.sleep(60)", "print('no json')", ""]
)
def test_a_library_that_crashes_or_hangs_takes_nothing_along(
    monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    monkeypatch.setattr(machine, "_PROBE", body)
    monkeypatch.setattr(machine, "PROBE_SECONDS", 1.0)
    (found,) = machine.check_device()
    assert found.level == "problem"


# places

Usage = namedtuple("Usage", "total used free")


def test_a_full_disk_is_a_problem(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(finding.level == "ok" for finding in place_checks.check_disk(places))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 10, 999_000_000))
    found = list(place_checks.check_disk(places))
    assert {finding.level for finding in found} == {"problem"}
    assert "1.0 GB free for state" in found[0].text


def test_folders_that_are_not_there_yet_are_fine_and_are_not_made(places: Places) -> None:
    found = by_name(place_checks.check_folders(places))
    assert list(found) == [f"{name} folder" for name in ("runtime", "state", "models", "cache", "results")], (
        "all that is in use"
    )
    assert {finding.level for finding in found.values()} == {"ok"}
    assert str(places.models) in found["models folder"].text
    for folder in (places.runtime, places.state.root, places.models, places.cache):
        assert not folder.exists()


def test_folders_that_cannot_be_written_to_are_told(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places.state.root.mkdir(mode=0o700)
    places.models.mkdir()
    places.cache.write_text("a file in its place")
    monkeypatch.setenv("FLOWANCHOR_RESULTS", str(tmp_path / "videos" / "FlowAnchor"))
    (tmp_path / "videos").mkdir()
    locked = (places.state.root, places.models, tmp_path / "videos")
    monkeypatch.setattr(os, "access", lambda path, _: path not in locked)
    found = by_name(place_checks.check_folders(places))
    levels = {name.removesuffix(" folder"): finding.level for name, finding in found.items()}
    assert levels.pop("runtime") == "ok"
    assert levels.pop("state") == "problem", "without it there is no daemon"
    assert levels == dict.fromkeys(("models", "cache", "results"), "warning")
    assert all("cannot be written to" in found[f"{name} folder"].text for name in ("state", *levels))


def test_folders_open_to_others_and_links_are_problems(places: Places, tmp_path: Path) -> None:
    places.runtime.mkdir(mode=0o700)
    (places.runtime / rendezvous.DISCOVERY_FILE).write_text("{}")
    (places.runtime / rendezvous.DISCOVERY_FILE).chmod(0o644)
    places.state.root.mkdir(mode=0o700)
    places.state.media.mkdir(mode=0o755)
    (tmp_path / "elsewhere").mkdir()
    places.state.jobs.symlink_to(tmp_path / "elsewhere")
    found = list(place_checks.check_folders(places))
    assert [finding.level for finding in found] == ["problem"] * 3 + ["ok"] * 3
    assert "644" in found[0].text
    assert found[1].action == f"Close it with: chmod go= {places.state.media}"
    assert "is a link" in found[2].text


def test_models_are_looked_at_one_by_one(places: Places) -> None:
    broken = places.models / "mine"
    for part in ("transformer", "vae", "text_encoder", "tokenizer"):
        (broken / part).mkdir(parents=True)
    (broken / "flowanchor.json").write_text("nonsense")
    found = by_name(place_checks.check_models())
    assert found["model shapes"].level == "ok"
    assert (found["model mine"].level, "not readable JSON" in found["model mine"].text) == ("problem", True)


# the daemon


def test_no_daemon_is_fine_and_none_is_started(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "starting", lambda *a, **k: pytest.fail("a daemon was started"))
    (found,) = service_checks.check_daemon(places)
    assert (found.name, found.level) == ("daemon", "ok")
    assert not places.runtime.exists()


def test_a_running_daemon_tells_its_state(places: Places, daemon: FakeDaemon) -> None:
    daemon.answer.findings.add(
        name="disk", severity=system_pb2.SEVERITY_PROBLEM, text="The disk is full.", action="Free some."
    )
    for name in ("models", "failures"):  # the doctor looks at these itself
        daemon.answer.findings.add(name=name, severity=system_pb2.SEVERITY_WARNING, text="Twice.")
    run, typo = types_pb2.FAILURE_KIND_RUN, types_pb2.FAILURE_KIND_INPUT
    for job, code, kind, message in (
        ("ab1", "engine-crashed", run, "The newest."),
        ("ab2", "engine-crashed", run, "An older one."),
        ("ab3", "target-word-missing", typo, "Somebody mistyped."),
    ):
        failure = types_pb2.Failure(code=code, message=message, action="Retry.", kind=kind)
        daemon.jobs.append(
            jobs_pb2.Job(
                id=job, state=jobs_pb2.JOB_STATE_FAILED, failure=failure, finished_ms=1_700_000_000_000
            )
        )
    found = by_name(service_checks.check_daemon(places))
    assert found["daemon"].level == "ok"
    assert found["daemon"].text.endswith("up 30 s")
    assert found["daemon disk"] == Finding("daemon disk", "problem", "The disk is full.", "Free some.")
    assert set(found) == {"daemon", "daemon disk", "failure engine-crashed"}
    failed = found["failure engine-crashed"]
    assert (failed.level, failed.action) == ("warning", "Retry.")
    assert re.fullmatch(
        r"The newest\. \(job ab1, 2023-11-1[45] \d\d:\d\d, 2 of the last 2 failures\)", failed.text
    )


def test_a_daemon_of_another_version_is_told(
    places: Places, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_checks, "version_of", lambda name: "9.9.9")
    found = by_name(service_checks.check_daemon(places))["daemon"]
    assert (found.level, "flowanchor stop" in found.action) == ("warning", True)


def test_a_daemon_of_another_api_is_a_problem(places: Places, daemon: FakeDaemon) -> None:
    found = Discovery.read(places.runtime)
    assert found is not None
    Discovery(found.pid, found.address, (2, 0), "3.0.0", found.token, 0).write(places.runtime)
    (told,) = service_checks.check_daemon(places)
    assert (told.level, "version 2 of the API" in told.text) == ("problem", True)


def test_a_daemon_that_does_not_answer_is_a_problem(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_checks, "ANSWER_SECONDS", 0.3)
    with DaemonLock(rendezvous.private_folder(places.runtime)) as lock:
        assert lock.acquire()
        (found,) = service_checks.check_daemon(places)
    assert (found.level, "did not answer" in found.text) == ("problem", True)


def test_a_runtime_folder_of_somebody_elses_making_is_a_problem(places: Places, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o777)
    (tmp_path / "theirs").chmod(0o777)
    with DaemonLock(tmp_path / "theirs") as lock:
        assert lock.acquire()
        places.runtime.symlink_to(tmp_path / "theirs")
        (found,) = service_checks.check_daemon(places)
    assert (found.level, "link" in found.text) == ("problem", True)


def test_a_daemon_that_crashed_and_one_that_could_not_start_are_told(places: Places) -> None:
    rendezvous.private_folder(places.runtime)
    Discovery(12345, "127.0.0.1:1", rendezvous.API, "0.1.0", "t" * 43, 0).write(places.runtime)
    (found,) = service_checks.check_daemon(places)
    assert (found.level, "12345" in found.text) == ("warning", True)
    note = {"at": time.time() - 60, "message": "The queue is damaged.", "action": "Move it."}
    (places.runtime / launch.FAILURE_FILE).write_text(json.dumps(note))
    (found,) = service_checks.check_daemon(places)
    assert found == Finding("daemon", "problem", "The queue is damaged.", "Move it.")
    (places.runtime / launch.FAILURE_FILE).write_text(json.dumps({**note, "at": time.time() - 9e5}))
    (found,) = service_checks.check_daemon(places)
    assert found.level == "warning"


def test_a_folder_that_kept_the_daemon_from_starting_is_one_problem(places: Places) -> None:
    rendezvous.private_folder(places.runtime)
    places.state.root.mkdir(mode=0o700)
    places.state.root.chmod(0o755)
    with pytest.raises(rendezvous.RendezvousError) as refused:
        rendezvous.private_folder(places.state.root)
    said = f"The daemon could not be started: it ended with exit code 2. It said: flowanchor: {refused.value}"
    note = {"at": time.time() - 60, "message": said, "action": "Look."}
    (places.runtime / launch.FAILURE_FILE).write_text(json.dumps(note))

    def problems() -> list[str]:
        found = [*place_checks.check_folders(places), *service_checks.check_daemon(places)]
        return [finding.name for finding in found if finding.level == "problem"]

    assert problems() == ["state folder"]
    places.state.root.chmod(0o700)
    assert problems() == ["daemon"], "what was wrong then is still the last that is known of it"


def test_a_daemon_of_the_same_state_at_another_meeting_place_is_a_problem(places: Places) -> None:
    with DaemonLock(rendezvous.private_folder(places.state.root)) as lock:
        assert lock.acquire()
        (found,) = service_checks.check_daemon(places)
    assert (found.level, "FLOWANCHOR_RUNTIME" in found.action) == ("problem", True)


# the report


def test_a_check_that_fails_hides_no_other(places: Places) -> None:
    def broken() -> Iterable[Finding]:
        raise RuntimeError("surprise")

    report = examine({"one": broken, "memory": machine.check_memory})
    assert [finding.name for finding in report.findings] == ["one", "memory"]
    assert (report.count("problem"), "surprise" in report.findings[0].text) == (1, True)
    assert all(finding.action for finding in report.findings if finding.level != "ok")
    assert report.as_json()["findings"][1]["name"] == "memory"


def test_the_whole_report_of_this_machine(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_PROBE", f"print({json.dumps(ANSWER)!r})")
    report = examine(checks_of(places))
    names = {finding.name.split()[0] for finding in report.findings}
    assert {"python", "torch", "driver", "device", "codecs", "memory", "disk", "runtime", "state"} < names
    assert {"daemon", "model"} < names
    assert all(bool(finding.action) == (finding.level != "ok") for finding in report.findings)
