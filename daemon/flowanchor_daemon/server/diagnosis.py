# SPDX-License-Identifier: Apache-2.0
"""What Diagnose looks at: each thing in one sentence, and what to do about it when something is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from flowanchor.v1 import models_pb2, system_pb2, types_pb2

from flowanchor_core.errors import FlowAnchorError
from flowanchor_daemon.media.quota import human

OK = system_pb2.SEVERITY_OK
WARNING = system_pb2.SEVERITY_WARNING
PROBLEM = system_pb2.SEVERITY_PROBLEM

_LITTLE_DISK = 10 << 30  # bytes; a minute of HD in a lossless format takes about as many

_ENGINE = {
    system_pb2.ENGINE_STATE_STOPPED: "The engine is not running and holds no memory.",
    system_pb2.ENGINE_STATE_STARTING: "The engine is starting.",
    system_pb2.ENGINE_STATE_IDLE: "The engine is waiting for work.",
    system_pb2.ENGINE_STATE_BUSY: "The engine is working.",
}


def guarded(name: str, look: Callable[[], system_pb2.Finding]) -> system_pb2.Finding:
    """The finding, or that looking failed: one thing that is broken must not hide the others."""
    try:
        return look()
    except FlowAnchorError as failure:
        return finding(name, PROBLEM, failure.message, failure.action)
    except OSError as failure:
        reason = failure.strerror or type(failure).__name__
        return finding(name, PROBLEM, f"Looking at this failed ({reason}).", "Check the state folder's disk.")


def finding(
    name: str, severity: system_pb2.Severity.ValueType, text: str, action: str = ""
) -> system_pb2.Finding:
    return system_pb2.Finding(name=name, severity=severity, text=text, action=action)


def disk(folder: Path, floor: int) -> system_pb2.Finding:
    """Free room on the store's disk; `floor` bytes are kept free."""
    free = shutil.disk_usage(folder).free
    text = f"The disk of {folder} has {human(free)} free."
    if free < floor:
        return finding("disk", PROBLEM, text, "Free some space: uploads and results are refused until then.")
    if free < floor + _LITTLE_DISK:
        return finding("disk", WARNING, text, "Free some space soon: results of long clips need more.")
    return finding("disk", OK, text)


def store(used: int, quota: int) -> system_pb2.Finding:
    """Media and results against the quota, bytes."""
    text = f"Clips and results take {human(used)} of {human(quota)}."
    action = "Delete jobs you no longer need with `flowanchor jobs delete`."
    if used >= quota:
        return finding("store", PROBLEM, text, action)
    return finding("store", WARNING, text, action) if used > quota * 0.9 else finding("store", OK, text)


def queue(counts: dict[str, int]) -> system_pb2.Finding:
    """`counts`: jobs by state."""
    waiting, running = counts.get("queued", 0), counts.get("running", 0) + counts.get("cancelling", 0)
    return finding("queue", OK, f"{_jobs(waiting)} waiting, {_jobs(running)} running.")


def engine(state: system_pb2.EngineState.ValueType, model: str, memory: int) -> system_pb2.Finding:
    """`memory`: bytes held now."""
    text = _ENGINE[state]
    if model:
        text += f" It holds {model} in {human(memory)}."
    return finding("engine", OK, text)


def models(found: Iterable[models_pb2.Model]) -> system_pb2.Finding:
    known = list(found)
    installed = [model.name for model in known if model.installed]
    if any(model.installed and not model.world for model in known):
        return finding("models", OK, f"Installed: {', '.join(installed)}.")
    return finding(
        "models",
        WARNING,
        "No model of real footage is installed; the one shipped edits drawn shapes only.",
        "Get one with `flowanchor models pull wan2.1-t2v-1.3b`.",
    )


def failures(last: list[types_pb2.Failure]) -> system_pb2.Finding:
    """`last`: newest first."""
    if not last:
        return finding("failures", OK, "No job has failed.")
    return finding("failures", WARNING, f"The last job that failed: {last[0].message}", last[0].action)


def _jobs(count: int) -> str:
    return "1 job is" if count == 1 else f"{count} jobs are"
