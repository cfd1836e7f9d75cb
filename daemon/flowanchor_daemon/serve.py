# SPDX-License-Identifier: Apache-2.0
"""`python -m flowanchor_daemon.serve`: the daemon's life from its lock to its last breath.

Nothing here or below imports torch, a video library or numpy: the daemon is quickly there and stays small.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# The engine is spawned, never forked, so gRPC's fork handlers would only cost and warn.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from flowanchor.rendezvous import (
    DaemonLock,
    RendezvousError,
    new_token,
    note_meeting,
    noted_meeting,
    private_folder,
    runtime_folder,
)

from flowanchor_core.errors import FlowAnchorError
from flowanchor_daemon import launcher
from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.server import logs
from flowanchor_daemon.server.bind import Listen
from flowanchor_daemon.server.needed import Watch
from flowanchor_daemon.server.parts import Parts, open_parts
from flowanchor_daemon.server.place import Place
from flowanchor_daemon.server.system_service import Settings
from flowanchor_daemon.state import StateFolder

log = logging.getLogger("flowanchor_daemon.serve")

DONE, BROKEN, REFUSED, ALREADY_RUNNING = 0, 1, 2, 5
"""Exit codes: ended as asked; failed unexpectedly; refused to start (standard error says why); another daemon
of this user lives."""

IDLE_EXIT_SECONDS: Final = 900.0
KEEP_ALIVE_SECONDS: Final = 300.0
_IDLE_HELP: Final = "end after this long without calls and jobs (default %(default)g)"
_KEEP_HELP: Final = "free the model's memory after this long without edits (default %(default)g; 0: at once)"
_FILES: Final = 8192  # that may be open at once, where the system allows it
_LOCK_SECONDS: Final = 1.0  # clients that look whether the lock is held do so by taking it for an instant
_DRAIN_SECONDS: Final = 60.0  # for the running job's step and checkpoint; afterwards it is killed
_GRACE_SECONDS: Final = 1.0  # for calls in flight once nothing runs any more


@dataclass(frozen=True)
class Options:
    """The command line. Seconds; negative is never."""

    idle_exit: float
    keep_alive: float
    listen: Listen | None


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until asked to end; returns the exit code."""
    os.umask(0o077)  # before the first file: everything the daemon writes is its user's alone
    _allow_many_files()
    try:
        options = read_options(argv)
        with _only_one() as (folder, lock, state):
            token = new_token()
            logs.start(state.daemon_log, token)
            try:
                asyncio.run(_serve(options, folder, lock, state, token))
            except FlowAnchorError as failure:
                log.info("Not serving: %s (%s)", failure, failure.code)
                raise
            except Exception:
                log.exception("The daemon failed.")
                return BROKEN
    except FlowAnchorError as failure:
        print(f"flowanchor: {failure}", file=sys.stderr)
        return ALREADY_RUNNING if failure.code == "daemon-running" else REFUSED
    return DONE


def read_options(argv: Sequence[str] | None) -> Options:
    """The options, checked. There is none for a token: other users can read a command line."""
    parser = argparse.ArgumentParser(
        prog="flowanchor serve",
        description="Run the FlowAnchor daemon until it is asked to end or nobody needs it.",
        epilog="Durations are seconds; a negative one is never.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--idle-exit", type=float, default=IDLE_EXIT_SECONDS, metavar="SECONDS", help=_IDLE_HELP)
    add("--keep-alive", type=float, default=KEEP_ALIVE_SECONDS, metavar="SECONDS", help=_KEEP_HELP)
    add("--listen", metavar="HOST:PORT", help="also listen here; needs TLS unless it is loopback")
    add("--tls-cert", type=Path, metavar="FILE", help="certificate chain, PEM")
    add("--tls-key", type=Path, metavar="FILE", help="its key, PEM")
    given = parser.parse_args(argv)
    if given.listen is None and (given.tls_cert or given.tls_key):
        raise ServiceError("bind-refused", "TLS needs an address to serve.", "Give one with --listen.")
    listen = Listen.parse(given.listen, given.tls_cert, given.tls_key) if given.listen is not None else None
    return Options(given.idle_exit, given.keep_alive, listen)


@contextlib.contextmanager
def _only_one() -> Iterator[tuple[Path, DaemonLock, StateFolder]]:
    """Hold the locks of the meeting place and of the state: two environments may share just one of them."""
    try:
        folder = private_folder(runtime_folder())
        state = StateFolder.open()
        with DaemonLock(folder) as meeting, DaemonLock(state.root) as own:
            if not meeting.acquire(_LOCK_SECONDS):
                raise _running(meeting.holder(), folder)
            if not own.acquire(_LOCK_SECONDS):
                raise _running(own.holder(), noted_meeting())
            note_meeting(state.root, folder)
            yield folder, meeting, state
    except RendezvousError as refused:
        raise ServiceError(refused.code, refused.message, refused.action) from refused


def _running(pid: int | None, folder: Path | None) -> ServiceError:
    where = "" if folder is None else f", its runtime folder is {folder}"
    return ServiceError("daemon-running", f"Another daemon of this user is running (pid {pid}{where}).")


async def _serve(options: Options, folder: Path, lock: DaemonLock, state: StateFolder, token: str) -> None:
    started = time.monotonic()
    parts = await open_parts(state, token, Settings(options.keep_alive, options.idle_exit))
    try:
        place = Place(parts, folder, lock)
        _hear_signals(parts, place)
        addresses = await place.open(options.listen)
        ready = time.monotonic() - started
        await asyncio.to_thread(launcher.record)
        log.info("Serving on %s after %.2f s (pid %d).", addresses, ready, os.getpid())
        with contextlib.suppress(OSError):  # whoever started it may have closed its end
            print(f"Serving on {place.address} (process {os.getpid()}). Ctrl-C ends the daemon.", flush=True)
        watch = asyncio.create_task(Watch(parts, place, options.idle_exit).run())
        await parts.ending.wait()
        watch.cancel()
        log.info("Ending: %s.", parts.ending.reason)
        await parts.drain(_DRAIN_SECONDS)
        if not parts.ending.comes_back:
            place.leave()
        await place.close(0 if parts.ending.now else _GRACE_SECONDS)
    finally:
        await parts.close()
    log.info("Ended.")


def _allow_many_files() -> None:
    """Each connection takes a file, and a thousand, the usual limit, are soon opened by anybody."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            with contextlib.suppress(OSError, ValueError):  # macOS allows fewer than it says
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _hear_signals(parts: Parts, place: Place) -> None:
    def heard(number: int) -> None:
        if parts.ending.asked and parts.ending.by_signal:
            log.warning("A second signal: leaving at once.")
            place.leave()
            logging.shutdown()
            os._exit(BROKEN)  # the engine ends by itself when its socket closes
        parts.ending.by_signal = True
        parts.ending.ask(signal.Signals(number).name)

    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is None or (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
            continue  # nohup means that it is to stay
        try:
            loop.add_signal_handler(number, heard, number)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda got, _: loop.call_soon_threadsafe(heard, got))


if __name__ == "__main__":
    sys.exit(main())
