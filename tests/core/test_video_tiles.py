# SPDX-License-Identifier: Apache-2.0
"""The VAE in tiles against the VAE on whole pictures, with the embedded model's trained one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from flowanchor_core.backbone import Backbone
from flowanchor_core.memory import MemoryPlan
from flowanchor_core.models import EMBEDDED_FOLDER

WHOLE = MemoryPlan()
TILED = replace(WHOLE, vae_tile=16, vae_overlap=6)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def load(plan: MemoryPlan, cache: Path) -> Backbone:
    return Backbone.load(EMBEDDED_FOLDER, plan, cache_folder=cache)


def picture(frames: int, height: int, width: int) -> torch.Tensor:
    """Flat ground with discs that move, [3, frames, height, width] in -1..1."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    video = torch.full((3, frames, height, width), -0.3)
    for index in range(frames):
        for disc, colour in enumerate(((0.8, -0.6, -0.6), (-0.5, 0.7, -0.4), (0.7, 0.7, -0.7))):
            cx, cy = width * (disc + 1) / 4 + 2 * index, height * (1 + disc % 2) / 3
            inside = (x - cx) ** 2 + (y - cy) ** 2 < (height / 7) ** 2
            video[:, index, inside] = torch.tensor(colour)[:, None]
    return video


def test_tiles_come_close_to_the_whole(cache: Path) -> None:
    video = picture(9, 96, 160)
    whole, tiled = load(WHOLE, cache), load(TILED, cache)
    latent = whole.encode_video(video)
    off = (tiled.encode_video(video) - latent).abs()
    # Measured: 0.019 and 0.66, in units of the latent's own deviation.
    assert off.max() > 0  # 24 x 40 positions do take several tiles
    assert off.mean() < 0.025
    assert off.max() < 0.9
    shown, again = (torch.cat(list(model.decode_video(latent)), dim=1) for model in (whole, tiled))
    off = (again - shown).abs() * 127.5
    # Measured: 2.1 and 25 code values of 255.
    assert off.mean() < 2.7
    assert off.max() < 32


@pytest.mark.parametrize("size", [(64, 64), (32, 64)])
def test_a_picture_of_one_tile_is_the_whole_one(cache: Path, size: tuple[int, int]) -> None:
    video = picture(5, *size)
    whole, tiled = load(WHOLE, cache), load(TILED, cache)
    latent = whole.encode_video(video)
    torch.testing.assert_close(tiled.encode_video(video), latent, atol=1e-5, rtol=0)
    for shown, again in zip(whole.decode_video(latent), tiled.decode_video(latent), strict=True):
        torch.testing.assert_close(again, shown, atol=1e-5, rtol=0)


def test_tiles_stream_and_can_be_left(cache: Path) -> None:
    tiled = load(TILED, cache)
    video = picture(9, 80, 96)
    seen: list[int] = []

    def source() -> Any:
        for index in range(9):
            seen.append(index)
            yield video[:, index : index + 1]

    steps = tiled.encode_steps(source())
    assert next(steps) == 1
    assert seen == [0]
    assert next(steps) == 2
    assert seen == list(range(5))
    steps.close()
    latent = tiled.encode_video(video)
    frames = tiled.decode_video(latent)
    assert next(frames).shape == (3, 1, 80, 96)
    frames.close()  # type: ignore[attr-defined]
    assert [chunk.shape[1] for chunk in tiled.decode_video(latent)] == [1, 4, 4]


def test_only_a_tile_of_the_picture_reaches_the_vae(cache: Path) -> None:
    tiled = load(TILED, cache)
    vae = tiled._use("vae")
    sizes: set[tuple[int, ...]] = set()
    hooks = [
        part.register_forward_pre_hook(lambda _, given: sizes.add(tuple(given[0].shape[-2:])))
        for part in (vae.encoder, vae.decoder)
    ]
    latent = tiled.encode_video(picture(5, 96, 160))
    list(tiled.decode_video(latent))
    for hook in hooks:
        hook.remove()
    assert sizes == {(64, 64), (16, 16)}
