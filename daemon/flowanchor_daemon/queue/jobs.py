# SPDX-License-Identifier: Apache-2.0
"""States of a job, the ways between them, and the names things of a job have."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Final

from flowanchor.v1 import jobs_pb2, types_pb2

QUEUED: Final = jobs_pb2.JOB_STATE_QUEUED
RUNNING: Final = jobs_pb2.JOB_STATE_RUNNING
CANCELLING: Final = jobs_pb2.JOB_STATE_CANCELLING
SUCCEEDED: Final = jobs_pb2.JOB_STATE_SUCCEEDED
FAILED: Final = jobs_pb2.JOB_STATE_FAILED
CANCELLED: Final = jobs_pb2.JOB_STATE_CANCELLED

ACTIVE: Final = frozenset({RUNNING, CANCELLING})
ENDED: Final = frozenset({SUCCEEDED, FAILED, CANCELLED})

# What may follow what. Nothing follows an ended state: a retry is a new job.
TRANSITIONS: Final[dict[int, frozenset[int]]] = {
    QUEUED: frozenset({RUNNING, CANCELLED}),
    RUNNING: frozenset({QUEUED, CANCELLING, SUCCEEDED, FAILED}),
    CANCELLING: frozenset({CANCELLED}),
    SUCCEEDED: frozenset(),
    FAILED: frozenset(),
    CANCELLED: frozenset(),
}

MAX_CRASHES: Final = 3
"""Crashes of the engine without a further checkpoint between them after which a job is given up."""

MAX_ENDS: Final = 25
"""Violent ends of the daemon without a further checkpoint between them after which a job is given up. Larger
than the engine's, because a job rarely is to blame; finite, because where the system ends a whole service for
its memory the job is."""

LABEL_CHARS: Final = 80

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
JOB_ID: Final = re.compile(r"[0-9a-f]{16}")


def new_id() -> str:
    """A job's id: 16 hexadecimal digits at random, so that it is a safe folder name and tells nothing."""
    return secrets.token_hex(8)


def label_of(edit: types_pb2.EditRequest) -> str:
    """What a list shows of an edit: its target prompt on one line, cut to 80 characters."""
    text = " ".join(edit.target_prompt.split())
    return text if len(text) <= LABEL_CHARS else f"{text[: LABEL_CHARS - 1]}…"


@dataclass(frozen=True)
class NewJob:
    """A job about to be queued. `digest` stands for what the client asked, before anything was drawn at
    random: the same request id with another digest is refused."""

    request_id: str
    digest: bytes
    edit: types_pb2.EditRequest
    client: str = ""
    priority: int = 0
    parent: str = ""


@dataclass(frozen=True)
class Taken:
    """A job that has just become running, with what its new attempt needs to know. `furthest` is the furthest
    sampling step an earlier attempt is known to have kept."""

    id: str
    edit: types_pb2.EditRequest
    attempt: int
    memory_plan: str
    furthest: int


@dataclass(frozen=True)
class StoredArtifact:
    """A result file as it is recorded. `file` is its name in the job's artifacts folder."""

    index: int
    kind: jobs_pb2.ArtifactKind.ValueType
    name: str
    file: str
    bytes: int
    sha256: str

    def message(self) -> jobs_pb2.Artifact:
        return jobs_pb2.Artifact(
            index=self.index, kind=self.kind, name=self.name, bytes=self.bytes, sha256=self.sha256
        )
