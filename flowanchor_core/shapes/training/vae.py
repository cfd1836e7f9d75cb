# SPDX-License-Identifier: Apache-2.0
"""Stage `vae`: train the video autoencoder on crops of the shapes world.

What made it train on a CPU: a linear skeleton first (residual branches skipped), Muon on the kernels,
32-pixel crops, and clips of the full native length among them, without which late frames drift.
"""

from __future__ import annotations

import math
import random
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import WanAttentionBlock, WanResidualBlock
from torch import Tensor, nn

from flowanchor_core.shapes import world
from flowanchor_core.shapes.modules import Z_DIM, build_vae
from flowanchor_core.shapes.training import parallel
from flowanchor_core.shapes.training.optim import Trainer

STAGE = 1
CROP = 32
KL_WEIGHT = 5e-4
SKELETON_SHARE = 0.14
_SCHEDULE = ((5, 3), (1, 12), (5, 3), (9, 2), (5, 3), (17, 1))
"""(frames, crops) of consecutive steps."""


def train(folder: Path, steps: int) -> None:
    """Train up to `steps` and write `folder/vae`; goes on from `folder/vae.state.safetensors` when
    present."""
    parallel.launch(_worker, folder, steps)


def _worker(rank: int, folder: Path, steps: int) -> None:
    torch.manual_seed(0)
    vae = build_vae()
    _zero_residual_branches(vae)
    muon, adam = _split(vae)
    trainer = Trainer(muon, adam, muon_rate=0.03, adam_rate=3e-3, momentum=0.93)
    state = folder / "vae.state.safetensors"
    parallel.load_state(state, trainer)
    skeleton = _Skeleton(vae)
    skeleton_steps = int(SKELETON_SHARE * steps)
    started, errors = time.monotonic(), []
    while trainer.steps < steps:
        step = trainer.steps
        skeleton.set(step < skeleton_steps)
        rng = parallel.seed_step(STAGE, step, rank)
        video, thing = _crops(rng, *_SCHEDULE[step % len(_SCHEDULE)])
        with torch.autocast("cpu", torch.bfloat16):
            loss, error = _loss(vae, video, thing)
        torch.autograd.backward(loss)
        trainer.step(parallel.mean_gradients(trainer.parameters), _rate(step, steps, skeleton_steps))
        errors.append(error)
        if rank == 0 and trainer.steps % 100 == 0:
            psnr = 10 * math.log10(4 / (sum(errors) / len(errors)))
            print(
                f"vae step {trainer.steps}/{steps} psnr {psnr:.2f} dB, {time.monotonic() - started:.0f} s",
                flush=True,
            )
            errors.clear()
        if rank == 0 and trainer.steps % 250 == 0:
            parallel.save_state(state, trainer)
    if rank == 0:
        skeleton.set(False)
        parallel.save_state(state, trainer)
        trainer.swap_average()
        vae.save_pretrained(folder / "vae")


def _rate(step: int, steps: int, skeleton_steps: int) -> float:
    if step < skeleton_steps:
        return min(1.0, (step + 1) / 20) * max(0.1, min(1.0, (1 - step / skeleton_steps) / 0.7))
    since = step - skeleton_steps
    return 0.6 * min(1.0, (since + 1) / 20) * max(0.01, min(1.0, (1 - step / steps) / 0.6))


def _crops(rng: random.Random, frames: int, count: int) -> tuple[Tensor, Tensor]:
    """Videos [B, 3, T, 32, 32] and where a thing is [B, 1, T, 32, 32], mostly centred near a thing."""
    videos, things = world.render([world.sample_scene(rng) for _ in range(count)], frames)
    crops, masks = [], []
    for video, mask in zip(videos, things.any(1), strict=True):
        inside = mask[frames // 2].nonzero()
        top, left = rng.randrange(0, 9) * 4, rng.randrange(0, 9) * 4
        if rng.random() < 0.8 and len(inside):
            y, x = inside[rng.randrange(len(inside))].tolist()
            top, left = (min(32, max(0, (c - 16 + rng.randrange(-8, 9)) // 4 * 4)) for c in (y, x))
        crops.append(video[:, :, top : top + CROP, left : left + CROP])
        masks.append(mask[None, :, top : top + CROP, left : left + CROP])
    return torch.stack(crops), torch.stack(masks).float()


def _loss(vae: AutoencoderKLWan, video: Tensor, thing: Tensor) -> tuple[Tensor, float]:
    moments = vae.encode(video).latent_dist.parameters.float()
    mean, logvar = moments[:, :Z_DIM], moments[:, Z_DIM:].clamp(-12, 6)
    latent = mean + torch.randn_like(mean) * (0.5 * logvar).exp()
    error = decode_unclamped(vae, latent).float() - video
    weight = 1 + thing
    reconstruction = (weight * error.abs()).mean() + (weight * error.square()).mean()
    divergence = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
    return reconstruction + KL_WEIGHT * divergence, float(error.detach().square().mean())


def decode_unclamped(vae: AutoencoderKLWan, latent: Tensor) -> Tensor:
    """`vae.decode` without its final clamp, which would hide gradients; latent [B, C, F, h, w] in the VAE's
    own scale."""
    vae.clear_cache()
    hidden = vae.post_quant_conv(latent)
    frames = []
    for i in range(hidden.shape[2]):
        vae._conv_idx = [0]
        frames.append(
            vae.decoder(
                hidden[:, :, i : i + 1], feat_cache=vae._feat_map, feat_idx=vae._conv_idx, first_chunk=i == 0
            )
        )
    vae.clear_cache()
    return torch.cat(frames, dim=2)


def _zero_residual_branches(vae: AutoencoderKLWan) -> None:
    for module in vae.modules():
        if isinstance(module, WanResidualBlock):
            nn.init.zeros_(module.conv2.weight)
            nn.init.zeros_(module.conv2.bias)
        if isinstance(module, WanAttentionBlock):
            nn.init.zeros_(module.proj.weight)
            nn.init.zeros_(module.proj.bias)


def _split(vae: AutoencoderKLWan) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    muon: list[nn.Parameter] = []
    adam: list[nn.Parameter] = []
    for name, p in vae.named_parameters():
        kernel = (
            p.ndim >= 4
            and p.shape[0] > 3
            and p[0].numel() > 3
            and "conv_in" not in name
            and "gamma" not in name
        )
        (muon if kernel else adam).append(p)
    return muon, adam


class _Skeleton:
    """Switches every residual and attention branch off (only shortcuts run) and on again."""

    def __init__(self, vae: AutoencoderKLWan) -> None:
        self._places = [
            (parent, name, child)
            for parent in vae.modules()
            for name, child in parent.named_children()
            if isinstance(child, (WanResidualBlock, WanAttentionBlock))
        ]
        self._on = False

    def set(self, on: bool) -> None:
        if on != self._on:
            for parent, name, child in self._places:
                parent._modules[name] = _Shortcut(child) if on else child
            self._on = on


class _Shortcut(nn.Module):
    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.shortcut = block.conv_shortcut if isinstance(block, WanResidualBlock) else nn.Identity()

    def forward(self, x: Tensor, feat_cache: object = None, feat_idx: object = None) -> Tensor:
        result: Tensor = self.shortcut(x)
        return result
