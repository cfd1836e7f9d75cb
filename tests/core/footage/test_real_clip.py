# SPDX-License-Identifier: Apache-2.0
"""A real clip end to end, where one is at hand: a folder named by FLOWANCHOR_FOOTAGE, or shared/footage
beside the clone.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from flowanchor_core.footage import Delivery, MaskTrack, model_size, plan_region, probe, read_frames
from tests.core.footage.clips import packets_of

FOLDER = Path(os.environ.get("FLOWANCHOR_FOOTAGE", Path(__file__).parents[4] / "shared" / "footage"))
CLIP = FOLDER / "three-animals.mp4"

pytestmark = pytest.mark.skipif(not CLIP.is_file(), reason="no real footage at hand")


def test_a_boxed_edit_of_real_footage_leaves_the_rest_alone(tmp_path: Path) -> None:
    clip = probe(CLIP)
    assert (clip.frames, clip.rate, clip.start_timecode, clip.audio) == (
        192,
        Fraction(24),
        "01:00:00:00",
        True,
    )
    masks = np.zeros((41, clip.height, clip.width), np.bool_)
    masks[:, 301:400, 201:333] = True
    track = MaskTrack.of(masks, clip.height, clip.width)
    region = plan_region(
        track, margin=0.25, grow=2, feather=8, size_of=lambda crop: model_size(crop, 64 * 64, 8)
    )
    delivery = Delivery("full", "ffv1", tmp_path / "o.mkv")
    delivery.preflight(clip, 24, 64)
    with delivery.open(clip, 24, 64, region, track) as writer:
        for frame in read_frames(clip, 24, 64):
            writer.write(1 - region.cut(frame, clip.colour))
        assert list(writer.verify()) == list(range(1, 42))
    assert writer.proof is not None
    assert (writer.proof.frames, writer.proof.rate, writer.proof.max_abs_diff_outside) == (
        41,
        Fraction(24),
        0,
    )
    assert (writer.proof.start_timecode, writer.proof.audio) == ("01:00:01:00", True)
    kept, whole = packets_of(tmp_path / "o.mkv"), packets_of(CLIP)
    assert kept == whole[whole.index(kept[0]) :][: len(kept)]
    assert abs(len(kept) * 1024 / 44100 - 41 / 24) < 0.05
