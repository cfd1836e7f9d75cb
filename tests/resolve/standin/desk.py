# SPDX-License-Identifier: Apache-2.0
"""Where every call arrives: checked against the contract, refused as Resolve would, or carried out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.resolve.standin.contract import Method
from tests.resolve.standin.errata import corrected
from tests.resolve.standin.line import ContractBroken, Named, NotModelled, Ref
from tests.resolve.standin.model.thing import Thing
from tests.resolve.standin.types import Constant, Record

if TYPE_CHECKING:
    from tests.resolve.standin.world import World

UPSELL = "You have reached a limitation with DaVinci Resolve"
SAVER = "The composition could not be rendered."


@dataclass(frozen=True)
class Call:
    """One call, as it arrived. Objects among the arguments are things of the model."""

    owner: str
    name: str
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.owner}.{self.name}"


class Desk:
    """The stand-in's end of a Line."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rules = corrected()
        self.strict = world.manner.strict
        self.unknown_is_none = world.manner.traps.unknown_is_none

    def names(self, kind: str) -> list[str]:
        return self.rules.names(kind, self.world.overlay.number)

    def constants(self) -> dict[str, Any]:
        return {
            name: Named(value.name) if isinstance(value, Constant) else value
            for name, value in self.rules.contract.constants.items()
        }

    def call(self, ref: Ref, name: str, arguments: list[Any], keywords: list[str]) -> Any:
        with self.world.lock:
            return self.given(self._call(ref, name, tuple(self._taken(one) for one in arguments), keywords))

    def _call(self, ref: Ref, name: str, arguments: tuple[Any, ...], keywords: list[str]) -> Any:
        world, full = self.world, f"{ref.kind}.{name}"
        world.arrives(Call(ref.kind, name, arguments))
        method = self.rules.contract.method(ref.kind, name)
        if method is None or not self.rules.has(ref.kind, name, world.overlay.number):
            there = "does not exist" if method is None else f"does not exist in {world.overlay.build}"
            self._broken(f"{full} {there}")
            if (ref.kind, name) == ("FusionComp", "Render") and world.manner.traps.saver_modal:
                world.open_dialog(SAVER)
            return None
        complaint = f"keyword arguments {', '.join(keywords)}" if keywords else method.complaint(arguments)
        if complaint := complaint or self._too_new(method, arguments):
            self._broken(f"{full}: {complaint}")
            if keywords or self._new_way(method, arguments) or not self._bearable(method, arguments):
                return method.failure
            arguments = tuple(self._known_keys(method, index, one) for index, one in enumerate(arguments))
        thing = world.things[ref.number]
        if thing.stale or thing.epoch != ref.epoch or not world.running:
            return None
        if world.dialog and world.manner.traps.modal_blocks:
            return method.failure
        if method.studio and not world.overlay.studio:
            if world.manner.traps.upsell_modal:
                world.open_dialog(UPSELL)
            return method.failure
        carried_out = getattr(type(thing), name, None)
        if carried_out is None:
            raise NotModelled(f"the stand-in does not know what {full} does; model it first")
        answer = carried_out(thing, *arguments)
        if wrong := method.returns(answer):
            raise AssertionError(f"the stand-in answers {full} wrongly: {wrong}")
        return answer

    def _broken(self, what: str) -> None:
        """A strict Resolve tells the test."""
        if self.strict:
            self.world.breaches.append(what)
            raise ContractBroken(what)

    def _too_new(self, method: Method, arguments: tuple[Any, ...]) -> str | None:
        """What this version does not know yet of a call that the contract allows."""
        at = self.world.overlay.number
        for record, value in _records(method, arguments):
            for key in value:
                if self.rules.keys_since.get((record.name, key), (0,)) > at:
                    return f"{record.name} has no key {key!r} in {self.world.overlay.build}"
        if self._new_way(method, arguments):
            return f"a dict is no argument of it in {self.world.overlay.build}"
        return None

    def _new_way(self, method: Method, arguments: tuple[Any, ...]) -> bool:
        """Whether it is called in a way that this version does not know yet."""
        since, full = self.rules.ways_since, f"{method.owner}.{method.name}"
        return any(
            since.get((full, record.name), (0,)) > self.world.overlay.number
            for record, _ in _records(method, arguments)
        )

    def _bearable(self, method: Method, arguments: tuple[Any, ...]) -> bool:
        """Whether only keys of a dict are unknown, which Resolve ignores."""
        return any(
            signature.complaint(
                tuple(self._known_keys(method, index, one) for index, one in enumerate(arguments))
            )
            is None
            for signature in method.signatures
        )

    def _known_keys(self, method: Method, index: int, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        at = self.world.overlay.number
        for signature in method.signatures:
            if index < len(signature.parameters) and isinstance(
                record := signature.parameters[index].type, Record
            ):
                return {
                    key: one
                    for key, one in value.items()
                    if key in record.keys and self.rules.keys_since.get((record.name, key), (0,)) <= at
                }
        return value

    def _taken(self, value: Any) -> Any:
        """A script's value with things of the model in it."""
        if isinstance(value, Ref):
            return self.world.things[value.number]
        if isinstance(value, Named):
            return Constant(value.name)
        if isinstance(value, dict):
            return {self._taken(key): self._taken(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._taken(one) for one in value]
        return value

    def given(self, value: Any) -> Any:
        """An answer with Refs for things of the model."""
        if isinstance(value, Thing):
            return Ref(value.contract_name, value.number, value.epoch)
        if isinstance(value, Mapping):
            return {key: self.given(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.given(one) for one in value]
        return value


def _records(method: Method, arguments: tuple[Any, ...]) -> list[tuple[Record, dict[Any, Any]]]:
    found = []
    for signature in method.signatures:
        for parameter, value in zip(signature.parameters, arguments, strict=False):
            if isinstance(parameter.type, Record) and isinstance(value, dict):
                found.append((parameter.type, value))
    return found
