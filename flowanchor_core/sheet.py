# SPDX-License-Identifier: Apache-2.0
"""The contact sheet: some frames of an edit side by side, so that a person can judge it at a glance."""

from __future__ import annotations

import errno
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

ROWS = ("source", "matte", "result", "difference x4")
_DIMMED = 0.35  # how bright the source stays where the matte is 0
_WHITE = 0.6  # how much of it white covers where the matte is 1; what is marked shines through
_MOST_COLUMNS = 6
_TILE = 240  # longest side of a tile in pixels, roughly: tiny clips are enlarged by whole factors
_LEFT, _TOP, _GAP = 118, 46, 6
_BACKGROUND, _INK = 24, (225, 225, 225)

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Column:
    """One frame and its number: `source` and `result` uint8 [H, W, 3] RGB; `matte` float [H, W] in 0..1,
    how much of each pixel is the edit's, soft edge included."""

    frame: int
    source: Image
    matte: NDArray[np.float32]
    result: Image


def columns_for(frames: int) -> tuple[int, ...]:
    """Which of `frames` frames (from 0) a sheet shows: at most six, evenly spread, both ends included."""
    count = min(frames, _MOST_COLUMNS)
    if count <= 1:
        return (0,) * count
    return tuple(round(index * (frames - 1) / (count - 1)) for index in range(count))


def draw(columns: Sequence[Column], title: str) -> Image:
    """Sheet as uint8 [H, W, 3] RGB: a row each for source, matte, result and four times their difference."""
    height, width = _tile_size(columns[0].source)
    sheet = np.full(
        (_TOP + len(ROWS) * (height + _GAP), _LEFT + len(columns) * (width + _GAP), 3), _BACKGROUND, np.uint8
    )
    _write(sheet, title, (_GAP, 18))
    for row, label in enumerate(ROWS):
        _write(sheet, label, (_GAP, _TOP + row * (height + _GAP) + height // 2))
    for index, column in enumerate(columns):
        left = _LEFT + index * (width + _GAP)
        _write(sheet, f"frame {column.frame}", (left, 38))
        for row, tile in enumerate(_tiles(column)):
            top = _TOP + row * (height + _GAP)
            sheet[top : top + height, left : left + width] = _scaled(tile, height, width)
    return sheet


class SheetFile:
    """A sheet on its way to the disk, used in a `with` block.

    `write` puts it under a temporary name of its own; it gets its real one when the block is left without an
    exception, and nothing is left of it otherwise. A sheet is worth less than the edit it shows: where it
    cannot be written, `failure` says why in one sentence and the block goes on.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failure: str | None = None
        self._unfinished = path.with_name(f".flowanchor-{secrets.token_hex(6)}.partial.png")
        self._written = False

    def __enter__(self) -> Self:
        return self

    def write(self, columns: Sequence[Column], title: str) -> None:
        """Draw the sheet and write it as PNG."""
        _, data = cv2.imencode(".png", cv2.cvtColor(draw(columns, title), cv2.COLOR_RGB2BGR))
        with self._noting_failure():
            self._unfinished.write_bytes(data.tobytes())
            self._written = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self._written:
            with self._noting_failure():
                self._unfinished.replace(self.path)
        with self._noting_failure():
            self._unfinished.unlink(missing_ok=True)

    @contextmanager
    def _noting_failure(self) -> Iterator[None]:
        try:
            yield
        except OSError as failure:
            reason = "the disk is full" if failure.errno == errno.ENOSPC else failure.strerror
            self.failure = f"The contact sheet {self.path} could not be written: {reason}."


def _tiles(column: Column) -> tuple[Image, Image, Image, Image]:
    source, result = column.source.astype(np.float32), column.result.astype(np.float32)
    white = _WHITE * column.matte[..., None]
    marked = source * _DIMMED * (1 - white) + 255.0 * white
    difference = np.abs(result - source) * 4
    return column.source, _to_bytes(marked), column.result, _to_bytes(difference)


def _to_bytes(picture: NDArray[Any]) -> Image:
    return np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8)


def _tile_size(picture: Image) -> tuple[int, int]:
    height, width = picture.shape[:2]
    longest = max(height, width)
    if longest <= _TILE:
        factor = max(1, _TILE // longest)
        return height * factor, width * factor
    return max(1, round(height * _TILE / longest)), max(1, round(width * _TILE / longest))


def _scaled(tile: Image, height: int, width: int) -> Image:
    enlarged = height >= tile.shape[0]
    method = cv2.INTER_NEAREST if enlarged else cv2.INTER_AREA
    return np.asarray(cv2.resize(tile, (width, height), interpolation=method), np.uint8)


def _write(sheet: Image, text: str, at: tuple[int, int]) -> None:
    """Text in plain ASCII at (x, baseline y); other signs become '?', which is all this font knows."""
    plain = text.encode("ascii", "replace").decode("ascii")
    cv2.putText(sheet, plain, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, _INK, 1, cv2.LINE_AA)
