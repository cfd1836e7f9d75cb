# SPDX-License-Identifier: GPL-3.0-or-later
"""What panels draw and the timer acts on: plain, complete, without a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from flowanchor.v1 import jobs_pb2, models_pb2, system_pb2

from .ledger import ENDED, Record

JobState = Literal[
    "starting", "uploading", "waiting", "running", "downloading", "placing", "done", "failed", "cancelled"
]
"""starting: not sent, waits for the daemon or its turn; waiting: in the daemon's queue; placing: its files
are here (or, `offered`, can be fetched) and the host has to place them."""

Remedy = Literal["connect", "start", "resubmit", "retry", "fetch", "settings", "none"]
"""The button that helps: try the connection again, start the daemon, export and submit anew, run the job
again, fetch the result again, change the settings; or there is none beside the sentence."""

DaemonState = Literal["unknown", "stopped", "starting", "running", "unreachable", "wrong-version"]


@dataclass(frozen=True)
class Problem:
    """A failure: stable code, one sentence, one thing to do, and the button for it."""

    code: str
    message: str
    action: str
    remedy: Remedy = "none"
    log: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.message} {self.action}".strip()


@dataclass(frozen=True)
class JobView:
    """One edit, ready to draw.

    Attributes:
        id: of the record.
        state: see `JobState`.
        phase: what is being done: "hash", "upload", "load", "read", "encode", "edit", "decode", "deliver",
            "verify", "download", or empty.
        step, total: of the phase; bytes for hash, upload and download.
        fraction: of the state's work, 0 to 1.
        seconds_left: of the phase; None when unknown.
        position: waiting jobs before it plus 1; 0 if it does not wait.
        cancelling: asked to stop, not stopped yet.
        offered: state placing, but found finished at load: `Session.fetch` begins the download.
        thumbnail: JPEG of the edit as it stands; None before there is one.
        thumbnail_edition: grows when `thumbnail` changes.
        problem: why it failed, or what it waits for.
        notices: what else the user should know.
        memory_bytes: most memory the engine held; 0 when unknown.
        owned: it belongs to the open file; one of another file's is forgotten here alone.
    """

    id: str
    state: JobState
    record: Record
    phase: str = ""
    step: int = 0
    total: int = 0
    fraction: float = 0.0
    seconds_left: float | None = None
    position: int = 0
    cancelling: bool = False
    offered: bool = False
    thumbnail: bytes | None = None
    thumbnail_edition: int = 0
    problem: Problem | None = None
    notices: tuple[str, ...] = ()
    memory_bytes: int = 0
    owned: bool = True

    @property
    def active(self) -> bool:
        """Whether ticks move it on (a placing one waits for the host)."""
        return self.state not in ENDED and self.state != "placing"


@dataclass(frozen=True)
class DaemonView:
    """The daemon as last seen. `info`, `models`, `diagnosis` and `estimate` are None until they were
    read."""

    state: DaemonState = "unknown"
    problem: Problem | None = None
    warning: str = ""
    info: system_pb2.GetInfoResponse | None = None
    models: tuple[models_pb2.Model, ...] | None = None
    diagnosis: system_pb2.DiagnoseResponse | None = None
    pull: models_pb2.ModelTask | None = None
    estimate: tuple[jobs_pb2.EstimateEditRequest, jobs_pb2.EstimateEditResponse] | None = None
    """What was asked last, and the answer."""
    waiting: tuple[str, ...] = ()
    """Wishes not yet carried out, such as "unload"."""


@dataclass(frozen=True)
class Changes:
    """What a tick did.

    Attributes:
        jobs: ids whose view changed.
        to_place: records whose files have just become whole; place them, then `Session.placed`.
        daemon: whether the daemon's view changed.
        ledger: whether the ledger changed and should be written to the file.
        next_seconds: when to tick again; None: nothing to do until the next wish.
    """

    jobs: frozenset[str] = frozenset()
    to_place: tuple[Record, ...] = ()
    daemon: bool = False
    ledger: bool = False
    next_seconds: float | None = None
    problems: Mapping[str, Problem] = field(default_factory=dict)
    """Jobs that failed in this tick, to be reported once."""
