# SPDX-License-Identifier: Apache-2.0
import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from flowanchor_core.attention import Anchor, CollapsedCrossAttention, collapse_texts, installed
from flowanchor_core.sar import refine_logits


def padded(text: Tensor, length: int) -> Tensor:
    return F.pad(text, (0, 0, 0, length - len(text)))[None]


def run(transformer: Any, latents: Tensor, text: Tensor, sigma: float = 0.7) -> Tensor:
    with torch.no_grad():
        timestep = torch.full((len(latents),), 1000 * sigma)
        out: Tensor = transformer(latents, timestep, text, return_dict=False)[0]
    return out


@pytest.mark.parametrize("lengths", [[16], [15], [1], [3, 9, 16], [5, 5]])
def test_collapsed_pads_equal_the_stock_processor(transformer: Any, lengths: list[int]) -> None:
    texts = [torch.randn(length, 16) for length in lengths]
    latents = torch.randn(len(texts), 4, 3, 6, 8)
    expected = run(transformer, latents, torch.cat([padded(text, 16) for text in texts]))
    processor = CollapsedCrossAttention()
    few, columns = collapse_texts(texts, [None] * len(texts), 16)
    assert few.shape[1] == max(min(length + 1, 16) for length in lengths)
    processor.begin(columns, latents.device)
    with installed(transformer, processor):
        result = run(transformer, latents, few)
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=0)


def test_zero_strengths_equal_the_stock_processor(transformer: Any) -> None:
    text, latents = torch.randn(5, 16), torch.randn(1, 4, 3, 6, 8)
    expected = run(transformer, latents, padded(text, 16))
    processor = CollapsedCrossAttention()
    few, columns = collapse_texts([text], [Anchor(torch.rand(36) < 0.5, (1, 2), 0.0, 0.0)], 16)
    processor.begin(columns, latents.device)
    with installed(transformer, processor):
        torch.testing.assert_close(run(transformer, latents, few), expected, atol=1e-5, rtol=0)


def test_an_anchored_sample_follows_the_dense_definition_and_leaves_the_others_alone(
    transformer: Any,
) -> None:
    attn = transformer.blocks[0].attn2
    texts = [torch.randn(length, 48) for length in (4, 7, 16)]
    video, in_mask = torch.randn(3, 36, 48), torch.rand(36) < 0.5
    anchor = Anchor(in_mask, (1, 2), 0.3, 0.4)
    target = torch.zeros(16, dtype=torch.bool)
    target[[1, 2]] = True

    def split(x: Tensor) -> Tensor:
        return x.reshape(*x.shape[:-1], 2, 24).transpose(-3, -2).double()

    with torch.no_grad():
        expected = []
        for sample, text in enumerate(texts):
            full = padded(text, 16)[0]
            q = split(attn.norm_q(attn.to_q(video[sample])))
            k, v = split(attn.norm_k(attn.to_k(full))), split(attn.to_v(full))
            logits = q @ k.mT / math.sqrt(24)
            if sample == 1:
                logits = refine_logits(logits, in_mask, target, 0.3, 0.4, text_length=len(text))
            out = (logits.softmax(-1) @ v).transpose(0, 1).flatten(1).float()
            expected.append(attn.to_out[0](out))
        processor = CollapsedCrossAttention()
        few, columns = collapse_texts(texts, [None, anchor, None], 16)
        processor.begin(columns, video.device)
        result = processor(attn, video, few)
    torch.testing.assert_close(result, torch.stack(expected), atol=1e-5, rtol=0)


def test_fused_projections_are_honoured(transformer: Any) -> None:
    text, latents = torch.randn(5, 16), torch.randn(1, 4, 3, 6, 8)
    expected = run(transformer, latents, padded(text, 16))
    for block in transformer.blocks:
        block.attn2.fuse_projections()
    processor = CollapsedCrossAttention()
    few, columns = collapse_texts([text], [None], 16)
    processor.begin(columns, latents.device)
    with installed(transformer, processor):
        torch.testing.assert_close(run(transformer, latents, few), expected, atol=1e-5, rtol=0)


def test_processors_come_back_after_an_exception(transformer: Any) -> None:
    before = [block.attn2.processor for block in transformer.blocks]
    own = CollapsedCrossAttention()

    def fail_inside() -> None:
        with installed(transformer, own):
            assert all(block.attn2.processor is own for block in transformer.blocks)
            assert all(block.attn1.processor is not own for block in transformer.blocks)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_inside()
    assert all(
        block.attn2.processor is original for block, original in zip(transformer.blocks, before, strict=True)
    )


def test_a_text_longer_than_the_models_is_refused() -> None:
    with pytest.raises(ValueError):
        collapse_texts([torch.randn(17, 16)], [None], 16)


def test_self_attention_is_not_what_this_is_for(transformer: Any) -> None:
    with pytest.raises(ValueError):
        CollapsedCrossAttention()(transformer.blocks[0].attn2, torch.randn(1, 4, 48))
