# SPDX-License-Identifier: Apache-2.0
"""A composition's text reduced to what its masks are read from, for recordings.

A composition may hold paths, texts on the picture, scripts and names of the user's. Of all that nothing is
taken over: what is written here is made of numbers, switches and words of this file alone. Names of tools
are counted (`Tool1`, `FA_Tool2`), inputs and keys that masks are not read from are left out, and a kind or a
choice that is not Fusion's own is `Other`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from flowanchor_resolve.fusion.comp import Comp, Tool, comp_of
from flowanchor_resolve.fusion.masks import is_mask, is_ours
from flowanchor_resolve.fusion.text import Table, parse

_KINDS = frozenset(
    {
        *("PolylineMask", "RectangleMask", "EllipseMask", "BSplineMask", "TriangleMask", "BitmapMask"),
        *("PaintMask", "WandMask", "RangesMask", "MultiPoly", "BezierSpline", "XYPath", "PolyPath"),
        *("Tracker", "PlanarTracker", "Offset", "Expression", "Perturb", "Shake", "Probe", "BSplinePolyline"),
    }
)
_OTHER_MASK = "OtherMask"
_INPUTS = (
    *("Polyline", "Polyline2", "Center", "Size", "Width", "Height", "ZRotation", "Angle", "XRotation"),
    *("YRotation", "Solid", "UseFrameFormatSettings", "MaskWidth", "MaskHeight", "Level", "SoftEdge"),
    *("BorderWidth", "CornerRadius", "Invert", "PaintMode", "EffectMask", "X", "Y"),
)
_CHOICES = frozenset(
    {
        *("Merge", "Add", "Subtract", "Minimum", "Maximum", "Average", "Multiply", "Replace", "Invert"),
        *("Copy", "Ignore"),
    }
)
_WORDS = frozenset({"X", "Y", "LX", "LY", "RX", "RY", "Closed", "Points", "Linear", "StepIn", "StepOut"}) | {
    *("Loop", "PingPong", "LoopRel", "LH", "RH", "Flags", "Value"),
}
"""Keys of outlines and keyframes."""
_DEEPEST = 12


def bare(text: str) -> str:
    """A composition's text with its masks and what moves them, in which nothing of the user's is left.

    Raises:
        ResolveProblem: "fusion-unreadable" or "fusion-too-large", as `parse`.
    """
    comp = comp_of(parse(text))
    tools = list(_needed(comp))
    names = {
        tool.name: f"{'FA_' if is_ours(tool) else ''}Tool{number}" for number, tool in enumerate(tools, 1)
    }
    lines = [f"    {names[tool.name]} = {_tool(tool, names)}," for tool in tools]
    drawn = "" if comp.render_range is None else f"  RenderRange = {{ {_numbers(comp.render_range)} }},\n"
    body = "\n".join(lines)
    return f"Composition {{\n{drawn}  Tools = ordered() {{\n{body}\n  }},\n}}\n"


def _needed(comp: Comp) -> Iterator[Tool]:
    """The masks, and what feeds their inputs, each once."""
    waiting = [tool for tool in comp.tools.values() if is_mask(tool)]
    seen = {tool.name for tool in waiting}
    while waiting:
        tool = waiting.pop(0)
        yield tool
        for name in _INPUTS:
            source = tool.inputs.get(name, Table()).named.get("SourceOp")
            if isinstance(source, str) and source in comp.tools and source not in seen:
                seen.add(source)
                waiting.append(comp.tools[source])


def _tool(tool: Tool, names: Mapping[str, str]) -> str:
    kind = tool.kind if tool.kind in _KINDS else _OTHER_MASK if is_mask(tool) else "Other"
    parts = []
    if tool.passed_through:
        parts.append("PassThrough = true")
    if tool.table.named.get("SourceOp"):
        parts.append('SourceOp = "Other"')
    inputs = [f"{name} = {_input(tool.inputs[name], names)}" for name in _INPUTS if name in tool.inputs]
    if inputs:
        parts.append(f"Inputs = {{ {', '.join(inputs)} }}")
    keys = tool.table.table("KeyFrames")
    if keys is not None:
        parts.append(f"KeyFrames = {_table(keys, 0)}")
    return f"{kind} {{ {', '.join(parts)} }}"


def _input(given: Table, names: Mapping[str, str]) -> str:
    parts = []
    if given.named.get("Expression"):
        parts.append('Expression = "other"')
    if given.named.get("Disabled") is True:
        parts.append("Disabled = true")
    source = given.named.get("SourceOp")
    if isinstance(source, str) and source:
        parts.append(f'SourceOp = "{names.get(source, "Other")}"')
    if "Value" in given.named:
        parts.append(f"Value = {_value(given.named['Value'], 0)}")
    return f"Input {{ {', '.join(parts)} }}"


def _value(value: object, depth: int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Table):
        return _table(value, depth)
    if isinstance(value, str):
        return f'"{value}"' if value in _CHOICES else '"Other"'
    return "nil"


def _table(table: Table, depth: int) -> str:
    """A table without keys and words that are not of this file; that there are other keys is kept."""
    if depth > _DEEPEST:
        return "{ }"
    parts = [_value(value, depth + 1) for value in table.listed]
    for key, value in table.named.items():
        if isinstance(key, float):
            parts.append(f"[{_number(key)}] = {_value(value, depth + 1)}")
        elif key in _WORDS:
            parts.append(f"{key} = {_value(value, depth + 1)}")
    if any(isinstance(key, str) and key not in _WORDS for key in table.named):
        parts.append("Other = true")
    return f"{{ {', '.join(parts)} }}"


def _number(value: float) -> str:
    """As it is read back: Fusion writes numbers without an infinity, and odd ones as we have met them."""
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "1e999" if value > 0 else "-1e999"
    return repr(value)


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(map(_number, values))
