# SPDX-License-Identifier: Apache-2.0
"""`flowanchor timeline`: clips on timelines of other editing programs."""

from flowanchor_daemon.cli.timeline.commands import app

__all__ = ["app"]
