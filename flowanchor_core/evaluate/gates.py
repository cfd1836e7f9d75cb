# SPDX-License-Identifier: Apache-2.0
"""The gates a set of embedded weights must pass: `python -m flowanchor_core.evaluate.gates [swap|edit]`.

`swap`: on held-out images of two things the right caption explains the picture better than the one with the
colours swapped, at sigma .5 and .75. `edit`: the best editor reaches obj >= .85 and keep >= .95 on 48
held-out clips.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import typer
from torch import Tensor

from flowanchor_core import models
from flowanchor_core.backbone import Backbone
from flowanchor_core.evaluate.quality import VARIANTS, run
from flowanchor_core.evaluate.report import summarise
from flowanchor_core.oracle import Query, VelocityOracle
from flowanchor_core.shapes import world
from flowanchor_core.shapes.captions import caption

SWAP_SIGMAS = (0.5, 0.75)
SWAP_LEAST = 0.9
OBJ_LEAST, KEEP_LEAST = 0.85, 0.95
_NOISES = 4

app = typer.Typer(help=__doc__, no_args_is_help=True)


@dataclass(frozen=True)
class SwapSet:
    """Latents [1, C, 1, h, w] of held-out images with their right and their swapped captions."""

    latents: list[Tensor]
    right: list[str]
    swapped: list[str]


def swap_set(encode: Callable[[Tensor], Tensor], count: int = 96) -> SwapSet:
    """Two-thing images no training ever sees; `encode` takes a video [3, 1, S, S]."""
    rng = random.Random("flowanchor swap gate, held out")
    scenes = [world.sample_scene(rng, count=2) for _ in range(count)]
    images, _ = world.render(scenes, frames=1)
    swapped = [
        scene.with_thing(0, colour=scene.things[1].colour).with_thing(1, colour=scene.things[0].colour)
        for scene in scenes
    ]
    return SwapSet(
        [encode(image) for image in images], [caption(s) for s in scenes], [caption(s) for s in swapped]
    )


@torch.no_grad()
def swap_accuracy(
    oracle: VelocityOracle, embed: Callable[[str], Tensor], test: SwapSet, sigma: float
) -> float:
    """Share of images whose flow-matching loss at `sigma`, over the same noises, is lower with the right
    caption."""
    hits = 0
    for latent, right, swapped in zip(test.latents, test.right, test.swapped, strict=True):
        losses = torch.zeros(2)
        for draw in range(_NOISES):
            noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(draw))
            point = (1 - sigma) * latent + sigma * noise
            queries = [Query(point, embed(text)) for text in (right, swapped)]
            velocities = oracle.velocities(sigma, queries)
            losses += torch.stack([(v - (noise - latent)).square().mean() for v in velocities])
        hits += int(losses[0] < losses[1])
    return hits / len(test.latents)


@app.command()
def swap(model: str = "shapes") -> None:
    """P(right caption beats swapped caption) on held-out images; fails below .9."""
    backbone = Backbone.load(models.find_model(model))
    test = swap_set(backbone.encode_video)
    failed = False
    for sigma in SWAP_SIGMAS:
        share = swap_accuracy(backbone.oracle(), lambda text: backbone.encode_text([text])[0], test, sigma)
        verdict = "passed" if share > SWAP_LEAST else "FAILED"
        failed |= share <= SWAP_LEAST
        typer.echo(
            f"sigma {sigma}: right caption wins on {share:.3f} of {len(test.latents)} images: {verdict}"
        )
    raise typer.Exit(4 if failed else 0)


@app.command()
def edit(
    model: str = "shapes",
    out: Path = Path("quality"),
    count: int = 48,
    preset: str = "standard",
    jobs: int = 2,
) -> None:
    """Best editor's obj and keep on held-out clips; fails below .85 and .95. Shares its log with the
    benchmark."""
    rows = summarise(run(model, out, count=count, preset=preset, variants=VARIANTS, jobs=jobs))
    passed = []
    for row in rows[1:]:
        obj, keep = row.measures["obj"][0], row.measures["keep"][0]
        if obj >= OBJ_LEAST and keep >= KEEP_LEAST:
            passed.append(row.variant)
        typer.echo(f"{row.variant}: obj {obj:.3f}, keep {keep:.3f} on {row.edits} clips")
    typer.echo(f"passed by: {', '.join(passed)}" if passed else "FAILED: no editor reaches both bounds")
    raise typer.Exit(0 if passed else 4)


if __name__ == "__main__":
    app()
