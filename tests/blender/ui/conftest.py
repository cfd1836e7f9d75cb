# SPDX-License-Identifier: Apache-2.0
"""A clip of the embedded model's world, and daemons as `tests.daemon` starts them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.blender.ui.clips import arguments
from tests.daemon.processes import Daemons


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return arguments(tmp_path_factory.mktemp("clip"))


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemons]:
    """`daemon()` starts one and returns when it serves."""
    daemons = Daemons(tmp_path)
    try:
        yield daemons
    finally:
        daemons.close()
