# SPDX-License-Identifier: Apache-2.0
"""What an edit tells besides its result."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from flowanchor_core.backbone import Backbone
from flowanchor_core.edit import plan_edit, run_edit
from flowanchor_core.edit_notices import notices_for
from flowanchor_core.masks import Box
from flowanchor_core.progress import Notice
from flowanchor_core.request import EditRequest
from flowanchor_core.tokens import target_tokens
from tests.core.edits import (
    HEIGHT,
    WIDTH,
    run,
)


def test_a_toy_model_on_other_footage_says_that_it_means_nothing(
    request_: EditRequest, backbone: Backbone, model: Path, tmp_path: Path
) -> None:
    toy = tmp_path / "toy"
    shutil.copytree(model, toy)
    card = json.loads((toy / "flowanchor.json").read_text())
    for size, expected in ([32, 32], 1), ([WIDTH, HEIGHT], 0):
        (toy / "flowanchor.json").write_text(json.dumps({**card, "world": "shapes", "native_size": size}))
        events = list(run_edit(plan_edit(replace(request_, model=str(toy))), backbone))
        said = [event for event in events if isinstance(event, Notice) and "means nothing" in event.text]
        assert len(said) == expected


def test_a_toy_model_names_the_words_it_does_not_know(
    request_: EditRequest, backbone: Backbone, model: Path, tmp_path: Path
) -> None:
    toy = tmp_path / "toy"
    shutil.copytree(model, toy)
    card = json.loads((toy / "flowanchor.json").read_text())
    (toy / "flowanchor.json").write_text(json.dumps({**card, "world": "shapes"}))
    known = request_.target_prompt.split()
    pieces = [[f"▁{word}", -1.0] for word in known]
    vocabulary = {"model": {"type": "Unigram", "vocab": pieces}}
    (toy / "tokenizer" / "tokenizer.json").write_text(json.dumps(vocabulary))

    def said(**change: Any) -> list[str]:
        asked = replace(request_, model=str(toy), source_prompt="a circle", **change)
        plan = plan_edit(asked)
        target = target_tokens(backbone.tokenizer, asked.source_prompt, asked.target_prompt)
        return [note.text for note in notices_for(plan, target) if note.code == "unknown-words"]

    assert said() == []
    (text,) = said(target_prompt="a blue dragon", negative_prompt="blurred")
    assert text.endswith('toy does not know "dragon", "blurred". The words it knows: a, blue, circle.')


def test_a_box_that_is_cut_is_told_with_the_result(request_: EditRequest, backbone: Backbone) -> None:
    result, _ = run(replace(request_, geometry=(Box(20, 12, 16, 16), Box(56, 12, 16, 8))), backbone)
    assert "only 56,12,8,8 (x,y,width,height) of it is used." in " ".join(result.notices)


def test_a_removal_says_that_it_runs_without_anchors(request_: EditRequest, backbone: Backbone) -> None:
    removal = replace(request_, source_prompt="a circle on grass", target_prompt="grass")
    result, _ = run(removal, backbone)
    assert result.target_words == ()
    assert any("without anchors" in text for text in result.notices)
