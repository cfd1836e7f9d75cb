# SPDX-License-Identifier: Apache-2.0
"""Resolve, as the commands reach it: failures told as all others are, movies looked into by the core."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from flowanchor_resolve import connect
from flowanchor_resolve.host import Host, Probed, Say
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.record import Recorder

from flowanchor_core.errors import FlowAnchorError, InputError

if TYPE_CHECKING:
    from flowanchor_core.footage import ClipInfo

RECORDER: ContextVar[Recorder | None] = ContextVar("resolve_recorder", default=None)
"""Set by `flowanchor resolve record`: what then passes between us and Resolve is written down."""


@contextmanager
def told() -> Iterator[None]:
    """Turn what cannot be done in Resolve into a failure that commands report: exit code 2, since it is
    something to change in Resolve or in the call."""
    try:
        yield
    except ResolveProblem as problem:
        raise InputError(problem.code, problem.message, problem.action) from problem


def probe(path: Path) -> Probed:
    """Look into a movie; see `flowanchor_resolve.host.Probe`.

    Raises:
        ResolveProblem: "render-unreadable", with the core's own words.
    """
    from flowanchor_core.footage import probe as look

    try:
        found = look(path)
        transparent = _transparent(found) if found.layout.alpha else False
    except FlowAnchorError as failure:
        raise ResolveProblem("render-unreadable", failure.message, failure.action) from failure
    return Probed(
        frames=found.frames,
        rate=found.rate,
        width=found.width,
        height=found.height,
        alpha=found.layout.alpha,
        start_timecode=found.start_timecode,
        transparent=transparent,
    )


def _transparent(clip: ClipInfo) -> bool:
    """Whether some pixel of some frame is not opaque; reads frames until it knows."""
    from flowanchor_core.footage import planes, read_frames

    peak = clip.layout.peak
    return any((planes.samples(frame)[-1] < peak).any() for frame in read_frames(clip, 0, clip.frames - 1))


def studio(say: Say, source_files: bool = False) -> Host:
    """The Resolve that runs on this machine, reached from outside.

    Args:
        say: told what is done, and what could not be put back.
        source_files: export a clip's own file where nothing speaks against it.

    Raises:
        ResolveProblem: it cannot be reached, with the cause as far as it can be told.
    """
    from flowanchor_resolve.resolve_host import ResolveHost

    resolve, answer = connect.connect()
    say(f"Connected to {answer.product} {answer.version}.")
    recorder = RECORDER.get()
    if recorder is None:
        return ResolveHost(resolve, probe, say, source_files=source_files)
    return ResolveHost(recorder.wrap(resolve), recorder.probing(probe), say, source_files=source_files)
