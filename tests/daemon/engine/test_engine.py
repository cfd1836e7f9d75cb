# SPDX-License-Identifier: Apache-2.0
"""Jobs in a real engine process, which all tests here share."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import system_pb2, types_pb2
from flowanchor_daemon.engine.local import EngineCrashed, EngineFailed, LocalEngine
from flowanchor_daemon.errors import ServiceError
from numpy.typing import NDArray

from flowanchor_core.progress import PHASES
from tests.daemon.engine.helpers import ended, follow, make_run, samples, steps

Do = Callable[[Coroutine[Any, Any, Any]], Any]


@dataclass(frozen=True)
class Whole:
    """What a run that nothing disturbed sent and made."""

    events: list[engine_pb2.Event]
    pixels: NDArray[np.uint8]
    forwards: int


@pytest.fixture(scope="module")
def whole(
    do: Do, engine: LocalEngine, model: Path, clip: Path, tmp_path_factory: pytest.TempPathFactory
) -> Whole:
    out = tmp_path_factory.mktemp("whole") / "out"
    events = do(follow(engine, make_run("whole", model, clip, out)))
    assert ended(events) == "done"
    return Whole(events, samples(out / "result.mkv"), events[-1].done.result.forwards)


def asked_at(
    phase: str, step: int, ask: Callable[[str], Coroutine[Any, Any, None]], job: str
) -> Callable[[engine_pb2.Event], Coroutine[Any, Any, None]]:
    """Ask something of the engine when a job's progress gets to a step."""

    async def on_event(event: engine_pb2.Event) -> None:
        if event.HasField("progress") and (event.progress.phase, event.progress.step) == (phase, step):
            await ask(job)

    return on_event


def test_a_job_runs_to_its_result(whole: Whole, engine: LocalEngine, model: Path) -> None:
    done = whole.events[-1].done
    assert [(file.path, file.sheet) for file in done.files] == [("result.mkv", False)]
    result = done.result
    assert (result.frames, result.deliver, result.format) == (17, "full", "ffv1")
    assert result.max_abs_diff_outside == 0
    assert result.forwards == 4 * 7 - 1
    assert (result.memory_plan, result.device) == ("full", "cpu")
    assert set(result.seconds) == {"load", *PHASES}
    assert [notice.code for notice in result.notices] == ["clip"]
    assert whole.pixels.shape == (17, 3, 176, 192)
    assert engine.state == system_pb2.ENGINE_STATE_IDLE
    assert engine.loaded_model == str(model)
    assert engine.memory_bytes > 100 << 20


def test_progress_goes_through_all_phases_and_never_falls(whole: Whole) -> None:
    shown = [event.progress for event in whole.events if event.HasField("progress")]
    assert list(dict.fromkeys(entry.phase for entry in shown)) == ["load", *PHASES]
    fractions = [entry.fraction for entry in shown]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] < 0.05
    assert fractions[-1] == 1
    for phase in ("load", *PHASES):
        total = next(entry.total for entry in shown if entry.phase == phase)
        assert steps(whole.events, phase)[-1] == total
    assert all(entry.memory_bytes > 100 << 20 for entry in shown[-5:])
    assert all(event.job == "whole" for event in whole.events)


def test_previews_are_jpegs_of_the_crop(whole: Whole) -> None:
    previews = [event.preview_jpeg for event in whole.events if event.HasField("preview_jpeg")]
    assert previews
    for content in previews:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape == (160, 160, 3)


def test_checkpoints_come_every_so_many_steps_and_after_the_last(whole: Whole) -> None:
    # Seven steps, every two of them kept.
    kept = [event.checkpointed for event in whole.events if event.HasField("checkpointed")]
    assert kept == [2, 4, 6, 7]


