# SPDX-License-Identifier: Apache-2.0
"""Stands where Resolve's own module of this name would: `scriptapp` finds a stand-in over its socket.

RESOLVE_STANDIN is "BEHAVIOUR:PORT" (see Behaviour in world.py).
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

_ROOT = str(Path(__file__).resolve().parents[5])
if _ROOT not in sys.path:
    sys.path.append(_ROOT)

from tests.resolve.standin.line import Remote, SocketLine  # noqa: E402

_BEHAVIOUR, _PORT = os.environ["RESOLVE_STANDIN"].split(":")
if _BEHAVIOUR == "raise":
    raise ImportError("Could not locate module dependencies")


def scriptapp(name: str, host: str = "127.0.0.1") -> Any:
    """The Resolve object, or None."""
    if _BEHAVIOUR == "hang":
        time.sleep(3600)
    if _BEHAVIOUR == "crash":
        os.abort()
    if _BEHAVIOUR == "none" or name != "Resolve":
        return None
    line = SocketLine(host, int(_PORT))
    return Remote(line, line.root) if line.root else None
