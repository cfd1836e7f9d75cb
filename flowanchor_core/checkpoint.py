# SPDX-License-Identifier: Apache-2.0
"""A running edit's state: the next step and its latent, in memory and on disk."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor


class Checkpoint(NamedTuple):
    """Where an edit can go on with the same bits: the index of the next sampling step, the latent z
    [1, C, F, H, W] (fp32) before it, and the runs of the transformer it took to get there."""

    step: int
    z: Tensor
    forwards: int = 0


def save_checkpoint(path: Path, checkpoint: Checkpoint, edit: str) -> None:
    """Write a checkpoint so that `path` holds either the old or the new one whole, also after a crash.

    Args:
        edit: what identifies the edit (a hash of its request); `load_checkpoint` asks for the same.

    Raises:
        OSError: it could not be written; what was there before still is.
    """
    about = {"step": str(checkpoint.step), "forwards": str(checkpoint.forwards), "edit": edit}
    content = save({"z": checkpoint.z.detach().float().cpu().contiguous()}, metadata=about)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load_checkpoint(path: Path, edit: str) -> Checkpoint | None:
    """That edit's checkpoint; None when there is none, it is damaged, or it belongs to another edit: the edit
    then starts over."""
    try:
        with safe_open(path, framework="pt") as file:
            about: dict[str, str] = file.metadata() or {}
            z: Tensor = file.get_tensor("z")
    except (FileNotFoundError, SafetensorError):
        return None
    numbers = [about.get(name, "") for name in ("step", "forwards")]
    if about.get("edit") != edit or not all(map(str.isdigit, numbers)) or z.dtype != torch.float32:
        return None
    return Checkpoint(int(numbers[0]), z, int(numbers[1]))
