# SPDX-License-Identifier: Apache-2.0
"""An editor in the place of the daemon, and the scene as a file of each format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flowanchor_daemon.cli import edit_job
from flowanchor_daemon.cli.timeline import job
from flowanchor_interchange.model import Span

from tests.daemon.cli.timeline.command import NTSC, Editor, Make
from tests.interchange.documents import DOCUMENTS, ENDINGS
from tests.interchange.scene import FRAMES, Scene, write_footage


@contextmanager
def _no_daemon(show: Any = None) -> Iterator[Any]:
    yield SimpleNamespace(warning="")


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> Editor:
    made = Editor()
    monkeypatch.setattr(edit_job, "run", made.run)
    monkeypatch.setattr(job, "connected", _no_daemon)
    return made


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """make(format, rate, hours): the scene as a file, with its footage recorded some frames `later`."""

    def written(
        kind: str, rate: Fraction = NTSC, hours: int = 1, drop: bool = False, later: int = 0
    ) -> tuple[Path, Scene]:
        scene = Scene(rate, hours, tmp_path / "footage.mkv", drop, later)
        if not scene.footage.exists():
            write_footage(scene.footage, rate, scene.recorded_label, Span(0, FRAMES))
        path = tmp_path / f"scene{ENDINGS[kind]}"
        path.write_bytes(DOCUMENTS[kind](scene))
        return path, scene

    return written