@pytest.mark.parametrize(
    # Four decoded frames are one run of the decoder.
    ("phase", "step", "last"),
    [("encode", 4, 5), ("edit", 2, 3), ("decode", 1, 5)],
)
def test_a_cancel_takes_effect_within_a_step(
    phase: str,
    step: int,
    last: int,
    do: Do,
    engine: LocalEngine,
    whole: Whole,
    model: Path,
    clip: Path,
    tmp_path: Path,
) -> None:
    run = make_run("cancelled", model, clip, tmp_path / "out")
    events = do(follow(engine, run, asked_at(phase, step, engine.cancel, run.job)))
    assert ended(events) == "cancelled"
    assert step <= steps(events, phase)[-1] <= last
    assert steps(events, PHASES[PHASES.index(phase) + 1]) == []
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(("phase", "step"), [("edit", 1), ("edit", 4), ("decode", 1)])
def test_a_suspended_job_goes_on_to_the_same_bits(
    phase: str,
    step: int,
    do: Do,
    engine: LocalEngine,
    whole: Whole,
    model: Path,
    clip: Path,
    tmp_path: Path,
) -> None:
    run = make_run("suspended", model, clip, tmp_path / "out")
    first = do(follow(engine, run, asked_at(phase, step, engine.suspend, run.job)))
    assert ended(first) == "suspended"
    kept = max(event.checkpointed for event in first if event.HasField("checkpointed"))
    assert step <= kept <= step + 1 if phase == "edit" else kept == 7
    second = do(follow(engine, run))
    assert ended(second) == "done"
    assert [event.resumed for event in second if event.HasField("resumed")] == [kept]
    assert len(steps(second, "edit")) == 7 - kept
    assert second[-1].done.result.forwards == whole.forwards
    assert np.array_equal(samples(tmp_path / "out" / "result.mkv"), whole.pixels)


def test_a_job_suspended_before_its_first_step_starts_over(
    do: Do, engine: LocalEngine, whole: Whole, model: Path, clip: Path, tmp_path: Path
) -> None:
    run = make_run("early", model, clip, tmp_path / "out")
    first = do(follow(engine, run, asked_at("encode", 4, engine.suspend, run.job)))
    assert ended(first) == "suspended"
    assert not (tmp_path / "checkpoint").exists()
    assert steps(first, "edit") == []


def test_a_checkpoint_of_another_edit_is_not_gone_on_from(
    do: Do, engine: LocalEngine, whole: Whole, model: Path, clip: Path, tmp_path: Path
) -> None:
    run = make_run("one", model, clip, tmp_path / "out")
    do(follow(engine, run, asked_at("edit", 4, engine.suspend, run.job)))
    other = make_run("two", model, clip, tmp_path / "out", seed=1)
    events = do(follow(engine, other, asked_at("edit", 1, engine.cancel, other.job)))
    assert not any(event.HasField("resumed") for event in events)


def test_a_checkpoint_that_cannot_be_written_costs_a_notice(
    do: Do, engine: LocalEngine, whole: Whole, model: Path, clip: Path, tmp_path: Path
) -> None:
    run = make_run("no-room", model, clip, tmp_path / "out")
    run.checkpoint = str(tmp_path / "nowhere" / "checkpoint")
    events = do(follow(engine, run))
    assert ended(events) == "done"
    codes = [event.notice.code for event in events if event.HasField("notice")]
    assert codes.count("checkpoint-not-written") == 1
    assert "checkpoint-not-written" in [notice.code for notice in events[-1].done.result.notices]
    assert np.array_equal(samples(tmp_path / "out" / "result.mkv"), whole.pixels)


@pytest.mark.parametrize(
    ("edit", "code", "kind"),
    [
        ({"words": ["fox"]}, None, types_pb2.FAILURE_KIND_INPUT),
        ({"model": "nowhere"}, "unknown-model", types_pb2.FAILURE_KIND_MODEL),
        ({"editor": "magic"}, "unknown-editor", types_pb2.FAILURE_KIND_INPUT),
    ],
)
def test_a_job_that_fails_says_why_and_the_next_one_runs(
    edit: dict[str, Any],
    code: str | None,
    kind: int,
    do: Do,
    engine: LocalEngine,
    whole: Whole,
    model: Path,
    clip: Path,
    tmp_path: Path,
) -> None:
    before = engine.pid
    events = do(follow(engine, make_run("wrong", model, clip, tmp_path / "out", **edit)))
    assert ended(events) == "failed"
    failure = events[-1].failed
    assert failure.kind == kind
    assert code is None or failure.code == code
    assert failure.message.endswith(".")
    assert failure.action
    run = make_run("next", model, clip, tmp_path / "next")
    assert ended(do(follow(engine, run, asked_at("read", 1, engine.cancel, run.job)))) == "cancelled"
    assert engine.pid == before


def test_what_should_not_happen_is_told_and_logged(
    do: Do, engine: LocalEngine, whole: Whole, model: Path, clip: Path, tmp_path: Path
) -> None:
    run = make_run("odd", model, clip, tmp_path / "out")
    run.checkpoint = str(tmp_path)  # a folder: no file to read, and not for the reasons foreseen
    events = do(follow(engine, run))
    assert ended(events) == "failed"
    assert events[-1].failed.code == "unexpected"
    assert "Traceback" in engine._log.read_text()


