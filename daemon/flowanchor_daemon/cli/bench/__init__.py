# SPDX-License-Identifier: Apache-2.0
"""`flowanchor bench`: measurements, each a command, so that every number in the README can be made again."""

from flowanchor_daemon.cli.bench.commands import app

__all__ = ["app"]
