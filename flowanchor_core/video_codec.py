# SPDX-License-Identifier: Apache-2.0
"""Wan's VAE driven a latent frame at a time, to the bit what its own encode and decode give.

The causal convolutions see earlier frames through a feature cache. Holding that cache here, and not in the
model, lets pictures stream in and out, a cancel take effect between frames, and one decode not disturb
another.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d
from torch import Tensor

from flowanchor_core.errors import InputError
from flowanchor_core.failures import require_finite

TIME_STRIDE = 4
"""Pixel frames a latent frame after the first; the VAE's own loops have it built in."""


class Features:
    """The feature cache of one pass of an encoder or decoder.

    With `parked` it lies on the CPU between calls, so that only the pass at work takes the device's memory.
    """

    def __init__(self, module: Any, parked: bool = False) -> None:
        self._module = module
        self._parked = parked
        self._cache: list[Any] = [None] * sum(isinstance(m, WanCausalConv3d) for m in module.modules())

    @torch.no_grad()
    def __call__(self, chunk: Tensor, **options: bool) -> Tensor:
        if self._parked:
            self._move(chunk.device)
        out: Tensor = self._module(chunk, feat_cache=self._cache, feat_idx=[0], **options)
        if self._parked:
            self._move(torch.device("cpu"))
        return out

    def _move(self, device: torch.device) -> None:
        for index, entry in enumerate(self._cache):
            if isinstance(entry, Tensor):  # the others mark what has not been seen yet
                self._cache[index] = entry.to(device)


def encode_frames(vae: Any, frames: Iterable[Tensor]) -> Generator[int, None, Tensor]:
    """Latent mean, not normalised, [1, C, 1 + n, h, w] on the VAE's device, of 1 + 4n frames.

    Yields the number of latent frames done after each, and returns the latent.

    Args:
        vae: a diffusers AutoencoderKLWan.
        frames: chunks [3, any, H, W] in -1..1, in order; at least one frame in all.
    """
    features, weight = Features(vae.encoder), vae.quant_conv.weight
    encoded: list[Tensor] = []
    for chunk in latent_chunks(frames):
        encoded.append(features(chunk[None].to(weight.device, weight.dtype)))
        yield len(encoded)
    with torch.no_grad():
        mean: Tensor = vae.quant_conv(torch.cat(encoded, dim=2)).chunk(2, dim=1)[0]
    return mean


def decode_frames(vae: Any, latent: Tensor) -> Iterator[Tensor]:
    """Pictures [3, n, H, W] in -1..1 for each frame of a latent [1, C, F, h, w] that is not normalised: n is
    1 for the first latent frame and 4 for the others. ModelRunError if one is NaN or infinite."""
    with torch.no_grad():
        x = vae.post_quant_conv(latent.to(vae.post_quant_conv.weight))
    features = Features(vae.decoder)
    for frame in range(x.shape[2]):
        picture = features(x[:, :, frame : frame + 1], **place_in_time(frame))[0]
        require_finite(picture, "in a decoded frame")
        yield picture.clamp(-1.0, 1.0)


def place_in_time(frame: int) -> dict[str, bool]:
    """What the decoder must be told about latent frame `frame`."""
    return {"first_chunk": True} if frame == 0 else {}


def latent_chunks(frames: Iterable[Tensor]) -> Iterator[Tensor]:
    """Regroup chunks of frames into one frame, then four at a time. InputError unless there are 4n + 1."""
    held: Tensor | None = None
    wanted = 1
    for chunk in frames:
        held = chunk if held is None else torch.cat([held, chunk], dim=1)
        while held.shape[1] >= wanted:
            yield held[:, :wanted]
            held, wanted = held[:, wanted:], TIME_STRIDE
    if held is None or wanted == 1 or held.shape[1]:
        raise InputError(
            "frame-count", "The model takes clips of 4n + 1 frames.", "Repeat the last frame to get there."
        )
