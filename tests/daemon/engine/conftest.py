# SPDX-License-Identifier: Apache-2.0
"""A model whose steps take long enough to be cut short, a clip for it, and engines that always end."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from flowanchor_daemon.engine.local import LocalEngine

from tests.daemon.engine.helpers import write_clip

T = TypeVar("T")


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One event loop a module, so that one engine can serve several tests."""
    with asyncio.Runner() as runner:
        yield runner.get_loop()


@pytest.fixture(scope="module")
def do(loop: asyncio.AbstractEventLoop) -> Callable[[Coroutine[Any, Any, T]], T]:
    """Run a coroutine on the module's loop, for at most four minutes."""

    def run(work: Coroutine[Any, Any, T]) -> T:
        return loop.run_until_complete(asyncio.wait_for(work, 240))

    return run


@pytest.fixture(scope="session")
def model(wan_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model at a size that keeps it busy for a while: 8 sampling steps of which one is skipped."""
    folder = tmp_path_factory.mktemp("model") / "tiny"
    shutil.copytree(wan_folder, folder)
    card = json.loads((folder / "flowanchor.json").read_text())
    card["native_size"] = [160, 160]
    card["sampling"] = {"steps": 8, "skip": 1, "negative_prompt": "", "minimum_crop": 160}
    (folder / "flowanchor.json").write_text(json.dumps(card))
    return folder


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mkv", 192, 176, 17)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of an engine process: this checkout's packages, a cache of its own, one thread."""
    own = {
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "FLOWANCHOR_CACHE": str(tmp_path_factory.mktemp("cache")),
        "FLOWANCHOR_MODELS": str(tmp_path_factory.mktemp("models")),
        "OMP_NUM_THREADS": "1",
    }
    return {**os.environ, **own}


@pytest.fixture(scope="module")
def engine(
    do: Callable[[Coroutine[Any, Any, None]], None],
    environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LocalEngine]:
    """An engine that is shared by the tests of a module and started by the first."""
    shared = LocalEngine(tmp_path_factory.mktemp("logs") / "engine.log", -1, environment=environment)
    yield shared
    do(shared.close())
