# SPDX-License-Identifier: Apache-2.0
"""A file counts as one of a constant rate only if each of its frames is shown for the same time, from 0
on."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_vse.logic.constant_rate import Timing, constant_timing

from tests.blender.host import numbered
from tests.blender.host.media import FRAMES, RATES


@pytest.mark.parametrize("name", [name for name in RATES if not name.endswith(".mkv")])
def test_timing_of_a_plain_movie(media: Path, name: str) -> None:
    assert constant_timing(media / name) == Timing(FRAMES, RATES[name], numbered.WIDTH, numbered.HEIGHT, True)


@pytest.mark.parametrize("name", ["vfr.mp4", "24.mkv", "alpha.mov", "sound.wav", "none.mp4"])
def test_nothing_is_said_where_there_is_a_doubt(media: Path, name: str) -> None:
    assert constant_timing(media / name) is None


@pytest.mark.parametrize("name", ["untagged.mp4", "nclc.mov"])
def test_colours_that_are_not_wholly_stated(media: Path, name: str) -> None:
    found = constant_timing(media / name)
    assert found is not None
    assert not found.rec709


def test_any_other_stated_colours_are_not_rec709(media: Path, tmp_path: Path) -> None:
    whole = bytearray((media / "24.mp4").read_bytes())
    start = whole.index(b"colrnclx") + 8
    other = tmp_path / "other.mp4"
    for at, value in ((start + 1, 9), (start + 3, 16), (start + 5, 6), (start + 5, 2), (start + 6, 0x80)):
        changed = bytearray(whole)
        changed[at] = value
        other.write_bytes(changed)
        found = constant_timing(other)
        assert found is not None
        assert not found.rec709, (at - start, value)


def test_damaged_tables_are_a_doubt(media: Path, tmp_path: Path) -> None:
    whole = (media / "24.mp4").read_bytes()
    plain = Timing(FRAMES, Fraction(24), numbered.WIDTH, numbered.HEIGHT, True)
    damaged = tmp_path / "damaged.mp4"
    start = whole.index(b"moov")
    for at in range(start - 4, len(whole), 7):
        damaged.write_bytes(whole[:at])
        assert constant_timing(damaged) is None, at
        damaged.write_bytes(whole[:at] + bytes([whole[at] ^ 0x80]) + whole[at + 1 :])
        found = constant_timing(damaged)  # whatever it says, it ends, and quietly
        assert found is None or isinstance(found, Timing)
    damaged.write_bytes(whole)
    assert constant_timing(damaged) == plain


def test_an_edit_list_that_skips_frames_is_a_doubt(media: Path, tmp_path: Path) -> None:
    whole = bytearray((media / "24.mp4").read_bytes())
    start = whole.index(b"elst") + 4 + 8
    length = int.from_bytes(whole[start : start + 4], "big")
    later = tmp_path / "later.mp4"
    for at, value in ((start, length // 2), (start + 4, 99_999)):
        changed = bytearray(whole)
        changed[at : at + 4] = value.to_bytes(4, "big")
        later.write_bytes(changed)
        assert constant_timing(later) is None
