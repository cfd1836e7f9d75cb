# SPDX-License-Identifier: Apache-2.0
"""The published interface, read from the stubs of the PyPI package `fusionscript-stubs` with `ast`.

The stubs are neither imported (they are no importable module) nor copied: they are read where pip put them.
An argument written `Optional[...]` is one that the vendor's text calls optional, whether or not the stub
gives it a default.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from tests.resolve.standin.types import (
    Anything,
    Choice,
    Constant,
    Either,
    Listing,
    Object,
    Plain,
    Record,
    Table,
    Tuple,
    Type,
)

PACKAGE = "fusionscript-stubs"
STUDIO_SECTION = 'section "Studio and AI Scripting APIs"'
"""The vendor's text refers to this section where a call works in Studio only."""
_PLAIN = {"str", "int", "float", "bool", "dict", "list", "tuple"}


@dataclass(frozen=True)
class Parameter:
    name: str
    type: Type
    optional: bool = False


@dataclass(frozen=True)
class Signature:
    """One way to call a method: positional arguments, then any number of `rest`."""

    parameters: tuple[Parameter, ...]
    returns: Type
    rest: Type | None = None
    deprecated: bool = False

    @property
    def at_least(self) -> int:
        return sum(not one.optional for one in self.parameters)

    @property
    def at_most(self) -> int | None:
        return None if self.rest else len(self.parameters)

    def complaint(self, arguments: tuple[Any, ...]) -> str | None:
        """What is wrong with a call's arguments, or None."""
        most = self.at_most
        if len(arguments) < self.at_least or (most is not None and len(arguments) > most):
            bounds = str(self.at_least) if most == self.at_least else f"{self.at_least} to {most or 'any'}"
            return f"{len(arguments)} arguments given, {bounds} taken"
        for parameter, value in zip(self.parameters, arguments, strict=False):
            if value is None and parameter.optional:
                continue
            if wrong := parameter.type.complaint(value):
                return f"{parameter.name}: {wrong}"
        for value in arguments[len(self.parameters) :]:
            if self.rest and (wrong := self.rest.complaint(value)):
                return wrong
        return None


@dataclass(frozen=True)
class Method:
    owner: str
    name: str
    signatures: tuple[Signature, ...]
    studio: bool = False
    """The vendor's text says that it needs Studio."""

    @property
    def deprecated(self) -> bool:
        return all(one.deprecated for one in self.signatures)

    def complaint(self, arguments: tuple[Any, ...]) -> str | None:
        """What is wrong with a call, or None if one of the signatures takes it."""
        complaints = [one.complaint(arguments) for one in self.signatures if not one.deprecated]
        if not complaints:
            return "the vendor calls it deprecated"
        return None if None in complaints else "; ".join(sorted({str(one) for one in complaints}))

    def returns(self, value: Any) -> str | None:
        """What is wrong with an answer, or None. Failure (False, None, "") is an answer of every method."""
        if value is None or value is False or value == "":
            return None
        complaints = [one.returns.complaint(value) for one in self.signatures]
        return None if None in complaints else "; ".join(sorted({str(one) for one in complaints}))

    @property
    def failure(self) -> bool | None:
        """What Resolve answers when it refuses: False where success is a bool, else None."""
        return False if any(one.returns == Plain("bool") for one in self.signatures) else None


@dataclass(frozen=True)
class Contract:
    """`classes` by name, then method name; `constants` of the Resolve object with their number, or a
    `Constant` where none is published; `records` are the dicts with named keys."""

    classes: Mapping[str, Mapping[str, Method]]
    constants: Mapping[str, Any]
    records: Mapping[str, Record] = field(default_factory=dict)

    def method(self, owner: str, name: str) -> Method | None:
        return self.classes.get(owner, {}).get(name)

    @property
    def names(self) -> frozenset[str]:
        """Every method name of every class."""
        return frozenset(name for methods in self.classes.values() for name in methods)


def stub_file() -> Path:
    """Where the installed stubs lie."""
    for file in metadata.files(PACKAGE) or ():
        if file.name == "fusionscript.pyi":
            return Path(str(file.locate()))
    raise FileNotFoundError(f"the package {PACKAGE} has no fusionscript.pyi")


@cache
def published() -> Contract:
    """The contract as the stubs state it, without errata."""
    return parse(stub_file().read_text(encoding="utf-8"))


def parse(text: str) -> Contract:
    """Read a stub file's text."""
    return Reader(ast.parse(text)).contract()


