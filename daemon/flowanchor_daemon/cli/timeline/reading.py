# SPDX-License-Identifier: Apache-2.0
"""A timeline's file as the command line reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from flowanchor_interchange import files
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers import edl

from flowanchor_core.errors import DeliveryError, FlowAnchorError, InputError
from flowanchor_core.footage.probe import ClipInfo, probe


@contextmanager
def told() -> Iterator[None]:
    """Turn what is wrong with a timeline into a failure that every command reports alike."""
    try:
        yield
    except TimelineProblem as problem:
        kind = DeliveryError if problem.code == "timeline-not-written" else InputError
        raise kind(problem.code, problem.message, problem.action) from problem


def read(path: Path, rate: Fraction | None, sequence: str | None) -> files.TimelineFile:
    """A timeline file. An EDL's rate, if nobody says it, is that of the files it names.

    Raises:
        InputError: it cannot be read.
    """
    with told():
        kind, data = files.load(path)
        if kind == "edl" and rate is None:
            rates = {
                info.rate
                for name in edl.names_of_files(data, path.absolute().parent)
                if (info := looked_at(name))
            }
            rate = rates.pop() if len(rates) == 1 else None
        return files.read(path, rate, sequence)


def looked_at(path: Path) -> ClipInfo | None:
    """What a file is; None if it cannot be used, which matters only if it is the one to edit."""
    try:
        return probe(path)
    except FlowAnchorError:
        return None
