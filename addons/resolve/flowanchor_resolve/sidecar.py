# SPDX-License-Identifier: Apache-2.0
"""The sidecar: a process in our own environment that waits for Resolve's menu scripts and does what they ask.

It answers a poke at once and does the work afterwards, one thing at a time; a poke that comes meanwhile is
refused with a sentence. What it does stands in its terminal and, in short, in a status file that the menu
scripts show.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from flowanchor_resolve import meeting
from flowanchor_resolve.host import Say
from flowanchor_resolve.poke import ACTIONS, ANSWERS, POKES
from flowanchor_resolve.problems import ResolveProblem

STEP = 0.1
"""Seconds between two looks into the folder."""
TOO_OLD = 30.0
"""Seconds after which a poke is not wanted any more: whoever left it has given up."""

Act = Callable[[str, Say], str]
"""Does an action, telling what it does; gives a sentence on the outcome."""


class Sidecar:
    """Serves one meeting folder."""

    def __init__(self, folder: Path, act: Act, say: Say, idle_seconds: float | None = None) -> None:
        """
        Args:
            folder: the meeting folder.
            act: what is done, in the thread that calls `serve`.
            say: its terminal.
            idle_seconds: after so long without a poke it ends; None: never.
        """
        self.folder = folder
        self.idle_seconds = idle_seconds
        self._act = act
        self._say = say
        self._lock = meeting.Lock(folder / meeting.LOCK)
        self._serves = meeting.Lock(folder / meeting.SERVES)
        self._wanted: queue.Queue[str] = queue.Queue(1)
        self._busy: str | None = None
        self._turn = threading.Lock()
        self._end = threading.Event()

    def serve(self) -> None:
        """Wait for pokes until Ctrl-C, or until it was idle for long.

        Ctrl-C while something is done cancels that alone.

        Raises:
            ResolveProblem: "resolve-sidecar-running" if another sidecar serves this folder.
        """
        for name in (POKES, ANSWERS):
            meeting.private_folder(self.folder / name)
        if not self._lock.acquire():
            raise ResolveProblem(
                "resolve-sidecar-running",
                "Another sidecar runs already.",
                "Use that one, or end it with Ctrl-C in its terminal.",
            )
        watch = threading.Thread(target=self._watch, name="pokes", daemon=True)
        try:
            self._forget_leftovers()
            self._note("idle", "Waiting for Workspace > Scripts > FlowAnchor Edit.")
            self._serves.acquire()
            self._say("Waiting for Workspace > Scripts > FlowAnchor Edit in Resolve; Ctrl-C ends this.")
            watch.start()
            self._work()
        except KeyboardInterrupt:
            self._say("The sidecar ends.")
        finally:
            self._end.set()
            if watch.ident is not None:
                watch.join(5)
            with contextlib.suppress(ResolveProblem):  # a full disk does not keep it from ending
                self._note("ended", "The sidecar has ended.")
            self._serves.release()
            self._lock.release()

    def _work(self) -> None:
        since = time.monotonic()
        while True:
            try:
                action = self._wanted.get(timeout=STEP)
            except queue.Empty:
                if not self._watching():
                    return
                if self.idle_seconds is not None and time.monotonic() - since > self.idle_seconds:
                    self._say(f"Nothing to do for {self.idle_seconds / 60:g} minutes; the sidecar ends.")
                    return
                continue
            self._do(action)
            since = time.monotonic()

    def _watching(self) -> bool:
        return not self._end.is_set()

    def _do(self, action: str) -> None:
        self._note("working", f"FlowAnchor {action.title()} is at work.")
        try:
            state, text = "done", self._act(action, self._say)
        except KeyboardInterrupt:
            state, text = "failed", f"FlowAnchor {action.title()} was cancelled."
        except Exception as failure:  # noqa: BLE001 - one failed action must not end what serves the next one
            state, text = "failed", str(failure)
        self._say(text)
        with contextlib.suppress(ResolveProblem):  # it was told in the terminal
            self._note(state, text)
        with self._turn:
            self._busy = None

    def _watch(self) -> None:
        while not self._end.wait(STEP):
            try:
                for name in self._poked():
                    self._answer(name)
            except (OSError, ResolveProblem) as failure:
                self._say(f"The sidecar cannot see what it is asked for and ends: {failure}")
                self._end.set()

    def _poked(self) -> list[str]:
        """Names of the pokes, the first left first."""
        with os.scandir(self.folder / POKES) as entries:
            return sorted(
                entry.name
                for entry in entries
                if entry.name.endswith(".json")
                and not entry.name.startswith(".")
                and not entry.is_dir(follow_symlinks=False)
            )

    def _answer(self, name: str) -> None:
        path = self.folder / POKES / name
        content = meeting.read(path)
        try:
            path.unlink()
        except FileNotFoundError:
            return  # taken back just now
        accepted, text = self._take(content)
        self._say(text)
        meeting.write(self.folder / ANSWERS / name, {"accepted": accepted, "text": text})

    def _take(self, content: dict[str, object] | None) -> tuple[bool, str]:
        action, at = (content or {}).get("action"), (content or {}).get("at")
        if action not in ACTIONS or not isinstance(action, str) or not isinstance(at, (int, float)):
            return False, "The sidecar was asked for something it does not know; update the menu scripts."
        if not abs(time.time() - at) < TOO_OLD:
            return False, "The sidecar was asked too long ago; ask again."
        with self._turn:
            if self._busy is not None:
                return False, f"FlowAnchor {self._busy.title()} is still at work; ask again when it is done."
            self._busy = action
        self._wanted.put(action)
        return True, f"FlowAnchor {action.title()} begins."

    def _forget_leftovers(self) -> None:
        """What was asked of a sidecar that has died is not done by its successor, unasked."""
        for name in (POKES, ANSWERS):
            for entry in (self.folder / name).iterdir():
                with contextlib.suppress(OSError):
                    entry.unlink()

    def _note(self, state: str, text: str) -> None:
        content = {"state": state, "text": text, "pid": os.getpid(), "at": time.time()}
        meeting.write(self.folder / meeting.STATUS, content)


def status(folder: Path) -> str | None:
    """What the sidecar does or did last, in a sentence; None if it never told."""
    found = meeting.read(folder / meeting.STATUS)
    text = found.get("text") if found is not None else None
    if not isinstance(text, str) or found is None:
        return None
    if found.get("state") == "working" and not meeting.sidecar_lives(folder):
        return f"{text[:-1] if text.endswith('.') else text}, but the sidecar has ended since."
    return text
