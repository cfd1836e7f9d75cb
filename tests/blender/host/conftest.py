# SPDX-License-Identifier: Apache-2.0
"""`media`: the clips that the scripts in Blender work on, written once a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blender.host.media import write_media


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_media(tmp_path_factory.mktemp("host") / "media")
