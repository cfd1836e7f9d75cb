# SPDX-License-Identifier: Apache-2.0
"""What a job that was made from Resolve keeps for its placing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_daemon.cli.resolve import job_results
from flowanchor_resolve import plain
from flowanchor_resolve.problems import ResolveProblem

from flowanchor_core.errors import InputError
from tests.resolve.surfaces.conftest import SELECTION


def job(**kept: Any) -> jobs_pb2.Job:
    context = {"out": "/x/y.mov", "resolve": {"selection": plain.selection_as_plain(SELECTION), **kept}}
    edit = types_pb2.EditRequest(host_context=json.dumps(context).encode())
    return jobs_pb2.Job(id="0123", client="cli", request=edit)


def test_a_job_knows_its_place() -> None:
    selection, settings, as_take = job_results.kept_with(job(settings={"at": 5.0}, as_take=True))
    assert (selection, settings, as_take) == (SELECTION, {"at": 5.0}, True)


@pytest.mark.parametrize(
    "other",
    [
        jobs_pb2.Job(id="1", client="cli"),
        jobs_pb2.Job(id="1", client="blender", request=job().request),
        jobs_pb2.Job(id="1", client="cli", request=types_pb2.EditRequest(host_context=b'{"resolve": 5}')),
    ],
)
def test_a_job_of_another_origin_has_none(other: jobs_pb2.Job) -> None:
    with pytest.raises(InputError) as caught:
        job_results.kept_with(other)
    assert caught.value.code == "job-not-from-resolve"


def test_a_job_whose_note_makes_no_sense() -> None:
    odd = job(selection={"start": -1})
    with pytest.raises(ResolveProblem) as caught:
        job_results.kept_with(odd)
    assert caught.value.code == "resolve-note-broken"


def test_a_variation_has_its_own_seed_in_its_marker() -> None:
    kept = {"options": {"seed": 5, "feather": 2}, "at": 1.0}
    assert job_results._with_seed(kept, 9)["options"] == {"seed": 9, "feather": 2}
    assert kept["options"] == {"seed": 5, "feather": 2}


def test_a_job_left_to_the_daemon_knows_the_name_its_result_was_given() -> None:
    assert job_results.asked_out(job(out="/films/shot.mov")) == Path("/films/shot.mov")
    assert job_results.asked_out(job()) is None
    for odd in (5, "a\0b", ["x.mov"]):
        assert job_results.asked_out(job(out=odd)) is None
