# SPDX-License-Identifier: Apache-2.0
"""Records are read back as they were written, whatever else is in a file, and the newest of each wins."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from flowanchor_vse.logic.ledger import MOST_RECORDS, Ledger, Origin, Record
from flowanchor_vse.logic.settings import EditSettings
from hypothesis import given
from hypothesis import strategies as st

from tests.blender.logic.anything import junk, records, text, through_json


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
