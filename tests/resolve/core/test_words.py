# SPDX-License-Identifier: Apache-2.0
"""Names that Resolve takes, wishes in markers, and what a result's marker tells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flowanchor_resolve.host import Placed, Result
from flowanchor_resolve.markers import PREFIX, marker_data, read_marker
from flowanchor_resolve.names import is_mask_track, is_result_track, safe_name
from flowanchor_resolve.wishes import read_wish, wish_of_markers, write_wish
from hypothesis import given
from hypothesis import strategies as st

from tests.resolve.standin.profiles import FORBIDDEN

lines = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1).filter(
    lambda text: bool(text.strip())
)


@given(st.text())
def test_a_safe_name_is_taken_and_stays_as_it_is(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert not FORBIDDEN & set(safe)
    assert len(safe.encode("utf-8")) <= 180
    assert safe_name(safe) == safe


@pytest.mark.parametrize("name", ["日本語" * 60, "😀" * 130, "half \ud83d of one"])
def test_a_safe_name_is_one_of_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{safe_name(name)}-patch-12.mov").touch()


@pytest.mark.parametrize("name", ["CON", "nul", "Aux", "com1", "LPT9", "con.final", "prn.v2.mov"])
def test_what_windows_takes_for_a_device_is_no_safe_name(name: str) -> None:
    assert safe_name(name) == f"-{name}"
    assert safe_name(safe_name(name)) == f"-{name}"
    assert safe_name(f"{name.replace('.', '')}trol") == f"{name.replace('.', '')}trol"


def test_safe_names_stay_readable() -> None:
    assert safe_name('Scene 1/2: "take" <3>') == "Scene 1-2- -take- -3-"
    assert safe_name(" ... ") == "untitled"
    assert safe_name("Rohschnitt 3") == "Rohschnitt 3"


def test_tracks_are_known_by_their_names() -> None:
    assert is_mask_track("FA MASK")
    assert is_mask_track(" fa  mask ")
    assert not is_mask_track("FA MASKS")
    assert is_result_track("FlowAnchor")
    assert not is_result_track("FlowAnchor 2")


def test_a_wish_in_lines() -> None:
    assert read_wish("shows: a red car\nShould  show: a green car\nWords: green") == {
        "source": "a red car",
        "target": "a green car",
        "words": "green",
    }


@pytest.mark.parametrize("arrow", ["->", "=>", "\N{RIGHTWARDS ARROW}", " -> "])
def test_a_wish_on_one_line(arrow: str) -> None:
    assert read_wish(f"a red car{arrow}a green car") == {"source": "a red car", "target": "a green car"}


def test_other_lines_are_the_users_own() -> None:
    assert read_wish("todo: ask Anna\nshows:\na -> b -> c\nshows: a car") == {"source": "a car"}
    assert read_wish("") == {}


@given(lines, lines, st.none() | lines)
def test_a_written_wish_is_read_back(source: str, target: str, words: str | None) -> None:
    wish = read_wish(write_wish(source, target, words))
    assert wish["source"] == " ".join(source.split())
    assert wish["target"] == " ".join(target.split())
    assert wish.get("words") == (" ".join(words.split()) if words else None)


def test_the_first_marker_of_ours_counts() -> None:
    markers = {
        40.0: {"name": "FlowAnchor", "note": "shows: later"},
        3.0: {"name": "Marker 1", "note": "shows: not ours"},
        9.0: {"name": " flowanchor ", "note": "shows: ours"},
    }
    assert wish_of_markers(markers) == {"source": "ours"}
    assert wish_of_markers({}) == {}
    assert wish_of_markers(None) == {}


counts = st.integers(0, 10**12)
words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(words, words, counts, st.booleans(), st.dictionaries(words, words | counts))
def test_a_marker_tells_all_of_a_result(
    prompt: str, item: str, number: int, made: bool, settings: dict[str, object]
) -> None:
    placed = Placed("timeline", item, 3, number, number + 5, made, "media", "", 0)
    result = Result(Path("/a/b.mov"), 5, "patch", "job", number, prompt, prompt + "!", settings)
    data = marker_data(placed, result)
    told = read_marker(data)
    assert told is not None
    assert told[0].__dict__ | {"marker": ""} == placed.__dict__
    assert told[0].marker == data
    assert told[1] == result


@pytest.mark.parametrize(
    "data",
    [
        "",
        "somebody else's",
        PREFIX,
        PREFIX + "[]",
        PREFIX + "{}",
        PREFIX + '{"form":1}',
        PREFIX + "[" * 50_000,
        PREFIX + "x" * 100_000,
    ],
)
def test_other_data_is_not_ours(data: str) -> None:
    assert read_marker(data) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("form", 2),
        ("track", -1),
        ("track", "2"),
        ("start", True),
        ("path", None),
        ("job", 3),
        ("path", "a\0b"),
    ],
)
def test_changed_data_is_not_believed(key: str, value: object) -> None:
    placed = Placed("timeline", "item", 3, 10, 15, True, "media", "", 0)
    result = Result(Path("/a/b.mov"), 5, "patch", "job", 1, "a", "b")
    words = json.loads(marker_data(placed, result)[len(PREFIX) :])
    assert read_marker(PREFIX + json.dumps(words)) is not None
    assert read_marker(PREFIX + json.dumps({**words, key: value})) is None


@pytest.mark.parametrize("prompt", ["😀" * 70_000, "a" * 70_000, "with a \0 in it"])
def test_a_marker_is_read_again_whatever_the_prompts_are(prompt: str) -> None:
    """Or its result could not be found, and not be undone."""
    placed = Placed("t", "i", 2, 10, 20, True, "m", "")
    result = Result(Path("/a.mov"), 10, "patch", "job", 7, prompt, prompt, {"options": {"words": prompt}})
    told = read_marker(marker_data(placed, result))
    assert told is not None
    assert (told[0].item_id, told[1].job) == ("i", "job")
    assert prompt.startswith(told[1].source_prompt)
    assert len(told[1].target_prompt) >= 10
