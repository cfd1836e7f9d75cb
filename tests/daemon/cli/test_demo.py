# SPDX-License-Identifier: Apache-2.0
"""What the demo says of a place that it cannot use."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from flowanchor_daemon.cli.demo import demo


def test_a_file_in_place_of_its_folder_is_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "README.md"
    taken.touch()
    with pytest.raises(typer.Exit) as caught:
        demo(out=taken)
    assert caught.value.exit_code == 2
    assert capsys.readouterr().err == f"flowanchor: {taken} is a file. Name a folder.\n"
