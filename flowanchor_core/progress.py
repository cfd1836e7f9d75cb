# SPDX-License-Identifier: Apache-2.0
"""What a running edit reports: a stream of small events, the last of which is `Done`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # events are also read by programs that must start without torch
    from flowanchor_core.checkpoint import Checkpoint
    from flowanchor_core.editors import Step

PHASES = ("read", "encode", "edit", "decode", "deliver", "verify")


@dataclass(frozen=True)
class PhaseStarted:
    """A phase begins; `total` is its number of steps (prompts, frames, latent frames or sampling steps)."""

    phase: str
    total: int


@dataclass(frozen=True)
class Progress:
    """`step` of `total` steps of a phase are done; `seconds_left` is None until there is something to go by.

    In the edit phase `sampled` is the sampling step just done, whose `z` makes a preview, and `checkpoint` is
    where the edit can be resumed.
    """

    phase: str
    step: int
    total: int
    seconds_left: float | None
    sampled: Step | None = None
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True)
class Notice:
    """Something the user should know about this edit that is not a failure."""

    code: str
    text: str


@dataclass(frozen=True)
class EditResult:
    """What was made and how. `rate` is exact; `seconds` by phase; sizes and the crop in native pixels."""

    job: str
    editor: str
    model: str
    preset: str
    seed: int
    frames: int
    rate: Fraction
    start_timecode: str | None
    output: Path
    deliver: str
    format: str
    max_abs_diff_outside: int
    forwards: int
    seconds: Mapping[str, float]
    settings: Mapping[str, Any]
    sampling: Mapping[str, Any]
    crop: tuple[int, int, int, int]
    model_size: tuple[int, int]
    windows: int
    target_words: tuple[str, ...]
    audio: bool
    sheet: Path | None
    notices: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values for `--json`; the rate as "24/1"."""
        plain = asdict(self)
        plain["rate"] = f"{self.rate.numerator}/{self.rate.denominator}"
        plain["output"] = str(self.output)
        plain["sheet"] = None if self.sheet is None else str(self.sheet)
        plain["seconds"] = {phase: round(value, 3) for phase, value in self.seconds.items()}
        return plain


@dataclass(frozen=True)
class Done:
    """The edit has been written and checked."""

    result: EditResult


Event = PhaseStarted | Progress | Notice | Done


class Stopwatch:
    """Seconds by phase, and the time a phase still needs at its pace so far."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._phase: str | None = None
        self._since = 0.0
        self._total = 0
        self.seconds: dict[str, float] = {}

    def start(self, phase: str, total: int) -> PhaseStarted:
        """End the running phase, if any, and begin `phase` of `total` steps."""
        self.stop()
        self._phase, self._since, self._total = phase, self._clock(), total
        return PhaseStarted(phase, total)

    def stop(self) -> None:
        if self._phase is not None:
            self.seconds[self._phase] = self.seconds.get(self._phase, 0.0) + self._clock() - self._since
        self._phase = None

    def progress(
        self, step: int, sampled: Step | None = None, checkpoint: Checkpoint | None = None
    ) -> Progress:
        """Event for `step` steps done in the running phase."""
        if self._phase is None:
            raise RuntimeError("no phase is running")
        spent = self._clock() - self._since
        left = spent / step * (self._total - step) if step else None
        return Progress(self._phase, step, self._total, left, sampled, checkpoint)
