# SPDX-License-Identifier: Apache-2.0
"""The daemon as the command meets it: started on demand, served, stopped, and when it cannot start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.daemon.processes import standing_still
from tests.e2e.conftest import Run, daemon_pid, engine_pid, packets, wait_for
from tests.e2e.test_edit_command import names


def test_eight_commands_at_once_start_one_daemon(command: list[str], own_environment: dict[str, str]) -> None:
    line = [*command, "jobs", "list", "--json"]
    processes = [
        subprocess.Popen(line, env=own_environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    for process in processes:
        output, errors = process.communicate(timeout=250)
        assert (process.returncode, output) == (0, "[]\n"), errors
    log = Path(own_environment["FLOWANCHOR_STATE"], "logs", "daemon.log").read_text()
    assert log.count("Serving on ") == 1
    assert f"pid {daemon_pid(own_environment)}" in log


def test_serve_tells_where_and_ends_at_ctrl_c(command: list[str], own_environment: dict[str, str]) -> None:
    process = subprocess.Popen(
        [*command, "serve", "--idle-exit", "120"],
        env=own_environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    assert "Serving on " in said
    assert str(daemon_pid(own_environment)) in said
    assert daemon_pid(own_environment) == process.pid
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def test_serves_help_is_the_daemons(run: Run) -> None:
    done = run("serve", "--help")
    assert done.returncode == 0
    assert "--idle-exit" in done.stdout


def test_stop_ends_the_daemon_and_says_if_there_was_none(
    own_run: Run, own_environment: dict[str, str]
) -> None:
    none = own_run("stop")
    assert (none.returncode, none.stdout) == (0, "No daemon is running.\n")
    assert own_run("jobs", "list").returncode == 0
    pid = daemon_pid(own_environment)
    assert pid is not None
    stopped = own_run("stop", "--json")
    assert (stopped.returncode, json.loads(stopped.stdout)) == (0, {"stopped": pid}), stopped.stderr
    assert daemon_pid(own_environment) is None


def test_a_daemon_that_cannot_start_is_exit_code_3_with_its_cause_and_is_not_tried_again_at_once(
    own_run: Run, own_environment: dict[str, str], edit_arguments: list[Any], tmp_path: Path
) -> None:
    # However long the second command takes to begin, the first one's failure was a moment ago.
    shim = tmp_path / "shim"
    shim.mkdir()
    (shim / "sitecustomize.py").write_text(
        "from flowanchor_client import launch\nlaunch.HOLD_BACK_SECONDS = 3600.0\n"
    )
    own_environment["PYTHONPATH"] = os.pathsep.join([str(shim), own_environment["PYTHONPATH"]])
    state = Path(own_environment["FLOWANCHOR_STATE"])
    state.mkdir(mode=0o700)
    (state / "queue.sqlite").write_bytes(b"This is no database. " * 1000)
    out = tmp_path / "out"
    out.mkdir()
    for _ in range(2):
        done = own_run(*edit_arguments, "-o", out / "out.mkv", "--json")
        assert done.returncode == 3, done.stderr
        error = json.loads(done.stdout.splitlines()[-1])["error"]
        assert error["code"] == "daemon-start-failed"
        assert "queue" in error["message"]
        assert done.stderr.count("Restore the file from a backup") == 1, "once, in the message"
        assert "Traceback" not in done.stderr
    assert names(out) == []
    assert (state / "logs" / "daemon.log").read_text().count("Not serving") == 1
    assert (state / "queue.sqlite").read_bytes() == b"This is no database. " * 1000


def test_bad_input_is_told_without_a_daemon(
    own_run: Run, own_environment: dict[str, str], edit_arguments: list[Any], tmp_path: Path
) -> None:
    edit_arguments[3] = "900,900,4,4"
    assert own_run(*edit_arguments, "-o", tmp_path / "out.mkv").returncode == 2
    assert not Path(own_environment["FLOWANCHOR_RUNTIME"]).exists()


def test_models_are_verified_imported_loaded_and_unloaded(
    own_run: Run, own_environment: dict[str, str], model: Path
) -> None:
    nothing = own_run("models", "unload", "--json")
    assert json.loads(nothing.stdout) == {"was_loaded": False}
    assert daemon_pid(own_environment) is None
    imported = own_run("models", "import", model, "--name", "mine")
    assert imported.returncode == 0, imported.stderr
    assert own_run("models", "import", model, "--name", "mine").returncode == 2
    for name in ("shapes", "mine"):
        verified = own_run("models", "verify", name)
        assert verified.returncode == 0, verified.stderr
    weights = next(Path(own_environment["FLOWANCHOR_MODELS"], "mine", "vae").glob("*.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    damaged = own_run("models", "verify", "mine", "--json")
    assert damaged.returncode == 2
    assert json.loads(damaged.stdout.splitlines()[-1])["error"]["code"] == "verify-failed"
    loaded = own_run("models", "load", "shapes")
    assert loaded.returncode == 0, loaded.stderr
    listed = {entry["name"]: entry for entry in json.loads(own_run("models", "list", "--json").stdout)}
    assert listed["shapes"]["loaded"]
    assert not listed["mine"]["loaded"]
    assert own_run("models", "unload").stdout == "The engine's memory is free.\n"
    everything = json.loads(own_run("models", "list", "--all", "--json").stdout)
    assert not next(entry for entry in everything if entry["name"] == "wan2.1-t2v-1.3b")["installed"]


def test_a_killed_daemon_is_replaced_and_the_edit_delivered_with_the_same_bits(
    command: list[str],
    own_run: Run,
    own_environment: dict[str, str],
    edit_arguments: list[Any],
    tmp_path: Path,
) -> None:
    arguments = [*edit_arguments, "--steps", "120", "--seed", "3"]
    folder = tmp_path / "out"
    folder.mkdir()
    line = [*command, *map(str, arguments), "-o", "killed.mkv", "--json"]
    process = subprocess.Popen(
        line, env=own_environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for text in process.stderr:
        if text.startswith("edit: "):
            break
    first = daemon_pid(own_environment)
    assert first is not None
    os.kill(first, signal.SIGKILL)
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    wait_for(lambda: daemon_pid(own_environment))
    assert daemon_pid(own_environment) != first
    told = json.loads(output.splitlines()[-1])
    undisturbed = own_run(*arguments, "-o", folder / "calm.mkv")
    assert undisturbed.returncode == 0, undisturbed.stderr
    assert packets(folder / "killed.mkv") == packets(folder / "calm.mkv")
    listed = json.loads(own_run("jobs", "list", "--json").stdout)
    assert [entry["state"] for entry in listed] == ["succeeded", "succeeded"]
    assert [entry["attempts"] for entry in listed if entry["job"] == told["job"]] == [2]


def test_a_stopped_daemon_stays_stopped_and_its_edit_is_delivered_later(
    command: list[str],
    own_run: Run,
    own_environment: dict[str, str],
    edit_arguments: list[Any],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    line = [*command, *map(str, edit_arguments), "--steps", "200", "-o", "out.mkv", "--json"]
    process = subprocess.Popen(
        line, env=own_environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for text in process.stderr:
        if text.startswith("edit: "):
            break
    log = Path(own_environment["FLOWANCHOR_STATE"], "logs", "daemon.log")
    with standing_still(engine_pid(own_environment)):
        stopping = subprocess.Popen([*command, "stop"], env=own_environment)
        wait_for(lambda: "Ending: " in log.read_text())
    assert stopping.wait(200) == 0
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 3, errors
    assert daemon_pid(own_environment) is None
    error = json.loads(output.splitlines()[-1])["error"]
    assert "was stopped" in error["message"]
    job = json.loads(own_run("jobs", "list", "--json").stdout)[0]["job"]
    assert f"flowanchor jobs fetch {job}" in error["action"]
    fetched = own_run("jobs", "fetch", job)
    assert fetched.returncode == 0, fetched.stderr
    assert names(folder) == ["out.mkv"]
