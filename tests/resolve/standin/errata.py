# SPDX-License-Identifier: Apache-2.0
"""What the stubs leave out or get wrong, each with where we know it from (`errata.json`).

Kinds of entry: `since` (methods that older versions lack), `added` (methods newer than the stubs),
`optional` (arguments from one on may be left out), `overloads` (another way to call), `keys` and
`not_required` (of dicts), `returns` (of calls), `record_since` (a way to call that older versions lack),
`absent_constants`. A source weighs as the vendor's own text (or a copy of it), as something measured on a
named build, as reported, or as unverified.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from tests.resolve.standin.contract import Contract, Method, Reader, Signature, stub_file
from tests.resolve.standin.types import Record, Type

FILE = Path(__file__).with_name("errata.json")
Version = tuple[int, ...]


def version(text: str) -> Version:
    """ "21.0.4" as (21, 0, 4)."""
    return tuple(int(part) for part in text.split("."))


@dataclass(frozen=True)
class Corrected:
    """The contract with its errata, and from which version on a method is there. `records` tells from
    which version on a dict's key, or a way to call that takes a dict, is known."""

    contract: Contract
    since: Mapping[str, Version]
    keys_since: Mapping[tuple[str, str], Version]
    ways_since: Mapping[tuple[str, str], Version]

    def has(self, owner: str, name: str, at: Version) -> bool:
        """Whether objects of a class have a method at a version."""
        return self.contract.method(owner, name) is not None and self.since.get(f"{owner}.{name}", (0,)) <= at

    def names(self, owner: str, at: Version) -> list[str]:
        return sorted(name for name in self.contract.classes.get(owner, {}) if self.has(owner, name, at))


def entries() -> dict[str, Any]:
    """The file as it is."""
    document: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return document


@cache
def corrected() -> Corrected:
    """The contract the stand-in holds its callers to."""
    reader, document = Reader(ast.parse(stub_file().read_text(encoding="utf-8"))), entries()
    contract = reader.contract()
    classes = {name: dict(methods) for name, methods in contract.classes.items()}
    since = {name: version(group["version"]) for group in document["since"] for name in group["names"]}
    for entry in document["added"]:
        method = _defined(reader, entry)
        if method.name in classes[method.owner]:
            raise ValueError(f"the stubs have {method.owner}.{method.name} by now: take it out of the errata")
        classes[method.owner][method.name] = method
        since[f"{method.owner}.{method.name}"] = version(entry["since"])
    for entry in document["overloads"]:
        more = _defined(reader, entry)
        old = classes[more.owner][more.name]
        classes[more.owner][more.name] = replace(old, signatures=old.signatures + more.signatures)
    for entry in document["optional"]:
        for full in entry["names"]:
            owner, name = full.split(".")
            old = classes[owner][name]
            eased = tuple(_eased(one, entry["from"]) for one in old.signatures)
            classes[owner][name] = replace(old, signatures=eased)
    for entry in document["returns"]:
        kind = reader.type(ast.parse(entry["type"], mode="eval").body)
        for full in entry["names"]:
            owner, name = full.split(".")
            old = classes[owner][name]
            told = tuple(replace(one, returns=kind) for one in old.signatures)
            classes[owner][name] = replace(old, signatures=told)
    records = _records(contract, document, reader)
    classes = {
        owner: {name: _with_records(method, records) for name, method in methods.items()}
        for owner, methods in classes.items()
    }
    absent = tuple(entry["prefix"] for entry in document["absent_constants"])
    constants = {name: value for name, value in contract.constants.items() if not name.startswith(absent)}
    return Corrected(
        Contract(classes, constants, records),
        since,
        {
            (entry["record"], entry["key"]): version(entry["since"])
            for entry in document["keys"]
            if "since" in entry
        },
        {(entry["method"], entry["record"]): version(entry["since"]) for entry in document["record_since"]},
    )


def _defined(reader: Reader, entry: Mapping[str, Any]) -> Method:
    (node,) = ast.parse(entry["def"]).body
    assert isinstance(node, ast.FunctionDef)
    return Method(entry["to"], node.name, (reader.signature(node, bound=True),))


def _eased(signature: Signature, first: int) -> Signature:
    return replace(
        signature,
        parameters=tuple(
            replace(one, optional=one.optional or index >= first)
            for index, one in enumerate(signature.parameters)
        ),
    )


def _records(contract: Contract, document: Mapping[str, Any], reader: Reader) -> dict[str, Record]:
    records = dict(contract.records)
    for entry in document["keys"]:
        old = records[entry["record"]]
        kind = reader.type(ast.parse(entry["type"], mode="eval").body)
        records[old.name] = replace(old, keys={**old.keys, entry["key"]: kind})
    for entry in document["not_required"]:
        old = records[entry["record"]]
        records[old.name] = replace(old, required=frozenset(entry.get("required", ())))
    return records


def _with_records(method: Method, records: Mapping[str, Record]) -> Method:
    """The method with the corrected records in its types."""
    return replace(
        method,
        signatures=tuple(
            replace(
                one,
                parameters=tuple(
                    replace(parameter, type=_renewed(parameter.type, records)) for parameter in one.parameters
                ),
                returns=_renewed(one.returns, records),
            )
            for one in method.signatures
        ),
    )


def _renewed(kind: Type, records: Mapping[str, Record]) -> Type:
    if isinstance(kind, Record):
        return records[kind.name]
    changes: dict[str, Any] = {}
    for name in ("of", "key", "value", "options"):
        inner = getattr(kind, name, None)
        if isinstance(inner, tuple):
            changes[name] = tuple(_renewed(one, records) for one in inner)
        elif inner is not None:
            changes[name] = _renewed(inner, records)
    return replace(kind, **changes) if changes else kind  # type: ignore[type-var]
