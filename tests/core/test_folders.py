# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowanchor_core import folders
from flowanchor_core.errors import InputError


def test_the_environment_decides_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLOWANCHOR_MODELS", str(tmp_path / "m"))
    monkeypatch.setenv("FLOWANCHOR_CACHE", str(tmp_path / "c"))
    assert folders.models_folder() == tmp_path / "m"
    assert folders.cache_folder() == tmp_path / "c"


def test_models_and_cache_are_the_users_own_and_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOWANCHOR_MODELS", raising=False)
    monkeypatch.delenv("FLOWANCHOR_CACHE", raising=False)
    assert folders.models_folder().parent.name == "flowanchor"
    assert folders.cache_folder() not in folders.models_folder().parents


def test_without_a_home_nothing_is_put_where_the_program_was_started(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FLOWANCHOR_MODELS", "FLOWANCHOR_CACHE", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # neither HOME nor the user is known
    for folder in (folders.models_folder, folders.cache_folder):
        with pytest.raises(InputError) as failure:
            folder()
        assert failure.value.code == "no-home"
        assert "FLOWANCHOR_" in failure.value.action
