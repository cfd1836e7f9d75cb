# SPDX-License-Identifier: Apache-2.0
"""What the panel's daemon part does: look, start, stop, unload, read and pull models."""

from __future__ import annotations

import pytest
from flowanchor.v1 import jobs_pb2, models_pb2, types_pb2
from flowanchor_client.connect import Start

from tests.blender.logic.conftest import Desk
from tests.blender.logic.standin import refused, silent


def test_a_running_daemon_is_found_with_its_models(desk: Desk) -> None:
    desk.standin.runs = True
    desk.session.wish("connect")
    desk.idle()
    daemon = desk.session.daemon
    assert daemon.state == "running"
    assert daemon.info is not None
    assert daemon.info.version == "9"
    assert [model.name for model in daemon.models or ()] == ["shapes"]
    assert desk.standin.connects == [Start.NEVER]


def test_it_is_shown_as_starting_while_it_starts(desk: Desk) -> None:
    desk.session.wish("start")
    seen = []

    def look() -> bool:
        seen.append(desk.session.daemon.state)
        return seen[-1] == "running"

    desk.until(look)
    assert list(dict.fromkeys(seen)) == ["unknown", "starting", "running"]


@pytest.mark.parametrize("wish", ["refresh", "diagnose", "unload", "stop"])
def test_wishes_start_no_daemon(desk: Desk, wish: str) -> None:
    desk.session.wish(wish)  # type: ignore[arg-type]
    desk.idle()
    daemon = desk.session.daemon
    assert (daemon.state, daemon.waiting, desk.standin.runs) == ("stopped", (), False)
    assert daemon.problem is not None
    assert daemon.problem.remedy == "start"


def test_refresh_unload_and_stop(desk: Desk) -> None:
    desk.standin.runs = True
    desk.session.wish("refresh")
    assert desk.session.daemon.waiting == ("models", "diagnose")
    desk.idle()
    assert desk.session.daemon.diagnosis is not None
    desk.session.wish("unload")
    desk.idle()
    assert desk.standin.calls["unload"] == 1
    assert desk.standin.calls["diagnose"] == 2, "the panel shows that the memory is free"
    desk.session.wish("stop")
    desk.idle()
    assert (desk.session.daemon.state, desk.standin.runs) == ("stopped", False)
    assert desk.session.daemon.problem is None, "the user wished it"


def test_a_wish_that_is_refused_is_told_and_gone(desk: Desk) -> None:
    desk.standin.runs = True
    desk.standin.faults["unload"] = [refused("engine-busy")]
    desk.session.wish("unload")
    desk.idle()
    problem = desk.session.daemon.problem
    assert problem is not None
    assert problem.code == "engine-busy"
    desk.session.wish("diagnose")
    desk.idle()
    assert desk.session.daemon.problem is None


def test_a_wish_that_is_not_answered_is_told(desk: Desk) -> None:
    desk.standin.runs = True
    desk.standin.faults["diagnose"] = [silent()]
    desk.session.wish("diagnose")
    desk.idle()
    problem = desk.session.daemon.problem
    assert problem is not None
    assert problem.code == "daemon-silent"


def test_a_model_is_pulled_with_its_progress_and_then_listed(desk: Desk) -> None:
    desk.session.pull("wan")
    desk.until(lambda: desk.session.daemon.pull)
    task = desk.standin.tasks["pull-wan"]
    task.done_bytes = 40
    desk.until(lambda: (pull := desk.session.daemon.pull) is not None and pull.done_bytes == 40)
    listed = desk.standin.calls["models"]
    task.state = models_pb2.MODEL_TASK_STATE_SUCCEEDED
    desk.idle()
    assert desk.standin.calls["models"] == listed + 1


def test_a_pull_that_fails_is_told(desk: Desk) -> None:
    desk.session.pull("wan")
    desk.until(lambda: desk.session.daemon.pull)
    task = desk.standin.tasks["pull-wan"]
    task.state = models_pb2.MODEL_TASK_STATE_FAILED
    task.failure.CopyFrom(types_pb2.Failure(code="pull-offline", message="No network.", action="Connect."))
    desk.idle()
    problem = desk.session.daemon.problem
    assert problem is not None
    assert problem.code == "pull-offline"


def test_a_pull_is_cancelled(desk: Desk) -> None:
    desk.session.pull("wan")
    desk.until(lambda: desk.session.daemon.pull)
    desk.session.cancel_pull()
    desk.idle()
    pull = desk.session.daemon.pull
    assert pull is not None
    assert pull.state == models_pb2.MODEL_TASK_STATE_CANCELLED


def test_wishes_go_before_edits_and_do_not_stop_them(desk: Desk) -> None:
    record = desk.submit(desk.plan(3, 20_000))
    desk.until_state(record, "uploading")
    desk.session.wish("diagnose")
    desk.until(lambda: desk.session.daemon.diagnosis, 3)
    desk.until_state(record, "waiting")


def test_an_estimate_is_of_the_newest_question(desk: Desk) -> None:
    desk.standin.runs = True
    for frames in (2, 3):
        desk.session.estimate(jobs_pb2.EstimateEditRequest(frames=frames))
    desk.idle()
    found = desk.session.daemon.estimate
    assert found is not None
    question, answer = found
    assert (question.frames, answer.forwards) == (3, 3)
    assert desk.standin.connects == [Start.NEVER]


def test_a_daemon_that_does_not_know_estimates_is_not_asked(desk: Desk) -> None:
    desk.standin.runs, desk.standin.capabilities = True, ()
    desk.session.estimate(jobs_pb2.EstimateEditRequest(frames=1))
    desk.idle()
    assert desk.session.daemon.estimate is None
    assert desk.session.daemon.problem is None


def test_a_newer_clients_warning_is_shown(desk: Desk) -> None:
    desk.standin.runs, desk.standin.warning = True, "The daemon is older."
    desk.session.wish("connect")
    desk.idle()
    assert desk.session.daemon.warning == "The daemon is older."
