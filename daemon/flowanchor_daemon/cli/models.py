# SPDX-License-Identifier: Apache-2.0
"""`flowanchor models`: what can be given to --model, and getting more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from flowanchor.v1 import models_pb2
from flowanchor_client import Client, ServiceFailure

from flowanchor_core import folders, models
from flowanchor_daemon.cli.connected import connected
from flowanchor_daemon.cli.outcome import reported
from flowanchor_daemon.cli.progress import Reporter, bytes_shown, reporter
from flowanchor_daemon.media.quota import human

app = typer.Typer(help="Models on this machine.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="MODEL", help="Name of the model.")]
Json = Annotated[bool, typer.Option("--json", help="Last line of output: the outcome as JSON.")]


@app.callback()
def _root() -> None:
    """Models on this machine."""


@app.command("list")
def list_models(
    everything: Annotated[
        bool, typer.Option("--all", help="Also those not installed, and folders once given by path.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list instead of lines.")] = False,
) -> None:
    """List the installed models, and name those that can be pulled.

    Any other folder in the diffusers layout can be given to --model by its path.
    """
    with reported(as_json):
        with connected() as client:
            known = client.models()
        shown = known if everything else [m for m in known if m.installed and m.source != "linked"]
        if as_json:
            print(json.dumps([_plain(model) for model in shown], ensure_ascii=False))
            return
        for model in shown:
            _print_model(model)
        missing = [model for model in known if not model.installed]
        if missing and not everything:
            names = ", ".join(f"{model.name} ({human(model.bytes)})" for model in missing)
            print(f"`flowanchor models pull` gets: {names}")
        print(f"Other models: put their folders into {folders.models_folder()}, or give --model a path.")


@app.command()
def pull(name: Name, as_json: Json = False) -> None:
    """Download a model; it goes on where an earlier download broke off. Ctrl-C stops it."""
    with reported(as_json), reporter() as show, connected(show) as client:
        _follow(client, client.pull(name), "pull", show)
        _tell(as_json, name, f"{name} is installed.")


@app.command("import")
def import_folder(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A model in the diffusers layout.")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What to call it; else as its folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy a model from a folder, its files checked."""
    with reported(as_json):
        from flowanchor_daemon.models.local import import_model

        chosen = name or folder.expanduser().resolve().name.lower()
        with reporter() as show:
            told = bytes_shown(show, "copy")
            import_model(folder, chosen, lambda _, done, total: told(done, total))
        _tell(as_json, chosen, f"{chosen} is installed.")


@app.command()
def verify(name: Name, as_json: Json = False) -> None:
    """Check a model's files: unchanged since published or imported?"""
    with reported(as_json), reporter() as show, connected(show) as client:
        _follow(client, client.verify(name), "verify", show)
        _tell(as_json, name, f"All files of {name} are as they should be.")


@app.command()
def load(
    name: Name,
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda or cuda:N.")] = "auto",
    as_json: Json = False,
) -> None:
    """Read a model into memory, so that the next edit begins at once."""
    with reported(as_json), connected() as client:
        client.load(name, device)
        _tell(as_json, name, f"{name} is loaded.")


@app.command()
def unload(as_json: Json = False) -> None:
    """Free all memory the engine holds, the GPU's included."""
    with reported(as_json):
        try:
            with Client.connect(start=False) as client:
                was_loaded = client.unload()
        except ServiceFailure as failure:
            if failure.code != "daemon-unreachable":
                raise
            was_loaded = False  # no daemon, no engine
        if as_json:
            print(json.dumps({"was_loaded": was_loaded}))
        else:
            print("The engine's memory is free." if was_loaded else "Nothing was loaded.")


def _follow(client: Client, task: models_pb2.ModelTask, phase: str, show: Reporter) -> None:
    """Show a task until it has succeeded; Ctrl-C stops it, anything else than success is raised."""
    told = bytes_shown(show, phase)
    try:
        for step in client.watch_task(task):
            task = step
            if task.total_bytes:
                told(task.done_bytes, task.total_bytes)
    except (KeyboardInterrupt, SystemExit):
        client.cancel_task(task.id)
        raise
    if task.state == models_pb2.MODEL_TASK_STATE_FAILED:
        raise ServiceFailure.of(task.failure)
    if task.state == models_pb2.MODEL_TASK_STATE_CANCELLED:
        raise ServiceFailure(
            "job-cancelled", f"The {phase} of {task.model} was cancelled.", "What has arrived stays."
        )


def _plain(model: models_pb2.Model) -> dict[str, Any]:
    folder = models.find_model(model.name) if model.installed else None
    return {
        "name": model.name,
        "folder": None if folder is None else str(folder),
        "native_size": [model.native_width, model.native_height],
        "native_frames": model.native_frames,
        "world": model.world or None,
        "bytes": model.bytes,
        "installed": model.installed,
        "loaded": model.loaded,
        "source": model.source,
        "revision": model.revision or None,
        "licence": model.licence or None,
    }


def _print_model(model: models_pb2.Model) -> None:
    world = f", knows only {model.world}" if model.world else ""
    size = human(model.bytes)
    state = ", loaded" if model.loaded else "" if model.installed else ", not installed"
    print(
        f"{model.name:<20} {model.native_width}x{model.native_height}, {model.native_frames} frames, "
        f"{size}{world}{state}"
    )
    if model.installed:
        print(f"{'':<20} {models.find_model(model.name)}")


def _tell(as_json: bool, name: str, text: str) -> None:
    print(json.dumps({"model": name}) if as_json else text)
