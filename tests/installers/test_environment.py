# SPDX-License-Identifier: Apache-2.0
"""pip as installers run it: quiet while all goes well; all of its words when it fails or when asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from installers import environment
from installers.environment import SetupError, executable, pip


def stand_in(folder: Path, body: str) -> Path:
    """An environment whose Python is a script of the shell's."""
    python = executable(folder / ".venv", "python")
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{body}\n")
    python.chmod(0o755)
    return folder / ".venv"


def test_a_step_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    venv = stand_in(tmp_path, "echo Collecting torch; echo a warning >&2")
    pip(venv, ["torch"], "installing torch: a minute")
    assert capfd.readouterr() == ("[flowanchor] installing torch: a minute\n", "")


def test_pip_that_fails_is_shown_and_told_in_plain_words(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    venv = stand_in(tmp_path, "echo Collecting torch; echo no network >&2; exit 1")
    with pytest.raises(SetupError, match="Start the same command again"):
        pip(venv, ["torch"], "installing torch")
    assert capfd.readouterr().err == "Collecting torch\nno network\n"


def test_pip_asks_nothing_that_is_not_seen(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Its question would wait behind "still at it" for ever."""
    venv = stand_in(tmp_path, 'echo "$@"; exit 1')
    with pytest.raises(SetupError, match="--verbose pip can ask for a password"):
        pip(venv, ["torch"], "installing torch")
    assert "--no-input" in capfd.readouterr().err


def test_all_of_it_is_shown_when_asked_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    venv = stand_in(tmp_path, 'echo "$@"; echo a warning >&2')
    pip(venv, ["torch"], "installing torch", verbose=True)
    said = capfd.readouterr()
    assert said.out.endswith("-m pip install --disable-pip-version-check torch\n")
    assert said.err == "a warning\n"


def test_what_takes_long_gives_a_sign_of_life(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "SIGN_OF_LIFE_SECONDS", 0.01)
    pip(stand_in(tmp_path, "sleep 0.5; echo done"), ["torch"], "installing torch")
    first, *later = capfd.readouterr().out.splitlines()
    assert first == "[flowanchor] installing torch"
    assert later
    assert all("still at it" in line for line in later)
