# SPDX-License-Identifier: Apache-2.0
"""The judge of the quality benchmark: what is right scores high, every way of failing scores low."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from flowanchor_core.evaluate import cases
from flowanchor_core.evaluate.cases import Case, make_cases
from flowanchor_core.evaluate.judge import judge
from flowanchor_core.shapes import world


def _case(change: str) -> Case:
    return next(case for case in make_cases("tuning", 12) if case.change == change)


@pytest.mark.parametrize("change", ["colour", "shape"])
def test_the_truth_passes(change: str) -> None:
    case = _case(change)
    verdict = judge(case, case.videos()[1])
    assert verdict.obj == 1
    assert verdict.pixels == 1
    assert verdict.keep == 1
    assert verdict.psnr_outside > 50
    assert verdict.flicker < 0.5


@pytest.mark.parametrize("change", ["colour", "shape"])
def test_doing_nothing_fails_but_keeps_the_rest(change: str) -> None:
    case = _case(change)
    verdict = judge(case, case.videos()[0])
    assert verdict.obj == 0
    assert verdict.pixels == 0
    assert verdict.keep == 1


def test_the_right_shape_passes_at_another_size() -> None:
    case = _case("shape")
    thing = case.truth.things[case.thing]
    larger = dataclasses.replace(thing, radius=thing.radius * 1.15)
    things = tuple(larger if index == case.thing else t for index, t in enumerate(case.truth.things))
    video, _ = world.render([dataclasses.replace(case.truth, things=things)], case.frames)
    assert judge(case, video[0]).obj == 1


def test_deleting_the_thing_fails() -> None:
    case = _case("colour")
    source, _ = case.videos()
    masks, _ = case.masks()
    near = torch.nn.functional.max_pool2d(masks[case.thing].float()[:, None], 3, 1, 1)[:, 0] > 0
    verdict = judge(case, torch.where(near, torch.full_like(source, -0.85), source))
    assert verdict.obj == 0
    assert verdict.pixels < 0.2


def test_a_result_that_changes_everything_does_not_keep_the_others() -> None:
    case = _case("colour")
    verdict = judge(case, -case.videos()[1])
    assert verdict.keep is not None
    assert verdict.keep < 0.5
    assert verdict.psnr_outside < 15


def test_flicker_is_seen() -> None:
    case = _case("colour")
    truth = case.videos()[1].clone()
    truth[:, ::2] *= 0.5
    assert judge(case, truth).flicker > 10


def test_splits_share_no_scene_and_are_the_same_every_time() -> None:
    tuning, held_out = make_cases("tuning", 48), make_cases("held-out", 48)
    assert not {case.scene for case in tuning} & {case.scene for case in held_out}
    assert make_cases("held-out", 48) == held_out
    assert {len(case.scene.things) for case in held_out} == {2, 3}
    assert {case.marking for case in held_out} == {"tight", "box", "scribble"}
    assert {case.change for case in held_out} == {"colour", "shape"}
    assert {17, 33, 49, 81} == {case.frames for case in held_out}
    assert any(case.fast for case in held_out)


def test_marks_touch_the_thing_on_every_frame_where_it_shows() -> None:
    for case in make_cases("tuning", 6):
        mark, tight = case.mark(), case.masks()[0][case.thing]
        shown = tight.flatten(1).any(1)
        assert (mark & tight).flatten(1).any(1)[shown].all()
        if case.marking != "scribble":
            assert not (tight & ~mark).any()


def test_boxes_hold_their_region_with_a_margin() -> None:
    mask = torch.zeros(2, 10, 10, dtype=torch.bool)
    mask[0, 4, 5] = True
    box = cases._boxes(mask)
    assert box[0].sum() == 25
    assert not box[1].any()
