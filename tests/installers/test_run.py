# SPDX-License-Identifier: Apache-2.0
"""installers/run.py with real virtual environments and a recorded stand-in for pip (no network)."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from installers import environment

SCRIPT = Path(__file__).parents[2] / "installers" / "run.py"


@pytest.fixture
def run() -> ModuleType:
    spec = importlib.util.spec_from_file_location("installers_run", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class FakePip:
    """Records the calls; the second one leaves the console script behind, as the real one does."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.calls: list[list[str]] = []
        self.verbose = False
        self.fail_at: int | None = None
        self.kill_at: int | None = None

    def __call__(self, venv: Path, arguments: Sequence[str], meaning: str, verbose: bool = False) -> None:
        self.calls.append(list(arguments))
        self.verbose = verbose
        if self.kill_at == len(self.calls):
            raise KeyboardInterrupt
        if self.fail_at == len(self.calls):
            raise self.module.SetupError("pip could not finish")
        if "-e" in arguments:
            self.module.executable(venv, "flowanchor").touch()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def pip(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> FakePip:
    fake = FakePip(run)
    real = subprocess.run

    def without_ensurepip(command: list[str], **options: Any) -> Any:
        # Putting pip in takes seconds; one test below does it for real.
        if "ensurepip" in command or "pip" in command:
            python = Path(command[0])
            return subprocess.CompletedProcess(command, 0 if python.exists() else 1, "", "")
        return real(command, **options)

    monkeypatch.setattr(run, "pip", fake)
    monkeypatch.setattr(run.subprocess, "run", without_ensurepip)
    return fake


def test_torch_is_installed_alone_and_first(run: ModuleType, pip: FakePip, clone: Path) -> None:
    venv = run.set_up(clone)
    assert pip.calls == [["torch==2.13.0"], ["-e", f"{clone}[dev]"]]
    assert json.loads((venv / "flowanchor-setup.json").read_text())["state"] == "complete"


def test_torch_pin_is_the_projects_own(run: ModuleType) -> None:
    assert f'"{run.TORCH}"' in (SCRIPT.parents[1] / "pyproject.toml").read_text(encoding="utf-8")


def test_a_second_run_installs_nothing_and_changes_nothing(
    run: ModuleType, pip: FakePip, clone: Path
) -> None:
    venv = run.set_up(clone)
    before = {path: path.stat().st_mtime_ns for path in clone.rglob("*")}
    pip.calls.clear()
    assert run.set_up(clone) == venv
    assert pip.calls == []
    assert {path: path.stat().st_mtime_ns for path in clone.rglob("*")} == before


def test_a_changed_pyproject_is_installed_into_the_same_environment(
    run: ModuleType, pip: FakePip, clone: Path
) -> None:
    kept = run.set_up(clone) / "kept"
    kept.touch()
    pip.calls.clear()
    (clone / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    run.set_up(clone)
    assert len(pip.calls) == 2
    assert kept.exists()


def test_a_killed_set_up_is_made_anew(run: ModuleType, pip: FakePip, clone: Path) -> None:
    pip.kill_at = 2
    with pytest.raises(KeyboardInterrupt):
        run.set_up(clone)
    broken = clone / ".venv" / "half-written"
    broken.touch()
    pip.calls.clear()
    pip.kill_at = None
    venv = run.set_up(clone)
    assert not broken.exists()
    assert len(pip.calls) == 2
    assert run.read_stamp(venv) == run.wanted_stamp(clone)


def test_a_kill_while_pip_is_put_in_is_noticed(
    run: ModuleType, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = subprocess.run

    def killed(command: list[str], **options: Any) -> Any:
        if "ensurepip" in command:
            raise KeyboardInterrupt
        return real(command, **options)

    monkeypatch.setattr(run, "pip", FakePip(run))
    with monkeypatch.context() as patch:
        patch.setattr(run.subprocess, "run", killed)
        with pytest.raises(KeyboardInterrupt):
            run.set_up(clone)
    assert run.works(run.set_up(clone))


def test_a_failed_install_is_continued_in_place(run: ModuleType, pip: FakePip, clone: Path) -> None:
    pip.fail_at = 2
    with pytest.raises(run.SetupError):
        run.set_up(clone)
    kept = clone / ".venv" / "kept"
    kept.touch()
    pip.fail_at = None
    run.set_up(clone)
    assert kept.exists()


def test_an_environment_whose_python_is_gone_is_made_anew(run: ModuleType, pip: FakePip, clone: Path) -> None:
    python = run.executable(run.set_up(clone), "python")
    (clone / "pyproject.toml").write_text("changed", encoding="utf-8")
    python.unlink()
    python.symlink_to(clone / "no-such-python")
    assert run.executable(run.set_up(clone), "python").exists()


def test_a_copied_clone_gets_its_own_environment(
    run: ModuleType, pip: FakePip, clone: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run.set_up(clone)
    copy = tmp_path_factory.mktemp("copy") / "clone"
    shutil.copytree(clone, copy, symlinks=True)
    pip.calls.clear()
    venv = run.set_up(copy)
    assert pip.calls[-1] == ["-e", f"{copy}[dev]"]
    assert str(copy) in (venv / "pyvenv.cfg").read_text()


def test_a_full_disk_is_said_before_anything_is_made(
    run: ModuleType, pip: FakePip, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(run.shutil, "disk_usage", lambda path: usage(10, 10, 100_000_000))
    with pytest.raises(run.SetupError, match=r"Only 0\.1 GB are free"):
        run.set_up(clone)
    assert not (clone / ".venv").exists()


def test_an_old_python_is_refused_with_the_version_it_needs(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "OLDEST_PYTHON", (99, 0))
    with pytest.raises(run.SetupError, match=r"needs 99\.0 or newer"):
        run.check_python("setup")


def test_a_python_without_venv_names_the_package(
    run: ModuleType, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(command: list[str], **options: Any) -> Any:
        return subprocess.CompletedProcess(command, 1, "", "No module named ensurepip")

    monkeypatch.setattr(run.subprocess, "run", without)
    with pytest.raises(run.SetupError, match=r"apt install python3\.\d+-venv"):
        run.set_up(clone)


def test_an_environment_that_is_a_link_is_left_alone(run: ModuleType, clone: Path, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere"
    real.mkdir()
    (real / "kept").touch()
    (clone / ".venv").symlink_to(real)
    with pytest.raises(run.SetupError, match="is a link"):
        run.set_up(clone)
    assert (real / "kept").exists()


@pytest.mark.parametrize("task", ["blender", "resolve"])
def test_tasks_with_options_of_their_own_answer_for_themselves(task: str) -> None:
    told = subprocess.run([sys.executable, str(SCRIPT), task, "--help"], capture_output=True, text=True)
    assert told.returncode == 0
    assert "--all-platforms" in told.stdout or "uninstall" in told.stdout
    assert told.stdout.startswith(f"usage: run.py {task} "), "as it was called"


def test_all_checks_run_and_failures_are_named(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[list[str]] = []

    def record(command: list[str], **options: Any) -> Any:
        commands.append([part for part in command[1:] if part != "-m"])
        return 1 if "mypy" in command else 0

    monkeypatch.setattr(run, "foreground", record)
    assert run.run_tests(Path("/clone/.venv"), ["-k", "sar"]) == 1
    assert commands == [
        ["ruff", "format", "--check", "."],
        ["ruff", "check", "."],
        ["mypy"],
        ["proto/generate.py", "--check"],
        ["flowanchor_daemon.errors.page", "--check"],
        ["pytest", "not optin and not long", "-n", "2", "--dist", "loadfile", "-k", "sar"],
    ]
    assert "failed: mypy" in capsys.readouterr().out


def test_a_failed_set_up_of_blenders_fails_the_run_and_a_missing_python_leaves_their_tests_out(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "set_up", lambda *_: Path("/clone/.venv"))
    monkeypatch.setattr(run, "run_tests", lambda *_: 0)
    monkeypatch.setattr(run, "install_melt", lambda: None)
    for code, outcome in ((0, 0), (1, 1), (run.NO_PYTHON_FOR_BLENDER, 0)):
        monkeypatch.setattr(run, "blender", lambda arguments, code=code: code)
        assert run.main(["test"]) == outcome
    assert "left out" in capsys.readouterr().out


def test_verbose_reaches_every_pip_and_no_test(
    run: ModuleType, pip: FakePip, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(run, "ROOT", clone)

    def done(*arguments: Any) -> int:
        asked.append(arguments[-1])
        return 0

    monkeypatch.setattr(run, "blender", done)
    monkeypatch.setattr(run, "run_tests", done)
    monkeypatch.setattr(run, "install_melt", lambda: None)
    assert run.main(["test", "--verbose", "-k", "sar"]) == 0
    assert (pip.verbose, asked) == (True, [["environments", "--verbose"], ["-k", "sar"]])


@pytest.mark.parametrize(
    ("ci", "user", "there", "wanted"),
    [
        ("true", 0, False, ["update", "install"]),
        ("true", 0, True, []),
        ("true", 1000, False, []),
        ("", 0, False, []),
    ],
)
def test_nothing_is_installed_outside_the_clone_but_on_a_machine_of_ci(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, ci: str, user: int, there: bool, wanted: list[str]
) -> None:
    commands: list[list[str]] = []

    def record(command: list[str], **options: Any) -> Any:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    found = {"apt-get": "/usr/bin/apt-get", **({"melt": "/usr/bin/melt"} if there else {})}
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(run.os, "geteuid", lambda: user)
    monkeypatch.setattr(run.shutil, "which", found.get)
    monkeypatch.setattr(run.subprocess, "run", record)
    run.install_melt()
    assert [command[1] for command in commands] == wanted


def test_a_refusing_apt_is_told(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(run.os, "geteuid", lambda: 0)
    monkeypatch.setattr(run.shutil, "which", {"apt-get": "/usr/bin/apt-get"}.get)
    monkeypatch.setattr(run.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 100))
    run.install_melt()
    assert "are skipped" in capsys.readouterr().out


def test_the_script_needs_nothing_but_the_standard_library() -> None:
    bare = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), "--help"],
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    assert bare.returncode == 0
    assert "demo" in bare.stdout


def test_a_set_up_leaves_word_for_hosts_in_another_python(
    run: ModuleType, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(run, "set_up", lambda *_: clone / ".venv")
    monkeypatch.setattr(run, "foreground", lambda command: commands.append(command))
    assert run.main(["setup"]) == 0
    python = str(run.executable(clone / ".venv", "python"))
    assert commands == [[python, "-m", "flowanchor_daemon.launcher"]]


INTERRUPTED = """#!/bin/sh
# Ctrl-C comes to all processes of a terminal; this one has something to undo.
trap 'sleep 1; touch undone; exit {code}' INT
sleep 1
kill -INT $PPID
kill -INT $$
sleep 600
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the signals are those of POSIX")
@pytest.mark.parametrize(("code", "said"), [(130, ""), (1, "Interrupted.\n")])
def test_ctrl_c_waits_for_the_command_and_is_told_once(
    run: ModuleType,
    clone: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    code: int,
    said: str,
) -> None:
    program = run.executable(clone / ".venv", "flowanchor")
    program.parent.mkdir(parents=True)
    program.write_text(INTERRUPTED.format(code=code))
    program.chmod(0o755)
    monkeypatch.chdir(clone)
    monkeypatch.setattr(run, "set_up", lambda *_: clone / ".venv")
    assert run.main(["demo"]) == 130
    assert (clone / "undone").exists()
    assert capfd.readouterr().err == said


def test_an_interrupted_check_is_the_last_one(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[Sequence[str]] = []

    def ended(command: Sequence[str], **_: Any) -> int:
        commands.append(command)
        return 130

    monkeypatch.setattr(run, "foreground", ended)
    monkeypatch.setattr(run, "install_melt", lambda: None)
    monkeypatch.setattr(run, "set_up", lambda *_: Path("/clone/.venv"))
    assert run.main(["test"]) == 130
    assert run.run_tests(Path("/clone/.venv"), []) == 130
    assert len(commands) == 2, "of Blender's environments, and the first check"
