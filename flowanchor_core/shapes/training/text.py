# SPDX-License-Identifier: Apache-2.0
"""Stage `text`: binding pre-training of the text encoder.

Trained only through the video model, a small text encoder becomes a bag of words: swapping two things'
colours in a caption changes nothing. So it first learns to tell at each shape word its colour and at each
colour word its shape, and keeps that task as an auxiliary loss while the transformer trains.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_model, save_model
from torch import Tensor, nn
from torch.nn import functional
from transformers import T5TokenizerFast, UMT5EncoderModel

from flowanchor_core.shapes import world
from flowanchor_core.shapes.captions import caption
from flowanchor_core.shapes.modules import TEXT_DIM, TEXT_LENGTH, build_text_encoder
from flowanchor_core.shapes.tokenizer import build_tokenizer

_BATCH = 64


class TextTask(nn.Module):
    """The text encoder with the two binding heads."""

    def __init__(self) -> None:
        super().__init__()
        self.tokenizer: T5TokenizerFast = build_tokenizer()
        self.encoder: UMT5EncoderModel = build_text_encoder(len(self.tokenizer))
        self.colour_head = nn.Linear(TEXT_DIM, len(world.COLOURS))
        self.shape_head = nn.Linear(TEXT_DIM, len(world.SHAPES))
        ids = self.tokenizer.convert_tokens_to_ids
        self._colours = torch.tensor([ids(f"▁{word}") for word in world.COLOURS])
        self._shapes = torch.tensor([ids(f"▁{word}") for word in world.SHAPES])

    def tokens(self, captions: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Ids and attention mask, each [B, TEXT_LENGTH]."""
        batch = self.tokenizer(
            list(captions), max_length=TEXT_LENGTH, padding="max_length", return_tensors="pt"
        )
        return batch.input_ids, batch.attention_mask

    def embed(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Embeddings [B, TEXT_LENGTH, D], zero on the pads, as Wan's transformer expects them."""
        hidden: Tensor = self.encoder(ids, mask).last_hidden_state
        return hidden * mask[..., None].to(hidden.dtype)

    def binding_loss(self, embedded: Tensor, ids: Tensor) -> tuple[Tensor, float]:
        """Cross-entropy of both heads and the share of words bound rightly; captions without things add
        nothing."""
        colour_at, shape_at = torch.isin(ids, self._colours), torch.isin(ids, self._shapes)
        colours = (ids[colour_at][:, None] == self._colours).float().argmax(1)
        shapes = (ids[shape_at][:, None] == self._shapes).float().argmax(1)
        colour_logits, shape_logits = (
            self.colour_head(embedded[shape_at]),
            self.shape_head(embedded[colour_at]),
        )
        loss = functional.cross_entropy(colour_logits, colours) + functional.cross_entropy(
            shape_logits, shapes
        )
        right = (colour_logits.argmax(1) == colours).float().mean() + (
            shape_logits.argmax(1) == shapes
        ).float().mean()
        return loss, float(right) / 2


def pretrain(folder: Path, steps: int) -> None:
    """Write `folder/text.safetensors` unless it is there."""
    target = folder / "text.safetensors"
    if target.exists():
        return
    torch.manual_seed(2)
    rng = random.Random(2)
    task = TextTask()
    optimiser = torch.optim.AdamW(task.parameters(), lr=2e-3, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        ids, mask = task.tokens([caption(world.sample_scene(rng), rng) for _ in range(_BATCH)])
        loss, right = task.binding_loss(task.embed(ids, mask), ids)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(task.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if (step + 1) % 100 == 0:
            print(f"text step {step + 1}/{steps} loss {loss.item():.3f} bound {right:.2f}", flush=True)
    save_model(task, str(target))


def load(folder: Path) -> TextTask:
    task = TextTask()
    load_model(task, folder / "text.safetensors")
    return task
