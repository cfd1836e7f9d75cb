# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np

from flowanchor_core.footage import open_mask, probe, read_frames
from flowanchor_core.shapes import world
from flowanchor_core.shapes.demo import RATE, SCENE, demo_clip


def test_the_demo_clip_is_what_the_world_draws(tmp_path: Path) -> None:
    demo = demo_clip(tmp_path)
    clip = probe(demo.clip)
    assert (clip.width, clip.height, clip.frames, clip.rate) == (64, 64, 17, RATE)
    first = next(iter(read_frames(clip, 0, 16))).to_ndarray(format="rgb24")
    video, masks = world.render([SCENE])
    expected = ((video[0, :, 0].permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()
    assert np.abs(first.astype(int) - expected).max() == 0
    for index, edit in enumerate(demo.edits):
        track = open_mask(edit.mask, clip, 0, 16)
        assert np.array_equal(np.stack(list(track)) > 0.5, masks[0, index].numpy())


def test_each_edit_changes_one_word_of_the_prompt(tmp_path: Path) -> None:
    demo = demo_clip(tmp_path)
    assert len(demo.edits) == 2
    for edit in demo.edits:
        source, target = demo.source_prompt.split(), edit.target_prompt.split()
        assert sum(a != b for a, b in zip(source, target, strict=True)) == 1
