# SPDX-License-Identifier: Apache-2.0
"""`flowanchor models`: what can be given to --model."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from flowanchor_core import folders, models
from flowanchor_daemon.cli.outcome import reported

app = typer.Typer(help="Models on this machine.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Models on this machine."""


@app.command("list")
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list instead of lines.")] = False,
) -> None:
    """List the models that can be named; any other folder can be given by its path."""
    with reported(as_json):
        found = [_describe(name) for name in models.names()]
        if as_json:
            print(json.dumps(found, ensure_ascii=False))
            return
        for entry in found:
            width, height = entry["native_size"]
            world = f", knows only {entry['world']}" if entry["world"] else ""
            print(
                f"{entry['name']:<20} {width}x{height}, {entry['native_frames']} frames, "
                f"{entry['bytes'] / 1e6:,.1f} MB{world}\n{'':<20} {entry['folder']}"
            )
        print(f"Other models: put their folders into {folders.models_folder()}, or give --model a path.")


def _describe(name: str) -> dict[str, Any]:
    folder = models.find_model(name)
    card = models.read_card(folder, name)
    return {
        "name": name,
        "folder": str(folder),
        "native_size": list(card.native_size),
        "native_frames": card.native_frames,
        "world": card.world,
        "bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    }
