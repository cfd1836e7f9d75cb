# SPDX-License-Identifier: Apache-2.0
"""The clip's own file in place of a render, where nothing that Resolve tells speaks against it.

Resolve's scripting interface tells neither fades at a clip's ends nor, before 21.1, transitions and retime
curves. So the file is taken only if the user has asked for it, and every sign of a difference it does tell
leads to a render.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flowanchor_resolve.calls import has
from flowanchor_resolve.frames import Span, parse_rate, whole
from flowanchor_resolve.host import Footage, Probe, Selection
from flowanchor_resolve.opened import Item, Opened
from flowanchor_resolve.problems import ResolveProblem

_AS_IT_IS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("Pan", "Tilt", "RotationAngle", "AnchorPointX", "AnchorPointY"), (0, 0.0)),
    **dict.fromkeys(("Pitch", "Yaw", "CropLeft", "CropRight", "CropTop", "CropBottom"), (0, 0.0)),
    **dict.fromkeys(("ZoomX", "ZoomY"), (1, 1.0)),
    "FlipX": (False, 0),
    "FlipY": (False, 0),
}
"""Timeline item properties that leave a picture's geometry alone."""
_OPAQUE: dict[str, tuple[Any, ...]] = {"Opacity": (100, 100.0), "CompositeMode": (0,), "Distortion": (0, 0.0)}
_PLAIN_MEDIA: dict[str, tuple[str, ...]] = {
    "PAR": ("Square", "1", "1.0"),
    "Data Level": ("Auto",),
    "H-FLIP": ("Off", "0"),
    "V-FLIP": ("Off", "0"),
    "Input LUT": ("", "None"),
    "Alpha mode": ("", "None"),
    "Super Scale": ("None", "1"),
    "Sharpness": ("", "Medium"),
    "Noise Reduction": ("", "Off", "None"),
    "Field Dominance": ("", "Auto", "Progressive"),
    "Enable Deinterlacing": ("", "0", "Off"),
}
"""Media pool clip properties, where Resolve lists them, that leave the pictures alone."""


class Differs(Exception):
    """The timeline shows something else than the clip's file: why, to go after "since "."""


class Untold(Differs):
    """It is not told whether the timeline shows something else."""


def source_footage(opened: Opened, selection: Selection, probe: Probe) -> Footage:
    """The clip's own file, with the selection's place in it.

    Raises:
        Differs: the timeline may show something else.
    """
    item = opened.find_item(selection.item_id)
    if item is None:
        raise Differs("the clip is no longer on the timeline")
    _seen_alone(opened, item, selection)
    _ungraded(opened, item)
    footage = same_frames(opened, item, selection, probe)
    _check(opened, item, _OPAQUE)
    return footage


def same_frames(opened: Opened, item: Item, selection: Selection, probe: Probe) -> Footage:
    """The clip's own file, if its frames lie one to one and pixel on pixel on the timeline's.

    Raises:
        Differs: they do not, or Resolve does not tell.
    """
    first = first_frame(opened, item, selection)
    check_geometry(opened, item)
    properties = _media_properties(opened, item)
    for name, plain in _PLAIN_MEDIA.items():
        if name in properties and str(properties[name]) not in plain:
            raise Differs(f'the clip\'s "{name}" is "{properties[name]}"')
    if str(properties.get("Type", "")).lower() not in ("video", "video + audio"):
        raise Differs(f'the clip is of the type "{properties.get("Type", "")}"')
    try:
        rate, _ = parse_rate(properties.get("FPS"))
    except ResolveProblem:
        raise Differs("the clip's frame rate is not told") from None
    if rate != selection.rate:
        raise Differs(f"the clip has {rate} frames a second and the timeline {selection.rate}")
    path = Path(str(properties.get("File Path", "")))
    if not path.is_file():
        raise Differs("the clip has no file of its own")
    try:
        probed = probe(path)
    except ResolveProblem as problem:
        raise Differs(f"its file cannot be read ({problem.message})") from None
    if (probed.width, probed.height) != (selection.width, selection.height):
        raise Differs("the clip is of another size than the timeline")
    if probed.rate != selection.rate:
        raise Differs("the clip's file has another frame rate than the timeline")
    if probed.alpha:
        raise Differs("the clip's file has alpha")
    if probed.frames < first + selection.frames:
        raise Differs("the clip's file is shorter than what the timeline shows")
    return Footage(path, first, selection.frames, direct=True)


