# SPDX-License-Identifier: Apache-2.0
"""The recipe's stages at toy size: the latent scale, the binding task, and the text a batch is trained on."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from flowanchor_core.shapes import world
from flowanchor_core.shapes.captions import caption
from flowanchor_core.shapes.modules import TEXT_DIM, TEXT_LENGTH, Z_DIM, build_transformer, build_vae
from flowanchor_core.shapes.training import latents, parallel, text, transformer, vae


def test_folding_a_matrix_into_the_vae_changes_its_latents_and_not_its_pictures() -> None:
    torch.manual_seed(0)
    codec = build_vae().eval()
    video, _ = world.render([world.sample_scene(random.Random(0))], frames=5, size=32)
    mean, std = torch.randn(Z_DIM), torch.rand(Z_DIM) + 0.5
    direction = torch.linalg.qr(torch.randn(Z_DIM, 2))[0]
    matrix = torch.eye(Z_DIM) - 0.5 * direction @ direction.T
    with torch.no_grad():
        before = codec.encode(video).latent_dist.mode()
        picture = codec.decode(before).sample
        latents._fold(codec, matrix, mean, std)
        after = codec.encode(video).latent_dist.mode()
        again = codec.decode(after).sample
    offset, scale = mean[:, None, None, None], std[:, None, None, None]
    expected = torch.einsum("ij,bjfhw->bifhw", matrix, (before - offset) / scale)
    assert torch.allclose((after - offset) / scale, expected, atol=1e-4)
    assert torch.allclose(again, picture, atol=1e-4)


def test_the_skeleton_leaves_the_network_as_it_was() -> None:
    torch.manual_seed(0)
    codec = build_vae().eval()
    video, _ = world.render([world.sample_scene(random.Random(0))], frames=1, size=32)
    with torch.no_grad():
        whole = codec.encode(video).latent_dist.mode()
        skeleton = vae._Skeleton(codec)
        skeleton.set(True)
        bare = codec.encode(video).latent_dist.mode()
        skeleton.set(False)
        again = codec.encode(video).latent_dist.mode()
    assert torch.equal(whole, again)
    assert not torch.equal(whole, bare)


def test_binding_is_learnt_and_survives_a_reload(tmp_path: Path) -> None:
    text.pretrain(tmp_path, steps=40)
    task = text.load(tmp_path)
    rng = random.Random(9)
    ids, mask = task.tokens([caption(world.sample_scene(rng), rng) for _ in range(32)])
    embedded = task.embed(ids, mask)
    assert embedded.shape == (32, TEXT_LENGTH, TEXT_DIM)
    assert not embedded[mask == 0].any()
    trained, right = task.binding_loss(embedded, ids)
    fresh = text.TextTask()
    untrained, _ = fresh.binding_loss(fresh.embed(ids, mask), ids)
    assert float(trained.detach()) < 0.9 * float(untrained.detach())
    assert right > 0.25


def test_batches_name_what_their_latents_show() -> None:
    scenes = [world.sample_scene(random.Random(i), count=1) for i in range(4)]
    pool = torch.arange(4.0)[:, None, None, None, None].expand(4, Z_DIM, 1, 2, 2).half()
    latent, captions = transformer._batch(random.Random(0), pool, scenes, 40)
    assert latent.dtype == torch.float32
    assert "" in captions
    for value, words in zip(latent[:, 0, 0, 0, 0], captions, strict=True):
        thing = scenes[int(value)].things[0]
        assert not words or f"{thing.colour} {thing.shape}" in words


def test_plain_attention_is_the_stock_one() -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(2, 4, 10, 8) for _ in range(3))
    expected = torch.nn.functional.scaled_dot_product_attention(query, key, value)
    assert torch.allclose(transformer._plain_attention(query, key, value), expected, atol=1e-5)


def test_the_transformer_starts_at_zero_velocity() -> None:
    velocity = build_transformer()(
        torch.randn(1, Z_DIM, 1, 4, 4), torch.tensor([500.0]), torch.randn(1, 4, TEXT_DIM), return_dict=False
    )[0]
    assert not velocity.any()


def test_a_steps_data_depends_on_stage_step_and_rank_alone() -> None:
    def draws(stage: int, step: int, rank: int) -> tuple[float, float]:
        return parallel.seed_step(stage, step, rank).random(), float(torch.rand(()))

    assert draws(1, 2, 0) == draws(1, 2, 0)
    assert len({draws(s, t, r) for s in (1, 2) for t in (0, 1) for r in (0, 1)}) == 8


def test_no_state_is_said_in_a_sentence(tmp_path: Path) -> None:
    text.pretrain(tmp_path, steps=1)
    with pytest.raises(FileNotFoundError, match="run the transformer stage first"):
        transformer.load_average(tmp_path)
