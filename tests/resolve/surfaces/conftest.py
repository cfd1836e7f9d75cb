# SPDX-License-Identifier: Apache-2.0
"""A host without a program behind it, and an editing without a daemon, for the paths around them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_resolve.host import Footage, MaskSource, Placed, Polygon, Region, Result, Say, Selection
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.session import Task

SELECTION = Selection(
    project="Feature",
    timeline="Reel 1",
    timeline_id="timeline-1",
    item_id="item-7",
    name="street.mov",
    track=2,
    start=86_410,
    end=86_434,
    timeline_start=86_400,
    rate=Fraction(24_000, 1001),
    drop_frame=False,
    width=192,
    height=96,
    wish={"source": "a red car", "target": "a green car"},
    clip_start=86_400,
    clip_offset=5.0,
)
TRIANGLE = Polygon(keyframes=((0, ((1.0, 2.0), (30.0, 2.0), (15.5, 40.0))),))


@dataclass
class FakeHost:
    """Keeps what is placed in a list; `fails` names the method that raises, and with what."""

    selection: Selection = SELECTION
    fails: dict[str, BaseException] = field(default_factory=dict)
    movies: int = 1
    on_timeline: list[tuple[Placed, Result]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    own_file: Path | None = None
    """The clip's own file, if it is given out in place of a render."""
    file_at_place: bool = False

    def _called(self, name: str) -> None:
        self.seen.append(name)
        if name in self.fails:
            raise self.fails[name]

    def select(self, track: int | None = None, clip: str | None = None) -> Selection:
        self._called("select")
        if clip not in (None, self.selection.name, self.selection.item_id):
            raise ResolveProblem("resolve-clip-unknown", f"There is no clip {clip}.", "Check its name.")
        return self.selection

    def export_range(self, selection: Selection, folder: Path, say: Say) -> Footage:
        self.folders.append(folder)
        self._called("export_range")
        if self.own_file is not None:
            return Footage(self.own_file, 3, selection.frames, direct=True)
        path = folder / "export of street.mov"
        path.write_bytes(b"pictures")
        (folder / "scratch").mkdir()
        return Footage(path, 0, selection.frames, direct=False)

    def export_mask(self, selection: Selection, source: MaskSource, folder: Path, say: Say) -> Region:
        self._called("export_mask")
        movies = []
        for number in range(self.movies):
            path = folder / f"white {number}.mov"
            path.write_bytes(b"white" * (number + 1))
            movies.append(Footage(path, 0, selection.frames, direct=False, in_alpha=number == 1))
        return Region("track", tuple(movies), (TRIANGLE,), ("One frame has no mark.",))

    def place(self, selection: Selection, result: Result, as_take: bool = False) -> Placed:
        self.file_at_place = result.path.is_file()
        self._called("place")
        placed = Placed(
            timeline_id=selection.timeline_id,
            item_id=f"placed-{self.seen.count('place')}",
            track=selection.track + 1,
            start=selection.start,
            end=selection.end,
            made_track=not self.on_timeline,
            media_id="media-1",
            marker="flowanchor:{}",
            take=1 if as_take else 0,
        )
        self.on_timeline.append((placed, result))
        return placed

    def undo(self, placed: Placed) -> None:
        self._called("undo")
        self.on_timeline = [pair for pair in self.on_timeline if pair[0] != placed]

    def placed(self) -> Sequence[tuple[Placed, Result]]:
        return list(self.on_timeline)

    def taken_off(self, placed: Placed) -> bool:
        there = {one.item_id for one, _ in self.on_timeline}
        return placed.timeline_id == self.selection.timeline_id and placed.item_id not in there


@dataclass
class FakeEditing:
    """Copies the footage as the result."""

    out: Path
    fails: BaseException | None = None
    refuses: BaseException | None = None
    detach: bool = False
    tasks: list[Task] = field(default_factory=list)
    discarded: list[Result] = field(default_factory=list)

    def check(self, selection: Selection) -> None:
        if self.refuses is not None:
            raise self.refuses

    def edit(self, task: Task) -> Result | None:
        assert task.footage.path.is_file()
        assert task.folder.is_dir()
        self.tasks.append(task)
        if self.fails is not None:
            raise self.fails
        if self.detach:
            return None
        shutil.copyfile(task.footage.path, self.out)
        return result_of(self.out, task.selection.frames)

    def discard(self, result: Result) -> None:
        self.discarded.append(result)
        result.path.unlink()


def result_of(path: Path, frames: int = SELECTION.frames, job: str = "job-1", at: float = 1.0) -> Result:
    return Result(
        path=path,
        frames=frames,
        deliver="patch",
        job=job,
        seed=7,
        source_prompt="a red car",
        target_prompt="a green car",
        settings={"at": at, "options": {"seed": 7}},
    )


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


@pytest.fixture
def editing(tmp_path: Path) -> FakeEditing:
    return FakeEditing(tmp_path / "result.mov")


@pytest.fixture
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """The meeting folder, the results and the home folder of this test alone; gives them by name."""
    places = {"state": tmp_path / "state", "results": tmp_path / "results", "home": tmp_path / "home"}
    monkeypatch.setenv("FLOWANCHOR_STATE", str(places["state"]))
    monkeypatch.setenv("FLOWANCHOR_RESULTS", str(places["results"]))
    monkeypatch.setenv("HOME", str(places["home"]))
    monkeypatch.setenv("XDG_DATA_HOME", str(places["home"] / "data"))
    places["home"].mkdir()
    return lambda name: places[name] / "resolve" if name == "state" else places[name]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files is this test's alone."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def narrowed(selection: Selection, **changes: object) -> Selection:
    return replace(selection, **changes)  # type: ignore[arg-type]
