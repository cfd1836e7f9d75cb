# SPDX-License-Identifier: Apache-2.0
"""The commands of `flowanchor bench`."""

from __future__ import annotations

import importlib.metadata
import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from flowanchor_daemon.cli.bench import daemon
from flowanchor_daemon.cli.outcome import reported
from flowanchor_daemon.cli.progress import reporter

app = typer.Typer(help="Measurements.", no_args_is_help=True)


app.command("daemon")(daemon.daemon)


@app.callback()
def _root() -> None:
    """Measurements."""


@app.command()
def quality(
    model: Annotated[
        str, typer.Option(metavar="NAME", help="Name of a model, or path of a folder.")
    ] = "shapes",
    preset: Annotated[str, typer.Option(metavar="NAME", help="draft, standard or final.")] = "standard",
    split: Annotated[
        Literal["held-out", "tuning"], typer.Option(help="Clips to edit; settings are chosen on tuning only.")
    ] = "held-out",
    count: Annotated[int, typer.Option(metavar="N", min=1, help="Number of clips.")] = 48,
    seed: Annotated[int, typer.Option(metavar="N", help="Number that fixes the noise.")] = 0,
    jobs: Annotated[int, typer.Option(metavar="N", min=1, help="Processes that edit side by side.")] = 1,
    out: Annotated[
        Path,
        typer.Option("-o", "--out", metavar="FOLDER", help="Folder of the log, the JSON and the figure."),
    ] = Path("quality"),
) -> None:
    """Compare the editors and FlowAnchor's ablations on clips whose true edits are known.

    Prints a table; writes quality-SPLIT.json and quality-SPLIT.png. Finished edits are kept in the folder, so
    a run that was stopped goes on from there.
    """
    with reported():
        from flowanchor_core.footage.preflight import make_folder

        make_folder(out)
        from flowanchor_core.evaluate import figure, report
        from flowanchor_core.evaluate.quality import run

        started = time.monotonic()
        first: list[int] = []

        with reporter() as show:

            def progressed(done: int, total: int) -> None:
                if not first:
                    first.append(done)
                    show.phase("clips", total)
                fresh = done - first[0]
                left = (time.monotonic() - started) / fresh * (total - done) if fresh else None
                show.step("clips", done, total, left)

            results = run(
                model, out, split=split, count=count, preset=preset, jobs=jobs, seed=seed, report=progressed
            )
        rows = report.summarise(results)
        about: dict[str, object] = {
            "model": model,
            "preset": preset,
            "split": split,
            "clips": count,
            "seed": seed,
            "versions": {name: importlib.metadata.version(name) for name in ("torch", "diffusers")},
        }
        report.write_json(rows, results, about, out / f"quality-{split}.json")
        # From the file, as `python -m flowanchor_core.evaluate.figure` draws it again later.
        figure.write_figure(report.read_rows(out / f"quality-{split}.json"), out / f"quality-{split}.png")
        print(report.table(rows))
        print()
        print(report.differences(rows))
        print(f"\n{out / f'quality-{split}.json'}\n{out / f'quality-{split}.png'}")
