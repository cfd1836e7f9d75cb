# SPDX-License-Identifier: Apache-2.0
"""Run a script as Resolve's Workspace > Scripts menu does: `resolve`, `fusion` and `app`
(Fusion's, too) are there without an import.

`python -m tests.resolve.standin.inside SCRIPT [ARGUMENTS]`, under a world's environment. Says so and ends
with 3 where that Resolve runs no Python scripts.
"""

from __future__ import annotations

import os
import runpy
import sys

from tests.resolve.standin.line import Remote, SocketLine


def main() -> int:
    line = SocketLine("127.0.0.1", int(os.environ["RESOLVE_STANDIN"].split(":")[1]))
    if line.root is None:
        print("This Resolve runs no Python scripts.", file=sys.stderr)
        return 3
    resolve = Remote(line, line.root)
    fusion = resolve.Fusion()
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], {"resolve": resolve, "fusion": fusion, "app": fusion}, "__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
