# SPDX-License-Identifier: Apache-2.0
"""The command and its list of sub-commands."""

from __future__ import annotations

import importlib.metadata
from typing import Annotated

import typer

from flowanchor_daemon.cli import bench, demo, doctor, edit, jobs, models, service, timeline
from flowanchor_daemon.cli.help import show_options_in_groups
from flowanchor_daemon.cli.resolve import commands as resolve

app = typer.Typer(
    name="flowanchor",
    help="Edit a marked region of a video clip by describing it before and after.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        try:
            print(f"flowanchor {importlib.metadata.version('flowanchor')}")
        except importlib.metadata.PackageNotFoundError:
            print("flowanchor from a source tree that is not installed")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave."),
    ] = False,
) -> None:
    pass


app.command("edit", short_help="Edit the marked region of a clip.")(edit.edit)
app.command("demo")(demo.demo)
app.command("serve", short_help="Run the daemon in the foreground.")(service.serve)
app.command("stop")(service.stop)
app.command("doctor", short_help="Look at all that edits need, and say what helps.")(doctor.doctor)
app.add_typer(bench.app, name="bench")
app.add_typer(jobs.app, name="jobs")
app.add_typer(models.app, name="models")
app.add_typer(resolve.app, name="resolve")
app.add_typer(timeline.app, name="timeline")
show_options_in_groups(app)
