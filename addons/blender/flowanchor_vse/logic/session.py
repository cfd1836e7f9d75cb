# SPDX-License-Identifier: GPL-3.0-or-later
"""The edits of one .blend, moved on by short ticks of the host's timer.

A tick does one bounded step: one unary call, or a few MiB of a file. It never waits, starts no thread and
knows no Blender; the clock is given. The daemon may be missing, go away and come back at any moment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from .ledger import Ledger, Origin
from .request import EditSettings, UploadPlan
from .transport import Transport
from .views import Changes, DaemonView, JobView

DaemonWish = Literal["connect", "start", "stop", "refresh", "diagnose", "unload"]


class Session:
    """All methods but `tick` return at once and make no call; what they wish for is done by later ticks."""

    def __init__(
        self, transport: Transport, clock: Callable[[], float], now_ms: Callable[[], int] | None = None
    ) -> None:
        """`clock` is monotonic, in seconds (time.monotonic)."""
        raise NotImplementedError

    # The file

    @property
    def ledger(self) -> Ledger:
        """What to write to the file."""
        raise NotImplementedError

    def open(self, ledger: Ledger) -> None:
        """Another file was loaded: forget the jobs of the last one (they go on in the daemon), look after
        these."""
        raise NotImplementedError

    def merge(self, stored: Ledger) -> bool:
        """After undo or redo: whether the file has to be written, since it holds less than is known here."""
        raise NotImplementedError

    # Edits

    def submit(self, plan: UploadPlan, settings: EditSettings, origin: Origin, folder: str) -> str:
        """Take an edit whose files have been exported; its id. `folder` (absolute) gets its result."""
        raise NotImplementedError

    def cancel(self, record: str) -> None: ...
    def retry(self, record: str) -> str:
        """The same edit with the same seed, as a new one; its id."""
        raise NotImplementedError

    def vary(self, record: str, seed: int | None = None) -> str:
        """The same edit with another seed, drawn by the daemon if None, as a new one; its id."""
        raise NotImplementedError

    def delete(self, record: str) -> None:
        """Forget an edit here and in the daemon; a running one is cancelled first. Its files stay for the
        strips."""

    def fetch(self, record: str) -> None:
        """Fetch the result (again): of an offered job, after a failed download, or when its files are
        gone."""

    def placed(self, record: str, strip: str) -> None:
        """The host placed the result as the strip with this custom id."""

    def place_failed(self, record: str, message: str, action: str) -> None:
        """The host could not place the result; it stays in state placing, with the problem, for another
        try."""

    def jobs(self) -> list[JobView]:
        """Newest first."""
        raise NotImplementedError

    def job(self, record: str) -> JobView | None:
        raise NotImplementedError

    # The daemon

    @property
    def daemon(self) -> DaemonView:
        raise NotImplementedError

    def wish(self, wish: DaemonWish) -> None: ...
    def pull(self, model: str) -> None: ...
    def cancel_pull(self) -> None: ...

    def tick(self) -> Changes:
        """Do one step. Never raises for anything a user can meet."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the connection. Jobs go on in the daemon."""
