# SPDX-License-Identifier: Apache-2.0
"""What goes from one process to another comes back as it was; anything else is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flowanchor_resolve import plain
from flowanchor_resolve.host import Footage, Polygon, Region, Selection
from flowanchor_resolve.problems import ResolveProblem
from hypothesis import given
from hypothesis import strategies as st

from tests.resolve.surfaces.conftest import SELECTION, TRIANGLE, result_of

texts = st.text(max_size=30)
selections = st.builds(
    lambda text, start, frames, rate, track, wish: Selection(
        project=text,
        timeline=text,
        timeline_id=text,
        item_id=text,
        name=text,
        track=track,
        start=start,
        end=start + frames,
        timeline_start=start // 2,
        rate=rate,
        drop_frame=bool(start % 2),
        width=frames,
        height=track,
        wish=wish,
        clip_start=start if track > 1 else None,
        clip_offset=frames / 2 if track > 2 else None,
    ),
    texts,
    st.integers(0, 10**9),
    st.integers(1, 5000),
    st.sampled_from([Fraction(24), Fraction(24_000, 1001), Fraction(60_000, 1001)]),
    st.integers(1, 90),
    st.dictionaries(st.sampled_from(["source", "target", "words"]), texts),
)
numbers = st.floats(-9e8, 9e8, allow_nan=False)
polygons = st.builds(
    lambda keys, invert: Polygon(
        tuple((frame, tuple(points)) for frame, points in sorted(keys.items())), invert
    ),
    st.dictionaries(st.integers(-5, 500), st.lists(st.tuples(numbers, numbers), min_size=3, max_size=5)),
    st.booleans(),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


@given(selections)
def test_selections(selection: Selection) -> None:
    assert plain.read_selection(through_json(plain.selection_as_plain(selection))) == selection


@given(st.lists(polygons, max_size=3), st.booleans())
def test_regions(shapes: list[Polygon], with_movie: bool) -> None:
    movies = [Footage(Path("mask-1.mov"), 2, 24, direct=False, in_alpha=True)] if with_movie else []
    region = Region("fusion", tuple(movies), tuple(shapes), ("A note.",))
    raw = through_json(plain.region_as_plain(region))
    assert plain.read_region(raw, Path, 24) == region


def test_a_regions_still_may_have_one_frame() -> None:
    raw = plain.region_as_plain(Region("matte", (Footage(Path("m.mov"), 0, 1, direct=False),)))
    assert plain.read_region(raw, Path, 24).movies[0].frames == 1
    raw["movies"][0]["frames"] = 2
    with pytest.raises(ResolveProblem):
        plain.read_region(raw, Path, 24)


def test_results(tmp_path: Path) -> None:
    result = result_of(tmp_path / "result.mov")
    raw = through_json(plain.result_as_plain(result))
    assert plain.read_result(raw, lambda name: tmp_path / name) == result


@given(anything)
def test_anything_else_is_refused_in_a_sentence(raw: object) -> None:
    for read in (
        plain.read_selection,
        lambda raw: plain.read_region(raw, Path, 24),
        lambda raw: plain.read_result(raw, Path),
        lambda raw: plain.read_footage(raw, Path, 24),
    ):
        with pytest.raises(ResolveProblem) as caught:
            read(raw)
        assert caught.value.code == "resolve-note-broken"


@given(st.sampled_from(sorted(plain.selection_as_plain(SELECTION))), anything)
def test_one_wrong_field_is_refused_or_of_its_type(name: str, value: object) -> None:
    raw = {**plain.selection_as_plain(SELECTION), name: value}
    try:
        found = plain.read_selection(raw)
    except ResolveProblem:
        return
    assert found == replace(SELECTION, **{name: getattr(found, name)})
    untold = name in ("clip_start", "clip_offset") and value is None
    assert untold or type(getattr(found, name)) is type(getattr(SELECTION, name)) or name == "rate"


@pytest.mark.parametrize(
    "name",
    [
        "../x.mov",
        "/etc/passwd",
        "a/b.mov",
        "a\\b.mov",
        "",
        ".",
        "..",
        ".hidden",
        "C:x.mov",
        "x\0.mov",
        5,
        None,
    ],
)
def test_paths_are_no_names(name: object) -> None:
    with pytest.raises(ResolveProblem):
        plain.file_name(name)


@pytest.mark.parametrize("point", [[1], [1, 2, 3], ["1", 2], [float("nan"), 1], [1e12, 0], [True, 0], None])
def test_odd_points_are_refused(point: object) -> None:
    raw = plain.region_as_plain(Region("fusion", (), (TRIANGLE,)))
    raw["polygons"][0]["keyframes"][0][1][0] = point
    with pytest.raises(ResolveProblem):
        plain.read_region(raw, Path, 24)


def test_outlines_have_a_limit() -> None:
    points = [[0, 0]] * 60_000
    shape = {"keyframes": [[0, points], [1, points]], "invert": False}
    with pytest.raises(ResolveProblem) as caught:
        plain.read_region({"source": "fusion", "polygons": [shape]}, Path, 24)
    assert "100000 points" in caught.value.message
