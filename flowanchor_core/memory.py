# SPDX-License-Identifier: Apache-2.0
"""Which component computes where, in what precision, and how many branches at a time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch

from flowanchor_core.errors import InputError

GIB = 1 << 30
SMALL_TILE = 32
"""Side of a tile of the small plan, latent positions: 256 pixels of Wan."""


@dataclass(frozen=True)
class MemoryPlan:
    """Where the parts of a model live.

    Attributes:
        compute: device on which whatever is at work computes.
        dtype: precision of the transformer;  text_dtype, vae_dtype: of the other two.
        resident: keep all parts on `compute`; False keeps there only the one at work. The others wait on the
            CPU; where that is what computes they are dropped, and read again when their turn comes.
        batched: evaluate the branches of a step as one batch; False one by one, in less memory.
        vae_tile: side of the tiles the VAE works in, latent positions; 0: whole pictures, exactly. See
            `video_tiles` for what tiles change.
        vae_overlap: what neighbouring tiles share at least, latent positions; below `vae_tile`.
    """

    compute: torch.device = field(default_factory=lambda: torch.device("cpu"))
    dtype: torch.dtype = torch.float32
    text_dtype: torch.dtype = torch.float32
    vae_dtype: torch.dtype = torch.float32
    resident: bool = True
    batched: bool = True
    vae_tile: int = 0
    vae_overlap: int = 8

    def smaller(self) -> MemoryPlan:
        """The plan for when memory has run out under this one: same device and precision, but one branch at a
        time, only the part at work on the device, and the VAE in tiles.

        Its results are those of the same edit up to rounding where no tile is needed, and up to the tiles'
        error (see `video_tiles`) where one is. It is the smallest plan there is: its own `smaller` is itself.
        """
        return replace(self, resident=False, batched=False, vae_tile=SMALL_TILE)

    @classmethod
    def choose(cls, device: str = "auto") -> MemoryPlan:
        """A plan for "auto" (CUDA when there is one), "cpu", "cuda" or "cuda:N"; InputError when it is not
        there.

        Wan2.1 1.3B in bfloat16 with its 11 GB text encoder fits whole into 40 GiB; a batch of four branches
        of 81 frames into 24 GiB once the text encoder has left.
        """
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cpu":
            return cls()
        number = device.removeprefix("cuda:") if device != "cuda" else "0"
        if not number.isdigit() or int(number) >= torch.cuda.device_count():
            raise InputError("no-device", f'There is no device "{device}".', "Use auto or cpu.")
        compute = torch.device("cuda", int(number))
        memory = torch.cuda.get_device_properties(compute).total_memory
        return cls(
            compute=compute,
            dtype=torch.bfloat16,
            text_dtype=torch.bfloat16,
            resident=memory >= 40 * GIB,
            batched=memory >= 22 * GIB,
        )
