# SPDX-License-Identifier: Apache-2.0
"""Edits and jobs to queue in tests."""

from __future__ import annotations

import hashlib
import itertools

from flowanchor.v1 import types_pb2
from flowanchor_daemon.queue.jobs import NewJob

CLIP_BYTES = b"\x00\x00\x00\x18ftypisom not really a movie"
CLIP = hashlib.sha256(CLIP_BYTES).hexdigest()

_numbers = itertools.count()


def edit(target: str = "a blue circle", seed: int = 7) -> types_pb2.EditRequest:
    """A small whole request."""
    made = types_pb2.EditRequest(source_prompt="a red circle", target_prompt=target, seed=seed)
    made.clip.movie.sha256, made.clip.movie.suffix, made.clip.movie.name = CLIP, ".mp4", "../clip.mp4"
    box = made.geometry.add().box
    box.x, box.y, box.width, box.height = 4, 4, 16, 16
    return made


def wish(
    request_id: str | None = None, priority: int = 0, client: str = "test", target: str = "a blue circle"
) -> NewJob:
    """A job to submit, of a request id of its own unless one is given."""
    request_id = request_id or f"request-{next(_numbers):06d}"
    request = edit(target)
    digest = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
    return NewJob(request_id, digest, request, client, priority)
