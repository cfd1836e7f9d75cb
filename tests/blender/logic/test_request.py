# SPDX-License-Identifier: Apache-2.0
"""Settings, plans and records as plain data: what is read back is what was written, whatever else is in a
file."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flowanchor_daemon.media import sniff
from flowanchor_vse.logic import request
from flowanchor_vse.logic.ledger import MOST_RECORDS, STATES, Ledger, Origin, Record
from flowanchor_vse.logic.request import Box, EditSettings, Footage, UploadPlan
from hypothesis import given
from hypothesis import strategies as st

from flowanchor_core.errors import InputError
from flowanchor_core.tokens import refuse_equal

text = st.text(max_size=20)
small = st.integers(0, 1000)
settings = st.builds(
    EditSettings,
    source_prompt=text,
    target_prompt=text,
    words=st.lists(text, max_size=3).map(tuple),
    negative_prompt=st.none() | text,
    steps=st.none() | small,
    shift=st.none() | st.floats(0.1, 50),
    parameters=st.dictionaries(
        text, st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | text, max_size=3
    ),
    seed=st.integers(0, request.LARGEST_SEED),
    seed_mode=st.sampled_from(["random", "fixed"]),
    margin=st.floats(0, 10),
    invert=st.booleans(),
    priority=st.integers(-100, 100),
)
files = st.lists(
    st.sampled_from([Path("/x/a.png"), Path("/x/000001.png"), Path("/y/b.mov")]), min_size=1, max_size=3
)
numbered = st.integers(1, 9).map(lambda count: [Path(f"/x/{index:06d}.png") for index in range(count)])
footage = st.builds(
    lambda chosen, number, rate: Footage(tuple(chosen), number, rate),
    files | numbered,
    st.none() | st.just(0),
    st.none() | st.fractions(Fraction(1), Fraction(120), max_denominator=1001),
)
boxes = st.builds(Box, *[st.floats(0, 100)] * 4)
plans = st.builds(
    UploadPlan,
    footage,
    st.lists(footage, max_size=2).map(tuple),
    st.lists(boxes, max_size=2).map(tuple),
    small,
)
records = st.builds(
    Record,
    id=st.sampled_from(["one", "two", "three"]),
    origin=st.builds(Origin, text, text, text, st.integers(-9, 9), st.integers(10, 20), st.integers(1, 9)),
    settings=settings,
    folder=text,
    state=st.sampled_from(STATES),
    job=text,
    seed=st.integers(-1, 9),
    plan=plans.map(request.plan_to_json),
    files=st.lists(text, max_size=3).map(tuple),
    size=st.tuples(small, small),
    edition=small,
    deleted=st.booleans(),
)
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)


def through_json(data: Any) -> Any:
    return json.loads(json.dumps(data))


@given(settings)
def test_settings_are_read_back_as_written(one: EditSettings) -> None:
    assert EditSettings.from_json(through_json(one.to_json())) == one


@given(settings, st.dictionaries(st.sampled_from([*EditSettings().to_json(), "unheard-of"]), junk))
def test_settings_with_anything_in_them_are_settings(one: EditSettings, spoiled: dict[str, Any]) -> None:
    read = EditSettings.from_json({**one.to_json(), **spoiled})
    assert EditSettings.from_json(through_json(read.to_json())) == read


@given(plans)
def test_plans_are_read_back_as_written(plan: UploadPlan) -> None:
    assert request.plan_from_json(through_json(request.plan_to_json(plan))) == plan


@given(junk)
def test_what_is_no_plan_is_none(data: Any) -> None:
    assert request.plan_from_json(data) is None


def test_a_long_export_takes_little_room_in_the_file() -> None:
    frames = tuple(Path("/some/folder") / f"{index:06d}.png" for index in range(5000))
    plan = UploadPlan(Footage(frames, 0, Fraction(24)), boxes=(Box(0, 0, 1, 1),))
    assert len(json.dumps(request.plan_to_json(plan))) < 300


@given(st.lists(records, max_size=4))
def test_a_ledger_is_read_back_as_written(some: list[Record]) -> None:
    ledger = Ledger(some)
    assert Ledger.from_json(ledger.to_json()) == ledger
    assert Ledger.from_json(ledger.to_json()).to_json() == ledger.to_json()


@given(junk | text)
def test_any_text_is_a_ledger(data: Any) -> None:
    assert len(Ledger.from_json(data if isinstance(data, str) else json.dumps(data))) == 0
    assert len(Ledger.from_json(json.dumps({"schema": 1, "records": data}))) == 0


@given(
    records,
    st.sampled_from(
        [*Record.__dataclass_fields__, *(f"origin.{one}" for one in Origin.__dataclass_fields__)]
    ),
    junk,
)
def test_a_spoiled_record_is_left_out_and_the_others_are_kept(one: Record, name: str, bad: Any) -> None:
    data = through_json(json.loads(Ledger([one]).to_json()))
    good = replace(one, id="good")
    spoiled = data["records"][0]
    if name.startswith("origin."):
        spoiled["origin"][name.removeprefix("origin.")] = bad
    else:
        spoiled[name] = bad
    data["records"].append(json.loads(Ledger([good]).to_json())["records"][0])
    read = Ledger.from_json(json.dumps(data))
    assert read.find("good") == good
    assert Ledger.from_json(read.to_json()) == read, "whatever was kept can be kept again"
    for record in read:
        for part in (record, record.origin):
            for entry, value in vars(part).items():
                assert type(value) is type(getattr(good if part is record else good.origin, entry)), entry


@given(st.lists(records, max_size=4), st.lists(records, max_size=4))
def test_merged_ledgers_hold_the_newest_of_each_record(some: list[Record], others: list[Record]) -> None:
    ours, theirs = Ledger(some), Ledger(others)
    before = {record.id: record for record in some}
    stored = {record.id: record for record in others}
    lacks = ours.merge(theirs)
    for name in before.keys() | stored.keys():
        editions = [ledger[name].edition for ledger in (before, stored) if name in ledger]
        found = ours.find(name)
        assert found is not None
        assert found.edition == max(editions)
    assert lacks == any(
        name not in stored or stored[name].edition < record.edition for name, record in before.items()
    )
    assert not Ledger.from_json(ours.to_json()).merge(ours), "once written, nothing is lacking"


def test_the_oldest_that_are_over_make_room_and_those_at_work_stay() -> None:
    origin = Origin("s", "u", "n", 1, 2, 1)
    ledger = Ledger()
    ledger.put(Record("working", origin, EditSettings(), "/f", state="running"))
    for number in range(MOST_RECORDS + 5):
        ledger.put(Record(f"r{number}", origin, EditSettings(), "/f", state="done"))
    assert len(ledger) == MOST_RECORDS
    assert ledger.get("working") is not None
    assert ledger.get("r0") is None
    assert ledger.get(f"r{MOST_RECORDS + 4}") is not None


def test_what_is_missing_is_said_before_anything_is_exported() -> None:
    assert len(request.problems(EditSettings())) == 2
    assert request.problems(EditSettings(source_prompt="a fox", target_prompt="an owl")) == []
    (told,) = request.problems(
        EditSettings(source_prompt="a fox", target_prompt="an owl", words=("cat", "owl"))
    )
    assert "cat" in told


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("a red fox", " a  red&#32;fox", ()),
        ("a red fox", "a red fox", ("fox",)),
        ("a red fox", "a Red fox", ()),
        ("a red fox and an owl", "a red fox", ()),
    ],
)
def test_equal_prompts_are_refused_before_the_export_as_the_daemon_would(
    source: str, target: str, words: tuple[str, ...]
) -> None:
    found = request.problems(EditSettings(source_prompt=source, target_prompt=target, words=words))
    try:
        refuse_equal(source, target, words)
    except InputError:
        assert len(found) == 1
        assert "same" in found[0]
    else:
        assert found == []


@given(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | text
)
def test_parameters_keep_their_kind(value: request.Value) -> None:
    read = request.plain_value(request.parameter(value))
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_no_parameter(value: float) -> None:
    with pytest.raises(ValueError, match="no parameter"):
        request.parameter(value)


def test_a_movie_goes_by_a_suffix_the_daemon_knows() -> None:
    assert request.MOVIE_SUFFIXES == sniff.MOVIE_SUFFIXES
    for name, suffix in (("shot.MP4", ".mp4"), ("shot.r3d", ".mov"), ("shot", ".mov")):
        path = Path("/x") / name
        plan = UploadPlan(Footage((path,), None), boxes=(Box(0, 0, 1, 1),))
        made = request.edit_request(EditSettings(), plan, {path: "0" * 64})
        assert (made.clip.movie.suffix, made.clip.movie.name) == (suffix, name)
        assert not made.clip.HasField("rate")
