# SPDX-License-Identifier: Apache-2.0
"""What the scripts share: checks and their outcome, a fresh file for each, strips, pictures, dumps of
everything."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import bpy
import numpy as np
from flowanchor_vse import compat
from flowanchor_vse.strips import Refused

MEDIA, FOLDER, OUTCOME = (Path(argument) for argument in sys.argv[1:4])
Failure = TypeVar("Failure", bound=BaseException)
Check = Callable[[], None]
_CHECKS: list[Check] = []
FRAMES = 40
WIDTH, HEIGHT = 192, 96


def check(function: Check) -> Check:
    """Mark a function as a check; its name in words is its name in the table."""
    _CHECKS.append(function)
    return function


def run_all() -> None:
    """Run the checks, each in a fresh file, and end the process."""
    outcome: dict[str, str] = {}
    for function in _CHECKS:
        name = function.__name__.replace("_", " ")
        outcome[name] = "it did not end"
        OUTCOME.write_text(json.dumps(outcome), "utf-8")
        try:
            fresh()
            function()
            outcome[name] = ""
        except BaseException:  # noqa: BLE001  # any way of failing is an outcome
            outcome[name] = traceback.format_exc()
        OUTCOME.write_text(json.dumps(outcome), "utf-8")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def fresh() -> Any:
    """An empty file with a sequencer at the clips' size and 24 frames a second; its scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.sequence_editor_create()
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    scene.render.fps, scene.render.fps_base = 24, 1.0
    if hasattr(bpy.context.workspace, "sequencer_scene"):
        bpy.context.workspace.sequencer_scene = scene
    return scene


def scene() -> Any:
    return bpy.context.scene


def strips() -> Any:
    return compat.strips(scene().sequence_editor)


def movie(name: str, file: str = "24.mp4", channel: int = 1, start: int = 1) -> Any:
    return strips().new_movie(name, str(MEDIA / file), channel, start)


def images(name: str, channel: int = 1, start: int = 1, count: int = FRAMES, folder: str = "images") -> Any:
    strip = strips().new_image(name, str(MEDIA / folder / "000000.png"), channel, start)
    for number in range(1, count):
        strip.elements.append(f"{number:06d}.png")
    return strip


def effect(name: str, kind: str, channel: int, first: int, end: int, *inputs: Any) -> Any:
    known = strips().bl_rna.functions["new_effect"].parameters
    names = ("input1", "input2") if "input1" in known else ("seq1", "seq2")
    size = {"length": end - first} if "length" in known else {"frame_end": end}
    return strips().new_effect(name, kind, channel, first, **size, **dict(zip(names, inputs, strict=False)))


def trim(strip: Any, start: int, end: int) -> None:
    strip.frame_final_start, strip.frame_final_end = start, end


@contextmanager
def sequencer(view: str = "SEQUENCER") -> Iterator[None]:
    """A sequencer area to run operators in."""
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    area.spaces.active.view_type = view
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        yield


def finish(steps: Generator[int, None, Any]) -> Any:
    """Run a generator to its end; its result. It has to yield 1, 2, 3 ..."""
    expected = 1
    while True:
        try:
            assert next(steps) == expected
            expected += 1
        except StopIteration as done:
            return done.value


def raised(kind: type[Failure], act: Callable[[], object]) -> Failure:
    """The failure of that kind which `act` ends with; AssertionError if it ends with none."""
    try:
        act()
    except kind as failure:
        return failure
    raise AssertionError(f"no {kind.__name__}")


def refused(code: str, act: Callable[[], object]) -> Refused:
    """The refusal of that code which `act` ends with."""
    found = raised(Refused, act)
    assert found.code == code, (found.code, code)
    assert found.message.endswith(".")
    assert found.action.endswith(".")
    return found


