# SPDX-License-Identifier: Apache-2.0
"""What interrupts a command for Resolve tells of its job, and of the command that goes on there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from flowanchor.v1 import jobs_pb2
from flowanchor_daemon.cli.edit_options import EditOptions
from flowanchor_daemon.cli.interruption import Interrupted
from flowanchor_daemon.cli.resolve import actions, job_results, reach
from flowanchor_resolve import session

JOB = jobs_pb2.Job(id="one", state=jobs_pb2.JOB_STATE_SUCCEEDED)


@pytest.fixture
def unconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def at_work() -> Iterator[tuple[Any, Any]]:
        known = SimpleNamespace(job=lambda job: SimpleNamespace(job=JOB))
        yield known, SimpleNamespace(say=lambda text: None)

    monkeypatch.setattr(actions, "at_work", at_work)
    monkeypatch.setattr(reach, "studio", lambda *_: None)


def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("edited", "state"), [(True, "succeeded"), (False, "queued")])
def test_while_the_result_of_an_edit_is_placed(
    edited: bool, state: str, unconnected: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def placing(host: Any, order: Any, editing: Any, say: Any) -> None:
        editing.job, editing.result = "one", cast(Any, object()) if edited else None
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "edit", placing)
    wanted = actions.Wanted(EditOptions(source="a", target="b"), (), session.Order())
    with pytest.raises(Interrupted) as caught:
        actions.edit(wanted)
    ended = caught.value
    assert (ended.job, ended.state, ended.delivers) == ("one", state, "resolve place")


def test_before_there_is_a_job(unconnected: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "edit", interrupt)
    wanted = actions.Wanted(EditOptions(source="a", target="b"), (), session.Order())
    with pytest.raises(KeyboardInterrupt) as caught:
        actions.edit(wanted)
    assert not isinstance(caught.value, Interrupted)


def test_while_a_finished_job_is_fetched_and_placed(
    unconnected: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_results, "find_job", lambda client, text: JOB)
    monkeypatch.setattr(job_results, "fetched", interrupt)
    with pytest.raises(Interrupted) as caught:
        actions.place("one", None, False)
    ended = caught.value
    assert (ended.job, ended.state, ended.delivers) == ("one", "succeeded", "resolve place")
