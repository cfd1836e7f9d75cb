# SPDX-License-Identifier: Apache-2.0
"""Which names of Resolve's interface a piece of code uses, read from its source.

A call `thing.GetName(...)` counts, and so does a name written as a string ("GetName", as handed to a function
that calls by name or looks it up in `dir`). Names that belong to imported modules (`subprocess.Popen`), keys
of dicts and what is taken out of dicts do not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.resolve.standin.errata import corrected

VERBS = (
    "Add|Analyze|Append|Apply|Archive|Assign|Auto|Clear|Close|Convert|Copy|Create|Delete|Detect|Disable|"
    "Duplicate|Export|Finalize|Fusion|Generate|Get|Goto|Grab|Import|Insert|Is|Link|Load|Monitor|Move|"
    "Open|Perform|Quit|Refresh|Regenerate|Relink|Remove|Rename|RenderWith|Replace|Reset|Restore|Reveal|Save|"
    "Select|Set|Smart|Stabilize|Start|Stop|Transcribe|Unlink|Update"
)
_TEXT = re.compile(rf"(?:{VERBS})[A-Z][A-Za-z]+")
_CALLED = re.compile(rf"(?:{VERBS})(?:[A-Z][A-Za-z]+)?")


@dataclass(frozen=True)
class Use:
    name: str
    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.name} ({self.file.name}, line {self.line})"


def names_used(folder: Path) -> list[Use]:
    """Every use in the Python files of a folder, or of one file."""
    files = [folder] if folder.is_file() else sorted(folder.rglob("*.py"))
    return [use for file in files for use in _used_in(file)]


def unknown_names(folder: Path) -> list[Use]:
    """The uses whose name is no method of any class in the contract or its errata."""
    known = corrected().contract.names
    return [use for use in names_used(folder) if use.name not in known]


def _used_in(file: Path) -> Iterator[Use]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    modules = {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    keys = {id(one) for node in ast.walk(tree) for one in _keys(node)}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner)), lineno=_) if owner in modules:
                continue
            case ast.Call(func=ast.Attribute(attr=name), lineno=line) if _CALLED.fullmatch(name):
                yield Use(name, file, line)
            case ast.Constant(value=str(name), lineno=line):
                if id(node) not in documentation | keys and _TEXT.fullmatch(name):
                    yield Use(name, file, line)


def _keys(node: ast.AST) -> Iterator[ast.AST]:
    """The expressions that are keys of a dict: in its literal, in brackets, in `.get(key)` and the like."""
    match node:
        case ast.Dict(keys=keys):
            yield from (key for key in keys if key is not None)
        case ast.Subscript(slice=key):
            yield key
        case ast.Call(func=ast.Attribute(attr="get" | "pop" | "setdefault"), args=[key, *_]):
            yield key
