# SPDX-License-Identifier: Apache-2.0
"""`daemon`: starts real daemons, each with folders of its own, and ends what a test leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.processes import Daemons


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemons]:
    """`daemon()` starts one and returns when it serves; see `Daemons.__call__`."""
    daemons = Daemons(tmp_path)
    try:
        yield daemons
    finally:
        daemons.close()
