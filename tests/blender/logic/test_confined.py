# SPDX-License-Identifier: Apache-2.0
"""A .blend from anybody names no path outside the results folder, and does not hold Blender up."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flowanchor_vse.logic.confined import MOST_FRAMES, confined
from flowanchor_vse.logic.ledger import Ledger, Record
from flowanchor_vse.logic.plan import Box, Footage, UploadPlan, plan_folders, plan_from_json, plan_to_json
from hypothesis import given

from tests.blender.logic.anything import junk, records
from tests.blender.logic.conftest import ORIGIN, SETTINGS, Desk

ROOT = Path("/results")
OTHER_ROOT = Path("/user/results")
EXPORTS = Path("/exports")
NAME = "shot-0123abcd"


def frames(folder: Path, count: int = 3) -> Footage:
    return Footage(tuple(folder / f"{index:06d}.png" for index in range(count)), 0, Fraction(24))


def plan_of(folder: Path) -> dict[str, Any]:
    return plan_to_json(UploadPlan(frames(folder / "clip"), (frames(folder / "mask"),), (Box(0, 0, 1, 1),)))


def record(**changes: Any) -> Record:
    whole = Record(
        *("r", ORIGIN, SETTINGS, str(ROOT / NAME)),
        state="done",
        job="j",
        plan=plan_of(EXPORTS / NAME),
        files=("patch_000001.png", "result.mov"),
    )
    return replace(whole, **changes)


def read(one: Record, root: Path = ROOT, exports: Path = EXPORTS) -> Record | None:
    """As it comes out of a file."""
    written = Ledger.from_json(Ledger([one]).to_json())
    return confined(written, [root, OTHER_ROOT], exports).find(one.id)


def test_the_add_ons_own_records_are_kept_as_they_are() -> None:
    one = record()
    assert read(one) == one


@pytest.mark.parametrize(
    "folder", ["/", "", "..", "/home/..", "/home/me/", "C:\\", "a b", ".ssh", "con", "x\0"]
)
def test_a_folder_without_a_name_of_ours_leaves_the_record_out(folder: str) -> None:
    assert read(record(folder=folder)) is None


@pytest.mark.parametrize(
    "folder", ["/home/me/film", "../../film", "C:\\Users\\film", "\\\\host\\share\\film"]
)
def test_of_a_folder_elsewhere_only_the_name_is_taken(folder: str) -> None:
    found = read(record(folder=folder))
    assert found is not None
    assert found.folder == str(ROOT / "film")


def test_of_several_results_folders_the_one_it_says_is_taken() -> None:
    found = read(record(folder=str(OTHER_ROOT / NAME)))
    assert found is not None
    assert found.folder == str(OTHER_ROOT / NAME)


def test_results_that_were_moved_with_their_file_are_found(tmp_path: Path) -> None:
    (tmp_path / "b" / NAME).mkdir(parents=True)
    one = Ledger([record(folder=f"/elsewhere/flowanchor-results/{NAME}")])
    found = confined(one, [tmp_path / "a", tmp_path / "b"], EXPORTS).find("r")
    assert found is not None
    assert found.folder == str(tmp_path / "b" / NAME)


@pytest.mark.parametrize("name", ["../a.png", "/etc/passwd", "a\\b.png", "..", "\\\\host\\share", ".hidden"])
def test_result_files_are_plain_names(name: str) -> None:
    found = read(record(files=("a.png", name)))
    assert found is not None
    assert found.files == ()


@pytest.mark.parametrize(
    "change",
    [
        {"files": ["/home/me/secret.mov"], "first_number": None},
        {"folder": "/home/me/pictures"},
        {"folder": "/exports/x/../clip"},
        {"suffix": "/../../../secret"},
        {"suffix": ".mov"},
        {"count": MOST_FRAMES + 1},
        {"count": 0},
        {"count": True},
        {"count": "3"},
        {"rate": ["1e999999999"]},
        {"rate": [24, 0]},
        {"first_number": 5},
        {"folder": 1},
    ],
)
def test_nothing_but_exported_frames_is_sent_again(change: dict[str, Any]) -> None:
    for part in ("clip", "masks"):
        plan = plan_of(EXPORTS / NAME)
        spoiled = {**(plan["clip"] if part == "clip" else plan["masks"][0]), **change}
        if "files" in change:
            del spoiled["folder"]
        plan[part] = spoiled if part == "clip" else [spoiled]
        found = read(record(plan=plan))
        assert found is not None
        assert found.plan == {}


@pytest.mark.parametrize(
    "spoiled",
    [
        {"size": [math.inf, 1]},
        {"plan": {**plan_of(EXPORTS / NAME), "boxes": [[10**400, 0, 1, 1]]}},
        {"origin": {**asdict(ORIGIN), "strip_name": "\ud800"}},
        {"settings": {"source_prompt": "a \udfff"}},
        {"failure": {"code": "x", "message": "\ud800"}},
        {"id": "\ud800"},
    ],
)
def test_what_cannot_be_read_written_or_shown_spoils_no_other_record(spoiled: dict[str, Any]) -> None:
    entry = json.loads(Ledger([record()]).to_json())["records"][0]
    text = json.dumps({"schema": 1, "records": [{**entry, "id": "spoiled", **spoiled}, entry]})
    ledger = confined(Ledger.from_json(text), [ROOT], EXPORTS)
    assert ledger.find("r") == record()
    for one in ledger:
        assert one.id == "r" or one.plan == {}
    ledger.to_json().encode()


@pytest.mark.parametrize("depth", [5, 300, 600])
@pytest.mark.parametrize("field", ["mask", "transform"])
def test_a_file_cannot_nest_data_so_deep_that_it_cannot_be_written(depth: int, field: str) -> None:
    entry = json.loads(Ledger([record()]).to_json())["records"][0]
    deep = '{"a":' * depth + "1" + "}" * depth
    text = json.dumps({"schema": 1, "records": [entry]}).replace(f'"{field}": {{}}', f'"{field}": {deep}')
    assert deep in text
    assert not list(confined(Ledger.from_json(text), [ROOT], EXPORTS))


@given(records, junk)
def test_whatever_a_file_says_stays_within_the_results(one: Record, spoiled: Any) -> None:
    plans = [one.plan, {**one.plan, "clip": spoiled}, {**one.plan, "masks": spoiled}, {"clip": spoiled}]
    for plan in plans:
        found = read(replace(one, plan=plan, id="r"))
        if found is None:
            continue
        sent = plan_from_json(found.plan)
        results = [*found.paths, Path(found.folder)]
        exports = [*plan_folders(found.plan), *(sent.files if sent else ())]
        for paths, roots in ((results, (ROOT, OTHER_ROOT)), (exports, (EXPORTS,))):
            for path in paths:
                assert ".." not in path.parts
                assert any(path.is_relative_to(root) and path != root for root in roots)


def test_links_are_not_followed(tmp_path: Path) -> None:
    root, exports, outside = tmp_path / "results", tmp_path / "exports", tmp_path / "outside"
    (outside / "clip").mkdir(parents=True)
    (exports / "real").mkdir(parents=True)
    root.mkdir()
    (root / "link").symlink_to(outside)
    (exports / "real" / "clip").symlink_to(outside / "clip")
    assert read(record(folder=str(root / "link")), root) is None
    plan = plan_of(exports / "real")
    found = read(record(folder=str(root / "real"), plan=plan), root, exports)
    assert found is not None
    assert found.plan == {}


def test_a_short_text_takes_no_long_time() -> None:
    entry = json.loads(Ledger([record()]).to_json())["records"][0]
    entry["plan"]["clip"]["count"] = 3_000_000
    entries = [{**entry, "id": str(number), "state": "running", "job": ""} for number in range(3000)]
    begun = time.process_time()
    ledger = confined(Ledger.from_json(json.dumps({"schema": 1, "records": entries})), [ROOT], EXPORTS)
    assert len(ledger) == 1000
    assert all(one.plan == {} for one in ledger)
    assert time.process_time() - begun < 60, "minutes, if it took frame by frame"


def test_the_strips_own_movie_is_not_read_again_from_the_file(desk: Desk) -> None:
    movie = desk.folder / "mine.mov"
    movie.write_bytes(b"movie")
    plan = UploadPlan(Footage((movie,), None), boxes=(Box(1, 2, 3, 4),))
    first = desk.submit(plan)
    desk.until_state(first, "waiting")
    desk.standin.fail(desk.view(first).record.job)
    desk.until_state(first, "failed")
    desk.session.close()
    desk.session = desk.new_session()
    desk.session.open(confined(Ledger.from_json(desk.stored), [desk.folder], desk.folder))
    desk.idle()
    desk.standin.jobs.clear()
    again = desk.session.retry(first)
    desk.until_state(again, "failed")
    problem = desk.view(again).problem
    assert problem is not None
    assert problem.message
