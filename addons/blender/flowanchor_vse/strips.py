# SPDX-License-Identifier: GPL-3.0-or-later
"""Which strips can be edited, and the sentence that says why another cannot; which of their frames; how one
is found again when pointers have gone (undo, load) and names have changed."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy

from . import compat
from .logic.frames import FrameRange, exact_rate
from .logic.identity import StripLook, find_strip, strip_owners
from .logic.ledger import Origin

ID = "flowanchor_id"
"""Custom property by which a strip is found again."""
OWNER = "flowanchor_owner"
"""Custom property: the name of the strip the id was given to; a copy has another name."""
EDITABLE = frozenset({"MOVIE", "IMAGE", "SCENE", "META"})

_META = "Select it with the strips it works on, make a meta strip of them (Ctrl G) and edit that."
_OTHERS = {
    "SOUND": ("has no picture", "Select the movie strip beside it."),
    "CLIP": (
        "is a movie clip strip",
        "Add its file as a movie strip and edit that, or make it a meta strip (Ctrl G).",
    ),
    "MASK": ("is a mask", "Select the strip below it and choose this mask for its region."),
    "COLOR": ("is one plain colour", "Select a movie, image, scene or meta strip."),
    "TEXT": ("is a text", "Make a meta strip of it (Ctrl G) and edit that."),
    "ADJUSTMENT": ("only changes what is below it", "Select a strip below it and edit the whole stack."),
}


class Refused(Exception):
    """Something cannot be done here. `message` says what is wrong, `action` what helps: a plain sentence
    each."""

    def __init__(self, code: str, message: str, action: str) -> None:
        super().__init__(f"{message} {action}")
        self.code = code
        self.message = message
        self.action = action


def problem(scene: Any, strip: Any) -> Refused | None:
    """Why this strip cannot be edited; None if it can. Looks at no file, so that panels may ask."""
    if scene is None or scene.sequence_editor is None or strip is None:
        return Refused("strip-none", "No strip is active.", "Select a movie, image, scene or meta strip.")
    name = f"“{strip.name}”"
    if scene.library is not None:
        return Refused(
            "strip-linked",
            f"{name} is in a scene that is linked from another file.",
            "Open that file, or make the scene local.",
        )
    if strip.type not in EDITABLE:
        what, action = _OTHERS.get(strip.type, ("is an effect", _META))
        return Refused("strip-kind", f"{name} {what} and cannot be edited.", action)
    parent = strip.parent_meta()
    if parent is not None:
        return Refused(
            "strip-inside-meta",
            f"{name} is inside the meta strip “{parent.name}”.",
            "Select the meta strip, or move this strip out of it (Alt G).",
        )
    if strip.type == "SCENE" and strip.scene is None:
        return Refused("strip-empty", f"{name} shows no scene.", "Choose one in the strip's properties.")
    if compat.end(strip) <= compat.start(strip):
        return Refused("strip-empty", f"{name} shows no frame.", "Make it longer.")
    speed = next((user for user in users(scene, strip) if user.type == "SPEED"), None)
    if speed is not None:
        return Refused(
            "strip-speed",
            f"The effect “{speed.name}” changes which frames of {name} are seen.",
            "Make a meta strip of both (Ctrl G) and edit that.",
        )
    return None


def users(scene: Any, strip: Any) -> list[Any]:
    """Effect strips that work on this strip."""
    return [
        other
        for other in compat.all_strips(scene.sequence_editor)
        if strip in (getattr(other, "input_1", None), getattr(other, "input_2", None))
    ]


def notes(scene: Any, strip: Any) -> list[str]:
    """Sentences a user should read before an edit that is possible all the same. Looks at no file."""
    found = []
    names = ", ".join(f"“{user.name}”" for user in users(scene, strip))
    if names:
        found.append(f"The strip is edited as it is without {names}; the result lies above.")
    if strip.blend_type != "REPLACE" and strip.blend_alpha < 1.0:
        found.append("The strip is not opaque; edit the whole stack to edit what is seen.")
    if not _fills(scene, strip):
        found.append(
            "The strip does not fill the picture; deliver a patch, or the result hides what is below."
        )
    return found


def visible_range(strip: Any) -> FrameRange:
    """Scene frames at which the strip is seen, trims respected; Refused for a strip of no frame."""
    start, end = compat.start(strip), compat.end(strip)
    if end <= start:
        raise Refused("strip-empty", f"“{strip.name}” shows no frame.", "Make it longer.")
    return FrameRange.half_open(start, end)


def edited_range(scene: Any, strip: Any, within_scene: bool = False) -> FrameRange:
    """The strip's visible range; with `within_scene` the part of it in the scene's (preview) range. Refused
    if there is none."""
    visible = visible_range(strip)
    if not within_scene:
        return visible
    preview = scene.use_preview_range
    first = scene.frame_preview_start if preview else scene.frame_start
    last = scene.frame_preview_end if preview else scene.frame_end
    common = visible.common(FrameRange(first, last)) if first <= last else None
    if common is None:
        raise Refused(
            "range-empty",
            f"No frame of “{strip.name}” is within the {'preview' if preview else 'scene'} range "
            f"({first} to {last}).",
            "Change the range, or edit the whole strip.",
        )
    return common


def identity(scene: Any, strip: Any) -> str:
    """The strip's id, given to it now if it has none of its own."""
    settle(scene)
    if not isinstance(strip.get(ID), str):
        _mark(strip, uuid.uuid4().hex, strip.name)
    return str(strip[ID])


