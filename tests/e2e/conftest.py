# SPDX-License-Identifier: Apache-2.0
"""The command as a user runs it: a process of its own, with a tiny random model given by --model.

One daemon serves all tests but those that do it harm: starting an engine takes seconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest
from flowanchor.rendezvous import DaemonLock, Discovery

from tests.source_tree import PYTHONPATH

WIDTH, HEIGHT, FRAMES = 64, 48, 9
RATE = Fraction(24000, 1001)

Run = Callable[..., subprocess.CompletedProcess[str]]


def environment_in(home: Path) -> dict[str, str]:
    """One thread, an empty cache, no models and no daemon of the user's, and this clone's packages."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("FLOWANCHOR_")},
        "PYTHONPATH": PYTHONPATH,
        "OMP_NUM_THREADS": "1",
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_DATA_HOME": str(home / "data"),
        "FLOWANCHOR_CACHE": str(home / "cache"),
        "FLOWANCHOR_MODELS": str(home / "models"),
        "FLOWANCHOR_STATE": str(home / "state"),
        "FLOWANCHOR_RUNTIME": str(home / "run"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def daemon_pid(environment: dict[str, str]) -> int | None:
    """Process id of the daemon that serves an environment, None if there is none."""
    folder = Path(environment["FLOWANCHOR_RUNTIME"])
    found = Discovery.read(folder)
    return found.pid if found is not None and DaemonLock(folder).is_held() else None


def engine_pid(environment: dict[str, str]) -> int:
    """Process id of the engine of an environment's daemon."""
    daemon = daemon_pid(environment)
    assert daemon is not None
    (engine,) = (
        child.pid
        for child in psutil.Process(daemon).children()
        if any("flowanchor_daemon.engine" in part for part in child.cmdline())
    )
    return engine


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Return once `condition` holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def packets(path: Path) -> list[bytes]:
    """A movie's coded frames and sound; beside them Matroska files hold a random number of their own."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux()]


def end_daemon(environment: dict[str, str]) -> None:
    """End an environment's daemon, if it has one, by its process id."""
    lock = DaemonLock(Path(environment["FLOWANCHOR_RUNTIME"]))
    for number, patience in ((signal.SIGTERM, 60.0), (signal.SIGKILL, 60.0)):
        pid = lock.holder() if lock.is_held() else None
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        with contextlib.suppress(AssertionError):
            wait_for(lambda: not lock.is_held(), patience)
    assert not lock.is_held(), "the daemon could not be ended"


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of the daemon that tests share."""
    environment = environment_in(tmp_path_factory.mktemp("home"))
    yield environment
    end_daemon(environment)


@pytest.fixture
def own_environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """One with a daemon of the test's own."""
    environment = environment_in(tmp_path / "home")
    yield environment
    end_daemon(environment)


@pytest.fixture(scope="session")
def model(wan_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with settings that make an edit three steps long."""
    folder = tmp_path_factory.mktemp("model") / "tiny"
    shutil.copytree(wan_folder, folder)
    card = json.loads((folder / "flowanchor.json").read_text())
    # Room for the demo's prompts, which this model's tokenizer spells by letters.
    card |= {"text_length": 80, "world": "shapes"}
    card["sampling"] = {"steps": 4, "skip": 1, "negative_prompt": "", "minimum_crop": 32}
    (folder / "flowanchor.json").write_text(json.dumps(card))
    return folder


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine frames of H.264 at 23.976 fps with sound and a start timecode."""
    path = tmp_path_factory.mktemp("clip") / "clip.mov"
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    with av.open(str(path), "w") as container:
        container.metadata["timecode"] = "01:00:00:00"
        video = container.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        sound = container.add_stream("aac", rate=48000)
        for index in range(FRAMES):
            rgb = np.stack([x * 4 + index, y * 5, (x + y + 3 * index) * 2], axis=-1) % 256
            container.mux(video.encode(av.VideoFrame.from_ndarray(rgb.astype(np.uint8), format="rgb24")))
        container.mux(video.encode(None))
        tone = np.sin(np.arange(int(48000 * FRAMES / RATE)) / 20).astype(np.float32)[None]
        silence = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        silence.sample_rate = 48000
        container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    return path


@pytest.fixture(scope="session")
def command() -> list[str]:
    return [sys.executable, "-m", "flowanchor_daemon.cli"]


def runner(command: list[str], environment: dict[str, str]) -> Run:
    def call(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        line = [*command, *map(str, arguments)]
        return subprocess.run(line, env=environment, cwd=cwd, capture_output=True, text=True, timeout=240)

    return call


@pytest.fixture(scope="session")
def run(command: list[str], environment: dict[str, str]) -> Run:
    """Run the command to its end: run("edit", clip, ...)."""
    return runner(command, environment)


@pytest.fixture
def own_run(command: list[str], own_environment: dict[str, str]) -> Run:
    """`run` with a daemon of the test's own."""
    return runner(command, own_environment)


@pytest.fixture
def edit_arguments(clip: Path, model: Path) -> list[Any]:
    """A call that works, but for its output."""
    prompts = ["--source", "a red circle", "--target", "a blue circle"]
    return ["edit", clip, "--box", "20,12,16,16", *prompts, "--model", model, "--feather", 2]
