# SPDX-License-Identifier: Apache-2.0
"""Stage `transformer`: flow matching on images first, then on clips with some images kept in.

Images teach what words mean at a fifth of a clip's price. A model that can't tell "a red circle and a blue
star" from its swap will never edit: export the state after the images and run `evaluate.gates swap` before
the clips.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import WanTransformer3DModel
from torch import Tensor, nn

from flowanchor_core.shapes.captions import caption
from flowanchor_core.shapes.modules import build_transformer
from flowanchor_core.shapes.training import latents, parallel, text
from flowanchor_core.shapes.training.optim import Trainer
from flowanchor_core.shapes.world import Scene

STAGE = 2
IMAGE_BATCH, CLIP_BATCH = 40, 8
IMAGE_SHARE_LATER = 0.25
BINDING_WEIGHT = 0.05
DROPOUT = 0.1


def train(folder: Path, image_steps: int, clip_steps: int) -> None:
    """Train `image_steps` on images, then `clip_steps` on clips; state in
    `folder/transformer.state.safetensors`."""
    parallel.launch(_worker, folder, image_steps, clip_steps)


class Model:
    """Transformer and text task with one trainer over both."""

    def __init__(self, folder: Path) -> None:
        torch.manual_seed(4)
        self.transformer: WanTransformer3DModel = build_transformer()
        self.text = text.load(folder)
        muon = [
            p for name, p in self.transformer.named_parameters() if name.startswith("blocks") and p.ndim == 2
        ]
        chosen = {id(p) for p in muon}
        adam = [p for p in self.transformer.parameters() if id(p) not in chosen] + list(
            self.text.parameters()
        )
        self.trainer = Trainer(muon, adam, muon_rate=0.015, adam_rate=1.6e-3, decay=0.997)

    def loss(self, latent: Tensor, captions: Sequence[str]) -> Tensor:
        """Flow-matching loss of normalised latents [B, C, F, h, w] plus the binding loss of their
        captions."""
        ids, mask = self.text.tokens(captions)
        embedded = self.text.embed(ids, mask)
        sigma = torch.sigmoid(torch.randn(len(latent)) * 1.1 + 0.5)
        sigma = torch.where(torch.rand(len(latent)) < 0.15, torch.rand(len(latent)), sigma)
        noise = torch.randn_like(latent)
        at = sigma[:, None, None, None, None]
        with torch.autocast("cpu", torch.bfloat16):
            velocity = self.transformer(
                (1 - at) * latent + at * noise, sigma * 1000, embedded, return_dict=False
            )[0]
        binding, _ = self.text.binding_loss(embedded, ids)
        flow: Tensor = (velocity.float() - (noise - latent)).square().mean()
        return flow + BINDING_WEIGHT * binding


def _worker(rank: int, folder: Path, image_steps: int, clip_steps: int) -> None:
    # The stock kernel for CPU attention is slow on sequences this short; plain products are faster.
    torch.nn.functional.scaled_dot_product_attention = _plain_attention  # type: ignore[assignment]
    model = Model(folder)
    trainer, state = model.trainer, folder / "transformer.state.safetensors"
    parallel.load_state(state, trainer)
    pools = {"images": latents.load_pool(folder, "images")}
    total, started, losses = image_steps + clip_steps, time.monotonic(), []
    while trainer.steps < total:
        step = trainer.steps
        rng = parallel.seed_step(STAGE, step, rank)
        kind, size = "images", IMAGE_BATCH
        if step >= image_steps and random.Random(step).random() > IMAGE_SHARE_LATER:
            kind, size = "clips", CLIP_BATCH
            if kind not in pools:
                pools[kind] = latents.load_pool(folder, kind)
        loss = model.loss(*_batch(rng, *pools[kind], size))
        torch.autograd.backward(loss)
        trainer.step(parallel.mean_gradients(trainer.parameters), _rate(step, total))
        losses.append((kind, loss.item()))
        if rank == 0 and trainer.steps % 100 == 0:
            shown = {k: sum(v) / len(v) for k in pools if (v := [x for name, x in losses if name == k])}
            words = ", ".join(f"{k} {v:.4f}" for k, v in shown.items())
            print(
                f"transformer step {trainer.steps}/{total} loss {words}, {time.monotonic() - started:.0f} s",
                flush=True,
            )
            losses.clear()
        if rank == 0 and trainer.steps % 400 == 0:
            parallel.save_state(state, trainer)
    if rank == 0:
        parallel.save_state(state, trainer)


def _rate(step: int, total: int) -> float:
    return min(1.0, (step + 1) / 40) * max(0.02, min(1.0, (1 - step / total) / 0.45))


def _batch(rng: random.Random, pool: Tensor, scenes: Sequence[Scene], size: int) -> tuple[Tensor, list[str]]:
    chosen = [rng.randrange(len(scenes)) for _ in range(size)]
    captions = ["" if rng.random() < DROPOUT else caption(scenes[i], rng) for i in chosen]
    return pool[chosen].float(), captions


def _plain_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    **_: object,
) -> Tensor:
    weights = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    if attn_mask is not None:
        weights = weights + attn_mask
    result: Tensor = weights.softmax(-1) @ value
    return result


def load_average(folder: Path) -> tuple[nn.Module, text.TextTask]:
    """The averaged transformer and text task of a running or finished training."""
    model = Model(folder)
    if not parallel.load_state(folder / "transformer.state.safetensors", model.trainer):
        raise FileNotFoundError(f"No training state in {folder}; run the transformer stage first.")
    model.trainer.swap_average()
    return model.transformer.eval(), model.text.eval()
