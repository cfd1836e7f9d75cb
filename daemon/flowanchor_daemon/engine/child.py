# SPDX-License-Identifier: Apache-2.0
"""The engine process: takes commands one after another until the daemon closes the socket."""

from __future__ import annotations

import os
import sys

import torch
from flowanchor.engine.v1 import engine_pb2

from flowanchor_core.errors import InputError
from flowanchor_core.memory import MemoryPlan
from flowanchor_core.models import find_model
from flowanchor_daemon.engine.child_job import Job, failure_of
from flowanchor_daemon.engine.child_link import Link
from flowanchor_daemon.engine.child_memory import device_is_sound, give_back
from flowanchor_daemon.engine.child_model import HeldModel, plan_for
from flowanchor_daemon.program import engine_protocol

DEVICE_LOST = 70
"""Exit code: the device answers no more in this process; a new one may have better luck."""


def serve(link: Link) -> None:
    """Greet, then work off commands; does not return."""
    automatic = MemoryPlan.choose("auto").compute
    hello = engine_pb2.Hello(pid=os.getpid(), device=str(automatic), program=engine_protocol())
    link.send(engine_pb2.Event(hello=hello))
    model = HeldModel()
    while True:
        command = link.commands.get()
        if command.HasField("load"):
            last = _load(command.load, model)
        else:
            last = Job(command.run, link, model).run()
        failed = last.HasField("failed")
        if failed:
            give_back()  # before the daemon hears of it and tries again in less memory
        link.send(last)
        if failed and not device_is_sound(_device_of(command, automatic)):
            print("The device does not answer any more; the engine ends.", file=sys.stderr, flush=True)
            os._exit(DEVICE_LOST)


def _load(load: engine_pb2.Load, model: HeldModel) -> engine_pb2.Event:
    try:
        plan = plan_for("full", load.device)
        folder = find_model(load.model)
        if not model.holds(folder, plan):
            for _ in model.load(folder, plan):
                pass
    except Exception as failure:  # noqa: BLE001 - the engine goes on serving
        return engine_pb2.Event(job=load.id, failed=failure_of(failure))
    return engine_pb2.Event(job=load.id, loaded=load.model)


def _device_of(command: engine_pb2.Command, automatic: torch.device) -> torch.device | None:
    """Where a command computed; None where the device it wants is not there, so that nothing did."""
    wanted = command.load.device if command.HasField("load") else command.run.edit.device
    if wanted in ("", "auto"):
        return automatic
    try:
        return plan_for("full", wanted).compute
    except InputError:
        return None
