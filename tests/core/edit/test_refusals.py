# SPDX-License-Identifier: Apache-2.0
"""What an edit refuses before it begins, and that nothing is written over."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from flowanchor_core.backbone import Backbone
from flowanchor_core.edit import plan_edit, run_edit
from flowanchor_core.errors import FlowAnchorError, InputError
from flowanchor_core.masks import Box
from flowanchor_core.request import DeliverySettings, EditRequest, RegionSettings
from tests.core.edits import (
    files_in,
    write_clip,
    write_mask,
    write_sequence,
)


def test_a_sheet_named_as_a_folder_is_refused_before_the_edit(request_: EditRequest, tmp_path: Path) -> None:
    (tmp_path / "sheet.png").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        plan_edit(replace(request_, sheet=tmp_path / "sheet.png"))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"clip": Path("nowhere.mp4")}, "clip-missing"),
        ({"clip": Path("nowhere.mp4"), "model": "nope"}, "clip-missing"),
        ({"source_prompt": " "}, "prompt-empty"),
        ({"target_prompt": ""}, "prompt-empty"),
        ({"target_prompt": "&nbsp;"}, "prompt-empty"),
        ({"target_prompt": "\u200b"}, "prompt-empty"),
        ({"target_prompt": " a  red&#32;circle"}, "prompts-equal"),
        ({"target_prompt": "a red circle", "words": ()}, "prompts-equal"),
        ({"words": ("fox",)}, "target-word-missing"),
        ({"rate": Fraction(30)}, "rate-contradicted"),
        ({"rate": Fraction(10**14)}, "rate-out-of-range"),
        ({"editor": "nope"}, "unknown-editor"),
        ({"model": "nope"}, "unknown-model"),
        ({"preset": "nope"}, "unknown-preset"),
        ({"params": {"nope": 1}}, "unknown-parameter"),
        ({"params": {"tau": 3}}, "parameter-value"),
        ({"steps": 0}, "steps-out-of-range"),
        ({"skip": 4}, "skip-out-of-range"),
        ({"shift": float("nan")}, "shift-out-of-range"),
        ({"seed": -1}, "seed-out-of-range"),
        ({"geometry": ()}, "no-region"),
        ({"geometry": (Box(500, 0, 10, 10),)}, "mask-empty"),
        ({"masks": (Path("nowhere.png"),)}, "clip-missing"),
        ({"first": 5, "last": 4}, "range-empty"),
        ({"last": 99}, "range-outside"),
        ({"region": RegionSettings(margin=-1)}, "margin-out-of-range"),
        ({"region": RegionSettings(feather=-1)}, "feather-out-of-range"),
        ({"region": RegionSettings(grow=2000)}, "grow-out-of-range"),
        ({"sheet": Path("sheet.jpg")}, "sheet-format"),
        ({"sheet": Path("no/where/sheet.png")}, "output-folder-missing"),
        ({"delivery": DeliverySettings(Path("no/where/out.mkv"), "full", "ffv1")}, "output-folder-missing"),
    ],
)
def test_what_cannot_be_used_is_refused_before_the_model_is_touched(
    change: dict[str, Any], code: str, request_: EditRequest
) -> None:
    with pytest.raises(FlowAnchorError) as caught:
        plan_edit(replace(request_, **change))
    assert caught.value.code == code
    assert caught.value.message.endswith(".")
    assert caught.value.action.endswith(".")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"masks": ("m.mkv",), "out": "m.mkv"}, "output-is-input"),
        ({"masks": ("link.mkv",), "out": "m.mkv"}, "output-is-input"),
        ({"masks": ("mask.png",), "sheet": "mask.png"}, "output-is-input"),
        ({"masks": ("mask.png",), "sheet": "seq/../mask.png"}, "output-is-input"),
        ({"masks": ("seq",), "sheet": "seq/f.0002.png"}, "output-is-input"),
        ({"masks": ("seq/f.%04d.png",), "sheet": "seq/f.0002.png"}, "output-is-input"),
        ({"clip": "seq", "sheet": "seq/f.0002.png"}, "output-is-input"),
        ({"clip": "seq/f.0000.png", "sheet": "seq/f.0002.png"}, "output-is-input"),
        ({"out": "po/o.%04d.png", "sheet": "po/o.0002.png"}, "output-twice"),
    ],
)
def test_nothing_that_is_read_or_written_is_written_over(
    change: dict[str, Any], code: str, request_: EditRequest, tmp_path: Path
) -> None:
    write_mask(tmp_path / "mask.png")
    write_sequence(tmp_path / "seq")
    write_clip(tmp_path / "m.mkv")
    (tmp_path / "link.mkv").symlink_to("m.mkv")
    (tmp_path / "po").mkdir()
    out = tmp_path / change.get("out", "out.mkv")
    request = replace(
        request_,
        clip=tmp_path / change["clip"] if "clip" in change else request_.clip,
        masks=tuple(tmp_path / name for name in change.get("masks", ())),
        sheet=tmp_path / change["sheet"] if "sheet" in change else None,
        delivery=DeliverySettings(out, "full", "ffv1" if out.suffix == ".mkv" else "png"),
    )
    with pytest.raises(InputError) as caught:
        plan_edit(request)
    assert caught.value.code == code


def test_a_target_word_that_is_not_in_the_prompt_is_named(
    request_: EditRequest, backbone: Backbone, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="fox"):
        list(run_edit(plan_edit(replace(request_, words=("fox",))), backbone))
    assert files_in(tmp_path) == []
