# SPDX-License-Identifier: Apache-2.0
"""The cross-attention of all branches: pads collapsed everywhere, SAR where a sample is anchored.

diffusers hands no per-call state to attention processors, so one processor object is shared by all blocks and
holds the layout of the text of the forward that is running. `installed` puts it in place and always takes it
out again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from flowanchor_core.sar import collapsed_attention, refined_attention


@dataclass(frozen=True)
class Anchor:
    """What SAR needs for one sample: bool [N] over the video tokens, indices of the target words' text
    tokens, and the strengths of its two steps, 0..1."""

    in_mask: Tensor
    target: tuple[int, ...]
    beta1: float
    beta2: float


@dataclass(frozen=True)
class TextColumns:
    """Layout of one sample's text: `real` tokens, then one column that stands for `pads` pads (none if 0)."""

    real: int
    pads: int
    anchor: Anchor | None = None

    @property
    def count(self) -> int:
        """Columns this sample attends to."""
        return self.real + (self.pads > 0)


def collapse_texts(
    texts: Sequence[Tensor], anchors: Sequence[Anchor | None], text_length: int
) -> tuple[Tensor, tuple[TextColumns, ...]]:
    """Batch unpadded embeddings [L_i, D] with one zero pad each in place of the model's `text_length - L_i`.

    Returns embeddings [B, max columns, D] and each sample's layout. A pad stays a zero vector here: the model
    projects it to a constant that is not zero, the same for all pads, which is why one column can stand for
    them.
    """
    columns = tuple(
        TextColumns(len(text), text_length - len(text), anchor)
        for text, anchor in zip(texts, anchors, strict=True)
    )
    if any(column.pads < 0 for column in columns):
        raise ValueError(f"a text is longer than the model's {text_length} tokens")
    width = max(column.count for column in columns)
    return torch.stack([F.pad(text, (0, 0, 0, width - len(text))) for text in texts]), columns


class CollapsedCrossAttention:
    """Attention processor for `WanAttention` as cross-attention. A plain object, not a module: it has no
    weights."""

    # diffusers sets these on processors; attention here is PyTorch's own whatever they say, since it needs a
    # bias.
    _attention_backend = None
    _parallel_config = None

    def __init__(self) -> None:
        self._columns: tuple[TextColumns, ...] = ()
        self._bias: Tensor | None = None

    def begin(self, columns: tuple[TextColumns, ...], device: torch.device) -> None:
        """Set the text layout, one entry a sample, of the forward that comes next."""
        width = max(column.count for column in columns)
        bias = torch.zeros(len(columns), width)
        for sample, column in enumerate(columns):
            if column.pads:
                bias[sample, column.real] = math.log(column.pads)
            bias[sample, column.count :] = -math.inf
        self._columns, self._bias = columns, bias.to(device)

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """Cross-attention of video [B, N, C] to text [B, L, C]; shapes and dtype as diffusers' own
        processor."""
        if encoder_hidden_states is None or attention_mask is not None or rotary_emb is not None:
            raise ValueError("only Wan's text cross-attention can be refined")
        if getattr(attn, "fused_projections", False):
            key, value = attn.to_kv(encoder_hidden_states).chunk(2, dim=-1)
        else:
            key, value = attn.to_k(encoder_hidden_states), attn.to_v(encoder_hidden_states)
        query, key = attn.norm_q(attn.to_q(hidden_states)), attn.norm_k(key)
        heads = (attn.heads, query.shape[-1] // attn.heads)
        out = self._attend(*(x.reshape(*x.shape[:2], *heads) for x in (query, key, value)))
        out = out.flatten(2, 3).type_as(query)
        result: Tensor = attn.to_out[1](attn.to_out[0](out))
        return result

    def _attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        plain = [sample for sample, column in enumerate(self._columns) if column.anchor is None]
        if self._bias is not None and len(plain) == len(self._columns):
            return collapsed_attention(q, k, v, self._bias)
        out = torch.empty_like(q)
        if plain and self._bias is not None:
            out[plain] = collapsed_attention(q[plain], k[plain], v[plain], self._bias[plain])
        for sample, column in enumerate(self._columns):
            if column.anchor is not None:
                one, text = slice(sample, sample + 1), slice(0, column.count)
                out[one] = _refine(q[one], k[one, text], v[one, text], column, column.anchor)
        return out


def _refine(q: Tensor, k: Tensor, v: Tensor, column: TextColumns, anchor: Anchor) -> Tensor:
    target = torch.zeros(column.real, dtype=torch.bool)
    target[list(anchor.target)] = True
    in_mask = anchor.in_mask.to(q.device)
    return refined_attention(
        q, k, v, in_mask, target.to(q.device), column.real, anchor.beta1, anchor.beta2, pads=column.pads
    )


@contextmanager
def installed(transformer: Any, processor: CollapsedCrossAttention) -> Iterator[None]:
    """Use `processor` in every block's cross-attention (`attn2`); the ones before it come back on any way
    out."""
    before = [(block.attn2, block.attn2.processor) for block in transformer.blocks]
    try:
        for attention, _ in before:
            attention.set_processor(processor)
        yield
    finally:
        for attention, original in before:
            attention.set_processor(original)
