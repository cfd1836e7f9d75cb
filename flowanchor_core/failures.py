# SPDX-License-Identifier: Apache-2.0
"""What goes wrong while a model computes, as one sentence and one thing to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from flowanchor_core.errors import ModelRunError

# What allocators say in exceptions of no class of their own: torch's on the CPU, C++'s, OpenCV's, Linux's.
_CPU_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "bad_alloc",
    "Insufficient memory",
    "Cannot allocate memory",
    "could not create a primitive",  # oneDNN, which does not say why
)


def ran_out_of_memory(failure: BaseException) -> bool:
    """Whether an exception, of whatever library, means that memory ran out; also when it was raised while
    another one was handled that does, as loaders do which then try another format."""
    seen: BaseException | None = failure
    while seen is not None:
        text = str(seen)
        if isinstance(seen, MemoryError | torch.OutOfMemoryError) or any(
            sign in text for sign in _CPU_MEMORY
        ):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def out_of_memory(task: str) -> ModelRunError:
    """What a user is told when memory ran out while the edit did `task`."""
    return ModelRunError(
        "out-of-memory",
        f"The memory ran out while the model did this: {task}.",
        "Use a smaller region or fewer frames, or close other programs.",
    )


@contextmanager
def model_at_work(task: str) -> Iterator[None]:
    """Turn what a model raises in the body, while it does `task`, into a ModelRunError.

    That is memory running out, or a RuntimeError such as torch raises for shapes, devices and kernels;
    anything else passes through.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as failure:
        if ran_out_of_memory(failure):
            raise out_of_memory(task) from failure
        reason = str(failure).strip().partition("\n")[0] or type(failure).__name__
        raise ModelRunError(
            "model-failed",
            f"The model failed while it did this: {task} ({reason}).",
            "Try --device cpu, and report this with the message if it fails there too.",
        ) from failure


def require_finite(values: Tensor, where: str) -> None:
    """ModelRunError when something the model gave is NaN or infinite; written out it would pass for black."""
    if not torch.isfinite(values).all():
        raise ModelRunError(
            "model-not-finite",
            f"The model produced values that are no numbers {where}.",
            "Lower the guidance scales, or check the model with another clip.",
        )
