# SPDX-License-Identifier: Apache-2.0
"""Edit decision lists (CMX 3600): one video track, timecode alone.

A list states neither its rate nor where the timeline starts. The rate comes from the user or from the
footage; the start is taken to be the full hour at or before the earliest event. Files are named in comments,
often without their folder: then a file of that name beside the list counts.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path

from flowanchor_interchange import paths
from flowanchor_interchange.model import Clip, Media, Span, Timeline, Track, Transition
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers import common
from flowanchor_interchange.timecode import Timecode, can_drop

_TIME = r"(\d{1,3}:\d{2}:\d{2}[:;.,]\d{2,3})"
_EVENT = re.compile(
    rf"(\d+)\s+(\S.*?)\s+(\S+)\s+([CDWK]\S*)(?:\s+(\d+))?\s+{_TIME}\s+{_TIME}\s+{_TIME}\s+{_TIME}\s*"
)
_SPEED = re.compile(rf"M2\s+(\S.*?)\s+([-+]?\d+(?:\.\d+)?)(?:\s+{_TIME})?\s*")
MAX_BYTES = 8 << 20
"""Some 70 000 events. Lists have 999 by the format's own count, and a few thousand where programs go on."""
_FILES = ("SOURCE FILE", "{0} FILE", "SOURCE FILE PATH", "MEDIA FILE", "{0} CLIP")
"""Comments that name the file of a side of an event, "FROM" or "TO", in the order in which they count."""


@dataclass
class _Event:
    line: re.Match[str]
    drop: bool | None
    notes: dict[str, str] = field(default_factory=dict)
    speed: Fraction | None = None

    def frame(self, group: int, rate: Fraction) -> Timecode:
        """One of the event's four times, counted as the list says, else as its last separator does."""
        return Timecode.parse(self.line[group], rate, self.drop if can_drop(rate) else None)

    @property
    def side(self) -> str:
        """What comments call the clip that an event brings: of a transition the one it leads to."""
        return "FROM" if self.line[4] == "C" else "TO"

    def note(self, name: str, value: str) -> None:
        """Take a comment. Files named before the clip that a transition leads to are of the one it leaves."""
        if name == "TO CLIP NAME":
            for earlier in _FILES:
                self.notes.pop(earlier, None)
        self.notes[name] = value

    @property
    def has_picture(self) -> bool:
        return "V" in self.line[3].upper() or self.line[3].upper() == "B"


def is_list(text: str) -> bool:
    """Whether a text holds an event of such a list."""
    return any(_EVENT.fullmatch(line.strip()) for line in text.splitlines()[:2000])


def names_of_files(data: bytes, folder: Path) -> list[Path]:
    """Files of the list that exist, to ask them for the rate it does not state."""
    found = [_path(event, folder) for event in _events(_text(data)) if event.has_picture]
    return list(dict.fromkeys(path for _, path in found if path is not None and path.exists()))


