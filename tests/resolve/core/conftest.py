# SPDX-License-Identifier: Apache-2.0
"""Numbered movies, stand-ins of Resolve around them, and our host on top."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_resolve.resolve_host import ResolveHost

from tests.resolve.core.scene import World, host_of, write_result
from tests.resolve.core.scene import footage as made_footage

Make = Callable[..., World]
Hosting = Callable[..., ResolveHost]


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes movies whose frames carry their number; each is written once."""
    folder = tmp_path_factory.mktemp("footage")

    def made(*args: object, **more: object) -> Path:
        return made_footage(folder, *args, **more)  # type: ignore[arg-type]

    return made


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A volume of Media Storage, in which the exports' folder is not."""
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where exports go."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def make(volume: Path) -> Iterator[Make]:
    """Makes worlds; leaving a strict one fails the test if its contract was broken."""
    with ExitStack() as stack:
        yield lambda *args, **more: stack.enter_context(World(*args, **{"volumes": [volume], **more}))


@pytest.fixture
def said() -> list[str]:
    """What hosts have said."""
    return []


@pytest.fixture
def hosting(said: list[str]) -> Hosting:
    """Makes our host over a world."""
    return lambda world, **more: host_of(world, said, **more)


@pytest.fixture
def movie(tmp_path: Path) -> Callable[..., Path]:
    """Makes movies as edits deliver them."""

    def made(frames: int = 20, rate: Fraction = Fraction(24), name: str = "edit.mov") -> Path:
        return write_result(tmp_path / name, rate, frames)

    return made
