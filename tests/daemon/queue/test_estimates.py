# SPDX-License-Identifier: Apache-2.0
"""EstimateEdit: the cost of an edit before anything of it is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_daemon.queue.store import JobStore

from flowanchor_core.errors import FlowAnchorError
from tests.daemon.queue.bench import play
from tests.daemon.queue.test_jobs_service import NO_CONTEXT, desk
from tests.daemon.queue.wishes import wish


def call(**changes: Any) -> jobs_pb2.EstimateEditRequest:
    values: dict[str, Any] = {
        "edit": types_pb2.EditRequest(device="cpu"),
        "width": 64,
        "height": 64,
        "frames": 17,
        "region": types_pb2.Box(x=10, y=10, width=20.5, height=20),
        **changes,
    }
    return jobs_pb2.EstimateEditRequest(**{name: one for name, one in values.items() if one is not None})


def remember(store: JobStore, attempts: int = 1, **changes: Any) -> None:
    """An edit that has succeeded, after `attempts`."""
    values = {"model": "shapes", "device": "cpu", "frames": 17, "forwards": 83, "windows": 1, **changes}
    result = types_pb2.EditResult(model_width=64, model_height=64)
    seconds = values.pop("seconds", {"load": 50.0, "edit": 8.3, "decode": 1.7})
    result.MergeFrom(types_pb2.EditResult(**values))
    for phase, value in seconds.items():
        result.seconds[phase] = value
    store.submit(wish())
    for _ in range(attempts - 1):
        store.put_back(take(store), "daemon-ended")
    store.succeed(take(store), result, [])


def take(store: JobStore) -> str:
    taken = store.take()
    assert taken is not None
    return taken.id


def ask(
    tmp_path: Path, request: jobs_pb2.EstimateEditRequest, *past: dict[str, Any]
) -> jobs_pb2.EstimateEditResponse:
    tmp_path.mkdir(exist_ok=True)
    answers: list[jobs_pb2.EstimateEditResponse] = []

    async def scene() -> None:
        async with desk(tmp_path, started=False) as d:
            for one in past:
                remember(d.bench.store, **one)
            answers.append(await d.service.EstimateEdit(request, NO_CONTEXT))

    play(scene)
    return answers[0]


def test_arithmetic_needs_no_past(tmp_path: Path) -> None:
    answer = ask(tmp_path, call())
    assert (answer.forwards, answer.windows) == (4 * 21 - 1, 1)
    assert (answer.model_width, answer.model_height) == (64, 64)
    assert answer.memory_bytes > 1_000_000
    assert (answer.HasField("seconds"), answer.past_jobs) == (False, 0)


def test_the_request_decides(tmp_path: Path) -> None:
    edit = types_pb2.EditRequest(preset="draft", sampling=types_pb2.Sampling(steps=6), device="cpu")
    edit.parameters["n_avg"].integer = 2
    assert ask(tmp_path, call(edit=edit)).forwards == 2 * (4 * 5 - 1), "the draft's share of skipped steps"
    edit.sampling.skip = 0
    assert ask(tmp_path / "b", call(edit=edit)).forwards == 2 * (4 * 6 - 1)


def test_seconds_are_those_of_past_edits_in_proportion(tmp_path: Path) -> None:
    """The same edit took 8.3 s for its 83 forwards and 0.1 s a frame besides; loading does not count."""
    same = ask(tmp_path / "a", call(), {})
    assert same.seconds == pytest.approx(8.3 + 1.7)
    assert same.past_jobs == 1
    edit = types_pb2.EditRequest(device="cpu", sampling=types_pb2.Sampling(steps=43, skip=0))
    longer = ask(tmp_path / "b", call(edit=edit), {}, {})
    assert longer.seconds == pytest.approx(0.1 * (4 * 43 - 1) + 1.7)
    assert longer.past_jobs == 2


def test_one_slow_edit_does_not_spoil_the_pace(tmp_path: Path) -> None:
    slow = {"seconds": {"edit": 8300.0, "decode": 1700.0}}
    assert ask(tmp_path, call(), {}, slow, {}).seconds == pytest.approx(10.0)


def test_edits_of_others_and_interrupted_ones_tell_no_pace(tmp_path: Path) -> None:
    answer = ask(tmp_path, call(), {"model": "wan"}, {"device": "cuda:0"}, {"attempts": 2})
    assert (answer.past_jobs, answer.HasField("seconds")) == (0, False)


def test_numbers_take_half_the_room_on_a_gpu(tmp_path: Path) -> None:
    wide = {"width": 640, "height": 640, "region": None}
    cpu = ask(tmp_path / "a", call(**wide))
    gpu = ask(tmp_path / "b", call(edit=types_pb2.EditRequest(device="cuda"), **wide))
    seen = ask(tmp_path / "c", call(edit=types_pb2.EditRequest(), **wide), {"device": "cuda:0"})
    assert gpu.memory_bytes < cpu.memory_bytes
    assert seen.memory_bytes == gpu.memory_bytes, "auto: where the last one ran"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"width": 0}, "request-invalid"),
        ({"height": -4}, "request-invalid"),
        ({"frames": 0}, "request-invalid"),
        ({"region": types_pb2.Box(x=float("nan"), y=0, width=1, height=1)}, "request-invalid"),
        ({"region": types_pb2.Box(x=70, y=0, width=10, height=10)}, "mask-empty"),
        ({"edit": types_pb2.EditRequest(model="nobody")}, "unknown-model"),
        ({"edit": types_pb2.EditRequest(preset="best")}, "unknown-preset"),
        ({"edit": types_pb2.EditRequest(editor="nothing")}, "unknown-editor"),
        ({"edit": types_pb2.EditRequest(sampling=types_pb2.Sampling(skip=25))}, "request-invalid"),
    ],
)
def test_what_an_edit_would_be_refused_for_is_refused(
    tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(FlowAnchorError) as caught:
        ask(tmp_path, call(**changes))
    assert caught.value.code == code
