# SPDX-License-Identifier: Apache-2.0
"""The exported range is, frame by frame, what the timeline shows."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import EDITIONS, RATES, STARTS, Clip, numbers, own_settings, probe, state_of

Footage = Callable[..., Path]
BUILDS = [pytest.param(*one, id="-".join(one[:2])) for one in EDITIONS]


@pytest.mark.parametrize("profile", ["strict", "hostile"])
@pytest.mark.parametrize(("version", "edition", "where"), BUILDS)
def test_the_exported_frames_are_those_selected(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    out: Path,
    volume: Path,
    said: list[str],
    version: str,
    edition: str,
    where: str,
    profile: str,
) -> None:
    world = make(version, edition, profile, where)
    world.add_timeline(clips=[Clip(footage(), at=10, first=5, frames=20)])
    own_settings(world, volume)
    world.project.current.playhead = world.project.current.start + 12  # type: ignore[union-attr]
    host = hosting(world)
    before = state_of(world)
    selection = host.select()
    assert (selection.start, selection.end) == (86410, 86430)
    movie = host.export_range(selection, out, said.append)
    assert numbers(movie.path) == list(range(5, 25))
    assert (movie.first, movie.frames, movie.direct) == (0, 20, False)
    assert probe(movie.path).start_timecode == "01:00:00:10"
    assert state_of(world) == before
    assert not [sentence for sentence in said if "put back" in sentence]
