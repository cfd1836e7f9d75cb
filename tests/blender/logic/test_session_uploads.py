# SPDX-License-Identifier: Apache-2.0
"""Every way in which sending an export can go wrong ends in a sentence and a next step."""

from __future__ import annotations

import pytest
from flowanchor.v1 import types_pb2

from tests.blender.logic.conftest import Desk
from tests.blender.logic.faults import problem_of
from tests.blender.logic.standin import refused


def test_an_export_that_is_gone_is_told(desk: Desk) -> None:
    plan = desk.plan()
    plan.clip.files[1].unlink()
    record = desk.submit(plan)
    desk.idle()
    problem = problem_of(desk, record)
    assert (desk.state(record), problem.code, problem.remedy) == ("failed", "clip-unreadable", "resubmit")
    assert "000001.png" in problem.message
    assert desk.problems == [(record, problem)]


def test_an_export_that_vanishes_while_it_is_sent_is_told(desk: Desk) -> None:
    plan = desk.plan()
    record = desk.submit(plan)
    desk.until(lambda: desk.standin.calls["upload_chunk"] == 4)
    plan.clip.files[2].unlink()
    desk.idle()
    assert problem_of(desk, record).code == "clip-unreadable"


@pytest.mark.parametrize("content", [b"other " * 500, b"short"])
def test_an_export_that_changes_while_it_is_sent_is_told(desk: Desk, content: bytes) -> None:
    plan = desk.plan()
    record = desk.submit(plan)
    desk.until(lambda: desk.standin.calls["upload_chunk"] == 3)
    plan.clip.files[2].write_bytes(content)
    desk.idle()
    problem = problem_of(desk, record)
    assert (problem.code, problem.remedy) == ("media-hash", "resubmit")


def test_an_empty_export_is_told(desk: Desk) -> None:
    plan = desk.plan()
    plan.clip.files[0].write_bytes(b"")
    record = desk.submit(plan)
    desk.idle()
    assert "empty" in problem_of(desk, record).message


def test_an_upload_the_daemon_has_forgotten_goes_on_where_it_says(desk: Desk) -> None:
    record = desk.submit()
    desk.until(lambda: desk.standin.calls["upload_chunk"] == 2)
    desk.standin.media.clear()  # evicted
    desk.until_state(record, "waiting")
    assert not desk.problems


def test_media_that_were_evicted_before_the_submission_are_sent_again(desk: Desk) -> None:
    record = desk.submit()
    desk.until(lambda: len(desk.standin.complete) == 3)
    desk.standin.complete.clear()
    desk.standin.media.clear()
    desk.until_state(record, "waiting")
    assert desk.standin.calls["submit"] == 2


def test_a_daemon_that_never_keeps_what_it_gets_is_told(desk: Desk) -> None:
    desk.standin.faults["submit"] = [refused("media-missing") for _ in range(10)]
    record = desk.submit()
    desk.idle()
    assert problem_of(desk, record).remedy == "retry"
    desk.standin.faults["submit"] = []
    desk.standin.faults["upload_chunk"] = [refused("media-offset") for _ in range(100)]
    desk.standin.complete.clear()
    desk.standin.media.clear()
    assert desk.session.retry(record) == record, "the daemon has never accepted it: it is the same edit still"
    desk.idle()
    assert problem_of(desk, record).code == "media-offset"


@pytest.mark.parametrize(
    ("code", "kind", "remedy"),
    [
        ("disk-full", types_pb2.FAILURE_KIND_SERVICE, "retry"),
        ("quota-full", types_pb2.FAILURE_KIND_SERVICE, "retry"),
        ("prompt-empty", types_pb2.FAILURE_KIND_INPUT, "settings"),
        ("model-unknown", types_pb2.FAILURE_KIND_MODEL, "settings"),
        ("request-too-large", types_pb2.FAILURE_KIND_INPUT, "settings"),
    ],
)
def test_a_refusal_is_told_with_the_button_that_helps(
    desk: Desk, code: str, kind: types_pb2.FailureKind.ValueType, remedy: str
) -> None:
    call = "upload_chunk" if code in ("disk-full", "quota-full") else "submit"
    desk.standin.faults[call] = [refused(code, kind)]
    record = desk.submit()
    desk.idle()
    problem = problem_of(desk, record)
    assert (desk.state(record), problem.code, problem.remedy) == ("failed", code, remedy)
    again = desk.session.retry(record)
    desk.until_state(again, "waiting")
    assert desk.view(again).problem is None
