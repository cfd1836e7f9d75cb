# SPDX-License-Identifier: Apache-2.0
"""Runs inside a Blender: `python inside.py SCENARIO FOLDER`. Notes its outcome in FOLDER/outcome.json and
ends with os._exit, because some Blenders hang or crash when Python ends."""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> None:
    folder = Path(sys.argv[2])
    stage = importlib.import_module("stage").Stage(folder)
    try:
        if sys.argv[1] not in ("registers_twice", "from_zip"):
            stage.begin()
        known: dict[str, Callable[[Any], None]] = {}
        for beside in ("edits", "troubles", "lives", "recoveries"):
            known |= importlib.import_module(beside).SCENARIOS
        known[sys.argv[1]](stage)
    except BaseException:  # noqa: BLE001  # everything goes to the outcome
        stage.outcome["failure"] = traceback.format_exc()
    (folder / "outcome.json.partial").write_text(json.dumps(stage.outcome), encoding="utf-8")
    (folder / "outcome.json.partial").replace(folder / "outcome.json")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


main()
