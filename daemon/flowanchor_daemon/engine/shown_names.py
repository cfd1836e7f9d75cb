# SPDX-License-Identifier: Apache-2.0
"""Failures and notices name files as the daemon laid them out; people know them by other names."""

from __future__ import annotations

import re
from pathlib import Path

from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import types_pb2

_FILE = re.compile(r"[\w-]+\.\w+")


def with_shown_names(failure: types_pb2.Failure, run: engine_pb2.Run) -> types_pb2.Failure:
    """The same failure, the run's own files called as their senders called them."""
    renamed = types_pb2.Failure()
    renamed.CopyFrom(failure)
    renamed.message = shown(failure.message, run)
    return renamed


def shown(text: str, run: engine_pb2.Run) -> str:
    """The same text, the run's own files called as their senders called them."""
    names = _names(run)
    return _FILE.sub(lambda found: names.get(found[0]) or found[0], text)


def _names(run: engine_pb2.Run) -> dict[str, str]:
    pairs = [(run.clip, run.edit.clip), *zip(run.masks, run.edit.masks, strict=False)]
    names: dict[str, str] = {}
    for files, clip in reversed(pairs):  # where a mask's image is called like the clip's, the clip's counts
        if clip.WhichOneof("content") == "movie":
            names[Path(files.path).name] = clip.movie.name
            continue
        frames = clip.images.frames
        if len(frames) == 1:
            names[Path(files.path).name] = frames[0].name
        first = clip.images.first_number
        names |= {f"{first + i:06d}{frame.suffix}": frame.name for i, frame in enumerate(frames)}
    return names