class Reader:
    """Reads a stub file's tree."""

    def __init__(self, tree: ast.Module) -> None:
        self.nodes = {name: node for node in tree.body if (name := _name_of(node))}
        self.records: dict[str, Record] = {}
        self.classes = {
            name: node
            for name, node in self.nodes.items()
            if isinstance(node, ast.ClassDef) and not _is_record(node) and name != "ValueRange"
        }

    def contract(self) -> Contract:
        classes = {name: self._methods(node) for name, node in self.classes.items()}
        for name, node in self.nodes.items():
            if _is_record(node):
                self._named(name)
        return Contract(classes, _constants(self.classes["Resolve"]), dict(self.records))

    def _methods(self, node: ast.ClassDef) -> dict[str, Method]:
        found: dict[str, list[ast.FunctionDef]] = {}
        for one in node.body:
            if isinstance(one, ast.FunctionDef):
                found.setdefault(one.name, []).append(one)
        return {
            name: Method(
                node.name,
                name,
                tuple(self.signature(one) for one in definitions),
                studio=any(STUDIO_SECTION in (ast.get_docstring(one) or "") for one in definitions),
            )
            for name, definitions in found.items()
        }

    def signature(self, node: ast.FunctionDef, bound: bool = True) -> Signature:
        arguments = node.args.args[1:]
        first_default = len(arguments) - len(node.args.defaults)
        parameters = tuple(
            Parameter(
                one.arg,
                self.type(one.annotation),
                optional=index >= first_default or _is_optional(one.annotation),
            )
            for index, one in enumerate(arguments)
        )
        rest = node.args.vararg
        return Signature(
            parameters,
            self.type(node.returns),
            self.type(rest.annotation) if rest else None,
            any(ast.unparse(one) == "deprecated" for one in node.decorator_list),
        )

    def type(self, node: ast.expr | None) -> Type:
        """The type an annotation names."""
        match node:
            case None | ast.Name(id="Any"):
                return Anything()
            case ast.Constant(value=None):
                return Plain("None")
            case ast.Name(id=name):
                return self._named(name)
            case ast.BinOp(op=ast.BitOr()):
                return Either((self.type(node.left), self.type(node.right)))
            case ast.Attribute(value=ast.Name(id="Resolve")) | ast.Constant():
                return Choice((_value(node),))
            case ast.List(elts=[one]):
                return Listing(self.type(one))
            case ast.Subscript(value=ast.Name(id=name), slice=inner):
                return self._subscript(name, inner)
        raise ValueError(f"unknown annotation {ast.unparse(node)}")

    def _subscript(self, name: str, inner: ast.expr) -> Type:
        parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        match name:
            case "List" | "list":
                return Listing(self.type(parts[0]))
            case "Optional":
                return Either((self.type(parts[0]), Plain("None")))
            case "NotRequired" | "Annotated":
                return self.type(parts[0])
            case "Literal":
                return Choice(tuple(_value(one) for one in parts))
            case "dict":
                return Table(self.type(parts[0]), self.type(parts[1]))
            case "Tuple" | "tuple":
                return Tuple(tuple(self.type(one) for one in parts))
        raise ValueError(f"unknown annotation {name}[...]")

    def _named(self, name: str) -> Type:
        if name in _PLAIN:
            return Plain(name)
        if name in self.classes:
            return Object(name)
        node = self.nodes[name]
        if isinstance(node, ast.ClassDef):
            items = [
                (one.target.id, one.annotation)
                for one in node.body
                if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
            ]
            return self._record(name, items)
        assert isinstance(node, ast.Assign)
        if _is_record(node):
            assert isinstance(node.value, ast.Call)
            table = node.value.args[1]
            assert isinstance(table, ast.Dict)
            keys = [_value(key) for key in table.keys if key is not None]
            return self._record(name, list(zip(keys, table.values, strict=True)))
        if isinstance(node.value, ast.BinOp):
            left = self.type(node.value.left)
            assert isinstance(left, Choice)
            return Choice((*left.values, *_numbered(node.value.right)))
        return self.type(node.value)

    def _record(self, name: str, items: list[tuple[Any, ast.expr]]) -> Record:
        if name not in self.records:
            keys = {key: self.type(annotation) for key, annotation in items}
            required = frozenset(key for key, note in items if not _is_not_required(note))
            self.records[name] = Record(name, keys, required, open=not items)
        return self.records[name]


def _name_of(node: ast.stmt) -> str | None:
    match node:
        case ast.ClassDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return None


def _is_record(node: ast.stmt) -> bool:
    match node:
        case ast.ClassDef(bases=[ast.Name(id="TypedDict")]):
            return True
        case ast.Assign(value=ast.Call(func=ast.Name(id="TypedDict"))):
            return True
    return False


def _is_optional(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Optional"


def _is_not_required(node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript) and ast.unparse(node.value) == "NotRequired"


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Attribute(value=ast.Name(id="Resolve"), attr=name):
            return Constant(name)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(number))):
            return -number
        case ast.Constant(value=value):
            return value
    raise ValueError(f"unknown value {ast.unparse(node)}")


def _numbered(node: ast.expr) -> list[str]:
    """The strings of `['name{number}'.format(number) for number in range(1, 36)]`, which is no valid Python
    call of format, so that it has to be read rather than run."""
    constants = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
    (template,) = (one for one in constants if isinstance(one, str))
    first, end = (one for one in constants if isinstance(one, int))
    return [template.replace("{number}", str(number)) for number in range(first, end)]


def _constants(node: ast.ClassDef) -> dict[str, Any]:
    """`NAME: Final` has no number; `NAME: 2`, `NAME = 2` and `NAME: Final = 2` have one."""
    found: dict[str, Any] = {}
    for one in node.body:
        match one:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = _value(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found[name] = _value(value)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name()):
                found[name] = Constant(name)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                found[name] = _value(annotation)
    return found
