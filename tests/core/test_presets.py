# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowanchor_core import presets
from flowanchor_core.errors import InputError, ModelError
from flowanchor_core.models import ModelCard


def card(world: str | None = None, **sampling: Any) -> ModelCard:
    return ModelCard("m", Path("/models/m"), world=world, sampling=sampling)


def test_standard_on_wan_is_the_papers_setting() -> None:
    preset = presets.get(card(), "standard")
    assert (preset.steps, preset.skip, preset.shift) == (25, 2, 5.0)
    assert preset.params_for("flowanchor") == {"source_guidance": 5.0, "target_guidance": 10.0}


@pytest.mark.parametrize("world", [None, "shapes", "a world nobody knows"])
def test_presets_take_more_steps_in_order_and_skip_a_like_share(world: str | None) -> None:
    draft, standard, final = (presets.get(card(world), name) for name in presets.NAMES)
    assert draft.steps < standard.steps < final.steps
    for preset in (draft, standard, final):
        assert preset.skip / preset.steps == pytest.approx(standard.skip / standard.steps, abs=0.03)


def test_unknown_preset_names_itself_and_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'fine'.*draft, standard, final") as caught:
        presets.get(card(), "fine")
    assert caught.value.code == "unknown-preset"


def test_card_overrides_all_presets_or_one() -> None:
    own = card("shapes", shift=2.0, draft={"steps": 7}, editor_params={"flowanchor": {"gamma": 0.5}})
    assert presets.get(own, "draft").shift == 2.0
    assert presets.get(own, "draft").steps == 7
    assert presets.get(own, "standard").steps == 25
    assert presets.get(own, "standard").params_for("flowanchor")["gamma"] == 0.5
    assert "gamma" not in presets.get(own, "standard").params_for("flowedit")


@pytest.mark.parametrize(
    "sampling",
    [
        {"stpes": 3},
        {"steps": "3"},
        {"steps": True},
        {"steps": 0},
        {"shift": "x"},
        {"shift": float("nan")},
        {"skip": 25},
        {"overlap": -5},
        {"minimum_crop": -1},
        {"source_guidance": 10**400},
        {"standard": 5},
        {"standard": {"standard": {}}},
        {"editor_params": {"flowanchor": 5}},
    ],
)
def test_card_with_an_unusable_value_is_refused_by_name(sampling: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=next(iter(sampling))):
        presets.get(card(**sampling), "standard")
