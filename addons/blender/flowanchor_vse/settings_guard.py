# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendering without touching what the user set: a copy of the scene, made for one moment and removed before
Blender draws, saves or undoes again. Setting the user's own scene and restoring it would leave the wrong
settings in a file that is saved meanwhile, and drop what the user rendered last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import bpy

from . import bystanders, compat, pictures
from .strips import Refused

_FORCED = ("render.", "view_settings.", "display_settings.", "frame_", "sequence_editor.use_")


def rendering() -> bool:
    """Whether the user's own render is at work (F12, or an animation). Blender cannot render twice at once,
    and its data must not change under a render."""
    return bool(bpy.app.is_job_running("RENDER"))


@contextmanager
def scratch_scene(scene: Any) -> Iterator[Any]:
    """A copy of `scene` with everything set that would change pixels behind the user's back: view, looks,
    borders, burn-in, dither, scale. It is removed at the end, whatever happens, and with it what was made for
    it. Render handlers are not called meanwhile. Refused if the colour configuration has no plain view."""
    with bystanders.without_render_handlers():
        results = _render_results()
        scratch = scene.copy()
        copied = []
        try:
            for holder in list(compat.action_holders(scratch.animation_data)):
                holder.action = holder.action.copy()
                copied.append(holder.action)
            drop_animation(scratch, lambda path: path.startswith(_FORCED))
            _force(scratch)
            yield scratch
        finally:
            bpy.data.scenes.remove(scratch)
            for action in copied:
                bpy.data.actions.remove(action)
            for image in _render_results() - results:
                bpy.data.images.remove(image)


def _render_results() -> set[Any]:
    """The picture Blender shows its renders in, which the first one makes."""
    return {image for image in bpy.data.images if image.type == "RENDER_RESULT"}


def drop_animation(scratch: Any, dropped: Callable[[str], bool]) -> None:
    """Take curves and drivers off a scratch scene whose data path is to be `dropped`; they would set back, at
    each frame, what was forced."""
    animation = scratch.animation_data
    if animation is None:
        return
    for driver in list(animation.drivers):
        if dropped(driver.data_path):
            animation.drivers.remove(driver)
    for holder in compat.action_holders(animation):
        for owner, curve in list(compat.curves(holder.action)):
            if dropped(curve.data_path):
                owner.remove(curve)


def show_alone(scratch: Any, name: str) -> Any:
    """Show one strip of a scratch scene, opaque, as if no other existed; returned."""
    alone = compat.strips(scratch.sequence_editor)[name]
    _hide(scratch, [strip for strip in compat.strips(scratch.sequence_editor) if strip != alone])
    alone.mute = False
    unmute_channel(scratch, alone.channel)
    alone.blend_type = "REPLACE"
    alone.blend_alpha = 1.0
    path = bpy.utils.escape_identifier(name)
    drop_animation(scratch, lambda full: full.endswith((f'["{path}"].mute', f'["{path}"].blend_alpha')))
    return alone


def show_up_to(scratch: Any, channel: int) -> None:
    """Show what is on the channels up to one, as the user mutes it."""
    _hide(scratch, [strip for strip in compat.strips(scratch.sequence_editor) if strip.channel > channel])


def hide_all(scratch: Any) -> None:
    """Show nothing; something has to be added, or Blender renders the 3D scene instead."""
    _hide(scratch, list(compat.strips(scratch.sequence_editor)))


def render(scratch: Any, first: int, last: int, folder: Path, colours: str, depth: int = 8) -> list[Path]:
    """Write scene frames `first` to `last` as PNG of "BW", "RGB" or "RGBA". Handlers of frame changes are
    called for scene strips alone. Refused if a frame was not written."""
    compat.png_output(scratch, colours, depth)
    files = [folder / f"rendering{frame:+08d}.png" for frame in range(first, last + 1)]
    said = ""
    handlers = nullcontext() if _shows_scene(scratch) else bystanders.without_frame_handlers()
    try:
        with handlers:
            _render(scratch, first, last, files)
    except RuntimeError as error:  # what the operator reports as an error
        said = str(error).strip()
    # Where the disk is full Blender leaves what went onto it, and says nothing.
    if said or not all(map(pictures.is_whole, files)):
        for file in files:
            if file.is_file():
                file.unlink()
        raise Refused(
            "export-render",
            f"Blender could not write a frame{f' ({said})' if said else ''}.",
            f"Look whether the disk of {folder} is full, and at Blender's messages in the terminal.",
        )
    return files


def _shows_scene(scratch: Any) -> bool:
    """Whether a scene strip is seen. Handlers of frames may move a rig in it, and Blender's own renders call
    them for each of its frames; for all other strips they call none."""
    seen = [strip for strip in compat.strips(scratch.sequence_editor) if not strip.mute]
    return any(strip.type == "SCENE" for strip in compat.with_inner(seen))


def _render(scratch: Any, first: int, last: int, files: list[Path]) -> None:
    if first < 0:  # where a scene's range cannot begin
        for frame, file in zip(range(first, last + 1), files, strict=True):
            scratch.frame_set(frame)
            scratch.render.filepath = str(file)
            with bpy.context.temp_override(scene=scratch):  # another scene takes the context's frame
                bpy.ops.render.render(write_still=True)
        return
    scratch.frame_start, scratch.frame_end, scratch.frame_step = first, last, 1
    scratch.render.filepath = str(files[0].with_name("rendering-"))
    bpy.ops.render.render(animation=True, scene=scratch.name)
    for frame, file in zip(range(first, last + 1), files, strict=True):
        made = Path(scratch.render.frame_path(frame=frame))
        if made.is_file():
            made.replace(file)


def work_on_code_values(scratch: Any, strip: Any) -> None:
    """Let a strip's frames be rendered as they are stored, in whatever colour space the user's sequencer
    works. Refused if the colour configuration has none that allows it."""
    try:
        scratch.sequencer_colorspace_settings.name = strip.colorspace_settings.name = "sRGB"
    except TypeError as error:
        raise _no_plain_colours() from error


def _no_plain_colours() -> Refused:
    return Refused(
        "export-colour",
        "The colour configuration in use has no view “Standard” for sRGB, so frames cannot be exported "
        "as they are.",
        "Start Blender without OCIO set, or add that view to the configuration.",
    )


def _force(scratch: Any) -> None:
    try:
        compat.plain_view(scratch)
    except TypeError as error:
        raise _no_plain_colours() from error
    output = scratch.render
    for name, value in {
        "resolution_percentage": 100,
        "use_border": False,
        "use_crop_to_border": False,
        "use_stamp": False,
        "dither_intensity": 0.0,
        "use_sequencer": True,
        "use_overwrite": True,
        "use_placeholder": False,
        "use_file_extension": True,
        "use_multiview": False,
        "use_render_cache": False,
    }.items():
        setattr(output, name, value)
    scratch.sequence_editor.use_prefetch = False


def _hide(scratch: Any, hidden: list[Any]) -> None:
    ends = tuple(f'["{bpy.utils.escape_identifier(strip.name)}"].mute' for strip in hidden)
    drop_animation(scratch, lambda path: path.endswith(ends))
    for strip in hidden:
        strip.mute = True


def unmute_channel(scratch: Any, number: int) -> None:
    """Let a channel of a scratch scene be seen."""
    channels = scratch.sequence_editor.channels
    if number < len(channels):
        channels[number].mute = False
