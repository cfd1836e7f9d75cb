# SPDX-License-Identifier: Apache-2.0
"""Kdenlive on a virtual screen: opens a project, shows it whole, saves it and is ended.

Run as a program inside `dbus-run-session -- xvfb-run`: `kdenlive.py PROJECT SCREENSHOT HOME`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

WAIT = 90.0


def titles() -> list[str]:
    """Titles of the windows on the screen."""
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", "."], capture_output=True, text=True, check=False
    )
    names = [
        subprocess.run(
            ["xdotool", "getwindowname", window], capture_output=True, text=True, check=False
        ).stdout
        for window in found.stdout.split()
    ]
    return [name.strip() for name in names]


def wait(condition: object, what: str) -> None:
    """Return once `condition()` holds."""
    deadline = time.monotonic() + WAIT
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise SystemExit(f"Kdenlive did not {what}; its windows: {titles()}")
        time.sleep(0.25)


def act(pid: int, name: str) -> None:
    """Do what a menu item of Kdenlive's does."""
    window = [
        f"--dest=org.kde.kdenlive-{pid}",
        "/kdenlive/MainWindow_1",
        "org.kde.KMainWindow.activateAction",
    ]
    subprocess.run(
        ["dbus-send", "--session", "--print-reply", *window, f"string:{name}"],
        check=True,
        capture_output=True,
    )


def main(project: Path, screenshot: Path, home: str) -> None:
    """Open `project`, take the picture, save it; Kdenlive's own files go to `home`."""
    # All of them: its lock of the last start lies among temporary files.
    names = ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    folders = dict.fromkeys(names, home)
    environment = {**os.environ, **folders, "QT_QPA_PLATFORM": "xcb"}
    with (screenshot.parent / "kdenlive.log").open("wb") as log:
        running = subprocess.Popen(["kdenlive", str(project)], env=environment, stdout=log, stderr=log)
    try:
        wait(lambda: any(title.startswith(f"{project.stem} / ") for title in titles()), "open the project")
        time.sleep(5)  # clips are loaded behind the window
        act(running.pid, "zoom_fit")
        time.sleep(2)
        print("windows:", titles())
        subprocess.run(["import", "-window", "root", str(screenshot)], check=True)
        before = project.stat().st_mtime_ns
        act(running.pid, "file_save")
        wait(lambda: project.stat().st_mtime_ns != before, "save the project")
        time.sleep(2)
    finally:
        running.kill()
        running.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
