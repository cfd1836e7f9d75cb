# SPDX-License-Identifier: Apache-2.0
"""A result that two Blenders with the same file fetch at once is whole for both."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2
from flowanchor_vse.logic.downloading import PIECE_BYTES, Download

from tests.blender.logic.standin import StandIn

DATA = bytes(range(256)) * (3 * PIECE_BYTES // 256)


class Sends(StandIn):
    def download_chunk(self, job: str, artifact: int, offset: int, max_bytes: int) -> bytes:
        return DATA[offset : offset + max_bytes]


def test_two_blenders_fetch_the_same_result_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = jobs_pb2.Artifact(
        name="result.mov",
        bytes=len(DATA),
        sha256=hashlib.sha256(DATA).hexdigest(),
        kind=jobs_pb2.ARTIFACT_KIND_RESULT,
    )
    one, other = Download("job", [artifact], tmp_path), Download("job", [artifact], tmp_path)
    processes = {one: os.getpid(), other: os.getppid()}  # both are alive
    result = tmp_path / "result.mov"
    for turn in (one, other, one, other, one, other):
        monkeypatch.setattr(os, "getpid", lambda turn=turn: processes[turn])
        turn.step(Sends())
        if result.exists():
            assert result.read_bytes() == DATA, "it has its name only when it is whole"
    assert one.complete
    assert other.complete
    assert [path.name for path in tmp_path.iterdir()] == ["result.mov"]
