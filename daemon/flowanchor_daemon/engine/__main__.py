# SPDX-License-Identifier: Apache-2.0
"""`python -m flowanchor_daemon.engine`, with the daemon's socket as standard input. Not for people to run."""

from __future__ import annotations

import os
import socket
import sys

from flowanchor_daemon.engine.child_link import Link


def main() -> None:
    # Threads that spin while they wait for work take the CPU from the program the editor is working in.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        connection = socket.socket(fileno=os.dup(0))
    except OSError:
        sys.exit("This is a part of FlowAnchor's daemon and is started by it.")
    link = Link(connection)
    link.start()  # before torch, whose import takes seconds: a daemon that goes meanwhile is noticed
    from flowanchor_daemon.engine.child import serve

    serve(link)


if __name__ == "__main__":
    main()