def pixels(file: Path) -> Any:
    """RGBA code values of an 8-bit picture, the upper row first."""
    image = bpy.data.images.load(str(file), check_existing=False)
    image.colorspace_settings.name = "Non-Color"
    image.alpha_mode = "CHANNEL_PACKED"
    values = np.empty(image.size[0] * image.size[1] * image.channels, np.float32)
    image.pixels.foreach_get(values)
    shaped = values.reshape(image.size[1], image.size[0], image.channels)[::-1]
    bpy.data.images.remove(image)
    return np.rint(shaped * 255).astype(np.uint8)


def shown(first: int, last: int, name: str = "shown") -> list[Any]:
    """What Blender itself renders of the file as it stands, frame by frame, with a plain view: RGB
    pictures."""
    here = scene()
    folder = FOLDER / name
    view, output = here.view_settings, here.render
    view.view_transform, view.look, view.exposure, view.gamma = "Standard", "None", 0, 1
    output.dither_intensity = 0
    if hasattr(output.image_settings, "media_type"):
        output.image_settings.media_type = "IMAGE"
    output.image_settings.file_format, output.image_settings.color_mode = "PNG", "RGB"
    output.filepath = str(folder / "f-")
    here.frame_start, here.frame_end = first, last
    bpy.ops.render.render(animation=True)
    return [pixels(Path(output.frame_path(frame=frame)))[..., :3] for frame in range(first, last + 1)]


def same(one: Any, other: Any, tolerance: int = 0) -> None:
    """AssertionError unless two pictures are equal to within a code value."""
    assert one.shape == other.shape, (one.shape, other.shape)
    difference = int(np.abs(one.astype(int) - other.astype(int)).max())
    assert difference <= tolerance, f"they differ by {difference}"


def dump() -> str:
    """All that scenes, masks, images and curves hold as far as a script can read it, and which other data
    there is."""
    lines: list[str] = []
    for kind in sorted(dir(bpy.data)):
        blocks = getattr(bpy.data, kind)
        if not isinstance(blocks, bpy.types.bpy_prop_collection):
            continue
        for block in blocks:
            lines.append(f"{kind}[{block.name}]: {block.users} users, fake {block.use_fake_user}")
            if kind in ("scenes", "masks", "images", "actions"):
                _dump(block, f"{kind}[{block.name}]", lines, set())
    return "\n".join(lines)


_SKIPPED = {"rna_type", "bl_rna", "session_uid", "original", "pixels", "tool_settings", "view_layers"}


def _dump(thing: Any, path: str, lines: list[str], seen: set[int]) -> None:
    if thing.as_pointer() in seen or len(path) > 300:
        return
    seen.add(thing.as_pointer())
    for prop in thing.bl_rna.properties:
        name = prop.identifier
        if name in _SKIPPED:
            continue
        try:
            value = getattr(thing, name)
        except Exception as error:  # noqa: BLE001  # some properties cannot be read in every state
            value = repr(error)
        here = f"{path}.{name}"
        if prop.type == "COLLECTION":
            lines.append(f"{here}: {len(value)}")
            for index, item in enumerate(value):
                if isinstance(item, bpy.types.ID):
                    lines.append(f"{here}[{index}] -> {item.name}")
                else:
                    _dump(item, f"{here}[{index}]", lines, seen)
        elif prop.type == "POINTER":
            if isinstance(value, bpy.types.ID) and not value.is_embedded_data:
                lines.append(f"{here} -> {value.name}")
            elif value is not None:
                _dump(value, here, lines, seen)
        else:
            if isinstance(value, set):
                value = sorted(value)
            elif hasattr(value, "__len__") and not isinstance(value, str):
                value = value[:]
            lines.append(f"{here} = {value!r}")
    if hasattr(thing, "keys") and not isinstance(thing, bpy.types.bpy_prop_collection):
        with suppress(TypeError):  # it holds no custom properties
            lines.append(f"{path} own {[(key, str(thing[key])) for key in sorted(thing.keys())]}")
