# SPDX-License-Identifier: Apache-2.0
"""`flowanchor bench daemon`: what the daemon costs and how fast it answers, measured on a real one."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from contextlib import ExitStack
from typing import Annotated, Any

import psutil
import typer
from flowanchor_client import Client

from flowanchor_daemon.cli.bench import cancelling, edits, latency, transfers
from flowanchor_daemon.cli.bench.latency import Spread
from flowanchor_daemon.cli.bench.machine import Machine, machine
from flowanchor_daemon.cli.outcome import reported

Row = tuple[str, str]


def daemon(
    starts: Annotated[int, typer.Option(metavar="N", min=1, help="Starts of the daemon.")] = 5,
    rounds: Annotated[
        int, typer.Option(metavar="N", min=1, help="Pairs of edits, in-process and through the daemon.")
    ] = 5,
    calls: Annotated[
        int, typer.Option(metavar="N", min=1, help="Calls of GetJob while an edit runs, and idle.")
    ] = 500,
    submits: Annotated[int, typer.Option(metavar="N", min=1, help="Submitted edits that are timed.")] = 100,
    megabytes: Annotated[
        int, typer.Option(metavar="N", min=1, help="MiB to upload and to download, each way twice.")
    ] = 256,
    cancels: Annotated[int, typer.Option(metavar="N", min=1, help="Cancelled edits in each phase.")] = 5,
    as_json: Annotated[
        bool, typer.Option("--json", help="Last line of output: the numbers as JSON.")
    ] = False,
) -> None:
    """Measure the daemon: start, memory, calls, overhead, transfers, cancelling.

    Uses a daemon, a queue and a cache of its own in a temporary folder; the user's are left alone. Times
    depend on the machine and what else it does; ratios of what was measured in turns depend on it least.
    """
    with reported(as_json), ExitStack() as stack:
        begun, load = time.monotonic(), _load()
        measured = stack.enter_context(machine())
        found: dict[str, Any] = {"machine": {"cores": os.cpu_count(), "load_before": load}}
        _tell("starts")
        found["start"] = _starts(measured, starts)
        _, client = measured.start()
        stack.callback(client.close)
        found["memory"] = measured.memory()
        _tell("overhead")
        found["overhead"] = _overhead(measured, client, rounds)
        _tell("calls")
        found["calls"] = _calls(measured, client, calls, submits)
        _tell("transfers")
        found["transfer"] = _transfers(measured, client, megabytes)
        _tell("cancels")
        found["cancel"] = _cancels(measured, client, cancels)
        found["memory_after"] = measured.memory()
        found["machine"]["load_after"] = _load()
        found["seconds"] = round(time.monotonic() - begun, 1)
        for name, value in _table(found):
            print(f"{name:<46} {value}")
        if as_json:
            print(json.dumps(found))


def _tell(what: str) -> None:
    print(f"measuring {what}", file=sys.stderr, flush=True)


def _load() -> list[float]:
    return [round(value, 2) for value in psutil.getloadavg()]


def _starts(machine: Machine, count: int) -> dict[str, Any]:
    seconds = []
    for _ in range(count):
        taken, client = machine.start()
        client.close()
        machine.stop()
        seconds.append(taken)
    return {"count": count, "median": statistics.median(seconds), "worst": max(seconds)}


def _overhead(machine: Machine, client: Client, rounds: int) -> dict[str, Any]:
    cold_through = edits.edit_through(client, edits.demo_request(machine.folder / "demo", "daemon.mkv"))
    begun = time.perf_counter()
    from flowanchor_core.backbone import Backbone
    from flowanchor_core.edit import plan_edit

    request = edits.demo_request(machine.folder / "demo", "here.mkv")
    plan = plan_edit(request)
    backbone = Backbone.load(plan.card.folder, cache_folder=machine.folder / "cache-here")
    edits.edit_in_process(request, backbone)
    cold_here = time.perf_counter() - begun
    through_request = edits.demo_request(machine.folder / "demo", "daemon.mkv")
    here: list[float] = []
    through: list[float] = []
    work_here: list[float] = []
    work_through: list[float] = []
    for number in range(rounds):
        for turn in ("here", "through") if number % 2 == 0 else ("through", "here"):  # neither always first
            before = machine.processor()
            if turn == "here":
                here.append(edits.edit_in_process(request, backbone))
                work_here.append(machine.processor() - before)
            else:
                through.append(edits.edit_through(client, through_request))
                work_through.append(machine.processor() - before)
    ratio = statistics.median(through) / statistics.median(here)
    return {
        "rounds": rounds,
        "in_process": statistics.median(here),
        "through_daemon": statistics.median(through),
        "ratio": ratio,
        "ratio_of_fastest": min(through) / min(here),
        "processor_in_process": statistics.median(work_here),
        "processor_through_daemon": statistics.median(work_through),
        "seconds_in_process": here,
        "seconds_through_daemon": through,
        "cold_in_process": cold_here,
        "cold_through_daemon": cold_through,
    }


def _calls(machine: Machine, client: Client, calls: int, submits: int) -> dict[str, Any]:
    from flowanchor_core.edit_plan import plan_edit

    plan = plan_edit(edits.demo_request(machine.folder / "demo", "calls.mkv"))
    edit = edits.as_message(client, plan)
    busy: list[float] = []
    while len(busy) < calls:
        edit.seed += 1
        job = client.submit(edit)
        busy += latency.get_job(client, job.id, calls - len(busy))
        job = edits.finished(client, job)
    idle: list[float] = []
    while len(idle) < calls:
        idle += latency.get_job(client, job.id, 1)
    queued = latency.submits(client, edit, submits)
    return {
        "get_job_busy": vars(Spread.of(busy)),
        "get_job_idle": vars(Spread.of(idle)),
        "submit": vars(Spread.of(queued)),
    }


def _transfers(machine: Machine, client: Client, megabytes: int) -> dict[str, Any]:
    size = megabytes << 20
    speeds: dict[str, float] = {}
    for kind in ("chunks", "stream"):
        path = machine.folder / "large"
        sha256 = transfers.random_file(path, size)
        if kind == "chunks":
            seconds = transfers.upload_pieces(client, path, sha256)
        else:
            seconds = transfers.upload_stream(machine, path, sha256)
        speeds[f"upload_{kind}"] = size / 1e6 / seconds
        path.unlink()
    # A result is as large as an edit makes it, and is fetched as often as it takes.
    clip = machine.folder / "noise.mkv"
    wide = min(1920, 64 * max(2, megabytes // 4))
    edits.write_clip(clip, wide, wide // 2 + wide // 2 % 2, edits.LAST + 1)
    edit = edits.edit_of(client.upload(clip), edits.LAST, steps=2)
    job = edits.finished(client, client.submit(edit))
    times = max(1, round(size / job.artifacts[0].bytes))
    moved = times * job.artifacts[0].bytes / 1e6
    pieces = sum(transfers.download_pieces(client, job) for _ in range(times))
    stream = sum(transfers.download_stream(machine, job) for _ in range(times))
    speeds |= {"download_chunks": moved / pieces, "download_stream": moved / stream}
    return {
        "megabytes": size / 1e6,
        "result_megabytes": job.artifacts[0].bytes / 1e6,
        "mb_per_second": speeds,
    }


def _cancels(machine: Machine, client: Client, count: int) -> dict[str, Any]:
    clip = machine.folder / "long.mkv"
    frames = 4 * edits.LAST + 1
    edits.write_clip(clip, 64, 64, frames)
    edit = edits.edit_of(client.upload(clip), frames - 1, steps=40)
    quick = edits.edit_of(client.upload(clip), frames - 1, steps=1)
    found: dict[str, Any] = {}
    for phase, wanted, step in (("encode", quick, 4), ("edit", edit, 3), ("decode", quick, 4)):
        seeds = iter(range(10**6))

        def once(phase: str = phase, wanted: Any = wanted, step: int = step, seeds: Any = seeds) -> Any:
            wanted.seed = next(seeds)
            return cancelling.cancel_in(client, wanted, phase, step)

        ended = cancelling.repeated(once, count)
        found[phase] = {
            "count": len(ended),
            "most_steps": max((one.steps for one in ended), default=None),
            "steps": [one.steps for one in ended],
            "median_seconds": statistics.median(one.seconds for one in ended) if ended else None,
        }
    return found


def _table(found: dict[str, Any]) -> list[Row]:
    machine, start, memory, over = found["machine"], found["start"], found["memory"], found["overhead"]
    calls, moved, cancel = found["calls"], found["transfer"], found["cancel"]
    speeds = moved["mb_per_second"]
    sizes = ", ".join(f"{name.upper()} {value / 1e6:.0f} MB" for name, value in memory.items())
    rows = [
        (
            "ready: spawn to first answer",
            f"{start['median']:.2f} s (worst {start['worst']:.2f}, {start['count']} starts)",
        ),
        ("memory of the idle daemon", sizes),
        ("  after all of this", f"RSS {found['memory_after']['rss'] / 1e6:.0f} MB"),
        ("demo edit in-process, warm", f"{over['in_process']:.2f} s"),
        ("demo edit through the daemon, warm", f"{over['through_daemon']:.2f} s"),
        (
            "  ratio of medians",
            f"{over['ratio']:.3f} ({over['rounds']} rounds); of the fastest {over['ratio_of_fastest']:.3f}",
        ),
        (
            "  processor time, all processes",
            (
                f"{over['processor_in_process']:.2f} s / {over['processor_through_daemon']:.2f} s: "
                f"{over['processor_through_daemon'] / over['processor_in_process']:.3f}"
            ),
        ),
        (
            "  first edit, in-process / through the daemon",
            f"{over['cold_in_process']:.1f} s / {over['cold_through_daemon']:.1f} s",
        ),
        ("GetJob while an edit runs", _spread(calls["get_job_busy"])),
        ("GetJob idle", _spread(calls["get_job_idle"])),
        ("SubmitJob while an edit runs", _spread(calls["submit"])),
    ]
    for kind, name in (("chunks", "unary pieces"), ("stream", "stream")):
        rows.append(
            (f"upload of {moved['megabytes']:.0f} MB, {name}", f"{speeds[f'upload_{kind}']:.0f} MB/s")
        )
    for kind, name in (("chunks", "unary pieces"), ("stream", "stream")):
        label = f"download of {moved['result_megabytes']:.0f} MB at a time, {name}"
        rows.append((label, f"{speeds[f'download_{kind}']:.0f} MB/s"))
    units = {"encode": "latent frames", "edit": "steps", "decode": "frames (4 come at once)"}
    for phase, one in cancel.items():
        if one["count"]:
            value = f"at most {one['most_steps']} more {units[phase]}, {one['median_seconds'] * 1000:.0f} ms"
            rows.append((f"cancelled in {phase}, {one['count']} times", value))
        else:
            rows.append((f"cancelled in {phase}", "never in time: the phase is too short on this machine"))
    before, after = machine["load_before"][0], machine["load_after"][0]
    rows.append(("machine", f"{machine['cores']} cores, load {before:.1f} before and {after:.1f} after"))
    rows.append(("measured in", f"{found['seconds']:.0f} s"))
    return rows


def _spread(one: dict[str, Any]) -> str:
    return (
        f"p50 {one['p50'] * 1000:.1f} ms, p99 {one['p99'] * 1000:.1f} ms, "
        f"worst {one['worst'] * 1000:.1f} ms ({one['calls']} calls)"
    )
