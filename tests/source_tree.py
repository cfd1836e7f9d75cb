# SPDX-License-Identifier: Apache-2.0
"""How a process of a test finds the packages of this clone, installed or not."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = (".", "proto", "addons", "addons/resolve", "addons/interchange", "daemon")
"""Folders that hold packages."""
PYTHONPATH = os.pathsep.join(str(ROOT / part) for part in PARTS)
"""For the environment of a child process."""
