# SPDX-License-Identifier: Apache-2.0
"""Timelines as files."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from tests.interchange.documents import DOCUMENTS, ENDINGS
from tests.interchange.scene import Scene

Make = Callable[..., tuple[Path, Scene]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """make(format, rate, hours): the scene as a file of that format, beside footage that is not there."""

    def written(
        kind: str, rate: Fraction = Fraction(24000, 1001), hours: int = 1, drop: bool = False
    ) -> tuple[Path, Scene]:
        scene = Scene(rate, hours, tmp_path / "foot age.mkv", drop)
        path = tmp_path / f"scene{ENDINGS[kind]}"
        path.write_bytes(DOCUMENTS[kind](scene))
        return path, scene

    return written
