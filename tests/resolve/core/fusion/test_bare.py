# SPDX-License-Identifier: Apache-2.0
"""What a recording keeps of a composition: its masks, and nothing that is the user's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flowanchor_resolve.fusion.bare import bare
from flowanchor_resolve.fusion.comp import comp_of
from flowanchor_resolve.fusion.masks import Found, Window, has_masks, read_masks
from flowanchor_resolve.fusion.text import parse
from flowanchor_resolve.problems import ResolveProblem
from hypothesis import given
from hypothesis import strategies as st

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.comp"))
WINDOW = Window(2, 40, 1920, 1080)
SECRET = "Geheim"


def found(text: str) -> Found | str:
    """The polygons of a composition and how many notes there are; the code of what is wrong."""
    try:
        return read_masks(comp_of(parse(text)), WINDOW)
    except ResolveProblem as problem:
        return problem.code


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_the_same_masks_are_read_from_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    readable = text.replace("Tools = ordered() {", "Tools = ordered() { Fine1 = RectangleMask { },", 1)
    for one in (text, readable):
        before, after = found(one), found(bare(one))
        if isinstance(before, str) or isinstance(after, str):
            assert before == after
        else:
            assert after.polygons == before.polygons
            assert len(after.notes) == len(before.notes)
        assert comp_of(parse(bare(one))).render_range == comp_of(parse(one)).render_range


def test_masks_that_are_switched_off_stay_so() -> None:
    off = "{ Tools = { M = RectangleMask { PassThrough = true } } }"
    assert not has_masks(comp_of(parse(bare(off))))
    assert has_masks(comp_of(parse(bare(off.replace("true", "false")))))


PRIVATE = """Composition {
    CurrentTime = 4, HiQ = true, Comments = "Geheim", Name = "Geheim.comp",
    Tools = ordered() {
        Text1 = TextPlus { Inputs = { StyledText = Input { Value = "Geheim" }, Font = Input { } } },
        Loader1 = Loader { Clips = { Clip { Filename = "/home/geheim/Geheim.mov" } } },
        GeheimMaske = PolylineMask {
            CustomData = { Path = "/home/Geheim" }, NameSet = true, Comments = "Geheim",
            UserControls = ordered() { Geheim = { LINKS_Name = "Geheim" } },
            Inputs = {
                Geheim = Input { Value = "Geheim" },
                Polyline = Input { SourceOp = "GeheimSpline", Source = "Geheim" },
                PaintMode = Input { Value = FuID { "Geheim" } },
                Level = Input { Value = 1, Expression = "Geheim.Level + 1" },
                Center = Input { SourceOp = "GeheimPfad", Source = "Position" },
                SoftEdge = Input { Value = "Geheim" },
            },
            ViewInfo = OperatorInfo { Pos = { 1, 2 } },
        },
        GeheimSpline = BezierSpline {
            SplineColor = { Red = 1 }, NameSet = true,
            KeyFrames = { [0] = { 0, Geheim = "Geheim", Value = Polyline { Geheim = "Geheim", Points = {
                { X = 0, Y = 0, Geheim = 1 }, { X = 1, Y = 0 }, { X = 1, Y = 1 } } } } },
        },
        GeheimPfad = Fuse.Geheim { Inputs = { X = Input { Value = 0.5 } } },
        Gruppe = GroupOperator { Tools = ordered() {
            FA_Geheim = GeheimMask { Inputs = { Size = Input { SourceOp = "Geheim" } } },
        } },
    },
    Views = { { FrameTypeID = "Geheim" } },
}"""


def test_nothing_of_the_users_is_in_it() -> None:
    text = bare(PRIVATE)
    assert SECRET.lower() not in text.lower()
    assert not re.search(r"/|Text1|Loader|Font", text)
    assert set(re.findall(r'"([^"]*)"', text)) <= {"other", "Other", "Tool1", "Tool2", "Tool3", "Tool4"}
    assert "FA_Tool" in text


words = st.text(st.characters(min_codepoint=0x430, max_codepoint=0x44F), min_size=1, max_size=8).map(
    "T".__add__
)
values = st.recursive(
    words.map(lambda word: f'"{word}"') | st.floats(allow_nan=False, allow_infinity=False).map(repr),
    lambda inner: st.lists(
        st.tuples(
            words | st.sampled_from(["X", "Value", "Points", "KeyFrames", "Inputs", "SourceOp"]), inner
        ),
        max_size=4,
    ).map(lambda pairs: "{ " + ", ".join(f'["{key}"] = {value}' for key, value in pairs) + " }"),
    max_leaves=12,
)
"""Values of whatever form, whose words are in letters that our source has none of."""


@given(st.sampled_from(["PolylineMask", "EllipseMask", "T\u0430Mask", "Text"]), words, values, values, values)
def test_no_word_comes_through(kind: str, name: str, value: str, keys: str, more: str) -> None:
    text = (
        f"{{ {name} = {value}, Tools = ordered() {{ {name} = {kind} {{ Inputs = {{"
        f' Polyline = Input {{ SourceOp = "{name}s", Value = {value} }},'
        f" {name} = Input {{ Value = {more} }} }},"
        f" {name} = {more} }}, {name}s = BezierSpline {{ KeyFrames = {{ [3] = {keys} }} }} }} }}"
    )
    once = bare(text)
    assert once.isascii()
    assert bare(once) == once
