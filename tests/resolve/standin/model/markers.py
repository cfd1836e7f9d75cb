# SPDX-License-Identifier: Apache-2.0
"""Markers of a timeline, a timeline item or a clip in the pool, counted from its first frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.resolve.standin.model.thing import Thing

if TYPE_CHECKING:
    from tests.resolve.standin.world import World


@dataclass
class Marker:
    color: str
    name: str
    note: str
    duration: float
    custom: str

    def told(self, whole: bool) -> dict[str, Any]:
        return {
            "color": self.color,
            "duration": int(self.duration) if whole else float(self.duration),
            "note": self.note,
            "name": self.name,
            "customData": self.custom,
        }


class Marked(Thing):
    """Something with markers. Frames are floats up to 21.0 (`{96.0: ...}`), whole numbers from 21.1 on."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.markers: dict[int, Marker] = {}

    def marker_frames(self) -> int | None:
        """How many frames there are to mark, or None if it does not matter."""
        return None

    def AddMarker(
        self, frame: float, color: str, name: str, note: str, duration: float, custom: str | None = None
    ) -> bool:
        frames = self.marker_frames()
        if (
            frame < 0
            or duration < 1
            or int(frame) in self.markers
            or (frames is not None and frame >= frames)
        ):
            return False
        self.markers[int(frame)] = Marker(color, name, note, duration, custom or "")
        return True

    def GetMarkers(self) -> dict[float, dict[str, Any]]:
        whole = self.world.overlay.number >= (21, 1)
        return {
            (frame if whole else float(frame)): marker.told(whole)
            for frame, marker in sorted(self.markers.items())
        }

    def GetMarkerByCustomData(self, custom: str) -> dict[float, dict[str, Any]]:
        frame = self._with_custom(custom)
        return {
            one: told for one, told in self.GetMarkers().items() if frame is not None and int(one) == frame
        }

    def UpdateMarkerCustomData(self, frame: float, custom: str) -> bool:
        if int(frame) not in self.markers:
            return False
        self.markers[int(frame)].custom = custom
        return True

    def GetMarkerCustomData(self, frame: float) -> str:
        marker = self.markers.get(int(frame))
        return marker.custom if marker else ""

    def DeleteMarkersByColor(self, color: str) -> bool:
        before = len(self.markers)
        self.markers = {frame: one for frame, one in self.markers.items() if color not in ("All", one.color)}
        return len(self.markers) < before

    def DeleteMarkerAtFrame(self, frame: float) -> bool:
        return self.markers.pop(int(frame), None) is not None

    def DeleteMarkerByCustomData(self, custom: str) -> bool:
        frame = self._with_custom(custom)
        return frame is not None and self.DeleteMarkerAtFrame(frame)

    def _with_custom(self, custom: str) -> int | None:
        return next((frame for frame, one in sorted(self.markers.items()) if one.custom == custom), None)
