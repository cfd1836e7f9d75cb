# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from flowanchor_core.sar import collapse_pads, collapsed_attention, refine_logits, refined_attention

A = torch.tensor([[1.0, 2.0, 0.0], [0.5, 1.5, 1.0], [2.0, 1.0, 0.5]])
ROWS = torch.tensor([True, True, False])
TARGET = torch.tensor([True, False, False])


def padded_text(
    length: int, columns: int, batch: int = 1, heads: int = 2, dim: int = 8
) -> tuple[Tensor, Tensor]:
    """Keys and values whose columns from `length` on are alike, as zero-padded text makes them."""
    k, v = torch.randn(2, batch, columns, heads, dim)
    k[:, length:], v[:, length:] = k[:, length : length + 1], v[:, length : length + 1]
    return k, v


def dense(
    q: Tensor, k: Tensor, v: Tensor, rows: Tensor, target: Tensor, length: int, beta1: float, beta2: float
) -> Tensor:
    q, k, v = (x.double().transpose(1, 2) for x in (q, k, v))
    logits = refine_logits(q @ k.mT / math.sqrt(q.shape[-1]), rows, target, beta1, beta2, length)
    return (logits.softmax(-1) @ v).transpose(1, 2)


def test_golden_vector() -> None:
    step1 = torch.tensor([[1.3, 1.4, 0.0], [0.8, 1.2, 0.85], [2.0, 1.0, 0.5]])
    both = torch.tensor([[1.51, 1.4, 0.0], [1.16, 1.2, 0.85], [1.64, 1.0, 0.5]])
    torch.testing.assert_close(refine_logits(A, ROWS, TARGET, 0.3, 0.0), step1)
    torch.testing.assert_close(refine_logits(A, ROWS, TARGET, 0.3, 0.3), both)


def test_zero_strength_is_the_identity() -> None:
    assert torch.equal(refine_logits(A, ROWS, TARGET, 0.0, 0.0), A)


def test_pads_are_untouched_and_no_part_of_any_extreme() -> None:
    pads = torch.tensor([[9.0, -9.0]]).expand(3, 2)
    logits = torch.cat([A, pads], dim=1)
    target = torch.tensor([True, False, False, True, False])
    refined = refine_logits(logits, ROWS, target, 0.3, 0.3, text_length=3)
    assert torch.equal(refined, torch.cat([refine_logits(A, ROWS, TARGET, 0.3, 0.3), pads], dim=1))


@given(st.integers(1, 20), st.integers(1, 8), st.floats(0, 1), st.floats(0, 1), st.integers(0, 2**16))
def test_no_value_leaves_the_range(n: int, length: int, beta1: float, beta2: float, seed: int) -> None:
    torch.manual_seed(seed)
    logits = torch.randn(2, n, length, dtype=torch.float64)
    refined = refine_logits(logits, torch.rand(n) < 0.5, torch.rand(length) < 0.5, beta1, beta2)
    assert refined.min() >= logits.min() - 1e-12
    assert refined.max() <= logits.max() + 1e-12


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 70),
    length=st.integers(1, 12),
    pads=st.integers(0, 30),
    beta1=st.sampled_from([0.0, 0.3, 1.0]),
    beta2=st.sampled_from([0.0, 0.3, 1.0]),
    rows=st.sampled_from(["some", "all", "none"]),
    columns=st.sampled_from(["some", "all", "none"]),
    chunk=st.sampled_from([1, 7, 16, 1024]),
    seed=st.integers(0, 2**16),
)
def test_equals_the_dense_definition(
    n: int,
    length: int,
    pads: int,
    beta1: float,
    beta2: float,
    rows: str,
    columns: str,
    chunk: int,
    seed: int,
) -> None:
    torch.manual_seed(seed)
    q = torch.randn(2, n, 2, 8)
    k, v = padded_text(length, length + pads, batch=2)
    share = {"some": 0.5, "all": 1.0, "none": 0.0}
    in_mask, target = torch.rand(n) < share[rows], torch.rand(length + pads) < share[columns]
    expected = dense(q, k, v, in_mask, target, length, beta1, beta2)
    result = refined_attention(q, k, v, in_mask, target, length, beta1, beta2, chunk=chunk)
    assert result.dtype == q.dtype
    torch.testing.assert_close(result.double(), expected, atol=1e-5, rtol=0)


def test_pads_collapsed_beforehand_give_the_same() -> None:
    q, (k, v) = torch.randn(1, 30, 2, 8), padded_text(5, 40)
    in_mask, target = torch.rand(30) < 0.5, torch.arange(40) == 2
    whole = refined_attention(q, k, v, in_mask, target, 5, 0.3, 0.3)
    few_k, few_v, pads = collapse_pads(k, v, 5)
    assert few_k.shape[1] == 6
    assert torch.equal(refined_attention(q, few_k, few_v, in_mask, target, 5, 0.3, 0.3, pads=pads), whole)


def test_double_precision_stays_double() -> None:
    q, (k, v) = torch.randn(1, 30, 2, 8).double(), padded_text(5, 40)
    in_mask, target = torch.rand(30) < 0.5, torch.arange(40) == 2
    result = refined_attention(q, k.double(), v.double(), in_mask, target, 5, 0.3, 0.3, chunk=8)
    torch.testing.assert_close(result, dense(q, k, v, in_mask, target, 5, 0.3, 0.3), atol=1e-12, rtol=0)


@pytest.mark.parametrize("length", [1, 5, 12])
def test_collapsed_attention_equals_attention_over_all_pads(length: int) -> None:
    q, (k, v) = torch.randn(1, 30, 2, 8), padded_text(length, 12)
    nothing = torch.zeros(30).bool(), torch.zeros(12).bool()
    expected = dense(q, k, v, *nothing, length, 0.0, 0.0)
    few_k, few_v, pads = collapse_pads(k, v, length)
    bias = torch.tensor([[0.0] * length + ([math.log(pads)] if pads else [])])
    torch.testing.assert_close(
        collapsed_attention(q, few_k, few_v, bias).double(), expected, atol=1e-5, rtol=0
    )
