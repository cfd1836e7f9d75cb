# SPDX-License-Identifier: Apache-2.0
"""Clips in the media pool, each a real file that has been looked into, or a timeline."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from flowanchor_core.errors import InputError
from flowanchor_core.footage.planes import layout_of
from flowanchor_core.footage.probe import probe
from flowanchor_core.footage.timecode import Timecode, advance
from tests.resolve.standin.model.colours import Coloured
from tests.resolve.standin.model.markers import Marked
from tests.resolve.standin.model.marks import Ranged

if TYPE_CHECKING:
    from tests.resolve.standin.model.folder import Folder
    from tests.resolve.standin.model.timeline import Timeline
    from tests.resolve.standin.world import World

STILL_SECONDS = 5
STILL_SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".exr", ".dpx"}
_CONTAINERS = {".mov": "QuickTime", ".mp4": "MP4", ".mkv": "MKV", ".avi": "AVI", ".wav": "Wave"}


@dataclass(frozen=True)
class Source:
    """What a file holds. Frames of stills are counted as if they lasted some seconds."""

    path: Path
    kind: str
    rate: Fraction
    frames: int
    width: int
    height: int
    alpha: bool
    audio: bool
    start_timecode: str | None

    @property
    def still(self) -> bool:
        return self.kind == "Still"


def look_into(path: Path, rate: Fraction) -> Source | None:
    """What a file holds, or None if it is no media; a still gets the project's `rate`."""
    try:
        if path.suffix.lower() in STILL_SUFFIXES:
            info = probe(path, rate)
            return Source(
                path, "Still", rate, 1, info.width, info.height, layout_of(info.pix_fmt).alpha, False, None
            )
        info = probe(path)
    except InputError:
        return _sound(path, rate)
    return Source(
        path,
        "Video + Audio" if info.audio else "Video",
        info.rate,
        info.frames,
        info.width,
        info.height,
        info.layout.alpha,
        info.audio,
        info.start_timecode,
    )


def _sound(path: Path, rate: Fraction) -> Source | None:
    """A file that has sound alone takes the rate the project has when it is imported."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio or container.duration is None:
                return None
            seconds = Fraction(container.duration, av.time_base)
    except (av.FFmpegError, OSError):
        return None
    return Source(path, "Audio", rate, int(seconds * rate), 0, 0, False, True, None)


class MediaPoolItem(Marked, Ranged, Coloured):
    contract_name = "MediaPoolItem"

    def __init__(
        self, world: World, folder: Folder, source: Source | None, timeline: Timeline | None = None
    ) -> None:
        super().__init__(world)
        self.folder, self.source, self.timeline = folder, source, timeline
        self.name = source.path.name if source else ""
        self.mattes: list[str] = []
        self.metadata: dict[str, str] = {}
        self.third_party: dict[str, str] = {}
        self.properties: dict[str, str] = {}
        self.media_id = self.uid[::-1]
        folder.clips.append(self)

    def marker_frames(self) -> int | None:
        return self.source.frames if self.source else None

    def GetName(self) -> str:
        return self.timeline.name if self.timeline else self.name

    def SetName(self, name: str) -> bool:
        if not self.named_well(name):
            return False
        if self.timeline:
            return self.timeline.SetName(name)
        self.name = name
        return True

    def GetTimeline(self) -> Timeline | None:
        return self.timeline

    def GetUniqueId(self) -> str:
        return self.uid

    def GetMediaId(self) -> str:
        return self.media_id

    def GetMetadata(self, key: str | None = None) -> str | dict[str, str]:
        return self.metadata.get(key, "") if key else dict(self.metadata)

    def SetMetadata(self, key: str | dict[str, str], value: str = "") -> bool:
        self.metadata.update(key if isinstance(key, dict) else {key: value})
        return True

    def GetThirdPartyMetadata(self, key: str | None = None) -> str | dict[str, str]:
        return self.third_party.get(key, "") if key else dict(self.third_party)

    def SetThirdPartyMetadata(self, key: str | dict[str, str], value: str = "") -> bool:
        self.third_party.update(key if isinstance(key, dict) else {key: value})
        return True

    def GetClipProperty(self, key: str | None = None) -> Any:
        told = self._properties()
        return told.get(key, "") if key else told

    def SetClipProperty(self, key: str, value: Any) -> bool:
        if key not in ("Alpha mode", "PAR", "Data Level", "Comments", "Description", "Keyword"):
            return False
        self.properties[key] = str(value)
        return True

    def ReplaceClip(self, path: str) -> bool:
        source = look_into(Path(path), self.world.rate)
        if source is None:
            return False
        self.source, self.name = source, source.path.name
        return True

    def _properties(self) -> dict[str, Any]:
        """As Resolve lists them: texts, but for "FPS"."""
        lower = self.world.manner.traps.lower_case_types
        if self.timeline is not None:
            return {
                "Clip Name": self.timeline.name,
                "Type": "timeline" if lower else "Timeline",
                "FPS": rounded(self.timeline.rate),
                "Resolution": f"{self.timeline.width}x{self.timeline.height}",
                "Start TC": self.timeline.GetStartTimecode(),
                "File Path": "",
            }
        source = self.source
        assert source is not None
        start = source.start_timecode or "00:00:00:00"
        label = Timecode.parse(start, source.rate)
        return {
            "Clip Name": self.name,
            "File Name": source.path.name,
            "File Path": str(source.path),
            "Type": source.kind.lower() if lower else source.kind,
            "Format": _CONTAINERS.get(source.path.suffix.lower(), source.path.suffix[1:].upper()),
            "FPS": rounded(source.rate),
            "Frames": str(source.frames),
            "Start": "0",
            "End": str(source.frames - 1),
            "Start TC": start,
            "End TC": advance(start, source.rate, source.frames) or start,
            "Duration": str(Timecode(source.frames, round(source.rate), False)),
            "Drop frame": str(int(bool(label and label.drop))),
            "Resolution": f"{source.width}x{source.height}" if source.width else "",
            "Alpha mode": "Straight" if source.alpha else "None",
            "Audio Ch": "2" if source.audio else "0",
            "PAR": "Square",
            "Data Level": "Auto",
            "Comments": "",
            "Description": "",
            "Keyword": "",
            **self.properties,
        }


def rounded(rate: Fraction) -> float:
    """A rate as Resolve writes it: 23.976, 29.97, 24.0."""
    return round(float(rate), 3)
