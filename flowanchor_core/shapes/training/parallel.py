# SPDX-License-Identifier: Apache-2.0
"""Two single-thread processes with one all-reduce a step: on a few CPU cores faster than one process with
threads."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn

from flowanchor_core.shapes.training.optim import Trainer

WORLD = 2


def launch(worker: Callable[..., None], *arguments: Any) -> None:
    """Run `worker(rank, *arguments)` in `WORLD` processes joined by gloo; a failure of one ends all."""
    with tempfile.TemporaryDirectory() as folder:
        spawn(  # type: ignore[no-untyped-call]
            _start, args=(worker, os.path.join(folder, "store"), arguments), nprocs=WORLD, join=True
        )


def _start(rank: int, worker: Callable[..., None], store: str, arguments: tuple[Any, ...]) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=WORLD)
    try:
        worker(rank, *arguments)
    finally:
        dist.destroy_process_group()


def mean_gradients(parameters: Sequence[nn.Parameter], limit: float = 1.0) -> list[Tensor]:
    """Gradients averaged over the processes, clipped to a global norm of `limit`; clears `.grad`."""
    flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in parameters])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    flat *= min(1.0, limit / (float(flat.norm()) + 1e-6))
    pieces = torch.split(flat, [p.numel() for p in parameters])
    for parameter in parameters:
        parameter.grad = None
    return [piece.view_as(p) for piece, p in zip(pieces, parameters, strict=True)]


def seed_step(stage: int, step: int, rank: int) -> random.Random:
    """Make a step's data and noise a function of (stage, step, rank): a resumed run goes on as if never
    stopped."""
    seed = (stage * 10_000_019 + step) * WORLD + rank
    torch.manual_seed(seed)
    return random.Random(seed)


def save_state(path: Path, trainer: Trainer) -> None:
    partial = path.with_suffix(".partial")
    save_file(trainer.state(), partial)
    partial.replace(path)


def load_state(path: Path, trainer: Trainer) -> bool:
    """Restore from `path` when it is there; says whether it was."""
    if not path.exists():
        return False
    trainer.restore(load_file(path))
    return True
