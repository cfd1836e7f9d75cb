# SPDX-License-Identifier: Apache-2.0
"""The extension's zip: what is in it, and that a Blender installs and uses it as a user would."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from installers import blender_environments, blender_wheels
from installers.environment import NO_PYTHON_FOR_BLENDER
from tests.blender.host.blenders import VERSIONS, python_of
from tests.blender.ui.blenders import run_inside
from tests.blender.ui.clips import FIRST, FRAMES, arguments
from tests.daemon.processes import Daemons

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "installers" / "blender.py"
ADDON = ROOT / "addons" / "blender" / "flowanchor_vse"


@pytest.fixture(scope="module")
def installer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("installers_blender", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip for this machine, built by the command of the README."""
    if not any(python_of(version) for version in VERSIONS):
        pytest.skip("no Blender: python3 installers/blender.py environments")
    out = tmp_path_factory.mktemp("zip")
    command = [sys.executable, str(ROOT / "installers" / "run.py"), "blender", "--out", str(out)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = out.glob("flowanchor_vse-*.zip")
    return found


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemons]:
    daemons = Daemons(tmp_path)
    try:
        yield daemons
    finally:
        daemons.close()


def test_each_blender_gets_the_python_of_its_wheel() -> None:
    found = {
        version: blender_environments.python_of(version)
        for version in ("4.2.23", "4.5.15", "5.0.1", "5.1.2", "5.2.3")
    }
    assert [version for version, python in found.items() if python == (3, 11)] == [
        "4.2.23",
        "4.5.15",
        "5.0.1",
    ]
    assert {found["5.1.2"], found["5.2.3"]} == {(3, 13)}


