# SPDX-License-Identifier: Apache-2.0
"""What a user should know about an edit although nothing is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

from flowanchor_core.edit_plan import EditPlan
from flowanchor_core.progress import Notice
from flowanchor_core.tokens import TargetTokens


def notices_for(plan: EditPlan, target: TargetTokens) -> Iterator[Notice]:
    """Notices of a plan, in order of weight."""
    card, clip = plan.card, plan.clip
    if card.world is not None and (clip.width, clip.height) != card.native_size:
        model = "The embedded model" if card.name == "shapes" else f"The model {card.name}"
        world = "moving coloured shapes" if card.world == "shapes" else card.world
        yield Notice(
            "outside-the-models-world",
            f"{model} knows only {world}; on other footage the picture inside the mask means nothing.",
        )
    if target.note is not None:
        yield Notice("no-target-words", target.note)
    for text in clip.notes:
        yield Notice("clip", text)
