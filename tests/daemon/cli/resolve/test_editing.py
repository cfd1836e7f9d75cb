# SPDX-License-Identifier: Apache-2.0
"""From a task of Resolve's to a request: names, regions, and what a job keeps for its placing."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from flowanchor_daemon.cli.edit_options import EditOptions
from flowanchor_daemon.cli.progress import Lines
from flowanchor_daemon.cli.resolve.editing import FORMATS, DaemonEditing, mask_of, result_path, with_outlines
from flowanchor_resolve.host import Footage, Polygon, Region

from flowanchor_core.errors import InputError
from flowanchor_core.footage import open_mask, probe
from flowanchor_core.request import DeliverySettings, EditRequest
from tests.resolve.surfaces.conftest import SELECTION, TRIANGLE, narrowed, result_of


def movie(path: Path, pictures: list[Any], pix_fmt: str = "bgr0", codec: str = "ffv1") -> Path:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=Fraction(24))
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pix_fmt
        for picture in pictures:
            kind = "rgba" if picture.ndim == 3 else "gray"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format=kind)))
        container.mux(stream.encode())
    return path


def square(number: int) -> Any:
    """White from the column `number` on."""
    picture = np.zeros((32, 48), np.uint8)
    picture[8:20, number : number + 9] = 255
    return picture


def read(path: Path, clip: Path, frames: int) -> list[int]:
    """The first marked column of each frame."""
    track = open_mask(path, probe(clip), 0, frames - 1)
    return [int(np.flatnonzero(track[number].any(axis=0))[0]) for number in range(frames)]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return movie(tmp_path / "clip.mkv", [square(0)] * 5)


def test_a_mask_as_long_as_the_clip_is_taken_as_it_is(tmp_path: Path, clip: Path) -> None:
    path = movie(tmp_path / "mask.mkv", [square(n) for n in range(5)])
    assert mask_of(Footage(path, 0, 5, direct=False), 5, tmp_path) == path


def test_a_still_is_taken_as_it_is(tmp_path: Path, clip: Path) -> None:
    path = movie(tmp_path / "mask.mkv", [square(7)])
    assert mask_of(Footage(path, 0, 1, direct=True), 5, tmp_path) == path
    assert read(path, clip, 5) == [7] * 5


def test_a_longer_one_is_cut(tmp_path: Path, clip: Path) -> None:
    path = movie(tmp_path / "mask.mkv", [square(n) for n in range(9)])
    found = mask_of(Footage(path, 3, 5, direct=True), 5, tmp_path)
    assert found.parent == tmp_path
    assert read(found, clip, 5) == [3, 4, 5, 6, 7]


def test_one_frame_of_a_longer_one_is_a_still(tmp_path: Path, clip: Path) -> None:
    path = movie(tmp_path / "mask.mkv", [square(n) for n in range(9)])
    found = mask_of(Footage(path, 6, 1, direct=True), 5, tmp_path)
    assert read(found, clip, 5) == [6] * 5


def test_where_the_alpha_counts_brightness_does_not(tmp_path: Path, clip: Path) -> None:
    pictures = [np.dstack([square(20)] * 3 + [square(n)]) for n in range(5)]
    path = movie(tmp_path / "mask.mov", pictures, "yuva444p10le", "prores_ks")
    found = mask_of(Footage(path, 0, 5, direct=False, in_alpha=True), 5, tmp_path)
    assert read(found, clip, 5) == [0, 1, 2, 3, 4]


def request(**changes: Any) -> EditRequest:
    delivery = DeliverySettings(Path("out.mov"), "patch", "prores4444")
    return EditRequest(Path("clip.mov"), delivery, "a", "b", **changes)


def test_outlines_become_geometry() -> None:
    found = with_outlines(request(), Region("fusion", (), (TRIANGLE, TRIANGLE)))
    assert [shape.keyframes[0].points for shape in found.geometry] == [TRIANGLE.keyframes[0][1]] * 2  # type: ignore[union-attr]
    assert not found.region.invert


def test_a_single_inverted_outline_inverts_the_region() -> None:
    found = with_outlines(request(), Region("fusion", (), (Polygon(TRIANGLE.keyframes, invert=True),)))
    assert found.region.invert


@pytest.mark.parametrize("more", [{"masks": (Path("m.png"),)}, {}])
def test_an_inverted_outline_among_others_is_refused(more: dict[str, Any]) -> None:
    shapes = (Polygon(TRIANGLE.keyframes, invert=True), *(() if more else (TRIANGLE,)))
    with pytest.raises(InputError) as caught:
        with_outlines(request(**more), Region("fusion", (), shapes))
    assert caught.value.code == "outline-inverted"


# Where results go.


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLOWANCHOR_RESULTS", str(tmp_path / "videos" / "FlowAnchor"))
    return tmp_path / "videos" / "FlowAnchor"


def test_a_result_is_named_by_timeline_and_clip(results: Path) -> None:
    made: list[Path] = []
    odd = narrowed(SELECTION, timeline="Reel 1/2: end?", name="../../etc/street*.mov")
    found = result_path(odd, "patch", made)
    assert found.parent.parent == results
    assert found.parent.is_dir()
    assert found.name == "street--patch.mov"
    assert made == [found.parent, results, results.parent]


def editing(**changes: Any) -> DaemonEditing:
    options = EditOptions(source="", target="")
    return DaemonEditing(None, options, (), Lines(), **changes)  # type: ignore[arg-type]


def test_a_discarded_result_takes_its_folders_along(results: Path) -> None:
    one = editing()
    path = result_path(SELECTION, "patch", one._made)
    path.touch()
    one.discard(result_of(path))
    assert not results.parent.exists()


def test_a_folder_of_results_that_cannot_be_made_is_told_before_anything_is_exported(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editing().check(SELECTION)
    assert not results.exists()
    (tmp_path / "file").touch()
    monkeypatch.setenv("FLOWANCHOR_RESULTS", str(tmp_path / "file" / "results"))
    with pytest.raises(InputError) as caught:
        editing().check(SELECTION)
    assert caught.value.code == "output-folder-missing"


def test_a_result_that_the_user_has_named_stays(tmp_path: Path) -> None:
    path = tmp_path / "mine.mov"
    path.touch()
    editing(out=path).discard(result_of(path))
    assert path.exists()


@pytest.mark.parametrize("name", ["x.mp4", "x", "x.%04d.png"])
def test_an_output_that_resolve_could_not_place(name: str) -> None:
    with pytest.raises(InputError) as caught:
        editing(out=Path(name)).check(SELECTION)
    assert caught.value.code == "output-name"


def test_a_file_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    """It may be the result of an earlier edit, which must not change on its timeline."""
    there = tmp_path / "shot.mov"
    there.write_bytes(b"an earlier result")
    with pytest.raises(InputError) as caught:
        editing(out=there).check(SELECTION)
    assert caught.value.code == "output-exists"
    there.unlink()
    there.symlink_to(tmp_path / "nowhere.mov")
    with pytest.raises(InputError):
        editing(out=there).check(SELECTION)
    editing(out=tmp_path / "other.mov").check(SELECTION)


def test_the_marker_says_how_it_was_made() -> None:
    one = editing(mask="track")
    one.check(SELECTION)
    found = one.settings(SELECTION)
    assert found["options"] == {"source": "a red car", "target": "a green car"}
    assert (found["mask"], found["item"], found["track"], found["deliver"]) == ("track", "item-7", 2, "patch")
    assert json.dumps(found)


def test_formats_are_those_that_resolve_places() -> None:
    assert FORMATS == {"patch": "prores4444", "full": "prores"}
