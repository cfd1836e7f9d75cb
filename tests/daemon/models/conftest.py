# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flowanchor_daemon.models import catalog
from huggingface_hub import constants

from tests.daemon.models.hub_server import COMMIT, REPOSITORY, Hub, serve
from tests.daemon.models.tiny import tiny_files, write_files


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's models folder."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("FLOWANCHOR_MODELS", str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model somewhere else on this machine."""
    return write_files(tmp_path / "Some Folder" / "My Model", tiny_files())


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub on this machine that publishes the tiny model, which the catalogue knows as `tiny`."""
    with serve(Hub(tiny_files())) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        # for pulls in this process, where the library has read the variable already
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, running.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", running.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
        publish(monkeypatch, COMMIT)
        yield running


def publish(monkeypatch: pytest.MonkeyPatch, revision: str) -> None:
    known = catalog.Known("tiny", "Tiny", REPOSITORY, revision, bytes=1000)
    monkeypatch.setattr(catalog, "KNOWN", (*catalog.KNOWN[:2], known))


@pytest.fixture
def at_revision(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Change the revision at which the catalogue knows the tiny model."""
    return lambda revision: publish(monkeypatch, revision)
