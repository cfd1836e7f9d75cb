# SPDX-License-Identifier: Apache-2.0
"""The grammar in which a scene is worded, and the words it uses."""

from __future__ import annotations

import random

from flowanchor_core.shapes.world import BACKGROUNDS, COLOURS, SHAPES, Scene

WORDS: tuple[str, ...] = ("a", "and", "on", "background", "of", "the", *COLOURS, *SHAPES, *BACKGROUNDS)


def caption(scene: Scene, rng: random.Random | None = None) -> str:
    """A sentence naming every thing, for example "a red circle and a blue star on a black background".

    With `rng` the order of the things is shuffled and a quarter of the sentences leave the background out;
    without it the wording is the full one, in drawing order.
    """
    named = [f"a {thing.colour} {thing.shape}" for thing in scene.things]
    if rng is not None:
        rng.shuffle(named)
    text = named[0] if len(named) == 1 else ", ".join(named[:-1]) + " and " + named[-1]
    if rng is None or rng.random() < 0.75:
        text += f" on a {scene.background} background"
    return text
