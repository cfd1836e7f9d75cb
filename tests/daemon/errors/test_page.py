# SPDX-License-Identifier: Apache-2.0
"""The page of failures is what the catalogue says."""

from __future__ import annotations

from pathlib import Path

import pytest
from flowanchor_daemon.errors import CATALOGUE, page


def test_the_page_in_the_repository_is_current() -> None:
    assert page.main(["--check"]) == 0


def test_every_code_has_an_anchor() -> None:
    lines = page.render().splitlines()
    assert all(lines.count(f"### {code}") == 1 for code in CATALOGUE)


def test_a_page_that_is_out_of_date_is_noticed_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page, "PAGE", tmp_path / "ERRORS.md")
    assert page.main(["--check"]) == 1
    assert page.main([]) == 0
    assert page.main(["--check"]) == 0
    page.PAGE.write_text(page.PAGE.read_text() + "more\n")
    assert page.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err
    assert page.main(["--what"]) == 2
