# SPDX-License-Identifier: Apache-2.0
"""The GPU and its driver, torch's view of it, codecs and memory.

torch and the codecs are asked in a process of their own with a time limit: a driver that hangs or a library
that crashes must not take the doctor along.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

import psutil

from flowanchor_daemon.doctor.finding import Finding, ok, problem, warning

CODECS: Final = ("libx264", "prores_ks", "ffv1", "png")
LEAST_MEMORY: Final = 2_000_000_000
"""Bytes of free memory below which even the embedded model may not run."""
LEAST_VRAM: Final = 5_000_000_000
"""Bytes of free GPU memory: what the sparing plan aims at for Wan2.1 1.3B."""
PROBE_SECONDS: Final = 90.0
DRIVER_SECONDS: Final = 15.0

_PROBE = f"""
import json
answer = {{}}
try:
    import torch
    answer["torch"] = torch.__version__
    answer["threads"] = torch.get_num_threads()
    answer["cuda"] = torch.version.cuda
    answer["devices"] = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            found = torch.cuda.get_device_properties(index)
            answer["devices"].append([found.name, found.total_memory])
except Exception as failure:
    answer["torch_failure"] = f"{{type(failure).__name__}}: {{failure}}"
try:
    import av, cv2
    answer["missing_codecs"] = [name for name in {list(CODECS)!r} if name not in av.codecs_available]
except Exception as failure:
    answer["codec_failure"] = f"{{type(failure).__name__}}: {{failure}}"
print(json.dumps(answer))
"""


def check_driver() -> Iterator[Finding]:
    """What nvidia-smi says; a machine without it has no NVIDIA driver, which is fine."""
    program = shutil.which("nvidia-smi")
    if program is None:
        yield ok("driver", "no NVIDIA driver, so edits run on the CPU")
        return
    fields = "index,name,driver_version,memory.total,memory.free"
    try:
        lines = _output([program, f"--query-gpu={fields}", "--format=csv,noheader,nounits"], DRIVER_SECONDS)
        devices = [_parse(line) for line in lines.splitlines() if line.strip()]
        if not devices:
            raise ValueError("it lists no GPU")
    except (OSError, ValueError, subprocess.SubprocessError) as failure:
        yield problem(
            "driver",
            f"nvidia-smi does not answer ({_reason(failure)}).",
            "Restart the computer or install the driver again.",
        )
        return
    yield ok("driver", f"NVIDIA {devices[0][2]}")
    for index, name, _, total, free in devices:
        text = f"{name}: {free / 1e9:.1f} GB of {total / 1e9:.1f} GB free"
        if free < LEAST_VRAM:
            yield warning(
                f"vram {index}",
                text,
                "Close other programs that use the GPU; `flowanchor models unload` frees the engine's share.",
            )
        else:
            yield ok(f"vram {index}", text)


def check_device() -> Iterator[Finding]:
    """What torch computes on, and whether the codecs of the deliveries are there."""
    try:
        answer = json.loads(_output([sys.executable, "-c", _PROBE], PROBE_SECONDS).splitlines()[-1])
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as failure:
        yield problem("device", f"torch could not be asked ({_reason(failure)}).", _ANEW)
        return
    yield _device(answer)
    yield _codecs(answer)


def check_memory() -> Iterator[Finding]:
    memory = psutil.virtual_memory()
    text = f"{memory.available / 1e9:.1f} GB of {memory.total / 1e9:.1f} GB free"
    if memory.available < LEAST_MEMORY:
        yield warning("memory", text, "Close other programs before a large edit.")
    else:
        yield ok("memory", text)


_ANEW = "Run `python3 installers/run.py setup` again."


def _device(answer: dict[str, Any]) -> Finding:
    if "torch_failure" in answer:
        return problem("device", f"torch cannot be loaded ({answer['torch_failure']}).", _ANEW)
    if answer["devices"]:
        name, total = answer["devices"][0]
        more = f" and {len(answer['devices']) - 1} more" if len(answer["devices"]) > 1 else ""
        return ok("device", f"cuda:0, {name}, {total / 1e9:.0f} GB{more} (CUDA {answer['cuda']})")
    text = f"CPU, {answer['threads']} threads; torch {answer['torch']} finds no GPU it can use"
    if shutil.which("nvidia-smi") is None:
        return ok("device", text)
    return warning(
        "device",
        f"{text}, though an NVIDIA driver is installed",
        "Set up again with --torch-index and the address pytorch.org shows for your CUDA version.",
    )


def _codecs(answer: dict[str, Any]) -> Finding:
    if "codec_failure" in answer:
        return problem("codecs", f"PyAV or OpenCV cannot be loaded ({answer['codec_failure']}).", _ANEW)
    if missing := answer["missing_codecs"]:
        return problem(
            "codecs", f"This build of PyAV lacks {', '.join(missing)}.", "Install PyAV's own wheel with pip."
        )
    return ok("codecs", ", ".join(CODECS))


def _parse(line: str) -> tuple[str, str, str, int, int]:
    index, name, driver, total, free = (field.strip() for field in line.split(","))
    return index, name, driver, int(total) << 20, int(free) << 20  # nvidia-smi counts in MiB


def _output(command: Sequence[str], seconds: float) -> str:
    """Standard output of a command; CalledProcessError with its last words, TimeoutExpired when it hangs."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    if done.returncode != 0:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return done.stdout


def _reason(failure: Exception) -> str:
    if isinstance(failure, subprocess.TimeoutExpired):
        return f"no answer within {failure.timeout:.0f} s"
    if isinstance(failure, subprocess.CalledProcessError):
        said = (failure.stderr or failure.stdout or "").strip().splitlines()
        ended = f"exit code {failure.returncode}"
        return f"{ended}: {said[-1][:200]}" if said else ended
    return str(failure)[:200] or type(failure).__name__
