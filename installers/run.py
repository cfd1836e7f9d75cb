#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One entry from a fresh clone to a working FlowAnchor. Standard library only, Python 3.11 or newer.

    python3 installers/run.py setup   make .venv under the clone and install FlowAnchor into it
    python3 installers/run.py test    set up if needed, then format, lint, types, generated files and tests
    python3 installers/run.py demo    set up if needed, then `flowanchor demo`
    python3 installers/run.py blender build the Blender extension (see blender.py for its options)
    python3 installers/run.py resolve put the menu scripts into DaVinci Resolve (see resolve.py)

A set-up that is complete for the present pyproject.toml is recognised by its stamp and left alone. One that
was killed half-way is thrown away and made anew; one that failed (no network, say) is continued.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from installers.environment import (  # noqa: E402  # found through the line above
    INTERRUPTED,
    NO_PYTHON_FOR_BLENDER,
    SetupError,
    check_python,
    create_venv,
    executable,
    foreground,
    pip,
    read_stamp,
    say,
    works,
    write_stamp,
)

TORCH = "torch==2.13.0"
# With a CPU build of torch the environment takes 1.8 GB, with CUDA several times that.
LEAST_FREE_BYTES = 3_000_000_000


def wanted_stamp(root: Path) -> dict[str, str]:
    """What a complete set-up of this clone looks like. Any difference means: install again.

    The clone's own path is part of it because an editable install and its scripts hold absolute paths.
    """
    return {
        "pyproject": hashlib.sha256((root / "pyproject.toml").read_bytes()).hexdigest(),
        "torch": TORCH,
        "root": str(root),
        "state": "complete",
    }


def check_disk(root: Path) -> None:
    free = shutil.disk_usage(root).free
    if free < LEAST_FREE_BYTES:
        raise SetupError(
            f"Only {free / 1e9:.1f} GB are free on the disk that holds {root}; the set-up needs at least "
            f"{LEAST_FREE_BYTES / 1e9:.0f} GB (about 8 GB with CUDA). Free some space and start again."
        )


def set_up(root: Path, torch_index: str | None = None, verbose: bool = False) -> Path:
    """Bring `.venv` to what pyproject.toml asks for and return its folder. Quick when it is already there.

    `verbose` shows pip's own lines.
    """
    venv = root / ".venv"
    wanted = wanted_stamp(root)
    stamp = read_stamp(venv)
    if stamp == wanted and torch_index is None and executable(venv, "flowanchor").exists():
        say(f"{venv} is up to date")
        return venv

    check_disk(root)
    started = time.monotonic()
    killed = stamp is not None and stamp.get("state") == "installing"
    moved = stamp is not None and stamp.get("root") != str(root)
    if killed:
        say("the last set-up was interrupted; starting it anew")
    unfinished = {**wanted, "state": "installing"}
    if killed or moved or not works(venv):
        create_venv(venv, unfinished)
    write_stamp(venv, unfinished)
    try:
        # torch alone and first: otherwise pip may look at several torch builds while it resolves the rest.
        source = ["--index-url", torch_index, "--force-reinstall", "--no-deps"] if torch_index else []
        large = f"installing {TORCH}: the large one, 1 to 2 minutes on a fast line, longer with CUDA"
        pip(venv, [*source, TORCH], large, verbose)
        rest = "installing FlowAnchor and the tools its tests need: 1 to 3 minutes"
        pip(venv, ["-e", f"{root}[dev]"], rest, verbose)
    except SetupError:
        write_stamp(venv, {**wanted, "state": "failed"})
        raise
    write_stamp(venv, wanted)
    say(f"set-up complete in {time.monotonic() - started:.0f} s")
    return venv


def leave_word(venv: Path) -> None:
    """Note how the daemon is started, for hosts that live in another Python, such as Blender."""
    python = str(executable(venv, "python"))
    foreground([python, "-m", "flowanchor_daemon.launcher"])  # says itself what is wrong; no reason to fail


def run_demo(venv: Path, extra: Sequence[str]) -> int:
    return foreground([str(executable(venv, "flowanchor")), "demo", *extra])


