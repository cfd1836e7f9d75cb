# SPDX-License-Identifier: Apache-2.0
"""What the plan of an edit holds of its request, and that making one needs no torch."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from flowanchor_core.edit_plan import plan_edit
from flowanchor_core.errors import InputError
from flowanchor_core.geometry import Box, Keyframe, Polygon
from flowanchor_core.request import DeliverySettings, EditRequest, RegionSettings

WIDTH, HEIGHT, FRAMES = 64, 48, 3


@pytest.fixture
def request_(tmp_path: Path) -> EditRequest:
    """A box on three numbered images, planned on the embedded model."""
    (tmp_path / "clip").mkdir()
    (tmp_path / "out").mkdir()
    for number in range(FRAMES):
        picture = np.full((HEIGHT, WIDTH, 3), (120, 40 * number, 80), np.uint8)
        assert cv2.imwrite(str(tmp_path / f"clip/{number:06d}.png"), picture)
    return EditRequest(
        clip=tmp_path / "clip",
        delivery=DeliverySettings(tmp_path / "out", "full", "png"),
        source_prompt="a red circle",
        target_prompt="a blue circle",
        geometry=(Box(20, 12, 16, 10),),
    )


def test_an_inverted_region_is_what_was_not_marked(request_: EditRequest) -> None:
    marked = plan_edit(request_).mask
    rest = plan_edit(replace(request_, region=RegionSettings(invert=True))).mask
    assert len(marked) == len(rest) == FRAMES
    for inside, outside in zip(marked, rest, strict=True):
        assert inside[12:22, 20:36].all()
        assert inside.sum() == 160
        assert np.array_equal(outside, ~inside)


def test_an_inverted_region_may_be_left_on_some_frames_only(request_: EditRequest) -> None:
    def box(right: float) -> tuple[tuple[float, float], ...]:
        return ((0, 0), (right, 0), (right, HEIGHT), (0, HEIGHT))

    closing = Polygon((Keyframe(0, box(WIDTH - 4)), Keyframe(2, box(WIDTH + 4))))
    inverted = replace(request_, geometry=(closing,), region=RegionSettings(invert=True))
    assert [int(mask.sum()) for mask in plan_edit(inverted).mask] == [4 * HEIGHT, 0, 0]


def test_an_inverted_region_of_which_nothing_is_left_is_refused(request_: EditRequest) -> None:
    whole = replace(request_, geometry=(Box(0, 0, WIDTH, HEIGHT),))
    assert plan_edit(whole).mask.bounds() == (0, 0, WIDTH, HEIGHT)
    with pytest.raises(InputError) as refused:
        plan_edit(replace(whole, region=RegionSettings(invert=True)))
    assert refused.value.code == "mask-empty"
    assert "inverted" in refused.value.message


def run_python(program: str) -> str:
    """Standard output of a program in a fresh interpreter with this one's paths."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{program}"],
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


LOADED = "print([name for name in {names!r} if name in sys.modules])"
HEAVY = ("torch", "diffusers", "transformers")


def test_a_request_is_planned_without_torch(request_: EditRequest) -> None:
    program = f"""
from pathlib import Path
from flowanchor_core.edit_plan import plan_edit
from flowanchor_core.geometry import Box
from flowanchor_core.request import DeliverySettings, EditRequest
plan = plan_edit(EditRequest(
    clip=Path({str(request_.clip)!r}),
    delivery=DeliverySettings(Path({str(request_.delivery.out)!r}), "full", "png"),
    source_prompt="a red circle", target_prompt="a blue circle", geometry=(Box(20, 12, 16, 10),),
    params={{"gamma": "0.25"}},
))
assert plan.params.gamma == 0.25 and plan.frames == {FRAMES}
{LOADED.format(names=HEAVY)}
"""
    assert run_python(program) == "[]"


def test_editors_and_request_come_without_torch_and_without_codecs() -> None:
    program = f"""
from flowanchor_core import editors, models, presets, request, tokens
for name in editors.names():
    editor = editors.get(name)
    assert editor.parse({{"n_avg": "2"}}).n_avg == 2
    assert all(entry.metadata["help"] for entry in editor.params_type.__dataclass_fields__.values())
presets.get(models.read_card(models.find_model("shapes")), "standard")
tokens.clean_prompt("a  fox")
{LOADED.format(names=(*HEAVY, "av", "cv2", "numpy"))}
"""
    assert run_python(program) == "[]"


def test_equal_prompts_may_stand_where_words_say_what_to_anchor(request_: EditRequest) -> None:
    same = replace(request_, target_prompt=request_.source_prompt, words=("circle",))
    assert plan_edit(same).request.words == ("circle",)


def test_it_can_be_stopped_between_the_frames_of_a_region(request_: EditRequest) -> None:
    drawn: list[int] = []

    def stop() -> None:
        drawn.append(1)
        if len(drawn) == 2:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        plan_edit(request_, stop)
    assert len(drawn) == 2 < FRAMES
