# SPDX-License-Identifier: Apache-2.0
"""Movies whose frames carry their number, and a world around one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.blender.host import numbered
from tests.resolve.standin.world import World

FRAMES = 40


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes movies at a rate, lossless unless another suffix is asked for; each is written once."""
    folder = tmp_path_factory.mktemp("footage")

    def made(rate: Fraction = Fraction(24), frames: int = FRAMES, suffix: str = ".mkv") -> Path:
        path = folder / f"{rate.numerator}-{rate.denominator}-{frames}{suffix}"
        return path if path.exists() else numbered.write_movie(path, rate, frames)

    return made


@pytest.fixture
def movie(footage: Callable[..., Path]) -> Path:
    return footage()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes worlds with tmp_path as their volume; they are left at the end of the test."""
    with ExitStack() as stack:
        yield lambda *args, **more: stack.enter_context(World(*args, **{"volumes": [tmp_path], **more}))


def project_of(world: World) -> Any:
    """The open project as a script gets it."""
    return world.scriptapp("Resolve").GetProjectManager().GetCurrentProject()
