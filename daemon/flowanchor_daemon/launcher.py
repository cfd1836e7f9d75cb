# SPDX-License-Identifier: Apache-2.0
"""Leave word how this daemon is started, for hosts such as Blender that live in a Python of their own.

`python -m flowanchor_daemon.launcher` does it after an installation; the daemon does it whenever it starts,
so that an environment that was moved or made anew is found again.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys

from flowanchor import rendezvous

log = logging.getLogger("flowanchor_daemon.launcher")

COMMAND = "flowanchor_daemon.serve"


def record() -> bool:
    """Write the record `rendezvous.read_launcher` finds, unless it says so already.

    Not done, and False: for a daemon with a state folder of its own ($FLOWANCHOR_STATE), which is not the one
    the user's hosts are to find, and for one that runs only thanks to $PYTHONPATH, which hosts do not pass
    on. A record that cannot be written costs a line in the log: this daemon runs all the same.
    """
    if os.environ.get("FLOWANCHOR_STATE") or not sys.executable or not _installed():
        return False
    argv = [sys.executable, "-m", COMMAND]
    try:
        if rendezvous.recorded_launcher() != argv:
            rendezvous.write_launcher(argv)
    except (OSError, rendezvous.RendezvousError) as failure:
        log.warning("Hosts such as Blender will not find how to start the daemon: %s", failure)
        return False
    return True


def _installed() -> bool:
    """Whether this Python finds the daemon by itself."""
    if not os.environ.get("PYTHONPATH"):
        return True
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    look = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({COMMAND!r}) is None)"
    asked = subprocess.run(
        [sys.executable, "-c", look], env=clean, cwd=os.path.dirname(sys.executable), capture_output=True
    )
    return asked.returncode == 0


if __name__ == "__main__":
    logging.basicConfig(format="flowanchor: %(message)s")
    record()
