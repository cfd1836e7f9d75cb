# SPDX-License-Identifier: GPL-3.0-or-later
"""Which strip and which scene an edit belongs to, when undo has taken marks away and copies carry them too.

A strip is marked by an id and the name of the strip it was given to (its owner): Blender gives every copy the
marks of the original and a name of its own, so of strips that share an id the one with the owner's name is
the original. A scene is marked in the same way; within one session its `session_uid` decides, which survives
undo and renaming and which no copy shares.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class StripLook(NamedTuple):
    """A strip as it stands. `id` and `owner` are its marks, empty where it has none; `content` says what it
    shows, so that copies have the same."""

    id: str
    owner: str
    name: str
    content: str


class SceneLook(NamedTuple):
    """A scene as it stands: its marks, its name, and its number in this session."""

    key: str
    owner: str
    name: str
    uid: int


class Found(NamedTuple):
    """Where a strip is among those looked at; None if it is not, `ambiguous` if several could be it."""

    at: int | None
    ambiguous: bool = False


def find_strip(strips: Sequence[StripLook], id: str, name: str, content: str) -> Found:  # noqa: A002  # its name
    """The strip an edit was made of.

    By its id, the owner's before copies. Where no strip has that id, as after an undo to before it was given:
    one of the same content without an id, by its name or as the only one. A strip marked as another is never
    taken.

    Args:
        strips: of one scene.
        id, name, content: of the strip when the edit was made; an empty content is not known.
    """
    same = [index for index, strip in enumerate(strips) if id and strip.id == id]
    if same:
        owners = [index for index in same if strips[index].owner == strips[index].name]
        return _only(same if len(same) == 1 else owners, same)
    alike = [
        index
        for index, strip in enumerate(strips)
        if not strip.id and (strip.content == content if content else strip.name == name)
    ]
    named = [index for index in alike if strips[index].name == name]
    return _only(named or alike, alike)


def _only(chosen: Sequence[int], possible: Sequence[int]) -> Found:
    if len(chosen) == 1:
        return Found(chosen[0])
    return Found(None, ambiguous=bool(possible))


def strip_owners(strips: Sequence[StripLook]) -> list[tuple[str, str]]:
    """Marks (id, owner) the strips of a scene should have, in their order. Copies of an original lose theirs;
    one that is alone with its id has only been renamed. Where no original can be told nothing is changed."""
    holders: dict[str, list[int]] = {}
    for index, strip in enumerate(strips):
        if strip.id:
            holders.setdefault(strip.id, []).append(index)
    marks = [(strip.id, strip.owner) for strip in strips]
    for id, indexes in holders.items():  # noqa: A001
        owners = [index for index in indexes if strips[index].owner == strips[index].name]
        if len(indexes) == 1:
            marks[indexes[0]] = (id, strips[indexes[0]].name)
        elif len(owners) == 1:
            for index in indexes:
                if index != owners[0]:
                    marks[index] = ("", "")
    return marks


@dataclass
class SceneKeys:
    """Which scene of the open file has which key."""

    _uids: dict[str, int]

    def __init__(self) -> None:
        self._uids = {}

    def clear(self) -> None:
        """Another file was opened: numbers are given anew."""
        self._uids.clear()

    def give(self, key: str, uid: int) -> None:
        """A scene was marked just now."""
        self._uids[key] = uid

    def settle(self, scenes: Sequence[SceneLook]) -> list[tuple[str, str]]:
        """Marks (key, owner) the scenes should have, in their order: what undo took is given back, copies
        lose theirs. Of a file just opened, the scene that has the owner's name is the original."""
        self._learn(scenes)
        own = {uid: key for key, uid in self._uids.items()}
        marks = []
        for scene in scenes:
            if scene.uid in own:
                marks.append((own[scene.uid], scene.name))
            elif scene.key in self._uids:
                marks.append(("", ""))
            else:
                marks.append((scene.key, scene.owner))
        return marks

    def _learn(self, scenes: Sequence[SceneLook]) -> None:
        unknown: dict[str, list[SceneLook]] = {}
        taken = set(self._uids.values())
        for scene in scenes:
            if scene.key and scene.key not in self._uids and scene.uid not in taken:
                unknown.setdefault(scene.key, []).append(scene)
        for key, holders in unknown.items():
            owners = [scene for scene in holders if scene.owner == scene.name]
            chosen = holders if len(holders) == 1 else owners
            if len(chosen) == 1:
                self._uids[key] = chosen[0].uid


def find_scene(scenes: Iterable[SceneLook], key: str, name: str) -> str | None:
    """Name of the scene an edit was made in; None if it is gone or cannot be told from its copies.

    Args:
        scenes: as they are after `SceneKeys.settle`.
        key, name: of the scene when the edit was made; an edit of an older version has no key.
    """
    known = list(scenes)
    holders = [scene.name for scene in known if key and scene.key == key]
    if len(holders) == 1:
        return holders[0]
    if holders:
        return name if name in holders else None
    unmarked = [scene.name for scene in known if not (key and scene.key)]
    return name if name in unmarked else None
