# SPDX-License-Identifier: Apache-2.0
"""The `flowanchor` command. Nothing here imports torch before a command needs it, so `--help` is quick."""

from flowanchor_daemon.cli.start import run

__all__ = ["run"]
