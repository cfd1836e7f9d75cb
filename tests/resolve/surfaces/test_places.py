# SPDX-License-Identifier: Apache-2.0
"""Where things lie on each system."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flowanchor import rendezvous
from flowanchor_resolve import places, scripting
from flowanchor_resolve.problems import ResolveProblem

HOME = {"HOME": "/home/ann"}


def test_the_data_folder_is_the_daemons(own_folders: Callable[[str], Path]) -> None:
    assert places.data_folder() == rendezvous.write_launcher(["flowanchor"]).parent


@pytest.mark.parametrize(
    ("system", "environment", "folder"),
    [
        ("linux", HOME, "/home/ann/.local/share/flowanchor"),
        ("linux", {**HOME, "XDG_DATA_HOME": "/data"}, "/data/flowanchor"),
        ("darwin", HOME, "/home/ann/Library/Application Support/flowanchor"),
        ("win32", {**HOME, "LOCALAPPDATA": "/local"}, "/local/flowanchor"),
    ],
)
def test_data_folders(system: str, environment: dict[str, str], folder: str) -> None:
    assert places.data_folder(system, environment) == Path(folder)


@pytest.mark.parametrize(
    ("system", "environment", "own"),
    [
        ("linux", HOME, "/home/ann/.local/share/DaVinciResolve/Fusion/Scripts/Utility"),
        (
            "darwin",
            HOME,
            "/home/ann/Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion/Scripts/Utility",
        ),
        (
            "win32",
            {**HOME, "APPDATA": "/roaming"},
            "/roaming/Blackmagic Design/DaVinci Resolve/Support/Fusion/Scripts/Utility",
        ),
    ],
)
def test_the_users_script_folder_comes_first(system: str, environment: dict[str, str], own: str) -> None:
    folders = places.script_folders(system, environment)
    assert folders[0] == Path(own)
    assert len(folders) > 1
    assert all(folder.parts[-2:] == ("Scripts", "Utility") for folder in folders)


def test_results_go_to_the_folder_of_videos(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path)}
    assert places.results_folder("linux", environment) == tmp_path / "Videos" / "FlowAnchor"
    assert places.results_folder("darwin", environment) == tmp_path / "Movies" / "FlowAnchor"
    settings = tmp_path / ".config" / "user-dirs.dirs"
    settings.parent.mkdir()
    settings.write_text('XDG_MUSIC_DIR="$HOME/Musik"\nXDG_VIDEOS_DIR="$HOME/Videos daheim"\n')
    assert places.results_folder("linux", environment) == tmp_path / "Videos daheim" / "FlowAnchor"
    settings.write_text('XDG_VIDEOS_DIR="/elsewhere/films"\n')
    assert places.results_folder("linux", environment) == Path("/elsewhere/films/FlowAnchor")
    chosen = {**environment, "FLOWANCHOR_RESULTS": str(tmp_path / "mine")}
    assert places.results_folder("linux", chosen) == tmp_path / "mine"


def test_without_a_home_folder_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", unknown)
    with pytest.raises(ResolveProblem) as caught:
        places.home({})
    assert caught.value.code == "no-home"


def test_the_module_is_found_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "Modules" / "DaVinciResolveScript.py"
    module.parent.mkdir()
    module.touch()
    library = tmp_path / "fusionscript.so"
    library.touch()
    monkeypatch.delenv("RESOLVE_SCRIPT_API", raising=False)
    if places.find_module() is None:  # else this machine has a Resolve
        monkeypatch.setenv("RESOLVE_SCRIPT_LIB", str(library))
        assert scripting.find() == library
    monkeypatch.setenv("RESOLVE_SCRIPT_API", str(tmp_path))
    assert scripting.find() == module
    monkeypatch.delenv("RESOLVE_SCRIPT_API")
    monkeypatch.syspath_prepend(str(module.parent))
    assert scripting.find() == module
