# SPDX-License-Identifier: Apache-2.0
"""The command as a user runs it: a process of its own, with a tiny random model given by --model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
WIDTH, HEIGHT, FRAMES = 64, 48, 9
RATE = Fraction(24000, 1001)

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One thread, an empty cache, no models of the user's, and this clone's packages."""
    home = tmp_path_factory.mktemp("home")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "daemon")]),
        "OMP_NUM_THREADS": "1",
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "FLOWANCHOR_MODELS": str(home / "models"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


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
def command(environment: dict[str, str]) -> list[str]:
    return [sys.executable, "-m", "flowanchor_daemon.cli"]


@pytest.fixture(scope="session")
def run(command: list[str], environment: dict[str, str]) -> Run:
    """Run the command to its end: run("edit", clip, ...)."""

    def call(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        line = [*command, *map(str, arguments)]
        return subprocess.run(line, env=environment, cwd=cwd, capture_output=True, text=True, timeout=240)

    return call


@pytest.fixture
def edit_arguments(clip: Path, model: Path) -> list[Any]:
    """A call that works, but for its output."""
    prompts = ["--source", "a red circle", "--target", "a blue circle"]
    return ["edit", clip, "--box", "20,12,16,16", *prompts, "--model", model, "--feather", 2]
