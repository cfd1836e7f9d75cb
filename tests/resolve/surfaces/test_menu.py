# SPDX-License-Identifier: Apache-2.0
"""What a menu script does with the Resolve it is started in."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flowanchor_resolve import inapp, meeting, menu, menu_files, poke

from tests.resolve.core.scene import Clip, World, footage, result_of, write_result

Own = Callable[[str], Path]


class Resolve:
    """As much of one as tells its edition; it counts what it is asked."""

    def __init__(self, product: str, version: str) -> None:
        self._product, self._version = product, version
        self.asked: list[str] = []

    def GetProductName(self) -> str:
        self.asked.append("GetProductName")
        return self._product

    def GetVersionString(self) -> str:
        self.asked.append("GetVersionString")
        return self._version

    def GetCurrentPage(self) -> str:
        self.asked.append("GetCurrentPage")
        return "edit"


STUDIO = "DaVinci Resolve Studio"
FREE = "DaVinci Resolve"


def run(action: str, resolve: Any) -> tuple[bool, str]:
    told: list[str] = []
    return menu.run(action, resolve, told.append), "\n".join(told)


def test_in_studio_it_pokes_the_sidecar_and_asks_resolve_for_nothing_more(
    own_folders: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    poked: list[str] = []

    def poke_(action: str) -> poke.Reply:
        poked.append(action)
        return poke.Reply(True, "FlowAnchor Edit begins.")

    monkeypatch.setattr(poke, "poke", poke_)
    resolve = Resolve(STUDIO, "21.0.4.5")
    well, told = run("edit", resolve)
    assert well
    assert poked == ["edit"]
    assert told.startswith("FlowAnchor: FlowAnchor Edit begins.")
    assert set(resolve.asked) <= {"GetProductName", "GetVersionString", "GetCurrentPage"}
    contact = meeting.last_contact(meeting.open_folder())
    assert contact is not None
    assert (contact["product"], contact["version"], contact["where"]) == (STUDIO, "21.0.4", "menu")


def test_inside_it_is_said_what_could_not_be_put_back(tmp_path: Path, own_folders: Own) -> None:
    movie = footage(tmp_path)
    with World("19.1", "free", "hostile", "in-app", volumes=[tmp_path]) as world:
        world.add_timeline(clips=[Clip(movie, frames=4, name="ours")])
        told: list[str] = []
        world.app.page = "color"
        host = inapp.host_of(world.scriptapp("Resolve"), told.append)
        selection = host.select(clip="ours")
        result = result_of(write_result(tmp_path / "result.mov", Fraction(24), 4), selection)
        world.before("TimelineItem.AddMarker", lambda: world.open_dialog("Save?"))
        host.place(selection, result)
    assert "Resolve's color page could not be opened again." in told


def test_a_busy_sidecar_is_told(own_folders: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = poke.Reply(False, "FlowAnchor Edit is still at work; ask again when it is done.")
    monkeypatch.setattr(poke, "poke", lambda action: busy)
    well, told = run("edit", Resolve(STUDIO, "20.1.0"))
    assert not well
    assert "still at work" in told


def test_without_a_sidecar_and_a_record_it_says_what_to_do(own_folders: Own) -> None:
    well, told = run("edit", Resolve(STUDIO, "20.1.0"))
    assert not well
    assert "flowanchor resolve sidecar" in told


@pytest.mark.parametrize("version", ["18.6.6", "19.1.0", "21.0.4"])
def test_in_the_free_edition_it_does_the_one_action(
    own_folders: Own, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    done: list[str] = []

    def act(action: str, resolve: Any, say: Any) -> str:
        done.append(action)
        say("Exporting.")
        return "The clip waits."

    monkeypatch.setattr(inapp, "act", act)
    well, told = run("edit", Resolve(FREE, version))
    assert (well, done) == (True, ["edit"])
    assert told == "FlowAnchor: Exporting.\nFlowAnchor: The clip waits."


def test_free_21_1_would_be_told_that_one_click_needs_studio(own_folders: Own) -> None:
    well, told = run("edit", Resolve(FREE, "21.1.0"))
    assert not well
    assert "needs DaVinci Resolve Studio" in told
    assert "flowanchor timeline edit" in told


def test_a_script_that_resolve_did_not_start(own_folders: Own) -> None:
    well, told = run("edit", None)
    assert not well
    assert "Workspace > Scripts" in told


# The script itself.


def started(tmp_path: Path, **names: Any) -> None:
    script = tmp_path / "FlowAnchor Edit.py"
    script.write_text(menu_files.script_of("edit"))
    runpy.run_path(str(script), names)


@pytest.fixture
def own_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the script loads anew is forgotten after the test."""
    for name in [name for name in sys.modules if name.split(".")[0] == "flowanchor_resolve"]:
        monkeypatch.setitem(sys.modules, name, sys.modules[name])


@pytest.mark.parametrize("name", ["resolve", "bmd", "app"])
def test_it_finds_resolve_by_each_of_its_names(
    own_folders: Own, own_modules: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    class Given:
        def scriptapp(self, asked: str) -> Any:
            return Resolve(FREE, "21.1.0") if asked == "Resolve" else None

        def GetResolve(self) -> Any:
            return Resolve(FREE, "21.1.0")

    path = list(sys.path)
    started(tmp_path, **{name: Resolve(FREE, "21.1.0") if name == "resolve" else Given()})
    assert "DaVinci Resolve 21.1.0 runs no scripts" in capsys.readouterr().out
    assert sys.path == path


def test_what_an_earlier_script_has_loaded_is_loaded_anew(
    own_folders: Own,
    own_modules: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(menu, "run", None)
    started(tmp_path, resolve=Resolve(FREE, "21.1.0"))
    assert "runs no scripts" in capsys.readouterr().out


def test_an_old_python_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 1))
    started(tmp_path, resolve=Resolve(STUDIO, "19.1.0"))
    assert "install 3.10 or newer" in capsys.readouterr().out.lower()
