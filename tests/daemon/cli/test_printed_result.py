# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from flowanchor_daemon.cli.edit import print_result

from tests.daemon.engine.test_result_of import RESULT


@pytest.mark.parametrize(
    ("difference", "deliver", "hint"),
    [
        (20, "full", "20 (prores compresses the whole frame again; with ffv1 it stays exact)"),
        (0, "full", "0"),
        (2, "patch", "2"),
    ],
)
def test_a_difference_outside_is_explained_by_what_the_command_can_do_about_it(
    capsys: pytest.CaptureFixture[str], difference: int, deliver: str, hint: str
) -> None:
    made = replace(RESULT, format="prores", deliver=deliver, max_abs_diff_outside=difference)
    print_result(made, exact="ffv1")
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "largest difference" in line)
    assert line.partition(": ")[2] == hint


def test_files_are_named_so_that_they_are_found_from_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(replace(RESULT, output=Path("out.mkv"), sheet=Path("sheet.png")))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(Path.cwd() / "out.mkv")
    assert f"  contact sheet: {Path.cwd() / 'sheet.png'}" in lines