def _seen_alone(opened: Opened, item: Item, selection: Selection) -> None:
    span = Span(selection.start, selection.end)
    for track in range(1, item.track + 1):
        if not opened.calls.ask(opened.timeline, "GetIsTrackEnabled", "video", track):
            continue
        for other in opened.items("video", track):
            if other.item_id != item.item_id and other.span.overlap(span):
                raise Differs(f'"{other.name}" lies below the clip')


def _ungraded(opened: Opened, item: Item) -> None:
    calls = opened.calls
    if calls.ask(item.thing, "GetFusionCompCount") != 0:
        raise Differs("the clip has a Fusion composition")
    if not has(item.thing, "GetNodeGraph"):
        raise Differs("this version of Resolve does not tell whether the clip is graded")
    if calls.ask_if_there(item.thing, "GetColorGroup"):
        raise Differs("the clip is in a colour group")
    if opened.setting("colorScienceMode") != "davinciYRGB":
        raise Differs("the project is colour managed, or it is not told")
    graphs = {
        "clip": calls.ask(item.thing, "GetNodeGraph"),
        "timeline": calls.ask_if_there(opened.timeline, "GetNodeGraph"),
    }
    for name, graph in graphs.items():
        if graph is None:
            if name == "clip":
                raise Differs("Resolve does not tell whether the clip is graded")
            continue
        if not has(graph, "GetToolsInNode"):
            raise Differs("this version of Resolve does not tell whether the clip is graded")
        for node in range(1, whole(calls.ask(graph, "GetNumNodes") or 0) + 1):
            # A node in which nothing was set has no tools, which Resolve tells as None.
            if calls.ask(graph, "GetToolsInNode", node) or calls.ask(graph, "GetLUT", node):
                raise Differs(f"the {name} is graded")
    if not calls.answering():
        raise Differs("Resolve does not answer")


def check_geometry(opened: Opened, item: Item) -> None:
    """Raise Differs if the clip's picture is moved, scaled, turned, flipped or cropped on the timeline."""
    _check(opened, item, _AS_IT_IS)


def first_frame(opened: Opened, item: Item, selection: Selection) -> int:
    """The frame of the clip's file that the selection begins with.

    Raises:
        Differs: the clip is retimed.
        Untold: this version does not tell.
    """
    calls = opened.calls
    speed = calls.ask_if_there(item.thing, "GetSpeed")
    if isinstance(speed, dict) and speed.get("Percentage") != 100:
        raise Differs("the clip is retimed")
    first, last, left = (
        calls.ask_if_there(item.thing, name)
        for name in ("GetSourceStartFrame", "GetSourceEndFrame", "GetLeftOffset")
    )
    if not all(isinstance(value, (int, float)) for value in (first, last, left)):
        raise Untold("Resolve does not tell which frames of its file the clip shows")
    if first != left or last - first not in (item.span.frames, item.span.frames - 1):
        raise Differs("the clip is retimed")
    return int(first) + selection.start - item.span.start


def _check(opened: Opened, item: Item, wanted: dict[str, tuple[Any, ...]]) -> None:
    found = opened.calls.ask(item.thing, "GetProperty")
    found = found if isinstance(found, dict) else {}
    for name, plain in wanted.items():
        if name not in found:
            raise Differs(f'Resolve does not tell the clip\'s "{name}"')
        if found[name] not in plain:
            raise Differs(f'the clip\'s "{name}" is {found[name]}')


def _media_properties(opened: Opened, item: Item) -> dict[str, Any]:
    media = item.media
    found = opened.calls.ask(media, "GetClipProperty") if media else None
    if not isinstance(found, dict):
        raise Differs("the clip has no file of its own")
    return found
