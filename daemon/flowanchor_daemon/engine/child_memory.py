# SPDX-License-Identifier: Apache-2.0
"""How much memory a job has taken at most, and giving back what is only held in reserve."""

from __future__ import annotations

import ctypes
import gc
import sys
from pathlib import Path

import psutil
import torch

_PROCESS = Path("/proc/self")


class PeakMemory:
    """Most bytes held since it was made: allocated on the CUDA device, or on the CPU the process's resident
    memory."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._most = 0
        self._process = psutil.Process()
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        else:
            self._counted = _reset_peak()

    def bytes(self) -> int:
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        peak = _peak() if self._counted else None
        # Without a count by the system: the most that was seen when asked.
        self._most = max(self._most, self._process.memory_info().rss if peak is None else peak)
        return self._most


def _reset_peak() -> bool:
    """Let Linux count the peak of the resident memory anew; False where it cannot be."""
    try:
        (_PROCESS / "clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _peak() -> int | None:
    for line in (_PROCESS / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def give_back() -> None:
    """Free what no job needs any more, on the device too."""
    gc.collect()
    _trim()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _trim() -> None:
    """Let glibc return freed memory to the system, of which it keeps hundreds of megabytes after an edit."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:  # other C libraries have none
            trim(0)


def device_is_sound(device: torch.device | None) -> bool:
    """Whether a CUDA device still answers; after some errors it never does again in this process. What was
    not used (None, or CUDA before anything ran on it) cannot have come to harm."""
    if device is None or device.type != "cuda":
        return True
    if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return True
    try:
        torch.cuda.synchronize(device)
    except RuntimeError:
        return False
    return True
