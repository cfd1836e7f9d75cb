# SPDX-License-Identifier: Apache-2.0
"""The catalogue and the source agree: nothing is raised without an entry, and no entry is of the past."""

from __future__ import annotations

import re

import pytest
from flowanchor_daemon.errors import CATALOGUE
from flowanchor_daemon.errors.catalogue import TOPICS

from tests.daemon.errors.raised_codes import Found, read_codes


@pytest.fixture(scope="module")
def found() -> Found:
    return read_codes()


def test_every_raised_code_has_an_entry(found: Found) -> None:
    missing = {code: places for code, places in found.codes.items() if code not in CATALOGUE}
    assert not missing, "add these to flowanchor_daemon/errors/codes"


def test_every_pattern_has_an_entry(found: Found) -> None:
    assert found.patterns, "the reader has stopped seeing f-strings"
    for (start, end), places in found.patterns.items():
        assert any(_fits(code, start, end) for code in CATALOGUE), places


def test_every_entry_is_raised_somewhere(found: Found) -> None:
    unused = {
        code
        for code in CATALOGUE
        if code not in found.codes and not any(_fits(code, *pattern) for pattern in found.patterns)
    }
    assert not unused, "remove these from flowanchor_daemon/errors/codes"


def test_every_code_can_be_read_from_the_source(found: Found) -> None:
    assert not found.unread


def test_the_reader_sees_the_source(found: Found) -> None:
    """It would pass everything if it found nothing."""
    assert len(found.codes) > 90
    assert "flowanchor_core/footage/media.py" in {place.split(":")[0] for place in found.codes["no-video"]}


def test_codes_are_unique_and_kebab_case() -> None:
    codes = [entry.code for entries in TOPICS.values() for entry in entries]
    assert len(codes) == len(set(codes)) == len(CATALOGUE)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code) for code in codes)


def test_sentences_are_sentences() -> None:
    for entry in CATALOGUE.values():
        assert re.fullmatch(r"[A-Z].*[^.!?\s]\.", entry.message), entry
        assert re.fullmatch(r"[A-Z].*[^.!?\s]\.", entry.action), entry
        assert ". " not in entry.message, f"one sentence: {entry.message}"


def _fits(code: str, start: str, end: str) -> bool:
    return code.startswith(start) and code.endswith(end) and len(code) > len(start) + len(end)
