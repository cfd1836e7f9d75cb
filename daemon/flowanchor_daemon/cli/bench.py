# SPDX-License-Identifier: Apache-2.0
"""`flowanchor bench`: measurements, each a command, so that every number in the README can be made again."""

from __future__ import annotations

import typer

app = typer.Typer(help="Measurements.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Measurements."""
