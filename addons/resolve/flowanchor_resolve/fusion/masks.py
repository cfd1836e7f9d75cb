# SPDX-License-Identifier: Apache-2.0
"""The masks of a composition as polygons: polygon, rectangle and ellipse, with their keyframes.

How Fusion counts: Center in widths and heights of the picture from its lower left corner; a rectangle's Width
in widths and Height in heights; an ellipse's Width and Height both in widths; angles in degrees against the
clock. (Measured on Resolve 21.1 and published in several places; a polygon's points likewise, see curve.py.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flowanchor_resolve.fusion import curve
from flowanchor_resolve.fusion.comp import CannotRead, Comp, Tool
from flowanchor_resolve.fusion.keys import frames_that_matter, thinned
from flowanchor_resolve.fusion.spline import Spline, number_of, spline_of
from flowanchor_resolve.fusion.text import Table
from flowanchor_resolve.host import Polygon
from flowanchor_resolve.problems import ResolveProblem

READABLE = ("PolylineMask", "RectangleMask", "EllipseMask")
_OTHER = re.compile(r"\w*Mask\b|MultiPoly")
_OURS = re.compile(r"flowanchor|fa_|fa$", re.IGNORECASE)
_JOINED = ("Merge", "Add", "Maximum")
_SOFTENED = {"SoftEdge": 0.0, "BorderWidth": 0.0, "Level": 1.0}
MOST_COORDINATES = 1_000_000
"""Points times keyframes of one mask."""

Outline = list[curve.Vertex]


@dataclass(frozen=True)
class Window:
    """The part of a composition that is edited."""

    first: float
    """The composition's frame that is the selection's first."""
    frames: int
    width: int
    height: int
    """Of the picture, pixels."""


@dataclass(frozen=True)
class Found:
    """Polygons, and a sentence for each thing that was left out or approximated."""

    polygons: list[Polygon]
    notes: list[str]


def read_masks(comp: Comp, window: Window) -> Found:
    """The region that a composition's masks mark: those whose names begin with "FlowAnchor" or "FA_" if there
    are any, else all of them, together.

    Raises:
        ResolveProblem: "fusion-no-mask", if there is none that can be read.
    """
    masks = [tool for tool in comp.tools.values() if is_mask(tool) and not tool.passed_through]
    chosen = [tool for tool in masks if is_ours(tool)] or masks
    found = Found([], [])
    reasons = []
    for tool in chosen:
        try:
            found.polygons.append(_polygon(comp, tool, masks, window, found.notes))
        except CannotRead as reason:
            reasons.append(f"{tool.name} {reason}")
            found.notes.append(f"The Fusion mask {tool.name} {reason}, and was left out.")
    if not found.polygons:
        raise ResolveProblem(
            "fusion-no-mask",
            f"The clip's Fusion composition has no mask that can be read{_told(reasons)}.",
            "Draw a Polygon, Rectangle or Ellipse mask, or use a track named FA MASK.",
        )
    return found


def _told(reasons: list[str]) -> str:
    """The first reasons, to go at the end of a sentence."""
    more = f"; and {len(reasons) - 2} more" if len(reasons) > 2 else ""
    return f": {'; '.join(reasons[:2])}{more}" if reasons else ""


def has_masks(comp: Comp) -> bool:
    """Whether there is a mask that is switched on, readable or not."""
    return any(is_mask(tool) and not tool.passed_through for tool in comp.tools.values())


def is_mask(tool: Tool) -> bool:
    """Whether a tool is a mask, readable or not."""
    return _OTHER.fullmatch(tool.kind) is not None


def is_ours(tool: Tool) -> bool:
    """Whether a mask's name says that it is meant for us."""
    return _OURS.match(tool.name) is not None


