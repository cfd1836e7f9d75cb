# SPDX-License-Identifier: Apache-2.0
"""Spatially anchored refinement of cross-attention (SAR; FlowAnchor, arXiv 2604.22586).

Logits A have a row per video token and a column per text token. `text_modulation` (step 1) pulls the rows
inside the mask towards the target words, `spatial_modulation` (step 2) pulls the target words' columns
towards the mask. `refine_logits` is that definition on a whole matrix. `refined_attention` is the same
attention without the matrix:

* The text is zero-padded and no mask is passed, so all pad columns share one key and one value. P of them
  weigh exactly as much as one whose logit carries a bias of log P: 512 columns become the real ones + one.
* Row extremes need one row at a time, column extremes all video tokens of all frames. So one pass over chunks
  of rows finds the column extremes and a second one attends.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def text_modulation(logits: Tensor, in_mask: Tensor, target: Tensor, beta1: float) -> Tensor:
    """Step 1. In mask rows, target columns move towards the row's maximum and the others towards its minimum.

    Shapes: logits [..., N, L], in_mask bool [N], target bool [L].
    """
    high = logits.amax(dim=-1, keepdim=True)
    low = logits.amin(dim=-1, keepdim=True)
    return torch.where(in_mask[:, None], torch.lerp(logits, torch.where(target, high, low), beta1), logits)


def spatial_modulation(
    logits: Tensor, in_mask: Tensor, target: Tensor, beta2: float, low: Tensor, high: Tensor
) -> Tensor:
    """Step 2. In target columns, mask rows move towards the column's maximum `high` and the others towards
    its minimum `low` (both [..., 1, L], over all N video tokens after step 1; only target columns are read).

    Shapes: logits [..., N, L], in_mask bool [N], target bool [L].
    """
    goal = torch.where(in_mask[:, None], high, low)
    return torch.where(target, torch.lerp(logits, goal, beta2), logits)


def refine_logits(
    logits: Tensor,
    in_mask: Tensor,
    target: Tensor,
    beta1: float,
    beta2: float,
    text_length: int | None = None,
) -> Tensor:
    """The dense definition of SAR, for reference and tests.

    Args:
        logits: pre-softmax cross-attention [..., N, L].
        in_mask: bool [N], the video tokens inside the mask.
        target: bool [L], the text tokens that drive the edit.
        beta1, beta2: strengths 0..1 of step 1 and step 2; 0 is the identity.
        text_length: number of real text tokens (with the end-of-sentence token); the columns after them are
            pads: untouched, no part of any extreme, but still attended. None: all columns are real.

    Returns:
        Refined logits [..., N, L]; no value leaves the range of the real columns it was in.
    """
    in_mask, target = in_mask.bool(), target.bool()
    real = logits.shape[-1] if text_length is None else text_length
    head, target = logits[..., :real], target[:real]
    head = text_modulation(head, in_mask, target, beta1)
    low, high = head.amin(dim=-2, keepdim=True), head.amax(dim=-2, keepdim=True)
    head = spatial_modulation(head, in_mask, target, beta2, low, high)
    return torch.cat([head, logits[..., real:]], dim=-1)


def collapse_pads(k: Tensor, v: Tensor, text_length: int) -> tuple[Tensor, Tensor, int]:
    """Drop all pad columns but one from k and v [B, L, H, D]; also returns how many there were (0: none to
    keep).

    Exact when the pads' keys and values are the same, which they are for zero-padded text.
    """
    keep = min(text_length + 1, k.shape[1])
    return k[:, :keep], v[:, :keep], k.shape[1] - text_length


def collapsed_attention(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
    """Plain cross-attention over collapsed columns.

    PyTorch's own kernel on purpose: flash and sage kernels take no bias.

    Args:
        q: [B, N, H, D];  k, v: [B, L, H, D].
        bias: [B, L], added to every logit of a column: log P for a column that stands for P pads, -inf for a
            column that is not there (it evens out a batch), 0 for a real token. None: all real.

    Returns:
        [B, N, H, D].
    """
    mask = None if bias is None else bias[:, None, None, :].to(q.dtype)
    out = F.scaled_dot_product_attention(
        q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), attn_mask=mask
    )
    return out.transpose(1, 2)


def refined_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    in_mask: Tensor,
    target: Tensor,
    text_length: int,
    beta1: float,
    beta2: float,
    chunk: int = 1024,
    pads: int | None = None,
) -> Tensor:
    """Cross-attention with SAR, exact, in chunks of rows and with collapsed pads.

    Args:
        q: [B, N, H, D] over the video tokens of all frames;  k, v: [B, L, H, D].
        in_mask: bool [N];  target: bool [L] (entries from `text_length` on are ignored).
        text_length: number of real text tokens, 1..L; the columns after them are pads and must be alike.
        beta1, beta2: strengths 0..1.
        chunk: video tokens at a time; memory grows with it, the result does not depend on it.
        pads: how many pads the column after the real ones stands for, when they were collapsed before;
            default: as many as k has.

    Returns:
        [B, N, H, D] in q's dtype; computed in float32 or wider.
    """
    dtype = torch.promote_types(q.dtype, torch.float32)
    k, v, count = collapse_pads(k, v, text_length)
    count = count if pads is None else pads
    in_mask, target = in_mask.bool(), target[:text_length].bool()
    keys = k.permute(0, 2, 3, 1).to(dtype) / math.sqrt(q.shape[-1])  # [B, H, D, L]
    values = v.transpose(1, 2).to(dtype)
    rows = range(0, q.shape[1], chunk)

    def logits_of(row: int) -> Tensor:
        """Logits after step 1 for one chunk, [B, H, chunk, L]; the pad column, if any, is left as it is."""
        logits = q[:, row : row + chunk].transpose(1, 2).to(dtype) @ keys
        real = text_modulation(logits[..., :text_length], in_mask[row : row + chunk], target, beta1)
        return torch.cat([real, logits[..., text_length:]], dim=-1)

    # Extremes of all real columns, though only the target's are read: selecting those would make shapes
    # depend on data.
    low = high = keys.new_empty(0)
    if beta2 != 0:
        for row in rows:
            real = logits_of(row)[..., :text_length]
            least, most = real.amin(dim=-2, keepdim=True), real.amax(dim=-2, keepdim=True)
            low = torch.minimum(low, least) if row else least
            high = torch.maximum(high, most) if row else most

    out = torch.empty_like(q)
    for row in rows:
        logits = logits_of(row)
        inside = in_mask[row : row + chunk]
        if beta2 != 0:
            real = logits[..., :text_length]
            logits[..., :text_length] = spatial_modulation(real, inside, target, beta2, low, high)
        if count > 1:
            logits[..., text_length:] += math.log(count)
        weights = logits.softmax(dim=-1)
        out[:, row : row + chunk] = (weights @ values).transpose(1, 2).to(q.dtype)
    return out
