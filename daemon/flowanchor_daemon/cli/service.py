# SPDX-License-Identifier: Apache-2.0
"""`flowanchor serve` and `flowanchor stop`: the daemon in the foreground, and its end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from flowanchor import rendezvous
from flowanchor.rendezvous import DaemonLock, Discovery, RendezvousError
from flowanchor.v1 import jobs_pb2
from flowanchor_client import Client, DaemonUnreachable, ServiceFailure

from flowanchor_daemon.cli.notation import number
from flowanchor_daemon.cli.outcome import reported

_POLL_SECONDS = 0.05
_TELL_SECONDS = 1.0


def serve(
    idle_exit: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            parser=number,
            help="End after this long without calls and jobs; below 0: never.",
        ),
    ] = 900.0,
    keep_alive: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            parser=number,
            help="Free the model's memory after this long without edits; 0: at once, below 0: never.",
        ),
    ] = 300.0,
    listen: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Also listen here; needs TLS unless it is loopback."),
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="Certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its key, PEM.")] = None,
) -> None:
    """Run the daemon in the foreground until Ctrl-C.

    Exit code 5: another daemon of this user runs.
    """
    given = {"--listen": listen, "--tls-cert": tls_cert, "--tls-key": tls_key}
    arguments = [f"--idle-exit={idle_exit!r}", f"--keep-alive={keep_alive!r}"]
    arguments += [f"{name}={value}" for name, value in given.items() if value is not None]
    with reported():
        from flowanchor_daemon.serve import main

        raise typer.Exit(main(arguments))


def stop(
    now: Annotated[bool, typer.Option("--now", help="Do not wait for calls in flight.")] = False,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Seconds to wait for its end.")
    ] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object instead of words.")] = False,
) -> None:
    """End the daemon. A running edit is kept where it stands and goes on when the daemon runs again."""
    with reported(as_json):
        try:
            folder = rendezvous.meeting_folder()
            held, pid = _daemon_of(folder)
        except RendezvousError as failure:
            raise ServiceFailure(failure.code, failure.message, failure.action) from failure
        if not held:
            print(json.dumps({"stopped": None}) if as_json else "No daemon is running.")
            return
        at_work = _ask(folder, now)
        _wait_for_end(folder, pid, wait)
        goes_on = "; its running edit is kept, and goes on when it is started again" if at_work else ""
        print(json.dumps({"stopped": pid}) if as_json else f"The daemon (process {pid}) has ended{goes_on}.")


def _daemon_of(folder: Path) -> tuple[bool, int | None]:
    """Whether a daemon lives, and its process. The lock knows: a discovery file can be a dead one's, whose
    number another program has by now."""
    lock = DaemonLock(folder)
    return lock.is_held(), lock.holder()


def _ask(folder: Path, now: bool) -> bool:
    """Ask the daemon to end; whether it says that it was at work on an edit."""
    at_work = False
    try:
        with Client.connect(start=False, timeout=5) as client:
            with contextlib.suppress(ServiceFailure):  # it is to end, whatever it can tell
                at_work = any(client.jobs([jobs_pb2.JOB_STATE_RUNNING], limit=1))
            client.shutdown(now)
    except DaemonUnreachable as failure:
        # One of another version, or one that does not answer, still hears a signal.
        held, pid = _daemon_of(folder)
        if not held:
            return at_work
        if pid is None:
            raise
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            return at_work
        except OSError:
            raise failure from None
    return at_work


def _wait_for_end(folder: Path, pid: int | None, seconds: float) -> None:
    begun = time.monotonic()
    deadline, told = begun + seconds, False
    while DaemonLock(folder).is_held():
        if not told and time.monotonic() > begun + _TELL_SECONDS:
            told = True
            print("Waiting for the running step to end and be kept.", file=sys.stderr, flush=True)
        found = Discovery.read(folder)
        if found is not None and found.pid != pid:
            return  # that one has ended; this is another program's new one
        if time.monotonic() > deadline:
            raise ServiceFailure(
                "daemon-unreachable",
                f"The daemon (process {pid}) has been asked to end, but still runs after {seconds:.0f} s.",
                "Wait for its step to end, or end that process.",
            )
        time.sleep(_POLL_SECONDS)