def read(data: bytes, folder: Path, choices: common.Choices) -> Timeline:
    """The timeline of a list at the rate that `choices` say.

    Raises:
        TimelineProblem: it cannot be read, or nobody says its rate.
    """
    if choices.rate is None:
        raise common.rate_unknown("An EDL")
    text, rate = _text(data), choices.rate
    listed = _events(text)
    events = [event for event in listed if event.has_picture]
    if not events:
        raise common.unreadable("it has no event with a picture")
    title = re.search(r"^\s*TITLE:[ \t]*(.*?)\s*$", text, re.MULTILINE)
    first = events[0].frame(8, rate)
    records = _in_one_day(
        [_past_midnight(*(event.frame(group, rate) for group in (8, 9))) for event in events],
        _day(rate, first.drop),
    )
    earliest = Timecode(min(begin for begin, _ in records), rate, first.drop)
    start = Timecode.parse(f"{str(earliest).partition(':')[0]}:00:00:00", rate, first.drop).frames
    clips, transitions, stated = [], [], []
    for event, (begin, end) in zip(events, records, strict=True):
        record = Span(begin - start, end - start)
        if event.line[4] not in ("C", "K") and event.line[5]:
            length = min(int(event.line[5]), record.duration)
            transitions.append(
                Transition(
                    "dissolve" if event.line[4] == "D" else "wipe", Span(record.start, record.start + length)
                )
            )
        if record.duration <= 0:
            continue  # the outgoing side of a transition
        clip = _clip(event, record, rate, folder)
        clips.append(clip)
        if clip.media is not None:
            stated.append(clip.media.stated)
    clips.sort(key=lambda clip: clip.record.start)
    for before, behind in itertools.pairwise(clips):
        if before.record.meets(behind.record):
            raise common.unreadable(f"'{before.name[:60]}' and '{behind.name[:60]}' lie over each other")
    return Timeline(
        name=title[1] if title else "",
        rate=rate,
        start=start,
        drop=first.drop,
        tracks=(Track(1, "V", tuple(clips), tuple(transitions)),),
        sound_tracks=int(len(events) < len(listed)),
    )


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise TimelineProblem(
            "timeline-too-large",
            f"The EDL has more than {MAX_BYTES >> 20} MB, which no editing program writes.",
            "Export only the part of the timeline with the clip.",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _events(text: str) -> list[_Event]:
    events: list[_Event] = []
    drop: bool | None = None
    for line in map(str.strip, text.splitlines()):
        if (found := re.fullmatch(r"FCM:\s*(NON[- ])?DROP.*", line, re.IGNORECASE)) is not None:
            drop = found[1] is None
        elif (event := _EVENT.fullmatch(line)) is not None:
            events.append(_Event(event, drop))
        elif events and (speed := _SPEED.fullmatch(line)) is not None:
            _meant(events, speed[1]).speed = Fraction(speed[2])
        elif events and line.startswith("*") and ":" in line:
            name, _, value = line[1:].partition(":")
            events[-1].note(" ".join(name.upper().split()), value.strip())
    return events


def _meant(events: list[_Event], reel: str) -> _Event:
    """The side of the last event, which has two in a transition, whose speed a line with a reel names."""
    last = events[-1]
    if len(events) > 1 and last.line[2] != reel:
        before = events[-2]
        if (before.line[1], before.line[2]) == (last.line[1], reel):
            return before
    return last


def _path(event: _Event, folder: Path) -> tuple[str, Path | None]:
    for name in _FILES:
        if stated := event.notes.get(name.format(event.side), ""):
            return stated, paths.local_path(stated, folder)
    stated = event.notes.get(f"{event.side} CLIP NAME", "") or event.notes.get("FROM CLIP NAME", "")
    stated = stated or event.line[2]
    return stated, paths.local_path(stated, folder)


def _clip(event: _Event, record: Span, rate: Fraction, folder: Path) -> Clip:
    begin, lengths = _source(event, rate)
    stated, path = _path(event, folder)
    name = event.notes.get(f"{event.side} CLIP NAME", "") or Path(stated).name
    obstacles = []
    if event.speed is not None and not _is_normal(event.speed, rate):
        obstacles.append(
            common.REVERSED if event.speed < 0 else common.FREEZE if not event.speed else common.SPEED
        )
    elif record.duration not in lengths:
        obstacles.append(common.SPEED)
    if event.line[2].upper() in ("BL", "BLACK"):
        return Clip("black", None, Span(0, record.duration), record, obstacles=(common.GENERATOR,))
    source = Span(begin, begin + record.duration)
    return Clip(name, Media(stated, path), source, record, obstacles=tuple(obstacles), label=event.line[6])


def _source(event: _Event, rate: Fraction) -> tuple[int, set[int]]:
    """The first source frame, and the lengths that the source may have: a list that counts drop-frame may
    name footage that does not, and the other way round."""
    readings, lengths = [], set()
    for drop in dict.fromkeys((event.drop, True, False)) if can_drop(rate) else (None,):
        try:
            begin, end = _past_midnight(*(Timecode.parse(event.line[group], rate, drop) for group in (6, 7)))
        except TimelineProblem as problem:
            wrong = problem
            continue
        readings.append(begin)
        lengths.add(end - begin)
    if not readings:
        raise wrong
    return readings[0], lengths


def _in_one_day(records: list[tuple[int, int]], day: int) -> list[tuple[int, int]]:
    """Events of a timeline that runs past midnight, where labels begin again, behind those before it.

    Lists may be in any order; what tells is that no timeline takes half a day.
    """
    latest = max(begin for begin, _ in records)
    return [(begin + day, end + day) if latest - begin > day // 2 else (begin, end) for begin, end in records]


def _past_midnight(begin: Timecode, end: Timecode) -> tuple[int, int]:
    """Frames of two times of which the second is the later one, if need be after midnight."""
    return begin.frames, end.frames + (_day(begin.rate, begin.drop) if end.frames < begin.frames else 0)


@cache
def _day(rate: Fraction, drop: bool) -> int:
    return Timecode.parse("24:00:00:00", rate, drop).frames


def _is_normal(speed: Fraction, rate: Fraction) -> bool:
    """Whether a speed in frames a second is the timeline's rate, which lists round."""
    return speed == round(rate) or abs(speed - rate) < Fraction(1, 100)
