# SPDX-License-Identifier: Apache-2.0
"""Where results go and what they are called."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from flowanchor_vse.logic import naming
from flowanchor_vse.logic.channels import HIGHEST, Taken, first_free
from flowanchor_vse.logic.frames import FrameRange
from hypothesis import given
from hypothesis import strategies as st

strips = st.lists(
    st.builds(
        lambda channel, start, length: Taken(channel, start, start + length),
        st.integers(1, 12),
        st.integers(-50, 50),
        st.integers(1, 40),
    ),
    max_size=30,
)


@given(strips, st.integers(-50, 50), st.integers(1, 40), st.integers(0, 12), st.integers(1, 14))
def test_the_channel_is_the_lowest_that_is_free_over_the_whole_range(
    taken: list[Taken], first: int, length: int, above: int, highest: int
) -> None:
    over = FrameRange(first, first + length - 1)

    def free(channel: int) -> bool:
        used = {
            frame for strip in taken if strip.channel == channel for frame in range(strip.start, strip.end)
        }
        return not used & set(over)

    expected = [channel for channel in range(above + 1, highest + 1) if free(channel)]
    assert first_free(taken, over, above, highest) == (expected[0] if expected else None)


def test_strips_that_touch_do_not_overlap() -> None:
    over = FrameRange(10, 19)
    assert first_free([Taken(2, 0, 10), Taken(2, 20, 30)], over, 1) == 2
    assert first_free([Taken(2, 0, 11)], over, 1) == 3
    assert first_free([Taken(2, 19, 30)], over, 1) == 3


def test_a_barred_channel_is_passed_over() -> None:
    over = FrameRange(10, 19)
    assert first_free([Taken(3, 0, 12)], over, 1, barred={2, 4}) == 5
    assert first_free([], over, 1, highest=3, barred={2, 3}) is None


def test_a_full_sequencer_has_no_channel() -> None:
    full = [Taken(channel, 0, 100) for channel in range(1, HIGHEST + 1)]
    assert first_free(full, FrameRange(5, 6), 1) is None
    assert first_free(full[:-1], FrameRange(5, 6), 1) == HIGHEST


@given(st.text(max_size=100), st.text(max_size=100), st.integers(0, 2**63 - 1))
def test_a_result_name_fits_into_blender_and_is_new(strip: str, change: str, seed: int) -> None:
    first = naming.result_name(strip, change, seed)
    second = naming.result_name(strip, change, seed, {first})
    for name in (first, second):
        assert len(name.encode()) <= naming.LONGEST_NAME
        assert str(seed) in name
    assert first != second


@given(st.text(max_size=80), st.integers(0, 80))
def test_a_shortened_text_is_a_beginning_in_whole_letters(text: str, size: int) -> None:
    short = naming.shortened(text, size)
    assert len(short.encode()) <= size
    assert text.startswith(short)


@given(st.text(max_size=200), st.text(alphabet="0123456789abcdef-", min_size=1, max_size=36))
def test_a_folder_name_is_plain_on_every_system(blend: str, request: str) -> None:
    name = naming.folder_name(blend, request)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name)
    assert PureWindowsPath(name).name == PurePosixPath(name).name == name


@pytest.mark.parametrize(
    ("blend", "start"),
    [("", "unsaved-"), ("/home/u/My Film.blend", "My-Film-"), (r"C:\films\shot 1.blend", "shot-1-")],
)
def test_a_folder_is_named_after_the_file(blend: str, start: str) -> None:
    assert naming.folder_name(blend, "abc") == f"{start}abc"


@pytest.mark.parametrize("name", ["con", "NUL", "com1", "Lpt9"])
def test_names_windows_keeps_for_itself_are_avoided(name: str) -> None:
    assert naming.plain(name) == f"{name}-"


@given(st.integers(0, 5_000_000))
def test_frame_files_sort_as_they_are_numbered(index: int) -> None:
    name = naming.frame_file(index)
    assert int(name.removesuffix(".png")) == index
    if index < 999_999:
        assert name < naming.frame_file(index + 1)


def test_there_is_no_frame_before_the_first() -> None:
    with pytest.raises(ValueError, match="no frame"):
        naming.frame_file(-1)


@given(st.text(max_size=60), st.integers(0, 9999))
def test_an_artifacts_name_never_leaves_its_folder(name: str, index: int) -> None:
    safe = naming.safe_artifact_name(name, index)
    assert PurePosixPath(safe).name == PureWindowsPath(safe).name == safe
    assert safe not in (".", "..", "")
    assert not safe.startswith(".")


@pytest.mark.parametrize(
    "name", ["../x.png", "/etc/x", "a/b", "..", "", ".hidden", "con.png", "x.", "a\\b", "x:y"]
)
def test_unsafe_artifact_names_are_replaced(name: str) -> None:
    assert naming.safe_artifact_name(name, 7) == "artifact-000007"


@pytest.mark.parametrize("name", ["result.000024.png", "result.mkv"])
def test_the_daemons_own_names_are_kept(name: str) -> None:
    assert naming.safe_artifact_name(name, 0) == name
