# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of an edit's cost. That an edit then costs it is tested with the edits (test_edit.py)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowanchor_core import models, presets
from flowanchor_core.errors import InputError, ModelError
from flowanchor_core.estimate import Architecture, Cost, cost_of

CARD = models.read_card(models.find_model("shapes"), "shapes")
PRESET = presets.get(CARD, "standard")


def cost(card: models.ModelCard = CARD, preset: presets.Preset = PRESET, **changes: Any) -> Cost:
    values: dict[str, Any] = {
        "draws": 1,
        "frames": 17,
        "frame_size": (640, 360),
        "bounds": (100, 100, 200, 180),
        "margin": 0.25,
        "around": 8,
        "mode": "detail",
        "bytes_each": 4,
        **changes,
    }
    return cost_of(card, preset, **values)


def test_forwards_are_four_a_step_less_the_shared_one_for_each_window_and_draw() -> None:
    assert cost().forwards == 4 * (25 - 4) - 1
    assert cost(draws=3).forwards == 3 * cost().forwards
    assert cost(preset=replace(PRESET, steps=10, skip=2)).forwards == 4 * 8 - 1
    long = cost(frames=200)
    assert long.windows > 1
    assert long.forwards == long.windows * cost().forwards


@given(st.integers(1, 300), st.integers(0, 200))
def test_more_frames_never_cost_less(frames: int, more: int) -> None:
    few, many = cost(frames=frames), cost(frames=frames + more)
    assert many.work >= few.work
    assert many.windows >= few.windows
    assert many.memory_bytes >= few.memory_bytes


@given(st.integers(0, 639), st.integers(0, 359), st.integers(1, 900), st.integers(1, 900))
def test_the_crop_holds_the_region_and_the_model_sees_what_it_can(
    x: int, y: int, wide: int, tall: int
) -> None:
    found = cost(bounds=(x - 100, y - 100, x + wide, y + tall))
    crop = found.crop
    assert crop.x <= max(0, x - 100)
    assert crop.y <= max(0, y - 100)
    assert crop.x + crop.width >= min(640, x + wide)
    assert crop.y + crop.height >= min(360, y + tall)
    assert found.model_width * found.model_height <= CARD.native_size[0] * CARD.native_size[1]


@pytest.mark.parametrize("bounds", [(700, 0, 800, 10), (0, 0, 0, 10), (-20, 0, -10, 5)])
def test_a_region_outside_the_picture_has_no_cost(bounds: tuple[int, int, int, int]) -> None:
    with pytest.raises(InputError):
        cost(bounds=bounds)


def test_parameters_are_those_of_the_weights() -> None:
    from safetensors import safe_open

    with safe_open(CARD.folder / "transformer" / "diffusion_pytorch_model.safetensors", "np") as file:
        real = 0
        for name in file.keys():  # noqa: SIM118  # it is no dictionary
            count = 1
            for side in file.get_slice(name).get_shape():
                count *= side
            real += count
    assert abs(Architecture.read(CARD).parameters / real - 1) < 0.05


def test_memory_of_the_published_model_is_of_the_right_order(tmp_path: Path) -> None:
    """Wan2.1 1.3B at full size: 2.8 GB of weights in 16 bits, four branches of 81 frames within 24 GiB."""
    folder = tmp_path / "wan"
    shutil.copytree(CARD.folder, folder)
    (folder / "flowanchor.json").unlink()
    path = folder / "transformer" / "config.json"
    config = json.loads(path.read_text())
    config |= {"num_layers": 30, "num_attention_heads": 12, "attention_head_dim": 128, "ffn_dim": 8960}
    config |= {"text_dim": 4096, "freq_dim": 256}
    path.write_text(json.dumps(config))
    vae = folder / "vae" / "config.json"
    vae.write_text(json.dumps({**json.loads(vae.read_text()), "base_dim": 96, "dim_mult": [1, 2, 4, 4]}))
    card = models.read_card(folder, "wan")
    assert 1.3e9 < Architecture.read(card).parameters < 1.5e9
    whole = cost(
        card,
        presets.get(card, "standard"),
        frames=81,
        frame_size=(832, 480),
        bounds=(0, 0, 832, 480),
        bytes_each=2,
    )
    assert (whole.model_width, whole.model_height) == (832, 480)
    assert 6e9 < whole.memory_bytes < 24 * 2**30
    assert whole.work / whole.forwards == pytest.approx(26.0e15 / 4 / 23, rel=0.1), "the README's table"


def test_a_damaged_configuration_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(CARD.folder, folder)
    (folder / "transformer" / "config.json").write_text("{}")
    with pytest.raises(ModelError) as caught:
        cost(models.read_card(folder))
    assert caught.value.code == "model-config"


def test_it_needs_neither_torch_nor_a_picture_library() -> None:
    program = (
        "import sys; import flowanchor_core.estimate; "
        "sys.exit(bool({'torch', 'numpy', 'cv2', 'av'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2]).returncode == 0
