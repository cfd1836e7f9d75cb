# SPDX-License-Identifier: Apache-2.0
"""`python -m flowanchor_daemon.cli`: the command where its script is not on the path."""

from flowanchor_daemon.cli import run

if __name__ == "__main__":
    run()
