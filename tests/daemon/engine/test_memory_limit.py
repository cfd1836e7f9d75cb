# SPDX-License-Identifier: Apache-2.0
"""An engine that really runs out of memory: its address space is limited so that a batch of branches does not
fit and the small plan does."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from diffusers import WanTransformer3DModel
from flowanchor.v1 import types_pb2
from flowanchor_daemon.engine.local import LocalEngine

from tests.daemon.engine.helpers import ended, follow, make_run, samples

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a running process")

Do = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(scope="module")
def wide_model(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with so wide a feed-forward that its activations outweigh everything else of an edit."""
    folder = tmp_path_factory.mktemp("wide") / "wide"
    shutil.copytree(model, folder)
    torch.manual_seed(0)
    config = dict(WanTransformer3DModel.load_config(folder / "transformer"))
    shutil.rmtree(folder / "transformer")
    WanTransformer3DModel.from_config({**config, "ffn_dim": 16384}).save_pretrained(folder / "transformer")
    card = json.loads((folder / "flowanchor.json").read_text())
    card["sampling"] |= {"steps": 2, "skip": 1}
    (folder / "flowanchor.json").write_text(json.dumps(card))
    return folder


def test_out_of_memory_fails_the_job_and_the_small_plan_succeeds(
    do: Do, environment: dict[str, str], wide_model: Path, clip: Path, tmp_path: Path
) -> None:
    engine = LocalEngine(tmp_path / "engine.log", -1, environment=environment)
    run = make_run("large", wide_model, clip, tmp_path / "out")
    try:
        do(engine.load(str(wide_model), "cpu"))
        assert engine.pid is not None
        process = psutil.Process(engine.pid)
        # Measured: the small plan takes about 800 MiB more than the loaded model, the full one 1200.
        room = 1000 << 20
        process.rlimit(psutil.RLIMIT_AS, (process.memory_info().vms + room, psutil.RLIM_INFINITY))
        events = do(follow(engine, run))
        assert ended(events) == "failed"
        failure = events[-1].failed
        assert (failure.code, failure.kind) == ("out-of-memory", types_pb2.FAILURE_KIND_RUN)
        run.attempt, run.memory_plan = 2, "small"
        events = do(follow(engine, run))
        assert ended(events) == "done", events[-1]
        assert events[-1].done.result.memory_plan == "small"
        assert engine.pid == process.pid
        assert len(samples(tmp_path / "out" / "result.mkv")) == 17
    finally:
        do(engine.close())
