# SPDX-License-Identifier: Apache-2.0
"""What the command line's small notations mean."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import pytest
import typer
from flowanchor_daemon.cli.notation import (
    number,
    output_for,
    parse_box,
    parse_frames,
    parse_param,
    parse_rate,
    parse_words,
    whole_number,
)

from flowanchor_core.errors import InputError
from flowanchor_core.geometry import Box

LONG = "9" * 5000
"""More digits than Python reads as a number."""
NESTED = "[" * 100_000


def short(value: object) -> str:
    """A test's name from its parameter."""
    return str(value)[:20]


@pytest.mark.parametrize(
    ("text", "expected"), [(None, (0, None)), ("24-64", (24, 64)), ("24-", (24, None)), (" 7 ", (7, 7))]
)
def test_frames(text: str | None, expected: tuple[int, int | None]) -> None:
    assert parse_frames(text) == expected


@pytest.mark.parametrize("text", ["", "a-b", "-5", "3:9", "1-2-3", "1.5-2", LONG, f"0-{LONG}"], ids=short)
def test_frames_that_cannot_be_read(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_frames(text)
    assert caught.value.code == "frames-syntax"


@pytest.mark.parametrize(
    ("text", "expected"), [(None, None), ("25", Fraction(25)), ("24000/1001", Fraction(24000, 1001))]
)
def test_rate(text: str | None, expected: Fraction | None) -> None:
    assert parse_rate(text) == expected


@pytest.mark.parametrize(
    "text", ["", "fast", "1/0", "-24", "nan", "1e99999999", LONG, "1/" + "0" * 12], ids=short
)
def test_rate_that_cannot_be_read(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_rate(text)
    assert caught.value.code == "rate-syntax"


def test_box() -> None:
    assert parse_box("40, 30,120,90") == Box(40, 30, 120, 90)
    assert parse_box("-4,0,8,8") == Box(-4, 0, 8, 8)


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,-3,4", f"1,2,3,{LONG}"], ids=short
)
def test_box_that_cannot_be_read(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_box(text)
    assert caught.value.code == "box-syntax"


def test_words() -> None:
    assert parse_words(None) is None
    assert parse_words("red, fire engine ,") == ("red", "fire engine")
    with pytest.raises(InputError):
        parse_words(" , ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tau=0.5", ("tau", 0.5)),
        ("n_avg=2", ("n_avg", 2)),
        ("blend=true", ("blend", True)),
        ("contrast=magnitude", ("contrast", "magnitude")),
        ("x=", ("x", "")),
        ("x=[1]", ("x", "[1]")),
        (f"x={NESTED}", ("x", NESTED)),
        (f"x={LONG}", ("x", LONG)),
    ],
    ids=short,
)
def test_param(text: str, expected: tuple[str, Any]) -> None:
    assert parse_param(text) == expected


@pytest.mark.parametrize("text", ["tau", "=3", ""])
def test_param_that_cannot_be_read(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_param(text)
    assert caught.value.code == "param-syntax"


@pytest.mark.parametrize(
    ("deliver", "file_format", "out", "expected"),
    [
        ("full", None, "a.mp4", ("h264", "a.mp4")),
        ("full", None, "a.MOV", ("prores", "a.MOV")),
        ("full", None, "a.mkv", ("ffv1", "a.mkv")),
        ("full", None, "a.%04d.png", ("png", "a.%04d.png")),
        ("full", "h264", "a.mov", ("h264", "a.mov")),
        ("patch", None, "a.mov", ("prores4444", "a.mov")),
        ("patch", None, "a.%04d.png", ("png", "a.%04d.png")),
        ("full", None, None, ("h264", "in/shot-full.mp4")),
        ("full", "ffv1", None, ("ffv1", "in/shot-full.mkv")),
        ("patch", None, None, ("prores4444", "in/shot-patch.mov")),
        ("patch", "png", None, ("png", "in/shot-patch.%04d.png")),
    ],
)
def test_output(
    deliver: Literal["full", "patch"], file_format: str | None, out: str | None, expected: tuple[str, str]
) -> None:
    found = output_for(Path("in/shot.mp4"), deliver, file_format, None if out is None else Path(out))
    assert found == (expected[0], Path(expected[1]))


@pytest.mark.parametrize(
    ("deliver", "file_format", "out"),
    [("full", None, "a.gif"), ("full", None, "a"), ("patch", None, "a.mp4"), ("patch", "h264", "a.mov")],
)
def test_output_without_a_format(
    deliver: Literal["full", "patch"], file_format: str | None, out: str
) -> None:
    with pytest.raises(InputError) as caught:
        output_for(Path("shot.mp4"), deliver, file_format, Path(out))
    assert caught.value.code == "unknown-format"


def test_a_folder_for_a_movie_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder") as caught:
        output_for(Path("shot.mp4"), "full", None, tmp_path)
    assert caught.value.code == "output-name"
    assert output_for(Path("shot.mp4"), "full", "png", tmp_path) == ("png", tmp_path), "images have a folder"


def test_an_image_sequence_lends_its_name_without_the_counter() -> None:
    assert output_for(Path("shot.%04d.png"), "full", None, None) == ("h264", Path("shot-full.mp4"))


def test_an_output_that_was_given_no_name_replaces_nothing(tmp_path: Path) -> None:
    clip = tmp_path / "shot.mp4"
    for name in ("shot-full.mp4", "shot-full-2.mp4", "shot-full-3.mp4"):
        assert output_for(clip, "full", None, None)[1] == tmp_path / name
        (tmp_path / name).touch()
    for name in ("shot-full.%04d.png", "shot-full-2.%04d.png"):
        assert output_for(clip, "full", "png", None)[1] == tmp_path / name
        (tmp_path / (name % 7)).touch()
    given = tmp_path / "shot-full.mp4"
    assert output_for(clip, "full", None, given)[1] == given


@pytest.mark.parametrize("text", ["abc", "1.5", "", "9" * 40])
def test_what_is_no_number_is_said_in_plain_words(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no whole number"):
        whole_number(text)
    assert (whole_number("-3"), number("0.25")) == (-3, 0.25)
    assert (whole_number(7), number(0.5)) == (7, 0.5), "defaults go through it too"
