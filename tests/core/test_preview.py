# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from flowanchor_core import models
from flowanchor_core.backbone import Backbone
from flowanchor_core.errors import ModelError
from flowanchor_core.preview import Projection, fit, fit_projection, project
from flowanchor_core.shapes import world


def encode(clip: Tensor) -> Tensor:
    """A toy VAE of strides 4 whose five latent channels are linear in the colours, otherwise for the first
    frame than for later ones."""
    generator = torch.Generator().manual_seed(5)
    matrix, offset = torch.randn(2, 5, 3, generator=generator), torch.randn(2, 5, generator=generator)
    small = F.avg_pool3d(clip[None], (1, 4, 4))[0]
    later = F.avg_pool3d(small[None, :, 1:], (4, 1, 1))[0] if clip.shape[1] > 1 else small[:, :0]
    kinds = [
        torch.einsum("ck,kfhw->cfhw", matrix[kind], part) + offset[kind, :, None, None, None]
        for kind, part in enumerate((small[:, :1], later))
    ]
    return torch.cat(kinds, dim=1)[None]


def test_a_linear_vae_is_inverted_in_first_and_later_frames() -> None:
    clip = torch.rand(3, 1, 32, 48).expand(-1, 9, -1, -1) * 2 - 1
    colours = F.avg_pool2d((clip[:, 0][None] + 1) / 2, 4)[0].permute(1, 2, 0)
    maps = fit_projection(encode, stride=4)
    latent = encode(clip)
    preview = project(latent, maps)
    assert preview.shape == (3, 8, 12, 3)
    assert preview.dtype == torch.uint8
    assert (preview.float() / 255 - colours).abs().max() < 2 / 255
    assert torch.equal(project(latent[:, :, 1:2], maps, first=1)[0], preview[1])
    assert not torch.equal(project(latent[:, :, 1:2], maps)[0], preview[1])


def test_colours_out_of_range_are_clipped() -> None:
    preview = project(100 * torch.randn(1, 5, 2, 4, 4), fit_projection(encode, stride=4))
    assert preview.min() == 0
    assert preview.max() == 255


def test_maps_are_kept_as_numbers() -> None:
    clip = torch.rand(1, 3, 9, 16, 16) * 2 - 1
    maps = fit(encode(clip[0]), clip, 4)
    again = Projection.of(json.loads(json.dumps(maps.maps())))
    assert again.channels == 5
    assert torch.allclose(again.weight, maps.weight, atol=1e-4)
    assert torch.allclose(again.bias, maps.bias, atol=1e-4)


def test_previews_of_the_embedded_model_show_each_things_own_colour(tmp_path: Path) -> None:
    backbone = Backbone.load(models.EMBEDDED_FOLDER, cache_folder=tmp_path)
    rng = random.Random(77)
    colours = {name: torch.tensor(rgb) for name, rgb in world.COLOURS.items()}
    scene = world.sample_scene(rng, count=1, speed=0.0)
    errors = []
    for name in colours:
        videos, masks = world.render([scene.with_thing(0, colour=name, shape="square")], 9)
        latent = backbone.encode_video(videos[0])
        inside = F.avg_pool2d(masks[0].float().amax(0)[-1:][None], 4)[0, 0] > 0.999
        assert inside.any()
        for frame in range(latent.shape[2]):
            shown = backbone.preview(latent[:, :, frame : frame + 1], frame)[0].float() / 255
            seen = shown[inside].mean(0)
            nearest = min(colours, key=lambda one: float((colours[one] - seen).norm()))
            assert nearest == name, (name, frame, seen)
            small = F.avg_pool2d((videos[0, :, 4 * frame] + 1) / 2, 4).permute(1, 2, 0)
            errors.append(float((shown - small).abs().mean()))
    assert max(errors) < 0.1, errors


def card(folder: Path, preview: object) -> Path:
    (folder / models.CARD_FILE).write_text(json.dumps({"preview": preview}), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "spoiled",
    [
        {},
        [],
        [[[1, 2, 3]] * 4],
        [[[1, 2, 3]] * 4, [[1, 2, 3]] * 5],
        [[[1, 2]] * 4, [[1, 2]] * 4],
        [[["1", 2, 3]] * 4, [[1, 2, 3]] * 4],
        [[[1e400, 2, 3]] * 4, [[1, 2, 3]] * 4],
        [[[True, 2, 3]] * 4, [[1, 2, 3]] * 4],
    ],
)
def test_a_preview_that_is_none_is_refused(tmp_path: Path, spoiled: object) -> None:
    with pytest.raises(ModelError, match="preview"):
        models.read_card(card(tmp_path, spoiled))


def test_a_preview_for_another_model_is_refused(wan_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for part in wan_folder.iterdir():
        (folder / part.name).symlink_to(part)
    (folder / models.CARD_FILE).unlink(missing_ok=True)
    card(folder, [[[0, 0, 0]] * 4, [[0, 0, 0]] * 4])
    with pytest.raises(ModelError, match="3 channels"):
        Backbone.load(folder, cache_folder=tmp_path)