def _polygon(comp: Comp, tool: Tool, masks: Sequence[Tool], window: Window, notes: list[str]) -> Polygon:
    if tool.kind not in READABLE:
        raise CannotRead(f"is a {tool.kind}")
    if tool.table.named.get("SourceOp"):
        raise CannotRead(f"is an instance of {tool.table.named['SourceOp']}")
    _check_alone(tool, masks)
    _check_plain(tool, window, notes)
    shape = _shape(comp, tool, window)
    place = _Placement(comp, tool, window)
    sampled = shape.sampled or place.moves
    frames = frames_that_matter(shape.key_frames, window.first, window.frames, sampled)
    outlines = [
        [vertex.moved(*place.at(window.first + frame)) for vertex in shape.at(window.first + frame)]
        for frame in frames
    ]
    counts = curve.pieces(outlines)
    if sum(counts) * len(frames) > MOST_COORDINATES:
        raise CannotRead("has too many points on too many frames")
    inverted = tool.number("Invert", 0.0) != 0
    keyframes = []
    for frame, outline in zip(frames, outlines, strict=True):
        points = [(x, window.height - y) for x, y in curve.flattened(outline, counts)]
        keyframes.append((frame, points))
    keyframes = thinned(keyframes)
    return Polygon(_around(keyframes, window) if inverted else keyframes)


def _check_alone(tool: Tool, masks: Sequence[Tool]) -> None:
    """Masks that are chained cut each other in other ways than together only if their mode says so."""
    feeds = tool.source("EffectMask")
    if feeds is not None and tool.word("PaintMode", "Merge") not in _JOINED:
        raise CannotRead(f"is combined with {feeds} by {tool.word('PaintMode', 'Merge')}")
    for other in masks:
        if other.source("EffectMask") == tool.name and other.word("PaintMode", "Merge") not in _JOINED:
            raise CannotRead(f"is combined with {other.name} by {other.word('PaintMode', 'Merge')}")


def _check_plain(tool: Tool, window: Window, notes: list[str]) -> None:
    """Refuse what changes the shape in ways we do not follow; note what only softens it."""
    if tool.number("Solid", 1.0) == 0:
        raise CannotRead("is an outline that is not filled")
    for name in ("XRotation", "YRotation"):
        if tool.number(name, 0.0) != 0:
            raise CannotRead("is turned out of the picture's plane")
    width, height = tool.number("MaskWidth", 0.0), tool.number("MaskHeight", 0.0)
    own_size = tool.number("UseFrameFormatSettings", 0.0) == 0 and width > 0 and height > 0
    if own_size and abs(width / height - window.width / window.height) > 0.01:
        raise CannotRead(f"is made for a picture of {width:g} x {height:g}")
    if tool.number("Level", 1.0) <= 0:
        raise CannotRead("has a level of 0")
    for name, plain in _SOFTENED.items():
        try:
            changed = tool.number(name, plain) != plain
        except CannotRead:
            changed = True
        if changed:
            notes.append(f"The {name} of the Fusion mask {tool.name} was left out; --feather softens edges.")
    outer = tool.inputs.get("Polyline2")
    if outer is not None and outer.named.get("Disabled") is not True and outer.named.get("SourceOp"):
        notes.append(f"The outer outline of the Fusion mask {tool.name} was left out.")


@dataclass(frozen=True)
class _Shape:
    """An outline over time: `at` gives it at a composition's frame."""

    at: Callable[[float], Outline]
    key_frames: list[float]
    sampled: bool
    """It does not move in straight lines between its keyframes."""


def _shape(comp: Comp, tool: Tool, window: Window) -> _Shape:
    if tool.kind == "PolylineMask":
        return _drawn(comp, tool, window)
    wide = number_of(comp, tool, "Width", 0.5)
    high = number_of(comp, tool, "Height", 0.5)
    splines = [value for value in (wide, high) if isinstance(value, Spline)]
    keys = [frame for spline in splines for frame in spline.frames]
    if tool.kind == "RectangleMask":
        rounding = tool.number("CornerRadius", 0.0)

        def box(frame: float) -> Outline:
            return curve.rectangle(
                _at(wide, frame) * window.width, _at(high, frame) * window.height, rounding
            )

        return _Shape(box, keys, bool(splines))
    largest = max(
        (key.value for spline in splines for key in spline.keys),
        default=0.0,
    )
    largest = max(largest, *(value for value in (wide, high) if isinstance(value, float)), 0.0)
    count = curve.ellipse_points(largest * window.width / 2)

    def oval(frame: float) -> Outline:
        return curve.ellipse(_at(wide, frame) * window.width / 2, _at(high, frame) * window.width / 2, count)

    return _Shape(oval, keys, bool(splines))


