# SPDX-License-Identifier: Apache-2.0
"""Stage `latents`: fix the latent scale, then encode a pool of images and clips once.

The scale has one step of its own. Noise at sigma s hides a direction of the latent in proportion to its size.
Where hue and place fade at the same sigma, an edit that may still change a colour no longer knows where the
thing is, and deletes it. So hue's two directions are shrunk by `HUE_SCALE`, a linear change folded into the
VAE's 1x1x1 convolutions: hue fades first, as it does in real footage, where brightness carries most of the
energy.
"""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from flowanchor_core.shapes import world
from flowanchor_core.shapes.modules import Z_DIM
from flowanchor_core.shapes.training import parallel
from flowanchor_core.shapes.world import Scene, Thing

HUE_SCALE = 0.5
_CHUNK = 250
_CALIBRATION_CLIPS = 96


def calibrate(folder: Path) -> None:
    """Write `folder/vae-scaled`: `folder/vae` with latents_mean and latents_std measured and hue shrunk."""
    target = folder / "vae-scaled"
    if target.exists():
        return
    vae = AutoencoderKLWan.from_pretrained(folder / "vae", use_safetensors=True).eval()
    rng = random.Random(3)
    scenes = [world.sample_scene(rng) for _ in range(_CALIBRATION_CLIPS)]
    videos, masks = world.render(scenes)
    latents = torch.cat([_mode(vae, clip[None]) for clip in videos])
    mean, std = latents.mean((0, 2, 3, 4)), latents.std((0, 2, 3, 4))
    normal = (latents - mean[:, None, None, None]) / std[:, None, None, None]
    hue = _hue_directions(normal, scenes, masks)
    matrix = torch.eye(Z_DIM) - (1 - HUE_SCALE) * hue @ hue.T
    _fold(vae, matrix, mean, std)
    vae.register_to_config(latents_mean=mean.tolist(), latents_std=std.tolist())
    vae.save_pretrained(target)


def _hue_directions(normal: Tensor, scenes: list[Scene], masks: Tensor) -> Tensor:
    """Orthonormal [C, 2]: where in the latent a change of hue at equal brightness moves to, by least
    squares."""
    inside = (
        torch.nn.functional.avg_pool3d(masks.float(), (1, 8, 8), stride=(1, 4, 4), padding=(0, 2, 2)) > 0.999
    )
    colours, values = [], []
    for b, scene in enumerate(scenes):
        for k, thing in enumerate(scene.things):
            for f in range(normal.shape[2]):
                frames = inside[b, k, :1] if f == 0 else inside[b, k, 4 * f - 3 : 4 * f + 1]
                found = normal[b, :, f][:, frames.all(0)]
                values.append(found.T)
                colours.append(torch.tensor(world.COLOURS[thing.colour]).expand(found.shape[1], 3))
    rgb, latent = torch.cat(colours), torch.cat(values)
    design = torch.cat([rgb, torch.ones(len(rgb), 1)], dim=1)
    slope = torch.linalg.lstsq(design, latent).solution[:3]
    plane = torch.tensor([[1.0, -1.0, 0.0], [0.5, 0.5, -1.0]])
    directions: Tensor = torch.linalg.qr((plane @ slope).T)[0]
    return directions


@torch.no_grad()
def _fold(vae: AutoencoderKLWan, matrix: Tensor, mean: Tensor, std: Tensor) -> None:
    """Make the VAE's normalised latent n into `matrix @ n`, and its decoder undo that."""
    forward = torch.diag(std) @ matrix @ torch.diag(1 / std)
    backward = torch.linalg.inv(forward)
    into, out = vae.quant_conv, vae.post_quant_conv
    weight, bias = into.weight[:Z_DIM, :, 0, 0, 0].clone(), into.bias[:Z_DIM].clone()
    into.weight[:Z_DIM, :, 0, 0, 0] = forward @ weight
    into.bias[:Z_DIM] = forward @ (bias - mean) + mean
    weight = out.weight[:, :, 0, 0, 0].clone()
    out.weight[:, :, 0, 0, 0] = weight @ backward
    out.bias += weight @ (mean - backward @ mean)


def encode_pool(folder: Path, images: int, clips: int) -> None:
    """Write `folder/pool/{images,clips}-*.safetensors` (normalised fp16 latents, scenes in the header);
    resumable."""
    calibrate(folder)
    (folder / "pool").mkdir(exist_ok=True)
    parallel.launch(_encode_worker, folder, images, clips)


def _encode_worker(rank: int, folder: Path, images: int, clips: int) -> None:
    vae = AutoencoderKLWan.from_pretrained(folder / "vae-scaled", use_safetensors=True).eval()
    mean, std = (
        torch.tensor(v)[:, None, None, None] for v in (vae.config.latents_mean, vae.config.latents_std)
    )
    for kind, total, frames, batch in (("images", images, 1, 25), ("clips", clips, world.FRAMES, 1)):
        for chunk in range(rank, total // _CHUNK, parallel.WORLD):
            target = folder / "pool" / f"{kind}-{chunk:04d}.safetensors"
            if target.exists():
                continue
            rng = random.Random(f"{kind} {chunk}")
            scenes = [world.sample_scene(rng) for _ in range(_CHUNK)]
            encoded = []
            for start in range(0, _CHUNK, batch):
                video, _ = world.render(scenes[start : start + batch], frames)
                with torch.autocast("cpu", torch.bfloat16):
                    encoded.append(((_mode(vae, video).float() - mean) / std).half())
            header = {"scenes": json.dumps([asdict(scene) for scene in scenes])}
            partial = target.with_suffix(".partial")
            save_file({"latents": torch.cat(encoded)}, partial, metadata=header)
            partial.replace(target)
            if rank == 0:
                print(f"latents {kind} {chunk + 1}/{total // _CHUNK} chunks", flush=True)


def load_pool(folder: Path, kind: str) -> tuple[Tensor, list[Scene]]:
    """All latents [N, C, F, h, w] (fp16) of a kind and the scenes they show."""
    latents, scenes = [], []
    for path in sorted((folder / "pool").glob(f"{kind}-*.safetensors")):
        latents.append(load_file(path)["latents"])
        with safe_open(path, "pt") as file:
            scenes += [_scene(entry) for entry in json.loads(file.metadata()["scenes"])]
    return torch.cat(latents), scenes


def _scene(entry: dict[str, object]) -> Scene:
    things = entry.pop("things")
    assert isinstance(things, list)
    return Scene(things=tuple(Thing(**thing) for thing in things), **entry)  # type: ignore[arg-type]


@torch.no_grad()
def _mode(vae: AutoencoderKLWan, video: Tensor) -> Tensor:
    return torch.as_tensor(vae.encode(video).latent_dist.mode())
