# SPDX-License-Identifier: Apache-2.0
"""One daemon for all attacks: what one of them breaks, the next ones show."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.footage.clips import FFV1, write_movie
from tests.daemon.processes import Daemons
from tests.security.victim import MODEL, Victim


@pytest.fixture(scope="package")
def models(wan_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with a tiny random model in it."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(wan_folder, folder / MODEL)
    card = json.loads((folder / MODEL / "flowanchor.json").read_text())
    card |= {"text_length": 80, "world": "shapes"}
    card["sampling"] = {"negative_prompt": "", "minimum_crop": 32}
    (folder / MODEL / "flowanchor.json").write_text(json.dumps(card))
    return folder


@pytest.fixture(scope="package")
def victim(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    """A daemon that also listens on a loopback port. Its state, home, working and temporary folders are in
    one folder, which shows where it writes."""
    folder = tmp_path_factory.mktemp("victim")
    clip = write_movie(tmp_path_factory.mktemp("clip") / "clip.mkv", FFV1, 5)
    daemons = Daemons(folder)
    for name in ("home", "tmp"):
        (folder / name).mkdir(mode=0o700)
    daemons.environment |= {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "FLOWANCHOR_MODELS": str(models),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    daemons.environment.pop("XDG_DATA_HOME", None)
    try:
        running = daemons("--listen", "127.0.0.1:0", "--idle-exit", "-1", "--keep-alive", "-1")
        victim = Victim(running, folder, clip)
        try:
            yield victim
        finally:
            victim.close()
            print(running.log[-4000:])
    finally:
        daemons.close()
