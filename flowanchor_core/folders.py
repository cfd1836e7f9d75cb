# SPDX-License-Identifier: Apache-2.0
"""Where FlowAnchor keeps things of its user's, by the rules of each system."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import platformdirs

from flowanchor_core.errors import InputError

_APP = "flowanchor"


def models_folder() -> Path:
    """Folder of the models known by name: $FLOWANCHOR_MODELS, else in the user's data folder.

    InputError("no-home") where neither is known.
    """
    if chosen := os.environ.get("FLOWANCHOR_MODELS"):
        return Path(chosen).expanduser()
    return _users(platformdirs.user_data_path, "FLOWANCHOR_MODELS") / "models"


def cache_folder() -> Path:
    """Folder of what can be made again: $FLOWANCHOR_CACHE, else the user's cache folder.

    InputError("no-home") where neither is known.
    """
    if chosen := os.environ.get("FLOWANCHOR_CACHE"):
        return Path(chosen).expanduser()
    return _users(platformdirs.user_cache_path, "FLOWANCHOR_CACHE")


def _users(ask: Callable[..., Path], variable: str) -> Path:
    # With no HOME and a user the system does not list, platformdirs raises; older ones answer "~/...".
    with contextlib.suppress(RuntimeError):
        if (folder := ask(_APP, appauthor=False)).is_absolute():
            return folder
    raise InputError(
        "no-home",
        "FlowAnchor does not know where your home folder is.",
        f"Set HOME, or {variable}, to a folder of yours.",
    )
