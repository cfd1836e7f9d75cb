# SPDX-License-Identifier: Apache-2.0
"""Settings, plans and records of every kind, and what is none of them, for tests with hypothesis."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from flowanchor_vse.logic.ledger import STATES, Origin, Record
from flowanchor_vse.logic.plan import Box, Footage, UploadPlan, plan_to_json
from flowanchor_vse.logic.settings import LARGEST_SEED, EditSettings
from hypothesis import strategies as st

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
    seed=st.integers(0, LARGEST_SEED),
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
    plan=plans.map(plan_to_json),
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