def test_a_job_nobody_follows_any_more_is_stopped(
    do: Do, engine: LocalEngine, whole: Whole, model: Path, clip: Path, tmp_path: Path
) -> None:
    async def leave() -> None:
        stream = engine.run(make_run("left", model, clip, tmp_path / "out"), "cpu")
        async for event in stream:
            if event.HasField("progress") and event.progress.phase == "edit":
                break
        await stream.aclose()

    before = engine.pid
    do(leave())
    assert engine.state == system_pb2.ENGINE_STATE_IDLE
    assert engine.pid == before
    assert list((tmp_path / "out").iterdir()) == []


def test_while_a_job_runs_the_engine_takes_no_other(
    do: Do, engine: LocalEngine, whole: Whole, model: Path, clip: Path, tmp_path: Path
) -> None:
    refused: list[str] = []

    async def on_event(event: engine_pb2.Event) -> None:
        if event.HasField("progress") and (event.progress.phase, event.progress.step) == ("edit", 1):
            assert engine.state == system_pb2.ENGINE_STATE_BUSY
            for attempt in (
                engine.unload(),
                engine.load("shapes", "cpu"),
                follow(engine, make_run("other", model, clip, tmp_path / "other")),
            ):
                with pytest.raises(ServiceError) as caught:
                    await attempt
                refused.append(caught.value.code)
            await engine.cancel("another")
            await engine.cancel("busy")

    events = do(follow(engine, make_run("busy", model, clip, tmp_path / "out"), on_event))
    assert refused == ["engine-busy"] * 3
    assert ended(events) == "cancelled"


def test_a_model_can_be_loaded_ahead_and_one_that_cannot_says_why(
    do: Do, engine: LocalEngine, whole: Whole, model: Path
) -> None:
    do(engine.load("shapes", "cpu"))
    assert engine.loaded_model == "shapes"
    with pytest.raises(EngineFailed) as caught:
        do(engine.load("nowhere", "cpu"))
    assert caught.value.failure.code == "unknown-model"
    assert caught.value.failure.kind == types_pb2.FAILURE_KIND_MODEL
    do(engine.load(str(model), "cpu"))
    assert engine.loaded_model == str(model)


def test_a_device_that_is_not_there_costs_the_engine_nothing(
    do: Do, engine: LocalEngine, whole: Whole, model: Path, clip: Path, tmp_path: Path
) -> None:
    before, loaded = engine.pid, engine.loaded_model
    # Said before the clip, which is not there either, is looked at.
    run = make_run("nowhere", model, clip, tmp_path / "out")
    run.clip.path = str(tmp_path / "gone.mkv")

    async def last() -> engine_pb2.Event:
        return [event async for event in engine.run(run, "cuda:99")][-1]

    assert do(last()).failed.code == "no-device"
    with pytest.raises(EngineFailed) as caught:
        do(engine.load("shapes", "cuda:99"))
    assert caught.value.failure.code == "no-device"
    do(engine.load(loaded, "cpu"))
    assert (engine.pid, engine.loaded_model) == (before, loaded)


def test_a_killed_engine_is_told_and_its_job_goes_on_to_the_same_bits(
    do: Do, engine: LocalEngine, whole: Whole, model: Path, clip: Path, tmp_path: Path
) -> None:
    run = make_run("killed", model, clip, tmp_path / "out")
    kept: list[int] = []
    pid = engine.pid
    assert pid is not None

    async def kill(event: engine_pb2.Event) -> None:
        if event.HasField("checkpointed"):
            kept.append(event.checkpointed)
        if event.HasField("progress") and (event.progress.phase, event.progress.step) == ("edit", 5):
            psutil.Process(pid).kill()

    with pytest.raises(EngineCrashed, match="signal SIGKILL"):
        do(follow(engine, run, kill))
    assert engine.state == system_pb2.ENGINE_STATE_STOPPED
    assert (engine.pid, engine.loaded_model, engine.memory_bytes) == (None, "", 0)
    events = do(follow(engine, run))
    assert ended(events) == "done"
    assert engine.pid not in (None, pid)
    (resumed,) = (event.resumed for event in events if event.HasField("resumed"))
    assert resumed >= kept[-1] >= 4
    assert np.array_equal(samples(tmp_path / "out" / "result.mkv"), whole.pixels)
