# SPDX-License-Identifier: Apache-2.0
"""What the Deliver page holds: settings, format, codec, and what a preset brings along unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FORMATS = {"QuickTime": "mov", "MP4": "mp4", "TIFF": "tif", "Wave": "wav"}
CODECS = {
    "mov": {
        "Apple ProRes 422": "ProRes422",
        "Apple ProRes 422 HQ": "ProRes422HQ",
        "Apple ProRes 4444": "ProRes4444",
        "DNxHR HQX 10-bit": "DNxHRHQX_10",
        "H.264": "H264",
    },
    "mp4": {"H.264": "H264"},
    "tif": {"RGB 8 bits": "RGB8", "RGB 16 bits": "RGB16"},
    "wav": {},
}
"""Codecs by format, description to id; ids as measured (davinci-resolve-mcp, on 19.1.3 and 21.0.4), the list
is shorter than Resolve's. "wav" has none there either."""

SINGLE_CLIP = 1


@dataclass
class RenderState:
    """`unseen` is what only a preset can set and no call can read: `no_video` leaves the pictures out,
    whatever ExportVideo says."""

    settings: dict[str, Any] = field(default_factory=dict)
    format: str = "mov"
    codec: str = "H264"
    preset: str = "Custom"
    unseen: dict[str, Any] = field(default_factory=dict)

    def copied(self) -> RenderState:
        return RenderState(dict(self.settings), self.format, self.codec, self.preset, dict(self.unseen))

    def saved(self) -> dict[str, Any]:
        return {
            "settings": self.settings,
            "format": self.format,
            "codec": self.codec,
            "unseen": self.unseen,
        }

    @classmethod
    def loaded(cls, told: Mapping[str, Any]) -> RenderState:
        return cls(dict(told["settings"]), told["format"], told["codec"], "Custom", dict(told["unseen"]))


def stock_presets() -> dict[str, RenderState]:
    """Some that Resolve brings along."""
    return {
        "H.264 Master": RenderState({"ExportVideo": True, "ExportAudio": True}, "mov", "H264"),
        "ProRes 422 HQ": RenderState({"ExportVideo": True, "ExportAudio": True}, "mov", "ProRes422HQ"),
        "YouTube - 1080p": RenderState(
            {"ExportVideo": True, "ExportAudio": True, "FormatWidth": 1920, "FormatHeight": 1080},
            "mp4",
            "H264",
        ),
        "Audio Only": RenderState(
            {"ExportVideo": False, "ExportAudio": True, "SelectAllFrames": True},
            "mov",
            "H264",
            unseen={"no_video": True},
        ),
    }


class Deliver:
    """The Deliver page of one project: its state now, its presets."""

    def __init__(self) -> None:
        self.state = RenderState({"ExportVideo": True, "ExportAudio": True})
        self.presets = stock_presets()
        self.mode = SINGLE_CLIP
        self.stock = frozenset(self.presets)

    def load(self, name: str) -> bool:
        """Take a preset's settings in place of what the page holds. Target folder, file name and marks stay
        where the preset has none (assumed: the vendor's text does not say what a preset holds)."""
        preset = self.presets.get(name)
        if preset is None:
            return False
        kept: dict[str, Any] = {
            key: self.state.settings[key]
            for key in ("TargetDir", "MarkIn", "MarkOut", "CustomName")
            if key in self.state.settings
        }
        self.state = preset.copied()
        self.state.preset = name
        self.state.settings = {**kept, **self.state.settings}
        return True

    def save_as(self, name: str) -> bool:
        if name in self.presets:
            return False
        self.presets[name] = self.state.copied()
        self.state.preset = name
        return True
