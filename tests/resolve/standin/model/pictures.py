# SPDX-License-Identifier: Apache-2.0
"""What a timeline shows at a frame: its video tracks laid over each other, bottom to top.

Pictures are RGBA, 16 bits, not premultiplied. Sizes and positions are done by OpenCV, which is not how
Resolve does them; what is unchanged passes through untouched.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tests.resolve.standin.model.item_properties import DEFAULTS

if TYPE_CHECKING:
    from tests.resolve.standin.model.item import TimelineItem
    from tests.resolve.standin.model.timeline import Timeline

Picture = NDArray[np.float32]
"""[height, width, 4], values 0 to 1."""
_PLACED = ("Pan", "Tilt", "ZoomX", "ZoomY", "RotationAngle", "FlipX", "FlipY", "Opacity")
_FREE = ("ZoomGang", "RetimeProcess", "MotionEstimation", "Scaling", "ResizeFilter", "DynamicZoomEase")


class NotModelled(Exception):
    """The stand-in does not know what Resolve would show."""


class Reel:
    """The frames of a movie by number. Reading forward is cheap, going back starts anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._frames: Any = iter(())
        self._next, self._kept = 0, -1
        self._picture: Picture | None = None
        self._container: Any = None

    def at(self, number: int) -> Picture | None:
        """The picture of a frame, or None past the end."""
        if number == self._kept:
            return self._picture
        if number < self._next or self._container is None:
            self.close()
            self._container = av.open(str(self.path))
            self._frames, self._next = self._container.decode(video=0), 0
        for frame in self._frames:
            self._next += 1
            if self._next > number:
                self._kept, self._picture = number, _rgba(frame)
                return self._picture
        return None

    def close(self) -> None:
        if self._container is not None:
            self._container.close()
            self._container = None


def _rgba(frame: av.VideoFrame) -> Picture:
    """Untagged pictures count as Rec.709, as in an unmanaged Resolve project."""
    source = None if frame.colorspace in (1, 5, 6, 9) else "ITU709"
    whole = frame.reformat(format="rgba64le", src_colorspace=source).to_ndarray()
    return (whole / np.float32(65535)).astype(np.float32)


class Stage:
    """The pictures of one timeline at one size, as it was when the stage was set up."""

    def __init__(self, timeline: Timeline, size: tuple[int, int]) -> None:
        self.size = size
        self.tracks = [list(track.items) for track in timeline.tracks["video"] if track.enabled]
        self.reels: dict[Path, Reel] = {}
        self.canvas = (timeline.width, timeline.height)

    def at(self, record: int) -> Picture:
        """The composed picture of a record frame; black and transparent where there is nothing."""
        width, height = self.canvas
        below = np.zeros((height, width, 4), np.float32)
        for items in self.tracks:
            for item in items:
                if item.start <= record < item.end and item.enabled:
                    below = over(self._layer(item, record), below)
        return below if self.size == self.canvas else cv2.resize(below, self.size).astype(np.float32)

    def close(self) -> None:
        for reel in self.reels.values():
            reel.close()

    def _layer(self, item: TimelineItem, record: int) -> Picture:
        source = item.media.source if item.media else None
        if source is None:
            raise NotModelled(f"{item.name} has no file behind it")
        for name, value in item.properties.items():
            if value != DEFAULTS[name] and name not in (*_PLACED, *_FREE):
                raise NotModelled(f"the stand-in does not know {name}")
        reel = self.reels.setdefault(source.path, Reel(source.path))
        number = item.source_frame(record)
        found = reel.at(number)
        if found is None:
            raise ValueError(f"{source.path.name} has no frame {number}")
        picture = found.copy()
        look = item.look
        picture[..., :3] = np.clip(picture[..., :3] * look.gain, 0, 1)
        if look.alpha is not None:
            left, top, across, down = look.alpha
            kept = np.zeros(picture.shape[:2], np.float32)
            kept[top : top + down, left : left + across] = 1
            picture[..., 3] *= kept
        if any(comp.shows == "invert" for comp in item.comps):
            picture[..., :3] = 1 - picture[..., :3]
        picture = _placed(picture, item, self.canvas)
        picture[..., 3] *= item.properties["Opacity"] / 100
        return picture


def over(above: Picture, below: Picture) -> Picture:
    """One picture over another, neither premultiplied."""
    if above[..., 3].min() == 1:
        return above
    share = above[..., 3:]
    rest = below[..., 3:] * (1 - share)
    alpha = share + rest
    colour = (above[..., :3] * share + below[..., :3] * rest) / np.where(alpha == 0, 1, alpha)
    return np.concatenate([colour, alpha], axis=2).astype(np.float32)


def _placed(picture: Picture, item: TimelineItem, canvas: tuple[int, int]) -> Picture:
    """A source's picture on the timeline's canvas: fitted, then zoomed, flipped, turned and moved about the
    middle. Pan goes right, Tilt goes up."""
    width, height = canvas
    rows, columns = picture.shape[:2]
    fit = min(width / columns, height / rows)
    properties = item.properties
    across = fit * properties["ZoomX"] * (-1 if properties["FlipX"] else 1)
    down = fit * properties["ZoomY"] * (-1 if properties["FlipY"] else 1)
    turn = np.deg2rad(properties["RotationAngle"])
    if (
        (columns, rows) == canvas
        and (across, down, turn) == (1, 1, 0)
        and not (properties["Pan"] or properties["Tilt"])
    ):
        return picture
    scale = np.diag([across, down])
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    linear = rotation @ scale
    middle = np.array([(columns - 1) / 2, (rows - 1) / 2])
    target = np.array([(width - 1) / 2 + properties["Pan"], (height - 1) / 2 - properties["Tilt"]])
    matrix = np.column_stack([linear, target - linear @ middle])
    return cv2.warpAffine(picture, matrix, canvas, flags=cv2.INTER_LINEAR).astype(np.float32)