def _drawn(comp: Comp, tool: Tool, window: Window) -> _Shape:
    source = tool.source("Polyline")
    if source is None:
        given = tool.inputs.get("Polyline")
        value = given.table("Value") if given else None
        outline = curve.outline_of(value or Table(), window.width, window.height)
        return _Shape(lambda frame: outline, [], sampled=False)
    if source not in comp.tools:
        raise CannotRead(f"has its outline in {source}, which is not in the composition")
    spline = spline_of(comp.tools[source])
    outlines = [curve.outline_of(key.shape or Table(), window.width, window.height) for key in spline.keys]
    if len({len(outline) for outline in outlines}) > 1:
        raise CannotRead("has keyframes with different numbers of points")

    def between(frame: float) -> Outline:
        index, share = spline.place(frame)
        if share == 0:
            return outlines[index]
        return [a.mixed(b, share) for a, b in zip(outlines[index], outlines[index + 1], strict=True)]

    return _Shape(between, spline.frames, sampled=not spline.straight())


class _Placement:
    """Size, angle and centre of a mask over time."""

    def __init__(self, comp: Comp, tool: Tool, window: Window) -> None:
        self.size = number_of(comp, tool, "Size", 1.0)
        angle = next((name for name in ("ZRotation", "Angle") if name in tool.inputs), "Angle")
        self.angle = number_of(comp, tool, angle, 0.0)
        self.x, self.y = _centre(comp, tool)
        self.width, self.height = window.width, window.height

    @property
    def moves(self) -> bool:
        return any(isinstance(value, Spline) for value in (self.size, self.angle, self.x, self.y))

    def at(self, frame: float) -> tuple[float, float, float, float]:
        """Size, angle in degrees, and the centre in pixels from the lower left corner."""
        return (
            _at(self.size, frame),
            _at(self.angle, frame),
            _at(self.x, frame) * self.width,
            _at(self.y, frame) * self.height,
        )


def _centre(comp: Comp, tool: Tool) -> tuple[float | Spline, float | Spline]:
    """Where a mask's centre is; moved by an XYPath's two splines or standing still."""
    source = tool.source("Center")
    if source is None:
        return tool.point("Center")
    path = comp.tools.get(source)
    if path is None or path.kind != "XYPath":
        kind = f"{source} ({path.kind})" if path else source
        raise CannotRead(f"has its centre moved by {kind}")
    return number_of(comp, path, "X", 0.5), number_of(comp, path, "Y", 0.5)


def _at(value: float | Spline, frame: float) -> float:
    return value.at(frame) if isinstance(value, Spline) else value


def _around(
    keyframes: list[tuple[int, list[tuple[float, float]]]], window: Window
) -> list[tuple[int, list[tuple[float, float]]]]:
    """What is outside of a polygon, as one polygon: around the picture, over a seam of no width to the
    polygon's leftmost point, around the polygon, and back. Polygons are filled even-odd."""
    right, bottom = window.width + 1.0, window.height + 1.0
    first = keyframes[0][1]
    seam = min(range(len(first)), key=lambda index: first[index][0])
    turned = []
    for frame, points in keyframes:
        level = points[seam][1]
        frame_of_picture = [(-1.0, level), (-1.0, -1.0), (right, -1.0), (right, bottom), (-1.0, bottom)]
        inner = [*points[seam:], *points[: seam + 1]]
        turned.append((frame, [*frame_of_picture, (-1.0, level), *inner]))
    return turned
