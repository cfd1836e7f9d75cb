# SPDX-License-Identifier: Apache-2.0
"""The package runs in whatever Python a Resolve has, calls published names only, and each known trap has its
tests."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import flowanchor_resolve
import pytest

from tests.resolve.core.traps import test_asking, test_placing, test_rendering
from tests.resolve.standin.names import names_used, unknown_names

PACKAGE = Path(flowanchor_resolve.__file__).parent
README = Path(__file__).parents[1] / "README.md"
FILES = sorted(PACKAGE.rglob("*.py"))
NEWER = {
    "datetime": {"UTC"},
    "typing": {"Self", "Never", "assert_never", "assert_type", "reveal_type", "LiteralString", "Required",
               "NotRequired", "override", "Unpack", "TypeVarTuple", "dataclass_transform"},
    "enum": {"StrEnum", "ReprEnum", "verify", "member", "nonmember", "property"},
    "hashlib": {"file_digest"},
    "contextlib": {"chdir"},
    "asyncio": {"TaskGroup", "timeout", "Runner"},
    "itertools": {"batched"},
    "math": {"cbrt", "exp2", "sumprod"},
    "operator": {"call"},
    "pathlib": {"UnsupportedOperation"},
    "builtins": {"ExceptionGroup", "BaseExceptionGroup"},
}  # fmt: skip
"""What the standard library has only since Python 3.11 or later."""


def test_there_is_something_to_look_at() -> None:
    assert len(FILES) > 30


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_python_3_10_can_read_and_has_what_is_used(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 10))
    taken = {
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    } | {
        (node.value.id, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    newer = {(module, name) for module, names in NEWER.items() for name in names}
    assert not taken & newer
    assert not named & NEWER["builtins"]
    assert not any(isinstance(node, ast.TryStar) for node in ast.walk(tree))
    assert not any(
        isinstance(node, ast.Import) and node.names[0].name == "tomllib" for node in ast.walk(tree)
    )
    assert "\ufeff" not in text


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_only_the_standard_library_is_needed(file: Path) -> None:
    modules = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules.add(str(node.module).split(".")[0])
    foreign = modules - set(sys.stdlib_module_names) - {"flowanchor_resolve", "DaVinciResolveScript"}
    assert not foreign


def test_every_name_of_resolve_that_is_called_is_published() -> None:
    used = {use.name for use in names_used(PACKAGE)}
    assert {"AppendToTimeline", "SetRenderSettings", "GetSelectedClips", "ExportFusionComp"} <= used
    assert unknown_names(PACKAGE) == []


def test_calls_that_finalise_or_cannot_be_undone_are_not_used() -> None:
    used = {use.name for use in names_used(PACKAGE)}
    banned = {"FinalizeTake", "DeleteAllRenderJobs", "DeleteMarkersByColor", "DeleteTimelines", "ReplaceClip"}
    assert not used & {*banned, "SaveProject", "SetSetting", "Quit"}


def test_every_trap_of_the_table_has_tests_and_every_test_is_in_the_table() -> None:
    text = README.read_text(encoding="utf-8").partition("## Traps")[2]
    named = set(re.findall(r"`(test_\w+)`", text))
    modules = (test_asking, test_placing, test_rendering)
    there = {name for module in modules for name in vars(module) if name.startswith("test_")}
    assert named == there
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    assert len(rows) == 15
    assert all("`test_" in row for row in rows)
