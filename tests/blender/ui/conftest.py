# SPDX-License-Identifier: Apache-2.0
"""A clip of the embedded model's world."""

from __future__ import annotations

from typing import Any

import pytest

from tests.blender.ui.clips import arguments


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return arguments(tmp_path_factory.mktemp("clip"))
