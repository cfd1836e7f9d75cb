# SPDX-License-Identifier: Apache-2.0
"""The log rotates and never holds the token."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flowanchor_daemon.server import logs

TOKEN = "t0ken-of-this-test"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    try:
        logs.start(tmp_path / "daemon.log", TOKEN)
        yield tmp_path / "daemon.log"
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers, root.level = before, level


def test_the_token_is_left_out_of_messages_and_tracebacks(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("a").warning("got %s", f"Bearer {TOKEN}")
    try:
        raise ValueError(TOKEN)
    except ValueError:
        logging.getLogger("b").exception("failed")
    text = log.read_text()
    assert "got Bearer [token]" in text
    assert "ValueError: [token]" in text
    assert TOKEN not in text + capsys.readouterr().err


def test_only_warnings_go_to_the_terminal(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("a").info("quiet")
    assert "quiet" in log.read_text()
    assert capsys.readouterr().err == ""


def test_it_stays_small(log: Path) -> None:
    for _ in range(200):
        logging.getLogger("a").info("x" * 100_000)
    files = list(log.parent.iterdir())
    assert 1 < len(files) <= 4
    assert sum(file.stat().st_size for file in files) < 9 << 20


def test_a_file_behind_standard_error_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    with (tmp_path / "start.log").open("w") as started:
        monkeypatch.setattr(sys, "stderr", started)
        try:
            logs.start(tmp_path / "daemon.log", TOKEN)
            for number in range(300):
                logging.getLogger("a").warning("%d %s", number, "x" * 1000)
        finally:
            for handler in root.handlers:
                handler.close()
            root.handlers, root.level = before, level
    assert "0 xxx" in (tmp_path / "start.log").read_text()
    assert (tmp_path / "start.log").stat().st_size < 70_000
    assert "299 xxx" in (tmp_path / "daemon.log").read_text()
