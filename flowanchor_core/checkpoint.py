# SPDX-License-Identifier: Apache-2.0
"""A running edit's state on disk: the next step and its latent."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor


def save_checkpoint(path: Path, step: int, z: Tensor, edit: str) -> None:
    """Write (next step, z) so that `path` holds either the old or the new state whole, also after a crash.

    Args:
        edit: what identifies the edit (a hash of its request); `load_checkpoint` asks for the same.
    """
    content = save({"z": z.detach().float().cpu().contiguous()}, metadata={"step": str(step), "edit": edit})
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


def load_checkpoint(path: Path, edit: str) -> tuple[int, Tensor] | None:
    """(next step, z) of that edit, ready for `EditInputs.start`; None when there is none, it is damaged, or
    it belongs to another edit: the edit then starts over."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
            z: Tensor = file.get_tensor("z")
    except (FileNotFoundError, SafetensorError):
        return None
    if metadata.get("edit") != edit or not metadata.get("step", "").isdigit() or z.dtype != torch.float32:
        return None
    return int(metadata["step"]), z