def test_a_python_that_is_missing_is_said(
    installer: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(blender_environments, "NEWER_PYTHON", (3, 99))
    assert installer.main(["environments", "5.2.3"]) == NO_PYTHON_FOR_BLENDER
    assert "needs Python 3.99" in capsys.readouterr().err


def manifest_of(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        return tomllib.loads(archive.read("blender_manifest.toml").decode())


def test_the_zip_holds_every_file_of_the_add_on_and_its_wheels(extension: Path) -> None:
    wanted = {
        path.relative_to(ADDON).as_posix()
        for path in ADDON.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".partial"
    }
    with zipfile.ZipFile(extension) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    wheels = {f"wheels/{Path(name).name}" for name in manifest_of(extension)["wheels"]}
    assert names == wanted | wheels
    for wanted_wheel in ("grpcio", "protobuf", "typing_extensions", "flowanchor_client"):
        assert any(Path(name).name.startswith(f"{wanted_wheel}-") for name in wheels), wanted_wheel
    pythons = {Path(name).name.split("-")[2] for name in wheels if "grpcio" in name}
    assert pythons == {"cp311", "cp313", "cp314"}


def test_the_manifest_says_what_the_add_on_needs(extension: Path) -> None:
    manifest = manifest_of(extension)
    assert manifest["schema_version"] == "1.0.0"
    assert manifest["blender_version_min"] == "4.2.0"
    assert manifest["license"] == ["SPDX:GPL-3.0-or-later"]
    assert manifest["platforms"] == [blender_wheels.this_platform()]
    assert set(manifest["permissions"]) == {"network", "files"}


def test_our_wheel_has_the_client_and_the_api_and_a_version_of_its_content(tmp_path: Path) -> None:
    path = blender_wheels.our_wheel(tmp_path)
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    assert {"flowanchor_client/client.py", "flowanchor/rendezvous.py", "flowanchor/v1/jobs_pb2.py"} <= names
    assert not [name for name in names if "/engine/" in name or name.endswith((".proto", ".pyi"))]
    again = tmp_path / "again"
    again.mkdir()
    assert blender_wheels.our_wheel(again).read_bytes() == path.read_bytes()


def test_the_pinned_wheels_are_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    from packaging.requirements import Requirement

    asked = {one.name: one.specifier for one in map(Requirement, project["dependencies"])}
    for pin in (blender_wheels.GRPCIO, blender_wheels.PROTOBUF):
        name, _, version = pin.partition("==")
        assert version in asked[name]


def contents(path: Path) -> dict[str, int]:
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: entry.CRC for entry in archive.infolist()}


@pytest.mark.parametrize("named", ["folder", "program"])
def test_an_installed_blender_builds_the_same_zip(named: str, extension: Path, tmp_path: Path) -> None:
    version = next(version for version in VERSIONS if python_of(version))
    path = blender_environments.environment(version)
    if named == "program":
        # What `blender --command extension` is: the same tool.
        (tool,) = path.rglob("bl_pkg/cli/blender_ext.py")
        path = tmp_path / "blender"
        path.write_text(
            "#!/bin/sh\n"
            f'test "$1" = --version && echo "Blender {version} LTS" && exit 0\n'
            'test "$1 $2 $3" = "--factory-startup --command extension" || exit 9\n'
            f'shift 3\nexec "{sys.executable}" -B "{tool}" "$@"\n'
        )
        path.chmod(0o755)
    out = tmp_path / "zip"
    line = [sys.executable, str(ROOT / "installers" / "run.py"), "blender"]
    built = subprocess.run(
        [*line, "--blender", str(path), "--out", str(out)], capture_output=True, text=True, timeout=280
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert contents(out / extension.name) == contents(extension)


@pytest.mark.parametrize("there", [None, "folder", "file", "other program", "old Blender"])
def test_what_is_no_blender_is_said(
    there: str | None, installer: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "blender"
    if there == "folder":
        path.mkdir()
    elif there == "file":
        path.write_text("a text")
    elif there is not None:
        said = "Blender 3.6.5" if there == "old Blender" else "true (GNU coreutils) 9.1"
        path.write_text(f'#!/bin/sh\necho "{said}"\n')
        path.chmod(0o755)
    assert installer.main(["build", "--blender", str(path), "--out", str(tmp_path)]) == 1
    assert f"{path} is no Blender of 4.2 or newer." in capsys.readouterr().err


@pytest.mark.parametrize(
    "below",
    ["4.2/scripts/addons_core", "Blender.app/Contents/Resources/5.0/scripts/addons_core", "scripts/addons"],
)
def test_the_tool_is_looked_for_where_blenders_have_it_and_not_further_below(
    below: str, installer: ModuleType, tmp_path: Path
) -> None:
    tool = tmp_path / below / installer.TOOL
    tool.parent.mkdir(parents=True)
    tool.touch()
    assert installer.installed_tool(tmp_path)[-1] == str(tool)
    elsewhere = tmp_path / "home" / "somebody" / below
    elsewhere.parent.mkdir(parents=True)
    (tmp_path / Path(below).parts[0]).rename(elsewhere.parent / "moved")
    with pytest.raises(installer.SetupError, match="is no Blender"):
        installer.installed_tool(tmp_path)


def test_a_place_for_the_zip_that_cannot_be_used_is_said_before_it_is_built(
    installer: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    tool = tmp_path / "4.2" / "scripts" / "addons_core" / installer.TOOL
    tool.parent.mkdir(parents=True)
    tool.touch()
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        assert installer.main(["build", "--blender", str(tmp_path), "-o", str(out)]) == 1
        assert capsys.readouterr().err.startswith(f"{out} cannot be written to (")


@pytest.mark.parametrize("version", VERSIONS)
def test_installed_from_the_zip_it_edits(
    version: str, extension: Path, tmp_path: Path, daemon: Daemons
) -> None:
    running = daemon()
    found = run_inside(
        version,
        "from_zip",
        tmp_path / "blender",
        running.environment,
        installed=True,
        **arguments(tmp_path, zip=str(extension)),
    )
    assert (found["result"]["start"], found["result"]["end"]) == (FIRST, FIRST + FRAMES)
    resources = tmp_path / "blender" / "blender"
    assert Path(found["exports"]).is_relative_to(resources / "extensions" / ".user"), (
        "files outside of its folder"
    )
    assert not Path(found["folder"]).is_relative_to(resources), "results would go with Blender's files"
