# SPDX-License-Identifier: Apache-2.0
"""The whole path of an edit over a tiny random Wan: what it promises whatever the model paints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from flowanchor_core import edit as edit_module
from flowanchor_core.backbone import Backbone
from flowanchor_core.edit import plan_edit, run_edit
from flowanchor_core.edit_pixels import read_pictures
from flowanchor_core.estimate import cost_of
from flowanchor_core.progress import PHASES, Done, PhaseStarted, Progress
from flowanchor_core.request import DeliverySettings, EditRequest
from flowanchor_core.sheet import Column, SheetFile
from tests.core.edits import (
    FRAMES,
    HEIGHT,
    WIDTH,
    files_in,
    run,
    samples,
    write_clip,
    write_mask,
)


def test_the_result_is_the_source_outside_and_something_else_inside(
    request_: EditRequest, backbone: Backbone, clip: Path
) -> None:
    result, _ = run(request_, backbone)
    before, after = samples(clip).astype(int), samples(result.output).astype(int)
    assert before.shape == after.shape
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[12 - 2 : 28 + 2, 20 - 2 : 36 + 2] = False
    assert np.array_equal(before[..., outside], after[..., outside])
    assert np.abs(before - after)[..., 12:28, 20:36].mean() > 1
    assert result.max_abs_diff_outside == 0
    assert (result.frames, result.rate) == (FRAMES, Fraction(24))


def test_events_go_through_every_phase_once_and_count_to_its_end(
    request_: EditRequest, backbone: Backbone
) -> None:
    result, events = run(request_, backbone)
    started = [event for event in events if isinstance(event, PhaseStarted)]
    assert tuple(event.phase for event in started) == PHASES
    assert set(result.seconds) == set(PHASES)
    for phase in started:
        steps = [event.step for event in events if isinstance(event, Progress) and event.phase == phase.phase]
        assert steps == list(range(1, phase.total + 1))


def test_forwards_are_four_a_step_less_the_one_the_first_shares(
    request_: EditRequest, backbone: Backbone
) -> None:
    result, _ = run(request_, backbone)
    assert result.forwards == 4 * 3 - 1


@pytest.mark.parametrize("frames", [9, 40])
@pytest.mark.parametrize(("steps", "draws"), [(None, 1), (6, 2)])
def test_an_edit_costs_what_was_estimated(
    request_: EditRequest, backbone: Backbone, tmp_path: Path, frames: int, steps: int | None, draws: int
) -> None:
    clip = write_clip(tmp_path / "clip.mkv", frames)
    request = replace(request_, clip=clip, steps=steps, params={"n_avg": draws})
    plan = plan_edit(request)
    bounds = plan.mask.bounds()
    assert bounds is not None
    region = request.region
    cost = cost_of(
        plan.card,
        plan.preset,
        draws,
        frames,
        (WIDTH, HEIGHT),
        bounds,
        margin=region.margin,
        around=region.grow + region.feather,
        mode="detail",
        bytes_each=4,
    )
    result, _ = run(request, backbone)
    assert (cost.forwards, cost.windows) == (result.forwards, result.windows)
    assert (cost.model_width, cost.model_height) == result.model_size
    assert (cost.crop.x, cost.crop.y, cost.crop.width, cost.crop.height) == result.crop


def test_same_seed_same_bits_other_seed_other_picture(
    request_: EditRequest, backbone: Backbone, tmp_path: Path
) -> None:
    pictures = []
    for name, seed in (("a.mkv", 3), ("b.mkv", 3), ("c.mkv", 4)):
        out = replace(request_.delivery, out=tmp_path / name)
        result, _ = run(replace(request_, delivery=out, seed=seed), backbone)
        pictures.append(samples(result.output))
    assert np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[2])


@pytest.mark.parametrize("at", [0, 1, -1])
def test_an_edit_resumed_from_a_checkpoint_ends_with_the_same_bits(
    at: int, request_: EditRequest, backbone: Backbone, tmp_path: Path
) -> None:
    whole, events = run(request_, backbone)
    found = [event.checkpoint for event in events if isinstance(event, Progress) and event.checkpoint]
    assert [checkpoint.step for checkpoint in found] == [2, 3, 4]
    out = replace(request_.delivery, out=tmp_path / "resumed.mkv")
    resumed, after = run(replace(request_, delivery=out), backbone, start=found[at])
    steps = sum(isinstance(event, Progress) and event.phase == "edit" for event in after)
    assert steps == 4 - found[at].step
    assert resumed.forwards == whole.forwards
    assert np.array_equal(samples(whole.output), samples(resumed.output))


def test_a_resumed_delivery_has_the_same_bytes(
    request_: EditRequest, backbone: Backbone, tmp_path: Path
) -> None:
    made = []
    start = None
    for name in ("whole", "resumed"):
        (tmp_path / name).mkdir()
        delivery = DeliverySettings(tmp_path / name / "patch.%04d.png", "patch", "png")
        _, events = run(replace(request_, delivery=delivery), backbone, start=start)
        start = next(event.checkpoint for event in events if isinstance(event, Progress) and event.checkpoint)
        made.append([path.read_bytes() for path in sorted((tmp_path / name).iterdir())])
    assert len(made[0]) == FRAMES
    assert made[0] == made[1]


def test_encoding_counts_prompts_and_latent_frames(request_: EditRequest, backbone: Backbone) -> None:
    _, events = run(request_, backbone)
    (encode,) = (event for event in events if isinstance(event, PhaseStarted) and event.phase == "encode")
    assert encode.total == 3 + 3  # three prompts, 9 frames in 3 latent ones


@pytest.mark.parametrize(("phase", "done"), [("read", 4), ("encode", 4), ("edit", 1), ("decode", 2)])
def test_closing_the_generator_stops_at_once(
    phase: str, done: int, request_: EditRequest, backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = {"read": 0, "encode": 0, "edit": 0, "decode": 0}

    def counted(name: str, iterate: Any) -> Any:
        def wrapper(*args: Any, **options: Any) -> Iterator[Any]:
            for item in iterate(*args, **options):
                calls[name] += 1
                yield item

        return wrapper

    monkeypatch.setattr(edit_module, "read_pictures", counted("read", read_pictures))
    vae = backbone._use("vae")
    hooks = [
        part.register_forward_pre_hook(lambda *_, name=name: calls.update({name: calls[name] + 1}))
        for part, name in ((vae.encoder, "encode"), (vae.decoder, "decode"), (backbone.transformer, "edit"))
    ]
    events = run_edit(plan_edit(request_), backbone)
    try:
        for event in events:
            if isinstance(event, Progress) and (event.phase, event.step) == (phase, done):
                break
        before = dict(calls)
        events.close()
        assert calls == before
        later = {"read": ("encode", "edit", "decode"), "encode": ("edit", "decode"), "edit": ("decode",)}
        assert not any(calls[name] for name in later.get(phase, ()))
        assert calls[phase] == {"read": 4, "encode": 1, "edit": 1, "decode": 2}[phase]
    finally:
        for hook in hooks:
            hook.remove()


@pytest.mark.parametrize("phase", PHASES)
def test_closing_the_generator_in_any_phase_leaves_nothing(
    phase: str, request_: EditRequest, backbone: Backbone, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.png"
    events = run_edit(plan_edit(replace(request_, sheet=sheet)), backbone)
    for event in events:
        if isinstance(event, Progress) and event.phase == phase:
            break
    events.close()
    assert files_in(tmp_path) == []


def test_a_model_that_fails_leaves_nothing(
    request_: EditRequest, backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(latent: torch.Tensor) -> Iterator[torch.Tensor]:
        yield torch.zeros(3, 1, 32, 32)
        raise RuntimeError("out of memory")

    monkeypatch.setattr(backbone, "decode_video", broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        list(run_edit(plan_edit(request_), backbone))
    assert files_in(tmp_path) == []


def test_a_sheet_that_cannot_be_written_costs_the_sheet_only(
    request_: EditRequest, backbone: Backbone, tmp_path: Path
) -> None:
    plan = plan_edit(replace(request_, sheet=tmp_path / "sheet.png"))
    (tmp_path / "sheet.png").mkdir()
    events = list(run_edit(plan, backbone))
    assert isinstance(events[-1], Done)
    result = events[-1].result
    assert result.sheet is None
    assert any("sheet.png could not be written" in text for text in result.notices)
    assert files_in(tmp_path) == ["out.mkv", "sheet.png"]
    assert files_in(tmp_path / "sheet.png") == []


def test_a_sheet_comes_with_its_delivery(request_: EditRequest, backbone: Backbone, tmp_path: Path) -> None:
    result, _ = run(replace(request_, sheet=tmp_path / "sheet.png"), backbone)
    assert result.sheet == tmp_path / "sheet.png"
    assert files_in(tmp_path) == ["out.mkv", "sheet.png"]


def test_a_sheet_shows_the_matte_with_its_soft_edge(
    request_: EditRequest, backbone: Backbone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn: list[Column] = []
    monkeypatch.setattr(SheetFile, "write", lambda self, columns, title: drawn.extend(columns))
    region = replace(request_.region, feather=4)
    run(replace(request_, sheet=tmp_path / "sheet.png", region=region), backbone)
    across = drawn[0].matte[20]
    assert across.shape == (WIDTH,)
    assert (across[20:36] == 1).all()
    assert 1 > across[19] > across[18] > across[17] > 0
    assert np.array_equal(across[36:39], across[[19, 18, 17]])
    assert not across[:16].any()
    assert not across[40:].any()


@pytest.mark.parametrize("frames", [1, 2, 5, 6, 8])
def test_any_number_of_frames_comes_out_as_it_went_in(
    frames: int, request_: EditRequest, backbone: Backbone
) -> None:
    result, _ = run(replace(request_, last=frames - 1), backbone)
    assert result.frames == frames
    assert len(samples(result.output)) == frames


def test_a_long_clip_runs_in_windows(request_: EditRequest, backbone: Backbone, tmp_path: Path) -> None:
    long = write_clip(tmp_path / "long.mkv", frames=30)
    result, _ = run(replace(request_, clip=long, params={"source_guidance": 2}), backbone)
    # 30 frames are padded to 33, 9 latent frames: two windows of 5 that share one.
    assert result.windows == 2
    assert result.frames == 30
    assert result.forwards == 2 * (4 * 3 - 1)
    assert result.settings["source_guidance"] == 2


def test_a_patch_is_delivered_with_its_matte(
    request_: EditRequest, backbone: Backbone, tmp_path: Path
) -> None:
    delivery = DeliverySettings(tmp_path / "patch.%04d.png", "patch", "png")
    result, _ = run(replace(request_, delivery=delivery), backbone)
    assert result.deliver == "patch"
    assert files_in(tmp_path) == [f"patch.{index:04d}.png" for index in range(FRAMES)]
    with av.open(str(tmp_path / "patch.0000.png")) as container:
        alpha = next(container.decode(video=0)).to_ndarray(format="rgba")[..., 3]
    assert (alpha[12:28, 20:36] == 255).all()
    assert alpha[0, 0] == 0


def test_masks_and_boxes_are_united(request_: EditRequest, tmp_path: Path) -> None:
    write_mask(tmp_path / "mask.png")
    plan = plan_edit(replace(request_, masks=(tmp_path / "mask.png",)))
    assert all(mask.sum() == 4 * 4 + 16 * 16 for mask in plan.mask)


def test_own_steps_keep_the_presets_share_of_skipped_ones(request_: EditRequest) -> None:
    assert plan_edit(replace(request_, steps=8)).preset.skip == 2
