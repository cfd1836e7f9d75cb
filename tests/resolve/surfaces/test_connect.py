# SPDX-License-Identifier: Apache-2.0
"""Reaching Resolve, with real child processes and modules that answer, keep silent, hang and crash."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flowanchor_resolve import connect, meeting, running, scripting
from flowanchor_resolve.problems import ResolveProblem

ANSWERS = """
class Resolve:
    def GetProductName(self): return {product!r}
    def GetVersionString(self): return {version!r}
    def GetCurrentPage(self): return {page!r}

print("words of the module's own")

def scriptapp(name):
    return Resolve() if name == "Resolve" else None
"""
NONE = "def scriptapp(name): return None\n"

Module = Callable[[str], Path]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_folders: Callable[[str], Path]) -> Module:
    """Puts a scripting module with this text where the environment says."""
    folder = tmp_path / "api" / "Modules"
    folder.mkdir(parents=True)
    monkeypatch.setenv("RESOLVE_SCRIPT_API", str(folder.parent))
    monkeypatch.delenv("RESOLVE_SCRIPT_LIB", raising=False)

    def put(text: str) -> Path:
        path = folder / "DaVinciResolveScript.py"
        path.write_text(text)
        return path

    return put


def problem(seconds: float = 120.0, runs: bool | None = True) -> ResolveProblem:
    with pytest.raises(ResolveProblem) as caught:
        connect.probe(seconds, lambda: runs)
    for sentence in (caught.value.message, caught.value.action):
        assert sentence.endswith(".")
    return caught.value


def test_a_resolve_that_answers(module: Module) -> None:
    path = module(ANSWERS.format(product="DaVinci Resolve Studio", version="21.0.4.5", page="edit"))
    assert connect.probe(120) == connect.Answer("DaVinci Resolve Studio", "21.0.4.5", "edit", str(path))
    resolve, answer = connect.connect(120)
    assert resolve.GetVersionString() == answer.version
    contact = meeting.last_contact(meeting.open_folder())
    assert contact is not None
    assert (contact["product"], contact["where"]) == ("DaVinci Resolve Studio", "external")


@pytest.mark.skipif(scripting.find() is not None, reason="this machine has a Resolve")
def test_no_module(module: Module) -> None:
    assert problem().code == "resolve-module-missing"


def test_resolve_is_not_running(module: Module) -> None:
    module(NONE)
    assert problem(runs=False).code == "resolve-not-running"


def test_the_preference_or_the_edition_when_nothing_else_is_known(module: Module) -> None:
    module(NONE)
    found = problem(runs=True)
    assert found.code == "resolve-silent"
    assert "Local" in found.action
    assert problem(runs=None).code == "resolve-silent"


def test_the_free_edition_if_its_menu_was_used(module: Module) -> None:
    module(NONE)
    meeting.note_contact(meeting.open_folder(), "DaVinci Resolve", "21.0.4", "menu")
    found = problem()
    assert found.code == "resolve-free"
    assert "21.0.4" in found.message
    assert "FlowAnchor Edit" in found.action
    meeting.note_contact(meeting.open_folder(), "DaVinci Resolve", "21.1.0", "menu")
    assert "FlowAnchor Edit" not in problem().action, "its menu runs no scripts"


def test_the_preference_if_it_is_studio(module: Module) -> None:
    module(NONE)
    meeting.note_contact(meeting.open_folder(), "DaVinci Resolve Studio", "20.1.0", "menu")
    assert problem().code == "resolve-scripting-off"


def test_a_dialog_is_open(module: Module) -> None:
    module(ANSWERS.format(product=None, version=None, page=None))
    assert problem().code == "resolve-dialog-open"


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("import time\ntime.sleep(600)\n", "it was loaded"),
        ("import time\ndef scriptapp(name): time.sleep(600)\n", "it was asked for"),
    ],
)
def test_it_hangs(module: Module, text: str, step: str) -> None:
    module(text)
    for seconds in (2.0, 8.0, 32.0):  # a busy machine may not have come so far
        found = problem(seconds)
        assert found.code == "resolve-hung"
        if step in found.message:
            break
    assert step in found.message


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGKILL"])
def test_it_crashes_by_a_signal(module: Module, name: str) -> None:
    module(f"import os, signal\ndef scriptapp(name): os.kill(os.getpid(), signal.{name})\n")
    found = problem()
    assert found.code == "resolve-crashed"
    assert f"signal {name}" in found.message
    assert "it was asked for" in found.message


def test_it_ends_with_an_exit_code(module: Module) -> None:
    module("import os\nos._exit(9)\n")
    found = problem()
    assert found.code == "resolve-crashed"
    assert "exit code 9" in found.message


def test_the_module_does_not_fit_this_python(module: Module) -> None:
    module("import imp_that_is_gone\n")
    found = problem()
    assert found.code == "resolve-module-broken"
    assert "imp_that_is_gone" in found.message


def test_the_library_is_loaded_where_the_module_is_too_old(
    module: Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no library is told as such, not as a module that is missing."""
    module("import imp_that_is_gone\n")
    library = tmp_path / "fusionscript.so"
    library.write_bytes(b"no library")
    monkeypatch.setenv("RESOLVE_SCRIPT_LIB", str(library))
    found = problem()
    assert found.code == "resolve-module-broken"
    assert "fusionscript.so" in found.message


def test_a_module_without_its_function(module: Module) -> None:
    module("answer = 42\n")
    assert "scriptapp" in problem().message


def test_the_systems_list_of_processes_is_read() -> None:
    assert running.resolve_runs() in (True, False, None)
    assert any(name.startswith("python") or "pytest" in name for name in running._process_names())
