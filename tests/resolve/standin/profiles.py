# SPDX-License-Identifier: Apache-2.0
"""How a Resolve behaves: which edition and version it is, what it forgives, which of its traps are set."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Literal

from tests.resolve.standin.errata import Version, version

Edition = Literal["free", "studio"]
Place = Literal["external", "in-app"]
Profile = Literal["strict", "lenient", "hostile"]

BUILDS = {
    "18.6": "18.6.6.7",
    "19.0": "19.0.3.4",
    "19.1": "19.1.3.7",
    "20": "20.3.2.9",
    "21.0.4": "21.0.4.5",
    "21.1": "21.1.0.14",
}
"""The build that stands for a version asked for by its short name."""


@dataclass(frozen=True)
class Overlay:
    """Which Resolve: its version and edition, and where the script runs."""

    version: str
    edition: Edition
    where: Place

    def __post_init__(self) -> None:
        if self.version not in BUILDS and self.version.count(".") != 3:
            raise ValueError(f"{self.version} is none of {', '.join(BUILDS)}, nor a full build number")

    @property
    def build(self) -> str:
        return BUILDS.get(self.version, self.version)

    @property
    def number(self) -> Version:
        return version(self.build)

    @property
    def studio(self) -> bool:
        return self.edition == "studio"

    @property
    def product(self) -> str:
        return "DaVinci Resolve Studio" if self.studio else "DaVinci Resolve"

    @property
    def scripts_run(self) -> bool:
        """Whether Python scripts may run there at all: from outside in Studio only; inside the free edition
        until 21.0.x (from 21.1 on it runs sandboxed Lua)."""
        if self.studio:
            return True
        return self.where == "in-app" and self.number < (21, 1)


@dataclass(frozen=True)
class Traps:
    """What Resolve does behind a caller's back. All but the last group are the rows of the table of traps in
    our list of facts; a hostile Resolve has all of these. The last group are reports beyond that table, off
    unless asked for."""

    inclusive_end: bool = False
    """Off: `endFrame` of a clipInfo is exclusive. (The trap is what a caller believes, so that hostile and
    honest Resolves agree; on, a Resolve of 18 as reported, one frame longer.)"""
    drops_occupied: bool = False
    """Append on an occupied span or a locked track drops or shifts the clip and answers as if it had not."""
    preset_underlay: bool = False
    """SetRenderSettings lies on top of the loaded preset, whose hidden state survives."""
    storage_only: bool = False
    """From 21.0 on a TargetDir outside Media Storage opens a dialog."""
    still_modal: bool = False
    """A still appended with start and end opens a dialog."""
    rate_floor: bool = False
    """A source of another rate than the timeline's ends one frame early."""
    edit_page_only: bool = False
    """DeleteClips of a timeline works on the Edit page only."""
    current_bin: bool = True
    """ImportMedia lands in the current bin (it always does: there is no other place to name)."""
    saver_modal: bool = False
    """comp.Render() opens a dialog from 21.1 on."""
    upsell_modal: bool = False
    """A Studio-only call on the free edition opens a dialog."""
    refused_names: bool = False
    """Names with / \\ : * ? " < > | are refused without a word from 21.1 on."""
    stale_objects: bool = False
    """Objects of a timeline that is no longer the current one answer None."""
    modal_blocks: bool = True
    """While a dialog is open every other call fails."""
    unknown_is_none: bool = False
    """An unknown attribute is None instead of a callable that answers None."""
    # reports beyond the table
    translated_status: bool = False
    """JobStatus is written in the language of Resolve's windows."""
    shifts_occupied: bool = False
    """With `drops_occupied`: the clip is moved to the next free place instead of dropped."""
    null_items: bool = False
    """A dropped append answers with an item that has no id."""
    flaky_delete: bool = False
    """The first DeleteClips of a session fails."""
    source_frames_off: bool = False
    """GetSourceStartFrame answers one frame too many, as reported of some items; GetLeftOffset does not."""
    lower_case_types: bool = False
    """The clip property "Type" is written in lower case, as from 21.1 on."""


_BEYOND = {
    "inclusive_end",
    "shifts_occupied",
    "translated_status",
    "null_items",
    "flaky_delete",
    "lower_case_types",
    "source_frames_off",
}
HONEST = Traps()
HOSTILE = replace(HONEST, **{one.name: True for one in fields(Traps) if one.name not in _BEYOND})

FORBIDDEN = frozenset('/\\:*?"<>|')
"""Characters that 21.1 refuses in names."""


@dataclass(frozen=True)
class Manner:
    """How calls are taken: the profile's name, its traps, and whether a broken contract raises."""

    profile: Profile
    traps: Traps = field(default_factory=Traps)

    @property
    def strict(self) -> bool:
        return self.profile == "strict"

    @classmethod
    def of(cls, profile: Profile, traps: Traps | None = None) -> Manner:
        return cls(profile, traps or (HOSTILE if profile == "hostile" else HONEST))
