# SPDX-License-Identifier: Apache-2.0
"""Resolve's menu entries, put into and taken out of a home folder of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flowanchor_resolve import menu_files
from flowanchor_resolve.places import script_folders

from installers import resolve

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The user's folder of scripts, and that of all users."""
    monkeypatch.setenv("HOME", str(tmp_path))
    own = script_folders()[0]
    assert own.is_relative_to(tmp_path)
    everybody = tmp_path / "opt" / "Scripts" / "Utility"
    for module in (menu_files, resolve):
        monkeypatch.setattr(module, "script_folders", lambda: (own, everybody))
    return [own, everybody]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


ALL = sorted(f"{name}.py" for name in menu_files.MENU)


def test_install_check_uninstall(folders: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    own = folders[0]
    assert resolve.main(["check"]) == 1
    assert resolve.main(["install"]) == 0
    assert names(own) == ALL
    assert resolve.main(["check"]) == 0
    assert resolve.main(["install"]) == 0, "twice is as good as once"
    assert names(own) == ALL
    assert resolve.main(["uninstall"]) == 0
    assert names(own) == []
    assert resolve.main(["uninstall"]) == 0
    assert "4 menu entries" in capsys.readouterr().out


def test_each_entry_does_its_action_from_this_clone(folders: list[Path]) -> None:
    resolve.main(["install"])
    for name, action in menu_files.MENU.items():
        text = (folders[0] / f"{name}.py").read_text()
        assert f"ACTION = '{action}'\n" in text
        assert f"PACKAGE = {str(menu_files.PACKAGE)!r}\n" in text
        assert (menu_files.PACKAGE / "__init__.py").is_file()


def test_other_copies_go(folders: list[Path]) -> None:
    own, everybody = folders
    elsewhere = own.parent / "Edit"
    for folder in (everybody, elsewhere):
        folder.mkdir(parents=True)
        (folder / "FlowAnchor Edit.py").write_text(menu_files.script_of("edit", Path("/an/older/clone")))
    assert resolve.main(["check"]) == 1
    assert resolve.main(["install"]) == 0
    assert names(everybody) == names(elsewhere) == []
    assert names(own) == ALL


def test_an_older_one_is_seen_and_replaced(folders: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    resolve.main(["install"])
    path = folders[0] / "FlowAnchor Undo.py"
    path.write_text(menu_files.script_of("undo", Path("/an/older/clone")))
    assert resolve.main(["check"]) == 1
    assert f"{path} is of another version or another clone." in capsys.readouterr().err
    assert resolve.main(["install"]) == 0
    assert resolve.main(["check"]) == 0


def test_a_file_of_somebody_elses_is_left_alone(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folders[0].mkdir(parents=True)
    other = folders[0] / "FlowAnchor Edit.py"
    other.write_text("print('mine')\n")
    assert resolve.main(["install"]) == 1
    assert "not one of FlowAnchor's" in capsys.readouterr().err
    resolve.main(["uninstall"])
    assert other.read_text() == "print('mine')\n"


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_nothing_is_written_through_a_link(folders: list[Path], tmp_path: Path) -> None:
    folders[0].mkdir(parents=True)
    (folders[0] / ".FlowAnchor Edit.partial").symlink_to(tmp_path / "elsewhere")
    assert resolve.main([]) == 0
    assert not (tmp_path / "elsewhere").exists()
    assert not (folders[0] / "FlowAnchor Edit.py").is_symlink()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the owner of everything may write")
def test_a_folder_that_cannot_be_written(folders: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    folders[0].parent.mkdir(parents=True)
    folders[0].parent.chmod(0o500)
    assert resolve.main(["install"]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_file_in_place_of_the_folder(folders: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    folders[0].parent.mkdir(parents=True)
    folders[0].touch()
    assert resolve.main(["install"]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_it_runs_by_itself_from_a_clone_that_is_not_set_up(tmp_path: Path) -> None:
    """With nothing but Python: no package is installed, none on the path."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "installers" / "resolve.py"), "install"],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "4 menu entries are in" in done.stdout
    assert len(list(tmp_path.rglob("FlowAnchor *.py"))) == 4


def test_an_entry_says_when_the_clone_is_gone(tmp_path: Path) -> None:
    script = tmp_path / "FlowAnchor Edit.py"
    script.write_text(menu_files.script_of("edit", tmp_path / "gone"))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no longer in" in done.stdout
    assert "installers/run.py resolve" in done.stdout


def test_an_entry_started_outside_of_resolve_says_so(tmp_path: Path) -> None:
    script = tmp_path / "FlowAnchor Edit.py"
    script.write_text(menu_files.script_of("edit"))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "not started by Resolve" in done.stdout
