# SPDX-License-Identifier: Apache-2.0
"""The add-on's logic needs no Blender, no thread and nothing that waits."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LOGIC = Path(__file__).parents[3] / "addons" / "blender" / "flowanchor_vse" / "logic"
FORBIDDEN = {"threading", "_thread", "concurrent", "asyncio", "multiprocessing", "queue", "subprocess"}
ALLOWED = {"flowanchor", "flowanchor_client", "grpc", *sys.stdlib_module_names} - FORBIDDEN


def nodes() -> Iterator[tuple[str, ast.AST]]:
    for path in sorted(LOGIC.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield path.name, node


def test_it_imports_the_client_and_the_standard_library_alone() -> None:
    found = []
    for file, node in nodes():
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level <= 1, f"{file} reaches out of its folder"
            names = [node.module or ""] if node.level == 0 else []
        found += [(file, name) for name in names if name.partition(".")[0] not in ALLOWED]
    assert len(list(LOGIC.glob("*.py"))) > 10
    assert found == []


def test_nothing_in_it_sleeps_or_waits_for_a_change() -> None:
    waits = [
        (file, node.attr)
        for file, node in nodes()
        if isinstance(node, ast.Attribute)
        and node.attr in ("sleep", "wait", "join", "result", "future")
        # `", ".join` and a job's `result` are no waiting.
        and not isinstance(node.value, ast.Constant)
        and not (isinstance(node.value, ast.Name) and node.value.id == "job")
    ]
    assert waits == []


def test_it_is_loaded_without_blender() -> None:
    """As a part of the add-on's package, whose own module must not ask for bpy either."""
    program = "import sys, flowanchor_vse.logic.session; sys.exit('bpy' in sys.modules)"
    paths = [str(path) for path in (LOGIC.parents[1], LOGIC.parents[2], LOGIC.parents[3] / "proto")]
    done = subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}; {program}"])
    assert done.returncode == 0
