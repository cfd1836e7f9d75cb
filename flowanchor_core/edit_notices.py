# SPDX-License-Identifier: Apache-2.0
"""What a user should know about an edit although nothing is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

from flowanchor_core.edit_plan import EditPlan
from flowanchor_core.models import ModelCard
from flowanchor_core.progress import Notice
from flowanchor_core.region_notices import notices_for_shapes
from flowanchor_core.tokens import TargetTokens
from flowanchor_core.vocabulary import known_words, unknown_words

_MOST_KNOWN = 60
_MOST_UNKNOWN = 10


def notices_for(plan: EditPlan, target: TargetTokens) -> Iterator[Notice]:
    """Notices of a plan, in order of weight."""
    card, clip = plan.card, plan.clip
    if card.world is not None and (clip.width, clip.height) != card.native_size:
        world = "moving coloured shapes" if card.world == "shapes" else card.world
        yield Notice(
            "outside-the-models-world",
            f"{_named(card)} knows only {world}; on other footage the picture inside the mask means nothing.",
        )
    if card.world is not None:
        yield from _about_words(plan)
    if target.note is not None:
        yield Notice("no-target-words", target.note)
    yield from notices_for_shapes(plan.request.geometry, plan.frames, clip.height, clip.width)
    for text in clip.notes:
        yield Notice("clip", text)


def _about_words(plan: EditPlan) -> Iterator[Notice]:
    """The prompts' words that a toy model has never seen, and those it knows where they are few."""
    request = plan.request
    known = known_words(plan.card.folder)
    if known is None:
        return
    prompts = (request.source_prompt, request.target_prompt, request.negative_prompt or "")
    unknown = unknown_words(prompts, known)
    if not unknown:
        return
    shown = ", ".join(f'"{word[:40]}"' for word in unknown[:_MOST_UNKNOWN])
    more = len(unknown) - _MOST_UNKNOWN
    text = f"{_named(plan.card)} does not know {shown}{f' and {more} more words' if more > 0 else ''}."
    if len(known) <= _MOST_KNOWN:
        text += f" The words it knows: {', '.join(known)}."
    yield Notice("unknown-words", text)


def _named(card: ModelCard) -> str:
    return "The embedded model" if card.name == "shapes" else f"The model {card.name}"
