# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys

import psutil
import pytest
import torch
from flowanchor_daemon.engine.child_memory import PeakMemory, device_is_sound, give_back

MIB = 1 << 20
CPU = torch.device("cpu")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts the peak anew for each job")
def test_the_peak_is_of_the_job_and_not_of_those_before() -> None:
    give_back()
    first = PeakMemory(CPU)
    before = first.bytes()
    held = torch.ones(200 * MIB, dtype=torch.uint8)
    del held
    give_back()
    assert first.bytes() >= before + 190 * MIB
    assert PeakMemory(CPU).bytes() < before + 100 * MIB


def test_what_is_given_back_leaves_the_process() -> None:
    held = [torch.ones(MIB // 16, dtype=torch.uint8) for _ in range(16 * 100)]
    resident = psutil.Process().memory_info().rss
    del held
    give_back()
    assert psutil.Process().memory_info().rss < resident - 80 * MIB


def test_the_cpu_always_answers() -> None:
    assert device_is_sound(CPU)


def test_a_device_that_was_never_used_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    assert device_is_sound(None)
    assert device_is_sound(torch.device("cuda"))
    assert device_is_sound(torch.device("cuda:99"))


def test_the_daemons_side_of_the_engine_loads_no_heavy_library() -> None:
    code = """
import sys
import flowanchor_daemon.engine.local
print([name for name in ("torch", "diffusers", "transformers", "av", "cv2", "numpy") if name in sys.modules])
"""
    path = ":".join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
