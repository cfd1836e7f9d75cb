# SPDX-License-Identifier: Apache-2.0
"""What readers share: the choices a reader is given, exact frames, and words for what cannot be edited."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.timecode import exact_rate

T = TypeVar("T")

SPEED = "its speed is changed"
REVERSED = "it runs backwards"
FREEZE = "it is a still or a freeze frame"
NESTED = "it is a nested sequence or compound clip"
GENERATOR = "it is a title or generator without a file"
NO_FILE = "the timeline names no file for it"
OFF_FRAMES = "its times do not fall on whole frames"
MULTICAM = "it is a multicam clip"
PROXY = "it is shown by a proxy whose original the timeline does not name"


@dataclass(frozen=True)
class Choices:
    """What the user says about a file: `rate` of a timeline that states none, `name` of the timeline in a
    file that holds several."""

    rate: Fraction | None = None
    name: str | None = None


def whole(frames: Fraction | float) -> int | None:
    """A count of frames as an integer; None if it is none. Floats may be off by a thousandth."""
    nearest = round(frames)
    return nearest if abs(Fraction(frames) - nearest) <= Fraction(1, 1000) else None


def size(width: str, height: str) -> tuple[int, int] | None:
    """Width and height in pixels as a file states them; None if it does not, or not sensibly."""
    if not (re.fullmatch(r"0*[1-9]\d{0,4}", width) and re.fullmatch(r"0*[1-9]\d{0,4}", height)):
        return None
    return int(width), int(height)


def rate_obstacles(media: Fraction | None, timeline: Fraction) -> tuple[str, ...]:
    """What keeps a clip from being edited whose file runs at another rate than the timeline.

    Each program has its own rule for which frames it then shows, so the frames to edit are not known.
    """
    if media is None or media == timeline:
        return ()
    return (f"its file runs at {shown(media)} frames a second, the timeline at {shown(timeline)}",)


def shown(rate: Fraction) -> str:
    """ "24" or "24000/1001"."""
    return str(rate)


def stated_rate(text: str) -> Fraction:
    """A rate a file states; TimelineProblem if it is none."""
    return exact_rate(text)


def unreadable(why: str) -> TimelineProblem:
    """What is said of a file that is not what it seems to be."""
    return TimelineProblem(
        "timeline-unreadable",
        f"The timeline cannot be read: {why}.",
        "Export it again from your editing program.",
    )


def rate_unknown(what: str) -> TimelineProblem:
    """What is said of a timeline that does not state its rate."""
    return TimelineProblem(
        "timeline-rate-unknown", f"{what} does not state its frame rate.", "Say it with --timeline-rate."
    )


def chosen(found: list[tuple[str, T]], name: str | None) -> T:
    """The only one of several timelines, or the one of a name.

    Raises:
        TimelineProblem: there is none, none of that name, or several to choose from.
    """
    if not found:
        raise unreadable("there is no sequence in it")
    named = [one for title, one in found if name is None or title == name]
    if len(named) == 1:
        return named[0]
    titles = ", ".join(f"'{title[:60]}'" for title, _ in found[:10])
    if name is not None and not named:
        raise TimelineProblem(
            "timeline-several", f"No sequence in the file is called '{name[:60]}'.", f"There is {titles}."
        )
    raise TimelineProblem(
        "timeline-several",
        f"The file holds {len(named)} sequences.",
        f"Choose one with --sequence: {titles}." if name is None else "Export the one alone.",
    )
