# SPDX-License-Identifier: Apache-2.0
"""What the commands refuse before Resolve is asked for anything."""

from __future__ import annotations

import json
from pathlib import Path

from flowanchor_daemon.cli.resolve.commands import app
from typer.testing import CliRunner


def test_a_recording_that_cannot_be_begun_is_told_as_json_where_that_is_asked_for(tmp_path: Path) -> None:
    there = tmp_path / "there.jsonl"
    there.touch()
    done = CliRunner().invoke(app, ["record", "-o", str(there), "undo", "--json"])
    assert done.exit_code == 2
    assert json.loads(done.stdout.splitlines()[-1])["error"]["code"] == "record-place"
