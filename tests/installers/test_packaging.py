# SPDX-License-Identifier: Apache-2.0
"""What `pip install .` brings: all packages with their data, under compatible licences only."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {
    "flowanchor": ROOT / "proto" / "flowanchor",
    "flowanchor_core": ROOT / "flowanchor_core",
    "flowanchor_client": ROOT / "addons" / "flowanchor_client",
    "flowanchor_daemon": ROOT / "daemon" / "flowanchor_daemon",
    "flowanchor_resolve": ROOT / "addons" / "resolve" / "flowanchor_resolve",
    "flowanchor_interchange": ROOT / "addons" / "interchange" / "flowanchor_interchange",
}
# Licences under which a library may be used by, and shipped beside, Apache-2.0 code.
COMPATIBLE = re.compile(
    r"apache|bsd|mit|isc|python software foundation|psf|mpl-2\.0|mozilla public", re.IGNORECASE
)


def wanted_files() -> set[str]:
    """Every source file of the packages, as a wheel names it; caches and unfinished files aside."""
    return {
        f"{package}/{path.relative_to(folder).as_posix()}"
        for package, folder in SOURCES.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in (".pyc", ".partial")
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel pip makes of a copy of the tree (building leaves folders behind)."""
    copy = tmp_path_factory.mktemp("tree")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("flowanchor_core", "proto", "addons", "daemon"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    out = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        str(copy),
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(out),
    ]
    built = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = out.glob("flowanchor-*.whl")
    return found


def test_the_wheel_has_every_file_of_every_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == wanted_files()


def test_the_wheel_alone_is_importable(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import flowanchor.v1.jobs_pb2_grpc, flowanchor.rendezvous, flowanchor.engine.v1.engine_pb2
import flowanchor_client, flowanchor_core.models, flowanchor_daemon.cli.main
for module in (flowanchor, flowanchor_client, flowanchor_core, flowanchor_daemon):
    assert module.__file__.startswith({str(tmp_path)!r}), module.__file__
flowanchor_core.models.find_model("shapes")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=240
    )
    assert done.returncode == 0, done.stderr


def requirement_lines() -> list[str]:
    """The lines of pyproject.toml that name a library, with their comments."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = text[text.index("dependencies = [") : text.index("[project.scripts]")]
    return [line.strip() for line in project.splitlines() if line.strip().startswith('"')]


def test_every_library_an_installation_brings_says_what_it_is_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in project["dependencies"]:
        (line,) = (line for line in requirement_lines() if line.startswith(f'"{requirement}"'))
        assert re.search(r"#\s+\w.{10,}", line), f"{requirement} has no line of why"


def licence_of(distribution: str) -> str:
    metadata = importlib.metadata.metadata(distribution)
    stated = [
        *(metadata.get_all("License-Expression") or []),
        *(text for text in metadata.get_all("Classifier") or [] if text.startswith("License ::")),
        *(text.split("\n")[0] for text in metadata.get_all("License") or []),  # some give the whole text
    ]
    return " | ".join(stated)


@pytest.mark.parametrize("line", requirement_lines())
def test_every_library_has_a_compatible_licence(line: str) -> None:
    name = re.match(r'"([\w.-]+)', line)
    assert name is not None
    if name[1] == "flowanchor":
        return
    licence = licence_of(name[1])
    assert COMPATIBLE.search(licence), f"{name[1]}: {licence or 'no licence stated'}"
