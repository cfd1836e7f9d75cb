# SPDX-License-Identifier: GPL-3.0-or-later
"""The region of an edit: five ways of saying it, all as pixels of the exported frames.

Four of them are rendered, since keyed shapes of a mask cannot be read by a script, and only rendering shows
what Blender makes of its own mask space (a centred square as wide as the picture's longer side).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import bpy

from . import compat, pictures, settings_guard, strips, text
from .export import Source, at_once, write_frames
from .logic.frames import FrameRange
from .logic.naming import frame_file
from .logic.plan import Box, Footage
from .strips import Refused

Kind = Literal["mask", "modifier", "strip", "alpha", "box"]
_NO_PICTURE = frozenset({"SOUND", "ADJUSTMENT"})
_ALPHA = 3


@dataclass(frozen=True)
class MaskChoice:
    """`name` is that of the Mask datablock, the modifier, or the mask strip; `box` is of the kind "box".
    `library` is the path of the file a Mask is linked from, as Blender keeps it: a Mask of the open file may
    have the same name."""

    kind: Kind
    name: str = ""
    box: Box | None = None
    library: str = ""

    @classmethod
    def of_mask(cls, mask: Any) -> MaskChoice:
        """A Mask datablock; None chooses none."""
        if mask is None:
            return cls("mask")
        return cls("mask", mask.name, library=mask.library.filepath if mask.library is not None else "")

    @property
    def key(self) -> tuple[str, str | None]:
        """By which Blender finds the Mask."""
        return self.name, self.library or None


@dataclass(frozen=True)
class MaskResult:
    """What a mask gave.

    Attributes:
        files: one 8-bit grey PNG a frame, white inside; none for a box.
        boxes: the region as numbers.
        coverage: share of the pixels inside the region, 0 to 1, frame by frame.
    """

    files: tuple[Path, ...] = ()
    boxes: tuple[Box, ...] = ()
    coverage: tuple[float, ...] = ()

    @property
    def footage(self) -> tuple[Footage, ...]:
        return (Footage(self.files, 0),) if self.files else ()

    @property
    def empty(self) -> tuple[int, ...]:
        """Frames, from 0, on which nothing is marked."""
        return tuple(index for index, share in enumerate(self.coverage) if share == 0)


def choices(scene: Any, strip: Any) -> list[MaskChoice]:
    """What this strip's region can be taken from, the likeliest first; a box aside, which is always
    possible."""
    modifiers = [
        MaskChoice("modifier", modifier.name) for modifier in strip.modifiers if modifier.type == "MASK"
    ]
    above = sorted(_above(scene, strip), key=lambda other: (other.type != "MASK", other.channel))
    return [
        *(choice for choice in modifiers if problem(scene, strip, choice) is None),
        *(MaskChoice("strip", other.name) for other in above),
        *map(MaskChoice.of_mask, bpy.data.masks),
        MaskChoice("alpha"),
    ]


def problem(scene: Any, strip: Any, choice: MaskChoice) -> Refused | None:
    """Why the choice cannot be used for the strip; None if it can. Looks at no pixel."""
    name = f" “{choice.name}”" if choice.name else ""
    if choice.kind == "mask" and bpy.data.masks.get(choice.key) is None:
        return Refused(
            "mask-none",
            f"There is no mask{name}." if name else "No mask is chosen.",
            "Choose a mask, or draw one in the image editor.",
        )
    if choice.kind == "strip" and choice.name not in {other.name for other in _above(scene, strip)}:
        return Refused(
            "mask-none",
            f"No strip{name} lies above “{strip.name}”.",
            "Put the mask strip on a channel above, at the same frames.",
        )
    if choice.kind == "modifier":
        modifier = strip.modifiers.get(choice.name)
        if modifier is None or modifier.type != "MASK":
            return Refused(
                "mask-none",
                f"“{strip.name}” has no mask modifier{name}.",
                "Add one, or choose another kind of mask.",
            )
        if compat.modifier_mask(modifier) is None:
            return Refused("mask-none", f"The modifier{name} has no mask.", "Choose a mask in the modifier.")
    if choice.kind == "box" and _inside(scene, choice.box) is None:
        width, height = scene.render.resolution_x, scene.render.resolution_y
        return Refused(
            "mask-box",
            "The box marks nothing of the picture.",
            f"Its pixels have to be within {width} x {height}.",
        )
    return None


def export_mask(
    choice: MaskChoice, strip: Any, part: FrameRange, folder: Path
) -> Generator[int, None, MaskResult]:
    """As `export.export_frames`: yields the number of frames so far, returns the result; what can be refused
    at once is, by the call itself. Whether nothing is marked (`MaskResult.empty`) is for the caller to
    judge."""
    scene = strip.id_data
    if (found := strips.problem(scene, strip) or problem(scene, strip, choice)) is not None:
        raise found
    if choice.kind == "box":
        return at_once(_box(scene, choice, part))
    return _rendered(choice, strip, part, folder)


def coverage_at(choice: MaskChoice, strip: Any, frame: int) -> float:
    """Share of the picture that is marked at a scene frame, 0 to 1. Renders that frame. Refused as
    `export_mask`."""
    scene = strip.id_data
    if (found := strips.problem(scene, strip) or problem(scene, strip, choice)) is not None:
        raise found
    part = FrameRange(frame, frame)
    if choice.kind == "box":
        return _box(scene, choice, part).coverage[0]
    if settings_guard.rendering():
        raise Refused("rendering", text.say(text.RENDERING_REFUSED), text.say(text.RENDERING_HELP))
    with tempfile.TemporaryDirectory(prefix="flowanchor-") as folder:
        frames = _rendered(choice, strip, part, Path(folder))
        while True:
            try:
                next(frames)
            except StopIteration as done:
                result: MaskResult = done.value
                return result.coverage[0]


def _rendered(
    choice: MaskChoice, strip: Any, part: FrameRange, folder: Path
) -> Generator[int, None, MaskResult]:
    source = Source(
        strip.id_data,
        strip,
        part,
        strips_too=(choice.name,) if choice.kind == "strip" else (),
        masks_too=(choice.key,) if choice.kind == "mask" else (),
    )
    return _written(choice, strip.name, part, folder, source)


def _written(
    choice: MaskChoice, strip: str, part: FrameRange, folder: Path, source: Source
) -> Generator[int, None, MaskResult]:
    view, alpha = _view(choice, strip, part)

    def show(scratch: Any) -> None:
        compat.no_caches(scratch.sequence_editor)
        view(scratch)

    frames = write_frames(source, part, folder, show, "RGBA" if alpha else "BW")
    coverage: list[float] = []
    whole = False
    try:
        while True:
            try:
                done = next(frames)
            except StopIteration as end:
                whole = True
                return MaskResult(end.value, (), tuple(coverage))
            if done == len(coverage):  # Blender renders for the user
                yield done
                continue
            file = folder / frame_file(done - 1)
            picture = pictures.read_channel(file, _ALPHA if alpha else 0)
            if choice.kind != "alpha":
                _mend_corner(picture)
            pictures.write(file, picture)
            coverage.append(pictures.share(picture))
            yield done
    finally:
        if not whole:
            frames.close()


def _mend_corner(picture: pictures.Picture) -> None:
    """Blender (4.2 to 5.0 at least) leaves the last pixel of a mask as it finds it in memory, at times white,
    which would stretch the region to the corner. It becomes the darker of its neighbours."""
    if min(picture.shape) > 1:
        picture[0, -1] = min(picture[0, -2], picture[1, -1])


def _view(choice: MaskChoice, name: str, part: FrameRange) -> tuple[Callable[[Any], None], bool]:
    """What a scratch scene has to show, and whether the region is then its alpha (or its brightness)."""

    def mask(scratch: Any) -> None:
        # Not through a mask strip: that shows a mask from the mask's own first frame on, which is never below
        # 0. A modifier shows it at the scene's frames, at which a mask over footage is keyed.
        settings_guard.hide_all(scratch)
        white = compat.new_colour(scratch.sequence_editor, "mask", 1, part.first, part.end)
        white.color = (1.0, 1.0, 1.0)
        cut = compat.new_modifier(scratch, white, "mask", "MASK")
        cut.input_mask_type, cut.input_mask_id = "ID", bpy.data.masks[choice.key]
        cut.mask_time = "ABSOLUTE"
        settings_guard.show_alone(scratch, white.name)

    def modifier(scratch: Any) -> None:
        alone = settings_guard.show_alone(scratch, name)
        for other in alone.modifiers:
            other.mute = other.name != choice.name

    def other_strip(scratch: Any) -> None:
        settings_guard.show_alone(scratch, choice.name)

    def alpha(scratch: Any) -> None:
        settings_guard.show_alone(scratch, name)

    views = {"mask": mask, "modifier": modifier, "strip": other_strip, "alpha": alpha}
    return views[choice.kind], choice.kind in ("mask", "modifier", "alpha")


def _above(scene: Any, strip: Any) -> list[Any]:
    """Strips with a picture on a channel above, at some of the same frames."""
    seen = strips.visible_range(strip)
    return [
        other
        for other in compat.strips(scene.sequence_editor)
        if other.channel > strip.channel
        and other.type not in _NO_PICTURE
        and compat.start(other) < seen.end
        and compat.end(other) > seen.first
    ]


def _inside(scene: Any, box: Box | None) -> Box | None:
    """The part of a box that is in the picture; None if there is none."""
    if box is None or not (box.width > 0 and box.height > 0):
        return None
    left, top = max(box.x, 0.0), max(box.y, 0.0)
    right = min(box.x + box.width, float(scene.render.resolution_x))
    bottom = min(box.y + box.height, float(scene.render.resolution_y))
    return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None


def _box(scene: Any, choice: MaskChoice, part: FrameRange) -> MaskResult:
    box = _inside(scene, choice.box)
    assert box is not None, "problem() was asked"
    area = scene.render.resolution_x * scene.render.resolution_y
    return MaskResult((), (box,), (box.width * box.height / area,) * part.count)
