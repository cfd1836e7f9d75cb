# SPDX-License-Identifier: Apache-2.0
"""What an edit sends is read back from plain data as it was written."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from flowanchor_vse.logic.plan import Box, Footage, UploadPlan, plan_from_json, plan_to_json
from hypothesis import given

from tests.blender.logic.anything import junk, plans, through_json


@given(plans)
def test_plans_are_read_back_as_written(plan: UploadPlan) -> None:
    assert plan_from_json(through_json(plan_to_json(plan))) == plan


@given(junk)
def test_what_is_no_plan_is_none(data: Any) -> None:
    assert plan_from_json(data) is None


def test_a_long_export_takes_little_room_in_the_file() -> None:
    frames = tuple(Path("/some/folder") / f"{index:06d}.png" for index in range(5000))
    plan = UploadPlan(Footage(frames, 0, Fraction(24)), boxes=(Box(0, 0, 1, 1),))
    assert len(json.dumps(plan_to_json(plan))) < 300
