# SPDX-License-Identifier: Apache-2.0
"""MLT's own player shows the right frame everywhere: inside the result's range the edited one, outside of it
what was there. `python -m tests.interchange.melt_check` prints the same for every rate and start."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.interchange.melt import MELT, XVFB, Outcome, check, compare
from tests.interchange.melt_check import PATHS
from tests.interchange.scene import LENGTH, RATES, STARTS, after

pytestmark = pytest.mark.skipif(MELT is None, reason="melt (Debian's package of that name) is not installed")


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize(("source", "target"), PATHS)
def test_every_rate(source: str, target: str, rate: Fraction, tmp_path: Path) -> None:
    hours = STARTS[RATES.index(rate) % len(STARTS)]
    outcome = check(tmp_path, rate, hours, source, target)
    assert outcome.wrong == ()
    assert outcome.good


@pytest.mark.parametrize("hours", STARTS)
@pytest.mark.parametrize("source", ["otio", "fcp7", "fcpxml"])
def test_every_start(source: str, hours: int, tmp_path: Path) -> None:
    assert check(tmp_path, Fraction(24000, 1001), hours, source, "mlt").wrong == ()


@pytest.mark.parametrize(("source", "target"), PATHS)
def test_a_patch_is_laid_over_what_is_below(source: str, target: str, tmp_path: Path) -> None:
    if target == "kdenlive" and XVFB is None:
        pytest.skip("Kdenlive's way to lay tracks over each other needs a display: install xvfb")
    assert check(tmp_path, Fraction(25), 1, source, target, alpha=True).wrong == ()


def test_the_comparison_sees_a_wrong_frame() -> None:
    """It would pass everything if it compared nothing."""
    right = [after(frame) for frame in range(LENGTH)]
    assert compare(right) == Outcome((10, 10), (50, 50), ())
    late = [right[0], *right[:-1]]
    assert not compare(late).good
    unmarked = [(number, False) for number, _ in right]
    assert compare(unmarked).inside == (0, 10)
    assert not compare(right[:-1]).good
