# SPDX-License-Identifier: Apache-2.0
"""A tiny random model, a clip, and a request for an edit of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowanchor_core.backbone import Backbone
from flowanchor_core.request import EditRequest
from tests.core.edits import request_of, tiny_model, write_clip


@pytest.fixture(scope="module")
def model(wan_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(wan_folder, tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def backbone(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    return Backbone.load(model, cache_folder=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mkv")


@pytest.fixture
def request_(clip: Path, model: Path, tmp_path: Path) -> EditRequest:
    return request_of(clip, model, tmp_path)
