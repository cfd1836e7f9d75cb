# SPDX-License-Identifier: Apache-2.0
"""Where the daemon keeps what must outlive it: one private folder a user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flowanchor.rendezvous import RendezvousError, private_folder, state_folder

from flowanchor_daemon.errors import ServiceError


@dataclass(frozen=True)
class StateFolder:
    """Places under `root`; folders exist once `open` gave it, each closed to other users (0700)."""

    root: Path

    @classmethod
    def default(cls) -> StateFolder:
        """$FLOWANCHOR_STATE, else `flowanchor/daemon` in the user's data folder. Makes nothing.

        ServiceError("no-home") where neither is known.
        """
        try:
            return cls(state_folder())
        except RendezvousError as unknown:
            raise ServiceError(unknown.code, unknown.message, unknown.action) from unknown

    @classmethod
    def open(cls) -> StateFolder:
        """The default place, its folders made; ServiceError("state-not-ours") if one is not ours alone."""
        state = cls.default()
        try:
            for folder in (state.root, state.media, state.jobs, state.logs):
                private_folder(folder)
        except RendezvousError as refused:
            raise ServiceError(refused.code, refused.message, refused.action) from refused
        return state

    @property
    def queue(self) -> Path:
        """The queue's SQLite file."""
        return self.root / "queue.sqlite"

    @property
    def media(self) -> Path:
        """Uploaded files, by hash."""
        return self.root / "media"

    @property
    def jobs(self) -> Path:
        """A folder a job: inputs, attempts, checkpoints, artifacts."""
        return self.root / "jobs"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def daemon_log(self) -> Path:
        return self.logs / "daemon.log"

    @property
    def engine_log(self) -> Path:
        return self.logs / "engine.log"

    def job(self, job: str) -> Path:
        """Folder of one job; `job` is an id of the daemon's own making."""
        return self.jobs / job
