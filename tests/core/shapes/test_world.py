# SPDX-License-Identifier: Apache-2.0
"""The shapes world: exact masks, exact truths, captions and tokens."""

from __future__ import annotations

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from flowanchor_core.shapes import world
from flowanchor_core.shapes.captions import WORDS, caption
from flowanchor_core.shapes.tokenizer import build_tokenizer


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_things_stay_in_the_frame_and_masks_never_overlap(seed: int, count: int) -> None:
    scene = world.sample_scene(random.Random(seed), count=count)
    video, masks = world.render([scene], frames=9, size=32)
    assert video.shape == (1, 3, 9, 32, 32)
    assert float(video.min()) >= -1
    assert float(video.max()) <= 1
    assert int(masks.sum(1).max()) <= 1
    assert not masks[0, count:].any()
    for thing in scene.things:
        at = world.positions(thing, 81)
        assert at.min() >= thing.radius - 1e-9
        assert at.max() <= 1 - thing.radius + 1e-9


def test_a_recoloured_scene_differs_only_where_the_thing_is() -> None:
    scene = world.sample_scene(random.Random(5), count=2)
    free = next(c for c in world.COLOURS if c not in {t.colour for t in scene.things})
    both, masks = world.render([scene, scene.with_thing(0, colour=free)], frames=5)
    changed = (both[0] - both[1]).abs().amax(0) > 0.1
    assert torch.equal(masks[0], masks[1])
    assert changed[masks[0, 0]].all()
    near = torch.nn.functional.max_pool2d(masks[0, 0].float()[:, None], 3, 1, 1)[:, 0] > 0
    assert not changed[~near].any()


def test_a_reshaped_scene_has_another_mask() -> None:
    scene = world.sample_scene(random.Random(6), count=1)
    other = next(s for s in world.SHAPES if s != scene.things[0].shape)
    _, masks = world.render([scene, scene.with_thing(0, shape=other)], frames=1)
    assert not torch.equal(masks[0], masks[1])


def test_an_unknown_shape_is_named() -> None:
    thing = world.Thing("red", "hexagon", 0.2, 0.5, 0.5, 0, 0)
    with pytest.raises(ValueError, match="hexagon"):
        world.render([world.Scene((thing,), "black")], frames=1)


def test_scenes_of_one_seed_are_the_same() -> None:
    assert world.sample_scene(random.Random(1)) == world.sample_scene(random.Random(1))


def test_a_caption_names_every_thing_with_its_own_colour() -> None:
    scene = world.sample_scene(random.Random(3), count=3)
    text = caption(scene)
    for thing in scene.things:
        assert f"a {thing.colour} {thing.shape}" in text
    assert text.endswith(f"on a {scene.background} background")


def test_every_word_of_the_grammar_is_one_token_and_others_fall_into_letters() -> None:
    tokenizer = build_tokenizer()
    for word in WORDS:
        assert len(tokenizer(word)["input_ids"]) == 2  # the word and the end of the sentence
    pieces = tokenizer.convert_ids_to_tokens(tokenizer("zebra, red")["input_ids"])
    assert pieces == ["▁", "z", "e", "b", "r", "a", "▁,", "▁red", "</s>"]