def settle(scene: Any) -> bool:
    """Put the marks of a scene's strips right: copies lose those of their original. Whether there are any."""
    marked = [strip for strip in compat.all_strips(scene.sequence_editor) if ID in strip]
    looks = [_look(strip) for strip in marked]
    for strip, look, (mark, owner) in zip(marked, looks, strip_owners(looks), strict=True):
        if (mark, owner) != (look.id, look.owner):
            _mark(strip, mark, owner)
    return bool(marked)


def unmark(scene: Any) -> None:
    """Take the marks of all of a scene's strips."""
    for strip in compat.all_strips(scene.sequence_editor):
        _mark(strip, "", "")


def marks_in(scene: Any) -> list[str]:
    """The mark of each strip of a scene that has one."""
    return [str(strip[ID]) for strip in compat.all_strips(scene.sequence_editor) if ID in strip]


def find(scene: Any, origin: Origin) -> tuple[Any | None, bool]:
    """The strip an edit was made of, if it can be told, and whether several could be it."""
    if scene is None or scene.sequence_editor is None or not origin.strip:
        return None, False
    there = list(compat.all_strips(scene.sequence_editor))
    looks = [_look(strip, full=True) for strip in there]
    found = find_strip(looks, origin.strip, origin.strip_name, origin.content)
    return (None if found.at is None else there[found.at]), found.ambiguous


def mark_again(scene: Any, origins: Iterable[Origin]) -> None:
    """Give the source strips of edits their marks back, where undo has taken them and they can be told by
    their names too: one that was cut may be pasted again, and its other half is not it."""
    there = list(compat.all_strips(scene.sequence_editor))
    marked = {str(strip.get(ID, "")) for strip in there}
    lost = {origin.strip: origin for origin in origins if origin.strip and origin.strip not in marked}
    looks = [_look(strip, full=True) for strip in there] if lost else []
    for origin in lost.values():
        at = find_strip(looks, origin.strip, origin.strip_name, origin.content).at
        if at is not None and there[at].name == origin.strip_name:
            _mark(there[at], origin.strip, there[at].name)
            looks[at] = _look(there[at])


def content(strip: Any) -> str:
    """What a strip shows, in a short text that copies of it share."""
    if strip.type == "MOVIE":
        what = _file_name(strip.filepath)
    elif strip.type == "IMAGE":
        first = strip.elements[0].filename if len(strip.elements) else ""
        what = f"{len(strip.elements)} {first}"
    elif strip.type == "SCENE":
        what = strip.scene.name if strip.scene is not None else ""
    elif strip.type == "META":
        inner = " ".join(sorted(content(one) for one in compat.strips(strip)))
        what = hashlib.sha256(inner.encode()).hexdigest()[:32]
    else:
        what = ""
    return f"{strip.type} {what}"


def _file_name(path: str) -> str:
    """Its last part, whatever system wrote it: folders differ between relative and absolute paths."""
    return re.split(r"[\\/]", path)[-1]


def _look(strip: Any, full: bool = False) -> StripLook:
    """`full`: with its content, which only strips without an id are asked for."""
    mark = str(strip.get(ID, ""))
    shows = content(strip) if full and not mark else ""
    return StripLook(mark, str(strip.get(OWNER, "")), strip.name, shows)


def _mark(strip: Any, mark: str, owner: str) -> None:
    if mark:
        strip[ID], strip[OWNER] = mark, owner
        return
    for name in (ID, OWNER):
        if name in strip:
            del strip[name]


def _fills(scene: Any, strip: Any) -> bool:
    """Whether the strip's picture surely covers the whole frame."""
    if strip.type in ("SCENE", "META"):
        width, height = scene.render.resolution_x, scene.render.resolution_y
    else:
        element = strip.elements[0] if len(strip.elements) else None
        width, height = (element.orig_width, element.orig_height) if element is not None else (0, 0)
        if not width or not height:  # Blender fills these in when it has seen the file
            return True
    place, crop = strip.transform, strip.crop
    if crop.min_x or crop.max_x or crop.min_y or crop.max_y or place.rotation:
        return False
    spare_x = (width * place.scale_x - scene.render.resolution_x) / 2
    spare_y = (height * place.scale_y - scene.render.resolution_y) / 2
    return bool(spare_x >= abs(place.offset_x) - 0.5 and spare_y >= abs(place.offset_y) - 0.5)


def named(scene: str, strip: str) -> tuple[Any, Any]:
    """A scene and a strip on its timeline, by their names: after anything the user may have done in between,
    undo above all, a pointer from before would crash Blender. Refused if one is gone."""
    found = bpy.data.scenes.get(scene)
    editor = found.sequence_editor if found is not None else None
    there = compat.strips(editor).get(strip) if editor is not None else None
    if there is None:
        raise Refused("strip-gone", f"“{strip}” is no longer there.", "Start the edit again.")
    return found, there


def scene_curves(scene: Any) -> list[Any]:
    """Animation curves of a scene, which hold those of its strips."""
    holders = compat.action_holders(scene.animation_data)
    return [curve for holder in holders for _, curve in compat.curves(holder.action)]


def scene_rate(scene: Any) -> Fraction:
    """Frames a second of a scene."""
    return exact_rate(scene.render.fps, scene.render.fps_base)


def media_files(strip: Any) -> list[Path]:
    """Files a movie or image strip, or what is in a meta strip, shows."""
    library = strip.id_data.library
    if strip.type == "META":
        return [file for inner in compat.strips(strip) for file in media_files(inner)]
    if strip.type == "MOVIE":
        return [Path(bpy.path.abspath(strip.filepath, library=library))]
    if strip.type == "IMAGE":
        folder = Path(bpy.path.abspath(strip.directory, library=library))
        return [folder / element.filename for element in strip.elements]
    return []
