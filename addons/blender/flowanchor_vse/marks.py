# SPDX-License-Identifier: GPL-3.0-or-later
"""The marks of scenes and strips in the open file, kept true (`logic/identity.py` says what they mean): taken
from copies, given back where undo took them.

They are written outside of undo steps, as the ledger is: what an undo brings back is put right again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

import bpy

from . import strips
from .logic import identity
from .logic.ledger import Origin

SCENE_KEY = "flowanchor_scene"
"""Custom property by which a scene is found again."""
SCENE_OWNER = "flowanchor_scene_owner"
"""Custom property: the name of the scene the key was given to."""

_keys = identity.SceneKeys()


def forget() -> None:
    """Another file was opened."""
    _keys.clear()


def key_of(scene: Any) -> str:
    """The scene's key, given to it now if it has none."""
    settle_scenes()
    _give_key(scene)
    return str(scene[SCENE_KEY])


def _give_key(scene: Any) -> None:
    if not isinstance(scene.get(SCENE_KEY), str):
        scene[SCENE_KEY], scene[SCENE_OWNER] = uuid.uuid4().hex, scene.name
    _keys.give(scene[SCENE_KEY], scene.session_uid)


def settle(origins: Iterable[Origin] = ()) -> None:
    """Put the marks of all scenes and their strips right, and give those back that undo has taken from the
    sources of these edits."""
    settle_scenes()
    for scene in _local():
        marked = scene.sequence_editor is not None and strips.settle(scene)
        # A strip was moved here from another scene: those of a copy of this one are not to be taken for it.
        if marked and SCENE_KEY not in scene:
            _give_key(scene)
    by_scene: dict[tuple[str, str], list[Origin]] = {}
    holders = _holders()
    for origin in origins:
        if origin.strip not in holders:
            by_scene.setdefault((origin.scene_key, origin.scene), []).append(origin)
    for some in by_scene.values():
        scene = home_of(some[0])
        if scene is not None and scene.sequence_editor is not None:
            strips.mark_again(scene, some)


def settle_scenes() -> None:
    """Put the marks of scenes right. The strips of a copied scene are copies too and lose theirs, so that
    none is taken for one that was moved there."""
    scenes = _local()
    looks = [_look(scene) for scene in scenes]
    for scene, look, (key, owner) in zip(scenes, looks, _keys.settle(looks), strict=True):
        if (key, owner) == (look.key, look.owner):
            continue
        if key:
            scene[SCENE_KEY], scene[SCENE_OWNER] = key, owner
        else:
            for name in (SCENE_KEY, SCENE_OWNER):
                if name in scene:
                    del scene[name]
            if scene.sequence_editor is not None:
                strips.unmark(scene)


def scene_of(origin: Origin) -> Any | None:
    """The scene an edit belongs to, as marks stand: the one it was made in, or where its source strip is now
    if that was moved into another, by cutting and pasting. None if it is gone or one of several copies."""
    home = home_of(origin)
    if origin.transform.get("stack"):  # it was made of what that scene shows
        return home
    holders = _holders().get(origin.strip, [])
    return holders[0] if len(holders) == 1 and home not in holders else home


def _holders() -> dict[str, list[Any]]:
    """By mark, the scenes with a strip that has it, one for each strip. One look at every strip, however many
    edits the file has."""
    found: dict[str, list[Any]] = {}
    for scene in _local():
        for mark in strips.marks_in(scene) if scene.sequence_editor is not None else ():
            found.setdefault(mark, []).append(scene)
    return found


def home_of(origin: Origin) -> Any | None:
    """The scene an edit was made in, as marks stand; None if it is gone or one of several copies."""
    name = identity.find_scene([_look(scene) for scene in _local()], origin.scene_key, origin.scene)
    return bpy.data.scenes.get(name) if name is not None else None


def _local() -> list[Any]:
    """Scenes that can be written to: those linked from other files cannot."""
    return [scene for scene in bpy.data.scenes if scene.library is None]


def _look(scene: Any) -> identity.SceneLook:
    return identity.SceneLook(
        str(scene.get(SCENE_KEY, "")), str(scene.get(SCENE_OWNER, "")), scene.name, scene.session_uid
    )
