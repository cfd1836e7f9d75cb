# SPDX-License-Identifier: Apache-2.0
"""Make the Python code beside the .proto files, or check that what is there is what they give.

python proto/generate.py            write it
python proto/generate.py --check    exit with 1, naming each file that is missing, stale or left over
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent
GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")


def generate(target: Path) -> None:
    """Write the generated code of all .proto files under `target`; raises CalledProcessError."""
    sources = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.proto"))
    services = [path for path in sources if "\nservice " in (ROOT / path).read_text(encoding="utf-8")]
    # The compiler looks for mypy-protobuf's plug-ins on PATH, where a virtual environment need not be.
    scripts = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    for plugins, files in (("python mypy", sources), ("grpc_python mypy_grpc", services)):
        outputs = [f"--{plugin}_out=quiet:{target}" if "mypy" in plugin else f"--{plugin}_out={target}"
                   for plugin in plugins.split()]  # fmt: skip
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT}", *outputs, *map(str, files)]
        subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "PATH": scripts})


def differences(fresh: Path) -> list[str]:
    """Names of generated files that are not the same under `fresh` and here."""
    names = {
        path.relative_to(base) for base in (fresh, ROOT) for kind in GENERATED for path in base.rglob(kind)
    }
    return sorted(str(name) for name in names if _content(fresh / name) != _content(ROOT / name))


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing")
    if not parser.parse_args().check:
        generate(ROOT)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        wrong = differences(Path(folder))
    for name in wrong:
        print(f"proto/{name} does not match its .proto file: run python proto/generate.py", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
