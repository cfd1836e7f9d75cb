# SPDX-License-Identifier: Apache-2.0
"""What tests of the traps set up."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import flowanchor_resolve
import pytest

from tests.resolve.core.scene import Clip, World, write_result

Footage = Callable[..., Path]
PACKAGE = Path(flowanchor_resolve.__file__).parent


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    return write_result(tmp_path / "edit.mov", Fraction(24), 20)


def timeline_of(world: World, footage: Footage, **more: Any) -> Any:
    clips = [Clip(footage(), at=10, first=5, frames=20, name="ours"), Clip(footage(), at=30, frames=10)]
    return world.add_timeline(**{"clips": clips, **more})


def raw(world: World) -> Any:
    """The project, as a script that knows no traps would use it."""
    return world.scriptapp("Resolve").GetProjectManager().GetCurrentProject()
