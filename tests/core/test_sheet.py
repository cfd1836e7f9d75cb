# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
from pathlib import Path

import cv2
import numpy as np
import pytest

from flowanchor_core import sheet


def column(frame: int, size: tuple[int, int] = (64, 64)) -> sheet.Column:
    """Left half marked and changed from dark to bright; beside it a soft edge where nothing changed."""
    height, width = size
    source = np.full((height, width, 3), 40, np.uint8)
    result = source.copy()
    result[:, : width // 2] = 60
    matte = np.zeros((height, width), np.float32)
    matte[:, : width // 2] = 1
    matte[:, width // 2 : width * 5 // 8] = 0.5
    return sheet.Column(frame, source, matte, result)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [(0, ()), (1, (0,)), (2, (0, 1)), (6, (0, 1, 2, 3, 4, 5)), (17, (0, 3, 6, 10, 13, 16))],
)
def test_shown_frames_are_spread_over_the_clip(frames: int, expected: tuple[int, ...]) -> None:
    assert sheet.columns_for(frames) == expected


def test_rows_show_source_matte_result_and_enlarged_difference() -> None:
    picture = sheet.draw([column(0), column(16)], "title")
    tile = 64 * 3  # a 64-pixel clip is enlarged three times
    tops = [46 + row * (tile + 6) for row in range(4)]
    inside = [tuple(picture[top + tile // 2, 118 + tile // 4]) for top in tops]
    outside = [tuple(picture[top + tile // 2, 118 + tile * 3 // 4]) for top in tops]
    edge = [tuple(picture[top + tile // 2, 118 + tile * 9 // 16]) for top in tops]
    assert inside == [(40, 40, 40), (159, 159, 159), (60, 60, 60), (80, 80, 80)]
    assert edge == [(40, 40, 40), (86, 86, 86), (40, 40, 40), (0, 0, 0)]
    assert outside == [(40, 40, 40), (14, 14, 14), (40, 40, 40), (0, 0, 0)]


def test_large_frames_are_made_small() -> None:
    picture = sheet.draw([column(0, (1080, 1920))], "title")
    assert picture.shape[0] < 800


def test_save_writes_what_was_drawn_and_nothing_else(tmp_path: Path) -> None:
    columns = [column(3)]
    with sheet.SheetFile(tmp_path / "sheet.png") as file:
        file.write(columns, "a clip")
        assert not (tmp_path / "sheet.png").exists()
    assert file.failure is None
    read = cv2.imread(str(tmp_path / "sheet.png"))
    assert read is not None
    assert np.array_equal(read[..., ::-1], sheet.draw(columns, "a clip"))
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with sheet.SheetFile(tmp_path / "sheet.png") as file:
        file.write([column(0)], "a clip")
    assert file.failure is not None
    assert "the disk is full" in file.failure
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("reason", [KeyboardInterrupt, GeneratorExit, RuntimeError])
def test_a_sheet_whose_edit_fails_leaves_nothing(tmp_path: Path, reason: type[BaseException]) -> None:
    def halfway() -> None:
        with sheet.SheetFile(tmp_path / "sheet.png") as file:
            file.write([column(0)], "a clip")
            assert len(list(tmp_path.iterdir())) == 1
            raise reason

    with pytest.raises(reason):
        halfway()
    assert list(tmp_path.iterdir()) == []


def test_signs_the_font_lacks_do_no_harm(tmp_path: Path) -> None:
    assert sheet.draw([column(0)], "ein grüner Würfel → 球").dtype == np.uint8
