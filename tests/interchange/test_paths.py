# SPDX-License-Identifier: Apache-2.0
"""How timelines name files."""

from __future__ import annotations

from pathlib import Path

import pytest
from flowanchor_interchange.paths import is_relative, local_path, url_of
from hypothesis import given
from hypothesis import strategies as st

HERE = Path("/timelines")


@pytest.mark.parametrize(
    ("stated", "path"),
    [
        ("file:///media/a%20b%C3%A4.mov", "/media/a bä.mov"),
        ("file://localhost/media/a.mov", "/media/a.mov"),
        ("FILE:///media/a.mov", "/media/a.mov"),
        ("file:/media/a.mov", "/media/a.mov"),
        ("file:///C%3A/clips/a.mov", "C:/clips/a.mov"),
        ("file://localhost/C:/clips/a.mov", "C:/clips/a.mov"),
        ("file://server/share/a.mov", "//server/share/a.mov"),
        ("/media/a b.mov", "/media/a b.mov"),
        ("media/a.mov", "/timelines/media/a.mov"),
        ("../a.mov", "/timelines/../a.mov"),
        (r"C:\clips\a.mov", r"C:\clips\a.mov"),
        ("100%.mov", "/timelines/100%.mov"),
        ("file:media/a%20b.mov", "/timelines/media/a b.mov"),
        ("file:///media/a.mov?x=1#t", "/media/a.mov"),
        ("%" + "a" * 5000, "/timelines/%" + "a" * 5000),
    ],
)
def test_where_a_file_lies(stated: str, path: str) -> None:
    assert local_path(stated, HERE) == Path(path)


@pytest.mark.parametrize(
    "stated",
    ["", " ", "https://example.org/a.mov", "smb://server/a.mov", "a\0b", "file:///a%00b", "file://[/a"],
)
def test_what_is_no_file_here(stated: str) -> None:
    assert local_path(stated, HERE) is None


@pytest.mark.parametrize("name", ["take #2.mov", "who?.mov", "#1?.mov"])
def test_signs_that_some_programs_leave_in_urls(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    for stated in (f"file://{tmp_path}/{name}", (tmp_path / name).as_uri()):
        assert local_path(stated.replace(" ", "%20"), HERE) == tmp_path / name


def test_percent_signs_in_bare_paths(tmp_path: Path) -> None:
    """The literal reading first: a file may be called so."""
    (tmp_path / "a b.mov").touch()
    assert local_path("a%20b.mov", tmp_path) == tmp_path / "a b.mov"
    (tmp_path / "a%20b.mov").touch()
    assert local_path("a%20b.mov", tmp_path) == tmp_path / "a%20b.mov"


@pytest.mark.parametrize(
    ("stated", "relative"),
    [
        ("a.mov", True),
        ("../media/a.mov", True),
        ("/a.mov", False),
        ("file:///a.mov", False),
        ("file:a.mov", True),
        (r"C:\a.mov", False),
        ("C:/a.mov", False),
        (r"\\server\a.mov", False),
        ("http://x/a.mov", False),
    ],
)
def test_relative_names(stated: str, relative: bool) -> None:
    assert is_relative(stated) == relative


parts = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12
)


@given(
    st.lists(parts.filter(lambda part: part not in (".", "..") and part[1:] != ":"), min_size=1, max_size=3)
)
def test_a_url_leads_back(names: list[str]) -> None:
    path = Path("/", *names)
    assert local_path(url_of(path), HERE) == path
    assert local_path(url_of(path, "file://localhost/x"), HERE) == path
    assert url_of(path, "file://localhost/x").startswith("file://localhost/")
