# SPDX-License-Identifier: Apache-2.0
"""Imports go one way, addons -> client -> proto <- daemon -> core, and what must start quickly is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.rules import imported

ROOT = Path(__file__).parents[2]
CORE = ROOT / "flowanchor_core"
PROTO = ROOT / "proto" / "flowanchor"
CLIENT = ROOT / "addons" / "flowanchor_client"
DAEMON = ROOT / "daemon" / "flowanchor_daemon"
INTERCHANGE = ROOT / "addons" / "interchange" / "flowanchor_interchange"

HEAVY = ("torch", "diffusers", "transformers", "av", "cv2", "numpy")
THREADS = {"threading", "_thread", "concurrent", "asyncio", "multiprocessing", "queue"}


def imports_of(*folders: Path) -> Iterator[tuple[Path, str]]:
    """(file, module) of every import statement, those inside functions and for types alone included."""
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                for module in imported(node):
                    yield path.relative_to(ROOT), module


def test_the_packages_are_where_they_are_looked_for() -> None:
    for folder in (CORE, PROTO, CLIENT, DAEMON):
        assert len(list(folder.rglob("*.py"))) >= 5, folder


def test_core_knows_nothing_around_it() -> None:
    around = {
        "flowanchor",
        "flowanchor_client",
        "flowanchor_daemon",
        "grpc",
        "google",
        "sqlite3",
        "bpy",
    }
    assert [(str(file), name) for file, name in imports_of(CORE) if name.partition(".")[0] in around] == []


def test_the_contract_needs_protobuf_and_grpc_alone() -> None:
    allowed = {"flowanchor", "grpc", "google", *sys.stdlib_module_names}
    assert [
        (str(file), name) for file, name in imports_of(PROTO) if name.partition(".")[0] not in allowed
    ] == []


def test_the_meeting_place_needs_the_standard_library_alone() -> None:
    allowed = {"flowanchor.private", *sys.stdlib_module_names}
    found = [name for file, name in imports_of(PROTO) if file.name in ("rendezvous.py", "private.py")]
    assert found
    assert [name for name in found if name not in allowed and name.partition(".")[0] not in allowed] == []


def test_the_client_needs_grpc_and_protobuf_alone_and_no_thread() -> None:
    allowed = {"flowanchor", "flowanchor_client", "grpc", *sys.stdlib_module_names} - THREADS
    wrong = [
        (str(file), name)
        for file, name in imports_of(CLIENT)
        if name.partition(".")[0] not in allowed and not name.startswith("google.protobuf")
    ]
    assert wrong == []


def test_timelines_need_the_standard_library_and_opentimelineio_alone() -> None:
    talking = THREADS | {"socket", "ssl", "http", "urllib", "ftplib", "subprocess", "ctypes"}
    allowed = {"flowanchor_interchange", "opentimelineio", "urllib.parse", *sys.stdlib_module_names} - talking
    found = list(imports_of(INTERCHANGE))
    assert len({file for file, _ in found}) > 15
    assert [
        (str(file), name)
        for file, name in found
        if name not in allowed and name.partition(".")[0] not in allowed
    ] == []


def test_of_the_daemon_only_the_command_line_reads_timelines() -> None:
    users = {
        file.relative_to(DAEMON.relative_to(ROOT)).parts[0]
        for file, name in imports_of(DAEMON)
        if name.partition(".")[0] == "flowanchor_interchange"
    }
    assert users == {"cli"}


def test_nothing_a_host_loads_imports_torch() -> None:
    found = [
        (str(file), name)
        for file, name in imports_of(ROOT / "addons")
        if name.partition(".")[0] in HEAVY
        # Blender brings its own numpy, which pixels are read with; the client does without.
        and not (file.is_relative_to("addons/blender") and name.partition(".")[0] == "numpy")
    ]
    assert found == []


def test_only_the_command_line_and_the_doctor_are_clients() -> None:
    users = {
        (file.relative_to(DAEMON.relative_to(ROOT)).parts[0], package)
        for file, name in imports_of(DAEMON)
        if (package := name.partition(".")[0])
        in ("flowanchor_client", "flowanchor_resolve", "flowanchor_interchange")
    }
    assert ("cli", "flowanchor_interchange") in users
    assert {part for part, _ in users} <= {"cli", "doctor"}


ENGINE_IN_THE_DAEMON = ("__init__.py", "api.py", "framing.py", "local.py", "process.py")
"""Files of engine/ that the daemon process loads; all others are the engine process's own."""


def is_engine(file: Path) -> bool:
    """Whether a file of the daemon's package belongs to the engine process alone."""
    return file.parent.name == "engine" and file.name not in ENGINE_IN_THE_DAEMON


def test_only_the_engine_process_may_load_models_and_codecs() -> None:
    wrong = [
        (str(file), name)
        for file, name in imports_of(DAEMON)
        if name.partition(".")[0] in HEAVY and not is_engine(file) and file.parts[2] != "cli"
    ]
    assert wrong == []


def loaded_after(program: str) -> set[str]:
    """Top-level modules in a fresh interpreter after a program."""
    names = "{name.partition('.')[0] for name in sys.modules}"
    code = f"import sys; sys.path[:] = {sys.path!r}\n{program}\nprint(*sorted({names}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def serving_modules() -> list[str]:
    """Every module of the daemon that its own process may load."""
    names = []
    for path in sorted(DAEMON.rglob("*.py")):
        file = path.relative_to(DAEMON)
        if file.parts[0] in ("cli", "doctor") or is_engine(file) or file.name == "__main__.py":
            continue
        parts = [*file.with_suffix("").parts]
        names.append(".".join(["flowanchor_daemon", *(part for part in parts if part != "__init__")]))
    return names


@pytest.mark.parametrize("entry", ["flowanchor_daemon.serve", "all"])
def test_the_daemon_process_stays_light(entry: str) -> None:
    modules = serving_modules() if entry == "all" else [entry]
    assert len(modules) == 1 or len(modules) > 30
    loaded = loaded_after("\n".join(f"import {name}" for name in modules))
    assert {"grpc", "flowanchor", "flowanchor_core"} <= loaded
    assert loaded & {*HEAVY, "flowanchor_client"} == set()


def test_the_daemon_loads_of_the_engine_what_is_listed_here() -> None:
    code = "import flowanchor_daemon.serve, sys\nprint(*(n for n in sys.modules if '_daemon.engine' in n))"
    program = f"import sys; sys.path[:] = {sys.path!r}\n{code}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=250)
    loaded = {f"{name.partition('.engine.')[2] or '__init__'}.py" for name in done.stdout.split()}
    assert loaded == set(ENGINE_IN_THE_DAEMON), done.stderr


def test_the_client_stays_light() -> None:
    loaded = loaded_after("import flowanchor_client")
    assert "grpc" in loaded
    assert loaded & {*HEAVY, "flowanchor_core", "flowanchor_daemon", "platformdirs", "psutil"} == set()
