# SPDX-License-Identifier: Apache-2.0
"""A whole edit in a Blender with a window, and pictures of it. By hand, on Linux:

    python tests/blender/window/run.py [--blender PROGRAM] [--root FOLDER] [--zip ZIP] [--out FOLDER] [--tab]

It needs a Blender 4.2 or newer, Xvfb and ImageMagick: those of this system, or with `--root` (as root) those
of another one's folder, such as Debian trixie's:

    debootstrap --variant=minbase trixie FOLDER
    mount --bind /proc FOLDER/proc && mount --bind /dev FOLDER/dev
    chroot FOLDER apt-get install -y --no-install-recommends blender xvfb imagemagick libgl1-mesa-dri \
        fonts-dejavu-core python3-numpy

(For Blender 5.2 Debian's sid, with python3-cattr and python3-requests as well; there the panel is in the
Properties editor too, which `--tab` uses.) The button is clicked where it is drawn, first while Blender
renders: the edit waits, is stopped with Esc, pressed again, and goes on when the render has ended.

The extension's zip is installed into a Blender of no settings, the daemon (of this Python, outside of
`--root`) edits with the embedded model, and `idle.png`, `waiting.png`, `running.png` and `done.png` show the
panel. Exit code 0: the result is on the timeline where it belongs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / part) for part in (".", "proto", "addons", "daemon")]

from flowanchor_core.shapes.demo import demo_clip  # noqa: E402  # found through the line above

DISPLAY = ":97"
SECONDS = 420
WIDTH, HEIGHT, TAB_HEIGHT = 1400, 1280, 1600
"""High enough for the whole panel, and for those before it in the tab of strips."""


def inside(root: Path | None, command: Sequence[str]) -> list[str]:
    return ["chroot", str(root), *command] if root is not None else list(command)


def shared_folder(root: Path | None) -> Path:
    """A folder that has the same path inside and outside of `root`: a link there leads from the long name."""
    if root is None:
        return Path(tempfile.mkdtemp(prefix="fa-window-"))
    link = Path(f"{root}{root}")
    if not link.is_symlink():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to("/")
    return Path(tempfile.mkdtemp(prefix="fa-window-", dir=root / "tmp"))


def run(blender: str, root: Path | None, package: Path, out: Path, tab: bool = False) -> int:
    height = TAB_HEIGHT if tab else HEIGHT
    folder = shared_folder(root)
    processes: list[subprocess.Popen[bytes]] = []
    environment = {
        **os.environ,
        "HOME": str(folder),
        "DISPLAY": DISPLAY,
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "BLENDER_USER_RESOURCES": str(folder / "blender"),
        "FLOWANCHOR_RUNTIME": str(folder / "run"),
        "FLOWANCHOR_STATE": str(folder / "state"),
        "FLOWANCHOR_CACHE": str(folder / "cache"),
        "FLOWANCHOR_MODELS": str(folder / "models"),
    }
    try:
        clip = demo_clip(folder)
        shutil.copy(package, folder)
        shutil.copy(Path(__file__).with_name("drive.py"), folder)
        plan = {
            "clip": str(clip.clip),
            "source": clip.source_prompt,
            "target": clip.edits[0].target_prompt,
            "width": WIDTH,
            "height": height,
            "tab": tab,
        }
        (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        serving = {**environment, "PYTHONPATH": os.pathsep.join(sys.path[:4])}
        processes.append(
            start([sys.executable, "-m", "flowanchor_daemon.serve"], serving, folder / "daemon.txt")
        )
        screen = [
            "Xvfb",
            DISPLAY,
            "-screen",
            "0",
            f"{WIDTH}x{height}x24",
            "+extension",
            "GLX",
            "-nolisten",
            "tcp",
        ]
        processes.append(start(inside(root, screen), environment, folder / "screen.txt"))
        time.sleep(2)
        install = [blender, "--command", "extension", "install-file", "-r", "user_default", "--enable"]
        subprocess.run(inside(root, [*install, str(folder / package.name)]), env=environment, check=True)
        # fmt: off
        command = [
            blender, "--app-template", "Video_Editing", "-p", "0", "0", str(WIDTH), str(height),
            "--enable-event-simulate",
            "--python-exit-code", "1", "--python", str(folder / "drive.py"), "--", str(folder),
        ]
        # fmt: on
        processes.append(start(inside(root, command), environment, folder / "blender.txt"))
        try:
            processes[-1].wait(SECONDS)
        except subprocess.TimeoutExpired:
            print(f"no end within {SECONDS} s", file=sys.stderr)
        out.mkdir(parents=True, exist_ok=True)
        for picture in folder.glob("*.png"):
            shutil.copy(picture, out)
        outcome = folder / "outcome.json"
        if not outcome.exists():
            print(
                (folder / "blender.txt").read_text(encoding="utf-8", errors="replace")[-6000:],
                file=sys.stderr,
            )
            return 1
        found = json.loads(outcome.read_text(encoding="utf-8"))
        print(json.dumps(found, indent=1))
        return 0 if not found["failure"] else 1
    finally:
        for process in reversed(processes):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def start(command: Sequence[str], environment: dict[str, str], output: Path) -> subprocess.Popen[bytes]:
    with output.open("wb") as file:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--blender", default="blender")
    parser.add_argument("--root", type=Path)
    parser.add_argument("--zip", type=Path, help="the extension (dist/flowanchor_vse-*.zip)")
    parser.add_argument("--out", type=Path, default=Path("window"))
    parser.add_argument(
        "--tab", action="store_true", help="in the Properties editor's tab of strips (Blender 5)"
    )
    known = parser.parse_args()
    package = known.zip or next(iter(sorted((ROOT / "dist").glob("flowanchor_vse-*.zip"))), None)
    if package is None:
        parser.error("build the extension first: python3 installers/run.py blender")
    root = known.root.resolve() if known.root is not None else None
    return run(known.blender, root, package.resolve(), known.out, known.tab)


if __name__ == "__main__":
    sys.exit(main())