def run_tests(venv: Path, extra: Sequence[str]) -> int:
    """Format, lint, types, generated files and tests; `extra` goes to pytest. Runs all and names what failed.

    The tests keep to folders of their own (tests/isolation.py), so a daemon of the user's is left alone.
    """
    python = str(executable(venv, "python"))
    checks = {
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "ruff check": [python, "-m", "ruff", "check", "."],
        "mypy": [python, "-m", "mypy"],
        "generated code": [python, "proto/generate.py", "--check"],
        "error page": [python, "-m", "flowanchor_daemon.errors.page", "--check"],
        # Before `extra`, so that `-m optin` or `-m long` on the command line wins.
        "pytest": [
            python,
            "-m",
            "pytest",
            "-m",
            "not optin and not long",
            "-n",
            "2",
            "--dist",
            "loadfile",
            *extra,
        ],
    }
    # Tensors in tests are tiny: a second thread gains nothing, and on a busy machine costs many times the
    # work.
    environment = {"OMP_NUM_THREADS": "1", **os.environ}
    failed = []
    for name, command in checks.items():
        say(" ".join(["python", *command[1:]]))
        code = foreground(command, cwd=ROOT, env=environment)
        if code == INTERRUPTED:
            return code
        if code != 0:
            failed.append(name)
    say(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


def blender(arguments: Sequence[str]) -> int:
    """Build the Blender extension, or set up the environments of its tests (blender.py)."""
    return foreground([sys.executable, str(ROOT / "installers" / "blender.py"), *arguments])


def resolve(arguments: Sequence[str]) -> int:
    """Put the menu scripts into DaVinci Resolve, or take them out again (resolve.py)."""
    return foreground([sys.executable, str(ROOT / "installers" / "resolve.py"), *arguments])


def install_melt() -> None:
    """On a machine of continuous integration, get the video engine that written timelines are proven with.

    Elsewhere nothing is installed outside the clone: without `melt` those tests are skipped and say so.
    """
    apt = shutil.which("apt-get")
    ours = os.environ.get("CI") == "true" and hasattr(os, "geteuid") and os.geteuid() == 0
    if not ours or apt is None or shutil.which("melt") is not None:
        return
    say("installing melt with apt-get: CI is set, and the timeline tests render with it")
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "melt"]):
        if subprocess.run([apt, *arguments], stdout=subprocess.DEVNULL).returncode != 0:
            say("apt-get could not install melt; the tests that render with it are skipped")
            return


def set_up_blender_tests(verbose: bool = False) -> bool:
    """Make the environments of the tests in Blender; whether the tests can go on.

    Without a Python 3.11, which Blender as a module needs, those tests are left out.
    """
    done = blender(["environments", *(["--verbose"] if verbose else [])])
    if done == INTERRUPTED:
        raise KeyboardInterrupt
    if done == NO_PYTHON_FOR_BLENDER:
        say("the tests in Blender are left out")
    return done in (0, NO_PYTHON_FOR_BLENDER)


def main(arguments: Sequence[str]) -> int:
    try:
        return do(arguments)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED


def do(arguments: Sequence[str]) -> int:
    """The task that is named first; gives the exit code."""
    parser = argparse.ArgumentParser(description="Set FlowAnchor up in this clone, test it, or show it.")
    parser.add_argument(
        "task",
        choices=["setup", "test", "demo", "blender", "resolve"],
        help="set up alone; test; edit a small clip; build the Blender extension; put entries into Resolve's "
        "menu (the last two have options of their own: add --help)",
    )
    parser.add_argument(
        "--torch-index",
        metavar="URL",
        help="package index to take torch from, for another CUDA version or a CPU-only build (with setup)",
    )
    parser.add_argument("--verbose", action="store_true", help="show all that pip prints")
    # Their options, --help among them, are their own.
    if arguments[:1] == ["blender"]:
        return blender(["build", *arguments[1:]])
    if arguments[:1] == ["resolve"]:
        return resolve(arguments[1:])
    known, extra = parser.parse_known_args(arguments)
    if known.task == "setup" and extra:
        parser.error(f"setup does not know {' '.join(extra)}")
    try:
        check_python("setup")
        venv = set_up(ROOT, known.torch_index, known.verbose)
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the next run repairs the set-up.", file=sys.stderr)
        return INTERRUPTED
    if known.task == "setup":
        leave_word(venv)
        say(f"the command is {executable(venv, 'flowanchor')}")
        return 0
    if known.task == "demo":
        return run_demo(venv, extra)
    install_melt()
    ready = set_up_blender_tests(known.verbose)
    outcome = run_tests(venv, extra)
    return outcome if ready else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
