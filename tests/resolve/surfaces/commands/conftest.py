# SPDX-License-Identifier: Apache-2.0
"""`flowanchor resolve` as processes of their own, against a stand-in, with a real daemon and `shapes`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flowanchor_core.shapes.demo import DemoClip, demo_clip
from tests.e2e.conftest import end_daemon, environment_in
from tests.resolve.core.scene import own_settings
from tests.resolve.standin.world import World
from tests.resolve.surfaces.commands.desk import (
    Run,
    environment_of,
    fill,
)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoClip:
    return demo_clip(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Of one daemon for all of these tests."""
    environment = environment_in(tmp_path_factory.mktemp("home"))
    yield environment
    end_daemon(environment)


@pytest.fixture
def folders(tmp_path: Path, environment: dict[str, str]) -> dict[str, str]:
    """The daemon's environment with results and a home of the test's own."""
    (tmp_path / "home").mkdir()
    return {**environment, "FLOWANCHOR_RESULTS": str(tmp_path / "results"), "HOME": str(tmp_path / "home")}


@pytest.fixture
def world(tmp_path: Path, demo: DemoClip, request: pytest.FixtureRequest) -> Iterator[World]:
    """The demo's clip on track 1, its circle's mask on the track FA MASK, a marker with the wish. Strict,
    unless a test says otherwise."""
    volume = tmp_path / "volume"
    volume.mkdir()
    with World(profile=getattr(request, "param", "strict"), volumes=[volume]) as made:
        fill(made, demo)
        own_settings(made, volume)
        yield made


@pytest.fixture
def run(world: World, folders: dict[str, str], tmp_path: Path) -> Run:
    """Run `flowanchor resolve` with arguments."""
    environment = environment_of(world, folders)

    def ran(*arguments: object, code: int = 0, **more: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flowanchor_daemon.cli", "resolve", *map(str, arguments)]
        done = subprocess.run(
            command, env={**environment, **more}, cwd=tmp_path, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return ran
