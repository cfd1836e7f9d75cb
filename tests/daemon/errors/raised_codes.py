# SPDX-License-Identifier: Apache-2.0
"""Reads from the source which failure codes the product can raise."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("flowanchor_core", "daemon", "addons", "proto")
_CODE = re.compile(r"[a-z0-9-]+")  # a sentence of the same name elsewhere is no code
BASES = {"FlowAnchorError", "RendezvousError", "ResolveProblem", "ServiceFailure", "TimelineProblem"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Found:
    """`codes`: code -> places; `patterns`: codes with a changing part as (start, end) -> places; `unread`:
    places whose code could not be read from the source."""

    codes: dict[str, list[str]] = field(default_factory=dict)
    patterns: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Call:
    node: ast.Call
    inside: tuple[Function, ...]  # enclosing functions, innermost last
    file: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.node.lineno}"


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if not path.name.endswith(("_pb2.py", "_pb2_grpc.py")):
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def _calls(node: ast.AST, name: str, inside: tuple[Function, ...] = ()) -> Iterator[_Call]:
    for child in ast.iter_child_nodes(node):
        within = (*inside, child) if isinstance(child, Function) else inside
        if isinstance(child, ast.Call):
            yield _Call(child, inside, name)
        yield from _calls(child, name, within)


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _failure_classes(modules: list[tuple[str, ast.Module]]) -> set[str]:
    known = set(BASES)
    while True:
        found = {
            node.name
            for _, module in modules
            for node in ast.walk(module)
            if isinstance(node, ast.ClassDef)
            and any(getattr(base, "id", getattr(base, "attr", "")) in known for base in node.bases)
        }
        if found <= known:
            return known
        known |= found


def _constants(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in module.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text)))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text)))
            ) if name.isupper() and _CODE.fullmatch(text):
                yield name, text


def _argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[position] if len(call.args) > position else None


def read_codes() -> Found:
    """All codes that are literals where a failure is made, or that are handed to a function of the same file
    which makes it."""
    modules = list(_sources())
    classes = _failure_classes(modules)
    calls = [call for name, module in modules for call in _calls(module, name)]
    constants = dict(pair for _, module in modules for pair in _constants(module))
    found = Found()
    for call in calls:
        if _called(call.node) in classes:
            _read(_argument(call.node, 0, "code"), call, calls, constants, found, 0)
        elif _called(call.node) == "Failure" and (code := _argument(call.node, 9, "code")) is not None:
            _read(code, call, calls, constants, found, 0)
    return found


def _read(
    code: ast.expr | None,
    call: _Call,
    calls: list[_Call],
    constants: dict[str, str],
    found: Found,
    depth: int,
) -> None:
    match code:
        case ast.Constant(value=str(text)):
            found.codes.setdefault(text, []).append(call.place)
        case ast.IfExp(body=body, orelse=other):
            _read(body, call, calls, constants, found, depth)
            _read(other, call, calls, constants, found, depth)
        case ast.JoinedStr(values=parts):
            start = parts[0].value if isinstance(parts[0], ast.Constant) else ""
            end = parts[-1].value if isinstance(parts[-1], ast.Constant) else ""
            found.patterns.setdefault((str(start), str(end)), []).append(call.place)
        case ast.Attribute(attr="code") | ast.Subscript(slice=ast.Constant(value="code")):
            pass  # another failure's or message's, made elsewhere
        case ast.Name(id=name) if name in constants:
            found.codes.setdefault(constants[name], []).append(call.place)
        case ast.Name(id=name) if depth < 3 and (helper := _helper(call, name)) is not None:
            function, position = helper
            for other_call in calls:
                if other_call.file == call.file and _called(other_call.node) == function.name:
                    _read(
                        _argument(other_call.node, position, name),
                        other_call,
                        calls,
                        constants,
                        found,
                        depth + 1,
                    )
        case _:
            found.unread.append(call.place)


def _helper(call: _Call, name: str) -> tuple[Function, int] | None:
    """The enclosing function that has a parameter `name`, and the place of its argument in a call."""
    for function in reversed(call.inside):
        names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
        if name in names:
            method = names[0] in ("self", "cls")
            return function, names.index(name) - method
        if name in [argument.arg for argument in function.args.kwonlyargs]:
            return function, 99
    return None
