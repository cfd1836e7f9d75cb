# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a result comes to lie: above its source, on a free channel, frame on frame. The source is never
touched: not its times, not its sound, not its muting."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bpy

from . import compat, marks, strips, succession
from .export import ExportResult
from .logic import channels, naming, words
from .logic.frames import FrameRange
from .logic.ledger import Origin, Record
from .masks import MaskChoice
from .strips import Refused

RECORD = "flowanchor_record"
"""Custom property of a result strip: the record, by its id, whose result it shows."""
_DETAILS = "flowanchor_"
_MOVIES = frozenset({".mov", ".mp4", ".m4v", ".mkv", ".avi", ".webm"})


def origin_of(scene: Any, strip: Any, part: FrameRange, mask: MaskChoice, exported: ExportResult) -> Origin:
    """What placing needs to know later, as plain data. Marks the scene and the strip."""
    return Origin(
        scene=scene.name,
        scene_key=marks.key_of(scene),
        strip=strips.identity(scene, strip),
        strip_name=strip.name,
        content=strips.content(strip),
        first=part.first,
        last=part.last,
        channel=strip.channel,
        mask=asdict(mask),
        transform={
            "width": exported.width,
            "height": exported.height,
            "content_start": compat.content_start(strip),
            "colour_space": exported.colour_space,
            "stack": exported.stack,
        },
    )


def place_result(scene: Any, record: Record, files: Sequence[Path]) -> Any:
    """A strip of the result's files (one movie, or one image a frame), returned. One that is there already is
    returned as it is: no result is placed twice. If the source was moved, the result lies where it went,
    unless it was made of a whole stack; if the source is gone, where it was. Images of a movie take the place
    of each strip of the movie, which is retired; the first of them is returned.

    Raises:
        Refused: a file is missing or its path too long, the files do not hold as many frames as the range, or
            no channel is free.
    """
    there = result_strips(scene, record)
    movies = _of_the_movie(there, files)
    if len(there) > len(movies):
        return next(strip for strip in there if strip not in movies)
    files = [Path(file) for file in files]
    missing = [file for file in files if not file.is_file()]
    if missing or not files:
        name = missing[0].name if missing else "the result"
        raise Refused("result-missing", f"{name} is not there any more.", "Fetch the result again.")
    editor = scene.sequence_editor_create()
    active = editor.active_strip
    followed = [movie for movie in movies if succession.can_follow(movie, record)]
    made: list[Any] = []
    try:
        for movie in followed or (None,):
            made.append(_add(scene, record, files, movie))  # noqa: PERF401  # what was made is removed
    except BaseException:
        for strip in made:
            compat.strips(editor).remove(strip)
        raise
    for strip, movie in zip(made, followed, strict=False):
        with contextlib.suppress(Refused):  # no third channel is free: the images stay above
            free = _free_channel(scene, record, strips.visible_range(movie))
            succession.exchange(scene, strip, movie, free)
    retire(followed or movies)
    editor.active_strip = active
    return made[0]


def _add(scene: Any, record: Record, files: Sequence[Path], movie: Any | None) -> Any:
    """A strip of the files, where the movie's is or, without one, where the result belongs."""
    editor = scene.sequence_editor
    over = result_range(scene, record) if movie is None else succession.content_range(movie)
    channel = _free_channel(scene, record, over if movie is None else succession.whole_range(movie))
    name = naming.result_name(
        record.origin.strip_name,
        " ".join(words.changed_words(record.settings.source_prompt, record.settings.target_prompt)),
        record.seed,
        {strip.name for strip in compat.all_strips(editor)},
    )
    strip = _new_strip(editor, name, files, channel, over)
    try:
        _check_files(strip)
        _check_length(strip, record, over)
        _fit(scene, strip, record)
        _blend(strip, record)
        if movie is not None:
            succession.take_after(scene, strip, movie)
        _describe(strip, record)
    except BaseException:
        compat.strips(editor).remove(strip)
        raise
    return strip


def retire(results: Sequence[Any]) -> None:
    """These strips are a result no longer; muted, they stay for what the user has made of them."""
    for strip in results:
        strip.mute = True
        del strip[RECORD]


def result_range(scene: Any, record: Record) -> FrameRange:
    """Where the result belongs now: the range that was edited, moved as the source has been moved since."""
    source = source_strip(scene, record)
    then = record.origin.transform.get("content_start")
    if source is None or then is None or record.origin.transform.get("stack"):
        return record.origin.range
    return record.origin.range.moved(round(compat.content_start(source) - float(then)))


def uncertainty(scene: Any, record: Record) -> str:
    """Why the result is placed at the frames its source had, as `Record.where` says it; empty if it follows
    the source, or belongs to a place in time."""
    if record.origin.transform.get("stack"):
        return ""
    movies = _of_the_movie(result_strips(scene, record), record.paths)
    if any(succession.can_follow(movie, record) for movie in movies):
        return ""
    source, ambiguous = strips.find(scene, record.origin)
    return "" if source is not None else "ambiguous" if ambiguous else "gone"


def result_strips(scene: Any, record: Record) -> list[Any]:
    """Strips that show this record's result, copies included."""
    if scene.sequence_editor is None:
        return []
    return [s for s in compat.all_strips(scene.sequence_editor) if s.get(RECORD) == record.id]


