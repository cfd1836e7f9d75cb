# SPDX-License-Identifier: Apache-2.0
"""Damaged and hostile timelines: each is read or refused in a sentence, never anything else."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_interchange import files
from flowanchor_interchange.place import render
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers import common
from flowanchor_interchange.selection import frames_to_edit, select
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.interchange.documents import DOCUMENTS, ENDINGS
from tests.interchange.scene import Scene

SCENE = Scene(Fraction(24000, 1001), 1, Path("/media/footage.mkv"))
ODD = [
    b"",
    b"0",
    b"-1",
    b"1/0",
    b"99999999999999999999",
    b"x",
    b"NaN",
    b"1e400",
    b"\xff",
    b"nowhere",
    b"-",
    b"25/1s",
]


def attempt(kind: str, data: bytes) -> None:
    """Read, choose, and write back, as a command would."""
    folder = Path("/timelines")
    try:
        choices = common.Choices(Fraction(24) if kind == "edl" else None)
        timeline = files._READERS[files.format_of(data, "x")](data, folder, choices)
        for track in timeline.tracks:
            for number in range(1, len(track.clips) + 1):
                select(timeline, str(number), track.number)
        selection = select(timeline, "1")
        span = frames_to_edit(selection)
        assert 0 < span.duration == selection.clip.record.duration == selection.clip.source.duration
        ending = ENDINGS[kind]
        source = files.TimelineFile(
            folder / f"a{ending}", files.format_of(data, "x"), data, timeline, choices
        )
        result = SCENE.result(Path("/r.mov"))
        for target in ENDINGS.values():
            render(source, folder / f"b{target}", result, {})
    except TimelineProblem as problem:
        told = problem
    else:
        return
    assert re.fullmatch(r".*[^.]\.", told.message, re.DOTALL)
    assert re.fullmatch(r".*[^.]\.", told.action, re.DOTALL)


@pytest.mark.parametrize("kind", DOCUMENTS)
@settings(max_examples=150)
@given(data=st.data())
def test_values_replaced(kind: str, data: st.DataObject) -> None:
    """One or two numbers, attributes or texts become something else."""
    text = DOCUMENTS[kind](SCENE)
    for _ in range(data.draw(st.integers(1, 2))):
        places = list(re.finditer(rb'(?<=["> ])[^<>" \n]+(?=["< \n])', text))
        place = data.draw(st.sampled_from(places))
        text = text[: place.start()] + data.draw(st.sampled_from(ODD)) + text[place.end() :]
    attempt(kind, text)


@pytest.mark.parametrize("kind", DOCUMENTS)
@settings(max_examples=100)
@given(data=st.data())
def test_lines_lost_and_doubled(kind: str, data: st.DataObject) -> None:
    lines = DOCUMENTS[kind](SCENE).splitlines(keepends=True)
    place = data.draw(st.integers(0, len(lines) - 1))
    count = data.draw(st.integers(0, 3))
    lines[place : place + 1] = lines[place : place + 1] * count
    attempt(kind, b"".join(lines))


@pytest.mark.parametrize("kind", DOCUMENTS)
@settings(max_examples=60)
@given(data=st.data())
def test_cut_short(kind: str, data: st.DataObject) -> None:
    text = DOCUMENTS[kind](SCENE)
    attempt(kind, text[: data.draw(st.integers(0, len(text)))])
