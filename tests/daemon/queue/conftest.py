# SPDX-License-Identifier: Apache-2.0
"""A queue on disk for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flowanchor_daemon.queue.store import JobStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    opened = JobStore.open(tmp_path / "queue.sqlite")
    yield opened
    opened.close()
