# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest
from flowanchor_daemon.engine.child_progress import WholeJob
from flowanchor_daemon.engine.preview_jpeg import LONGEST_SIDE, Pace, to_jpeg


@pytest.mark.parametrize(
    ("size", "shown"),
    [((16, 24), (64, 96)), ((60, 104), (184, 320)), ((400, 100), (320, 80)), ((1, 900), (1, 320))],
)
def test_a_preview_is_a_small_jpeg_in_the_right_colours(
    size: tuple[int, int], shown: tuple[int, int]
) -> None:
    picture = np.zeros((*size, 3), np.uint8)
    picture[:] = (200, 100, 20)
    content = to_jpeg(picture, 4)
    assert content[:3] == b"\xff\xd8\xff"
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape[:2] == shown
    assert max(decoded.shape[:2]) <= LONGEST_SIDE
    assert np.abs(decoded[..., ::-1].astype(int) - (200, 100, 20)).max() < 8


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def made_in(pace: Pace, clock: Clock, seconds: float, cost: float, step: float) -> list[float]:
    """Times at which previews that take `cost` were made, over steps of `step`."""
    times = []
    end = clock.time + seconds
    while clock.time < end:
        clock.time += step
        if pace.due():
            began = pace.now()
            clock.time += cost
            pace.made(began)
            times.append(clock.time)
    return times


def test_cheap_previews_come_four_times_a_second_at_most() -> None:
    clock = Clock()
    times = made_in(Pace(clock=clock), clock, 10, cost=0.001, step=0.02)
    assert 30 <= len(times) <= 40


def test_dear_previews_take_a_twentieth_of_the_time() -> None:
    clock = Clock()
    times = made_in(Pace(clock=clock), clock, 100, cost=0.5, step=0.1)
    assert 8 <= len(times) <= 11
    assert len(times) * 0.5 <= 0.06 * 100


def test_slow_steps_show_each() -> None:
    clock = Clock()
    assert len(made_in(Pace(clock=clock), clock, 20, cost=0.01, step=1.0)) == 20


def test_the_whole_never_falls_and_ends_at_one() -> None:
    whole = WholeJob()
    seen = [whole.after("load", 3, 3), whole.after("read", 5, 5), whole.after("encode", 1, 2)]
    seen += [whole.after("read", 1, 5), whole.after("edit", 0, 0), whole.after("decode", 9, 9)]
    seen += [whole.after("deliver", 9, 9), whole.after("verify", 9, 9)]
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-2] < 1
    assert seen[-1] == 1
