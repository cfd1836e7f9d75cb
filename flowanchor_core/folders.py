# SPDX-License-Identifier: Apache-2.0
"""Where FlowAnchor keeps things of its user's, by the rules of each system."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_APP = "flowanchor"


def models_folder() -> Path:
    """Folder of the models known by name: $FLOWANCHOR_MODELS, else in the user's data folder."""
    if chosen := os.environ.get("FLOWANCHOR_MODELS"):
        return Path(chosen).expanduser()
    return platformdirs.user_data_path(_APP, appauthor=False) / "models"


def cache_folder() -> Path:
    """Folder of what can be made again: $FLOWANCHOR_CACHE, else the user's cache folder."""
    if chosen := os.environ.get("FLOWANCHOR_CACHE"):
        return Path(chosen).expanduser()
    return platformdirs.user_cache_path(_APP, appauthor=False)