def source_strip(scene: Any, record: Record) -> Any | None:
    """The strip the edit was made of; None if it is gone or cannot be told from its copies."""
    return strips.find(scene, record.origin)[0]


def is_movie(file: Path) -> bool:
    """Whether a result's file is a movie, not an image."""
    return file.suffix.lower() in _MOVIES


def show(results: Sequence[Any], shown: bool) -> None:
    """Compare: show the strips of a result, or what is below them, by muting them."""
    for strip in results:
        strip.mute = not shown


def _of_the_movie(there: Sequence[Any], files: Sequence[Path]) -> list[Any]:
    """Those of a result's strips that show the movie its files, images, were made of."""
    images = bool(files) and not is_movie(Path(files[0]))
    return [strip for strip in there if images and strip.type == "MOVIE"]


def _free_channel(scene: Any, record: Record, over: FrameRange) -> int:
    editor = scene.sequence_editor
    source = source_strip(scene, record)
    above = record.origin.channel
    if source is not None and source.parent_meta() is None:
        effects = [user.channel for user in strips.users(scene, source)]
        above = max([source.channel, *effects])
    taken = [
        channels.Taken(strip.channel, compat.start(strip), compat.end(strip))
        for strip in compat.strips(editor)
    ]
    # On a muted channel it would not be seen, and from a locked one the user wants hands off.
    barred = {number for number, one in enumerate(editor.channels) if one.mute or one.lock}
    found = channels.first_free(taken, over, above, barred=barred)
    if found is None:
        raise Refused(
            "no-channel",
            f"No channel above {above}, muted and locked ones aside, is free from frame {over.first} to "
            f"{over.last}.",
            "Remove or move a strip there, then place the result again.",
        )
    return found


def _new_strip(editor: Any, name: str, files: Sequence[Path], channel: int, over: FrameRange) -> Any:
    made = compat.strips(editor)
    path = _written(files[0])
    if is_movie(files[0]):
        return made.new_movie(name, path, channel, over.first)
    strip = made.new_image(name, path, channel, over.first)
    for file in files[1:]:
        strip.elements.append(file.name)
    if len(files) == 1:  # a picture of its own stands for as long as it is told
        compat.set_end(strip, over.end)
    return strip


def _written(file: Path) -> str:
    """The file's path as the strip keeps it: relative where the results lie beside the .blend, so that both
    can be moved together, if the user wants paths so."""
    blend = bpy.data.filepath
    if (
        blend
        and bpy.context.preferences.filepaths.use_relative_paths
        and file.is_relative_to(Path(blend).parent)
    ):
        return str(bpy.path.relpath(str(file)))
    return str(file)


def _check_files(strip: Any) -> None:
    """Refused unless the strip shows files that are there: Blender drops what is too long of a path."""
    if not all(file.is_file() for file in strips.media_files(strip)):
        raise Refused(
            "result-path",
            "The path of the result is longer than Blender keeps one.",
            "Move the .blend with its results into a folder of a shorter path, or choose another folder for "
            "results in the add-on's preferences and run the edit again.",
        )


def _check_length(strip: Any, record: Record, over: FrameRange) -> None:
    """Refused unless the strip lies exactly over the range, each frame once."""
    whole = strip.type == "IMAGE" or compat.content_length(strip) == over.count
    if whole and (compat.start(strip), compat.end(strip)) == (over.first, over.end):
        return
    raise Refused(
        "result-length",
        f"The result of {record.id} holds {compat.content_length(strip)} frames in place of {over.count}.",
        "Fetch the result again; if that does not help, retry the edit.",
    )


def _fit(scene: Any, strip: Any, record: Record) -> None:
    """What was exported was the whole picture then, so the result takes its place, whatever size it has been
    given. Strips keep their size when the resolution changes, and so does what was exported."""
    element = strip.elements[0] if len(strip.elements) else None
    known = (element.orig_width, element.orig_height) if element is not None else (0, 0)
    then = record.origin.transform
    exported = then.get("width", 0), then.get("height", 0)
    whole = exported if all(exported) else (scene.render.resolution_x, scene.render.resolution_y)
    for width, height in (known, record.size, exported):
        if width and height:
            strip.transform.scale_x = whole[0] / width
            strip.transform.scale_y = whole[1] / height
            break
    strip.transform.offset_x = strip.transform.offset_y = strip.transform.rotation = 0.0


def _blend(strip: Any, record: Record) -> None:
    patch = record.settings.deliver == "patch"
    strip.blend_type = "ALPHA_OVER" if patch else "REPLACE"
    strip.blend_alpha = 1.0
    if patch:
        strip.alpha_mode = "STRAIGHT"
    strip.colorspace_settings.name = record.origin.transform.get("colour_space", "sRGB")


def _describe(strip: Any, record: Record) -> None:
    settings = record.settings
    strip[strips.ID], strip[strips.OWNER] = uuid.uuid4().hex, strip.name
    strip[RECORD] = record.id
    for name, value in {
        "job": record.job,
        "parent": record.parent,
        "source_strip": record.origin.strip,
        "seed": str(record.seed),  # larger than the 32 bits of a custom property's number
        "source_prompt": settings.source_prompt,
        "target_prompt": settings.target_prompt,
        "editor": settings.editor,
        "model": settings.model,
        "preset": settings.preset,
    }.items():
        strip[_DETAILS + name] = value
