# SPDX-License-Identifier: Apache-2.0
"""What works on which Resolve: measured on strict and hostile stand-ins, and the same as the table in
tests/resolve/README.md."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.resolve_host import ResolveHost

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import Clip, World, numbers, probe, result_of
from tests.resolve.standin.model.item import Look

README = Path(__file__).parents[1] / "README.md"
COLUMNS: dict[str, tuple[str, str, str]] = {
    "18.6 free, inside": ("18.6", "free", "in-app"),
    "19.1 free, inside": ("19.1", "free", "in-app"),
    "20 Studio": ("20", "studio", "external"),
    "21.0.4 Studio": ("21.0.4", "studio", "external"),
    "21.1 Studio": ("21.1", "studio", "external"),
    "21.1 free": ("21.1", "free", "in-app"),
}
SQUARE = "{ Tools = ordered() { R = RectangleMask { } } }"
Footage = Callable[..., Path]


class Scene:
    """One world with all that the actions need: a selected clip with every kind of region, a mask track."""

    def __init__(self, world: World, footage: Footage, hosting: Hosting, out: Path) -> None:
        self.world, self.out, self.hosting = world, out, hosting
        self.result = footage(Fraction(24), 12, ".mov")
        look = Look(alpha=(48, 24, 64, 32))
        ours = Clip(footage(), first=5, frames=12, name="ours", look=look, fusion=SQUARE, mattes=[footage()])
        self.timeline = world.add_timeline(
            clips=[ours, Clip(footage(), at=12, frames=12, name="other"), Clip(footage(), frames=12, track=2)]
        )
        self.timeline.tracks["video"][1].name = "FA MASK"
        self.timeline.tracks["video"][1].enabled = False

    @property
    def host(self) -> ResolveHost:
        if not self.world.allows_scripts:
            raise ResolveProblem("resolve-free", "", "")
        return self.hosting(self.world)

    def select(self) -> bool:
        return self.host.select(clip="ours").frames == 12

    def under_playhead(self) -> bool:
        self.timeline.playhead = self.timeline.start + 15
        return self.host.select().name == "other"

    def selected(self) -> bool:
        self.timeline.playhead = self.timeline.start + 15
        self.world.select(self.timeline.tracks["video"][0].items[0])
        return self.host.select().name == "ours"

    def marks(self) -> bool:
        self.timeline.SetMarkInOut(2, 5, "all")
        return self.host.select(clip="ours").frames == 4

    def export(self) -> bool:
        host = self.host
        movie = host.export_range(host.select(clip="other"), self.out, print)
        return numbers(movie.path) == list(range(12))

    def source_file(self) -> bool:
        self.timeline.tracks["video"][0].items[1].comps = []
        host = self.hosting(self.world, source_files=True) if self.world.allows_scripts else self.host
        return host.export_range(host.select(clip="other"), self.out, print).direct

    def mask(self, source: Any) -> bool:
        host = self.host
        region = host.export_mask(host.select(clip="ours"), source, self.out, print)
        if source == "alpha" and not probe(region.movies[0].path).alpha:
            return False
        return region.source == source and bool(region.movies or region.polygons)

    def place(self) -> bool:
        host = self.host
        selection = host.select(clip="ours")
        placed = host.place(selection, result_of(self.result, selection))
        return [one for one, _ in host.placed()] == [placed]

    def undo(self) -> bool:
        host = self.host
        selection = host.select(clip="ours")
        host.undo(host.place(selection, result_of(self.result, selection)))
        return host.placed() == [] and len(self.timeline.tracks["video"]) == 2

    def take(self) -> bool:
        host = self.host
        selection = host.select(clip="ours")
        placed = host.place(selection, result_of(self.result, selection), as_take=True)
        host.undo(placed)
        return placed.take == 2

    def again(self) -> bool:
        host = self.host
        selection = host.select(clip="ours")
        placed = host.place(selection, result_of(self.result, selection))
        return self.host.select(clip=placed.item_id).wish["target"] == "a green car"


ACTIONS: dict[str, Callable[[Scene], bool]] = {
    "clip by name": Scene.select,
    "clip under the playhead": Scene.under_playhead,
    "selected clip": Scene.selected,
    "in and out marks": Scene.marks,
    "export through Deliver": Scene.export,
    "clip's own file": Scene.source_file,
    "region: FA MASK track": lambda scene: scene.mask("track"),
    "region: Alpha Output": lambda scene: scene.mask("alpha"),
    "region: Fusion mask": lambda scene: scene.mask("fusion"),
    "region: attached matte": lambda scene: scene.mask("matte"),
    "place": Scene.place,
    "undo": Scene.undo,
    "take": Scene.take,
    "again from the marker": Scene.again,
}


@pytest.mark.parametrize("profile", ["strict", "hostile"])
@pytest.mark.parametrize("column", COLUMNS)
def test_the_matrix_is_as_the_readme_says(
    make: Make, hosting: Hosting, footage: Footage, out: Path, column: str, profile: str
) -> None:
    measured = {}
    for action, attempt in ACTIONS.items():
        version, edition, where = COLUMNS[column]
        scene = Scene(make(version, edition, profile, where), footage, hosting, out)
        try:
            measured[action] = "yes" if attempt(scene) else "no"
        except ResolveProblem as problem:
            measured[action] = "file route" if problem.code == "resolve-free" else "no"
        assert scene.world.dialog is None, action
    assert measured == _told(column)


def _told(column: str) -> dict[str, str]:
    rows = [
        [cell.strip() for cell in line.strip("|\n ").split("|")]
        for line in README.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    head = next(row for row in rows if row[0] == "action")
    return {row[0]: row[head.index(column)] for row in rows if row[0] in ACTIONS}
