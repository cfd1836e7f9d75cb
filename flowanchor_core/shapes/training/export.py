# SPDX-License-Identifier: Apache-2.0
"""Stage `export`: the trained parts as the diffusers folder that ships, in fp16."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLWan, FlowMatchEulerDiscreteScheduler, WanPipeline

from flowanchor_core import preview
from flowanchor_core.backbone import Backbone
from flowanchor_core.shapes import world
from flowanchor_core.shapes.modules import TEXT_LENGTH
from flowanchor_core.shapes.training.transformer import load_average

CARD = {
    "text_length": TEXT_LENGTH,
    "native_frames": world.FRAMES,
    "native_size": [world.SIZE, world.SIZE],
    "world": "shapes",
}
PREVIEW_CLIPS = 32
PREVIEW_SEED = 1


def export(folder: Path, target: Path) -> None:
    """Write a WanPipeline folder to `target` from the state in `folder`; what was there is replaced as a
    whole."""
    transformer, text = load_average(folder)
    vae = AutoencoderKLWan.from_pretrained(folder / "vae-scaled", use_safetensors=True)
    pipeline = WanPipeline(
        tokenizer=text.tokenizer,
        text_encoder=text.encoder,
        vae=vae,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        transformer=transformer,
    ).to(torch.float16)
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    pipeline.save_pretrained(partial)
    _forget_paths(partial)
    _write_card(partial, CARD)
    _write_card(partial, {**CARD, "preview": preview_maps(partial)})
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    print(f"export {target.name}: {size / 1e6:.1f} MB", flush=True)


def preview_maps(folder: Path) -> list[list[list[float]]]:
    """How latents of the VAE in `folder` show as colours: fitted on clips of the world, whose few dark
    backgrounds and bright things the maps of any model (`preview.fit_projection`) tint."""
    with tempfile.TemporaryDirectory() as cache:
        backbone = Backbone.load(folder, cache_folder=Path(cache))
        rng = random.Random(PREVIEW_SEED)
        videos, _ = world.render([world.sample_scene(rng) for _ in range(PREVIEW_CLIPS)])
        latents = torch.cat([backbone.encode_video(video) for video in videos])
    return preview.fit(latents, videos, backbone.strides[1]).maps()


def _write_card(folder: Path, card: dict[str, Any]) -> None:
    (folder / "flowanchor.json").write_text(json.dumps(card) + "\n", encoding="utf-8")


def _forget_paths(folder: Path) -> None:
    """Take out of the configs where their part was loaded from: that is this machine's business."""
    for path in folder.glob("*/config.json"):
        config = json.loads(path.read_text(encoding="utf-8"))
        config.pop("_name_or_path", None)
        path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
