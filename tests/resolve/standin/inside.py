# SPDX-License-Identifier: Apache-2.0
"""Run a script as Resolve's Workspace > Scripts menu does: `resolve`, `fusion`, `app`
(Fusion's, too) and `bmd` are there without an import.

`python -m tests.resolve.standin.inside SCRIPT [ARGUMENTS]`, under a world's environment. Says so and ends
with 3 where that Resolve runs no Python scripts.
"""

from __future__ import annotations

import os
import runpy
import sys
import types

from tests.resolve.standin.line import Remote, SocketLine


def main() -> int:
    line = SocketLine("127.0.0.1", int(os.environ["RESOLVE_STANDIN"].split(":")[1]))
    if line.root is None:
        print("This Resolve runs no Python scripts.", file=sys.stderr)
        return 3
    resolve = Remote(line, line.root)
    fusion = resolve.Fusion()
    bmd = types.SimpleNamespace(scriptapp={"Resolve": resolve, "Fusion": fusion}.get)
    sys.argv = sys.argv[1:]
    names = {"resolve": resolve, "fusion": fusion, "app": fusion, "bmd": bmd}
    runpy.run_path(sys.argv[0], names, "__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
