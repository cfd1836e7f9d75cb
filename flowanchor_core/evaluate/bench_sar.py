# SPDX-License-Identifier: Apache-2.0
"""Time and memory of exact SAR against plain and dense cross-attention: `python -m
flowanchor_core.evaluate.bench_sar`.

One process, the same tensors, variants in turn (A, B, C, A, B, C, ...), so that a busy machine slows all of
them alike. Reported are the median and the least ratio to A = plain attention over 512 columns. On the CPU
the time is that of the process, on one thread.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile

from flowanchor_core.sar import refine_logits, refined_attention

BETA = 0.3
PLAIN, DENSE, EXACT = "plain, all columns", "SAR, dense", "SAR, exact"


@dataclass(frozen=True)
class Case:
    """Inputs of one cross-attention: q [1, N, H, D], k and v [1, L, H, D] with alike pads, and what SAR
    needs."""

    q: Tensor
    k: Tensor
    v: Tensor
    in_mask: Tensor
    target: Tensor
    real: int

    @classmethod
    def make(cls, tokens: int, columns: int, real: int, heads: int, dim: int, device: str) -> Case:
        """Random tensors of the given sizes; a quarter of the video tokens in the mask, two target words."""
        generator = torch.Generator().manual_seed(0)
        q = torch.randn(1, tokens, heads, dim, generator=generator)
        k, v = torch.randn(2, 1, columns, heads, dim, generator=generator)
        for text in (k, v):
            text[:, real:] = text[:, real : real + 1]
        in_mask = torch.rand(tokens, generator=generator) < 0.25
        target = torch.zeros(columns, dtype=torch.bool)
        target[[2, 3]] = True
        q, k, v, in_mask, target = (tensor.to(device) for tensor in (q, k, v, in_mask, target))
        return cls(q, k, v, in_mask, target, real)


@dataclass(frozen=True)
class Row:
    """One variant: median and least ratio of its time to plain attention's, peak extra bytes, error against
    fp64."""

    name: str
    seconds: float
    ratio: float
    best_ratio: float
    peak_bytes: int
    error: float


def plain(case: Case) -> Tensor:
    """Attention over all columns, as the stock model does it."""
    q, k, v = (tensor.transpose(1, 2) for tensor in (case.q, case.k, case.v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2)


def dense(case: Case, beta: float = BETA) -> Tensor:
    """SAR by its definition, with the whole N x L matrix of every head."""
    q, k, v = (tensor.transpose(1, 2) for tensor in (case.q, case.k, case.v))
    logits = q @ k.mT / math.sqrt(q.shape[-1])
    logits = refine_logits(logits, case.in_mask, case.target, beta, beta, text_length=case.real)
    return (logits.softmax(dim=-1) @ v).transpose(1, 2)


def exact(case: Case) -> Tensor:
    """SAR as the editors use it."""
    return refined_attention(case.q, case.k, case.v, case.in_mask, case.target, case.real, BETA, BETA)


VARIANTS: dict[str, Callable[[Case], Tensor]] = {PLAIN: plain, DENSE: dense, EXACT: exact}


def measure(case: Case, rounds: int) -> list[Row]:
    """All variants on one case; PLAIN comes first and the ratios are to it."""
    wide = Case(case.q.double(), case.k.double(), case.v.double(), case.in_mask, case.target, case.real)
    reference = {PLAIN: dense(wide, beta=0.0), DENSE: dense(wide), EXACT: dense(wide)}
    peaks, errors = {}, {}
    for name, variant in VARIANTS.items():
        errors[name] = float((variant(case).double() - reference[name]).abs().max())
        peaks[name] = _peak_bytes(variant, case)
    times: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for _ in range(rounds):
        for name, variant in VARIANTS.items():
            times[name].append(_seconds(variant, case))
    rows = []
    for name, taken in times.items():
        ratios = [own / base for own, base in zip(taken, times[PLAIN], strict=True)]
        median = statistics.median(ratios)
        rows.append(Row(name, statistics.median(taken), median, min(ratios), peaks[name], errors[name]))
    return rows


def _seconds(variant: Callable[[Case], Tensor], case: Case) -> float:
    if case.q.is_cuda:
        torch.cuda.synchronize()
        started = time.perf_counter()
        variant(case)
        torch.cuda.synchronize()
        return time.perf_counter() - started
    started = time.process_time()
    variant(case)
    return time.process_time() - started


def _peak_bytes(variant: Callable[[Case], Tensor], case: Case) -> int:
    """Most bytes allocated at once beyond the inputs, the result included."""
    if case.q.is_cuda:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        variant(case)
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        variant(case)
    held = peak = 0
    events = record.profiler.kineto_results.events() if record.profiler is not None else []
    for event in sorted((e for e in events if e.name() == "[memory]"), key=lambda e: int(e.start_ns())):
        held += int(event.nbytes())
        peak = max(peak, held)
    return peak


def table(rows: list[Row]) -> str:
    """The rows as aligned text."""
    lines = [f"{'variant':<20}{'ms':>9}{'x plain':>10}{'least':>8}{'peak MiB':>10}{'max error':>12}"]
    lines += [
        f"{row.name:<20}{row.seconds * 1000:>9.1f}{row.ratio:>10.3f}{row.best_ratio:>8.3f}"
        f"{row.peak_bytes / 2**20:>10.1f}{row.error:>12.1e}"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure the sizes given on the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tokens", type=int, default=4096, help="video tokens N")
    parser.add_argument("--columns", type=int, default=512, help="text columns L with pads")
    parser.add_argument("--real", type=int, default=24, help="real text tokens")
    parser.add_argument("--heads", type=int, default=12)
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler's start and stop messages
    torch.set_num_threads(1)
    case = Case.make(
        options.tokens, options.columns, options.real, options.heads, options.dim, options.device
    )
    print(
        f"N={options.tokens} L={options.columns} ({options.real} real) heads={options.heads} "
        f"d={options.dim} on {options.device}, {options.rounds} rounds"
    )
    print(table(measure(case, options.rounds)))


if __name__ == "__main__":
    main()
