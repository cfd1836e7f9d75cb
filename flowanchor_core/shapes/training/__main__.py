# SPDX-License-Identifier: Apache-2.0
"""One resumable command for the whole recipe; stopped at any moment, it goes on where it was when run
again."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from flowanchor_core.models import EMBEDDED_FOLDER
from flowanchor_core.shapes.training import export, latents, text, transformer, vae


class Stage(StrEnum):
    vae = "vae"
    latents = "latents"
    text = "text"
    transformer = "transformer"
    export = "export"


def main(
    work: Annotated[Path, typer.Argument(help="Folder for checkpoints and the latent pool (about 1 GB).")],
    target: Annotated[Path, typer.Option(help="Where the finished model goes.")] = EMBEDDED_FOLDER,
    until: Annotated[Stage, typer.Option(help="Last stage to run.")] = Stage.export,
    vae_steps: Annotated[int, typer.Option(help="Steps of the autoencoder.")] = 4200,
    text_steps: Annotated[int, typer.Option(help="Steps of the text encoder's binding task.")] = 300,
    images: Annotated[int, typer.Option(help="Images in the pool.")] = 16_000,
    clips: Annotated[int, typer.Option(help="Clips in the pool.")] = 4_000,
    image_steps: Annotated[int, typer.Option(help="Transformer steps on images, 80 a step.")] = 1200,
    clip_steps: Annotated[int, typer.Option(help="Transformer steps on clips, 16 a step.")] = 3100,
) -> None:
    """Train the embedded model `shapes` from nothing on two CPU cores, in a few hours."""
    work.mkdir(parents=True, exist_ok=True)
    stages: dict[Stage, Callable[[], None]] = {
        Stage.vae: lambda: vae.train(work, vae_steps),
        Stage.latents: lambda: latents.encode_pool(work, images, clips),
        Stage.text: lambda: text.pretrain(work, text_steps),
        Stage.transformer: lambda: transformer.train(work, image_steps, clip_steps),
        Stage.export: lambda: export.export(work, target),
    }
    for stage, run in stages.items():
        run()
        if stage is until:
            break


if __name__ == "__main__":
    typer.run(main)
