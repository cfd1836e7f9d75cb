# SPDX-License-Identifier: Apache-2.0
"""Puts Resolve back as it was, whatever happens meanwhile: each thing even if another one fails, and a first
Ctrl-C waits until all is done. A second one ends it at once, and what is left undone is told.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

_ENDINGS: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def held() -> Iterator[None]:
    """Hold a first Ctrl-C (and a request to end) until the block has ended, then let it through.

    Signals reach the main thread alone; in any other one there is nothing to hold, as inside Resolve.
    """
    waiting: list[int] = []
    found = {number: signal.getsignal(number) for number in _ENDINGS}
    handlers = {number: handler for number, handler in found.items() if callable(handler)}

    def hold(number: int, frame: FrameType | None) -> None:
        if not waiting:
            waiting.append(number)
            return
        # What is left of the block is left undone; nothing is to wait behind it.
        waiting.clear()
        handlers[number](number, frame)

    try:
        for number in handlers:
            signal.signal(number, hold)
    except ValueError:  # not the main thread
        handlers.clear()
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in waiting:
            handlers[number](number, None)


def put_back(steps: Sequence[tuple[str, Callable[[], object]]], tell: Callable[[list[str]], None]) -> None:
    """Do every step (a name, and what gives whether it succeeded), though others fail.

    Args:
        steps: in their order.
        tell: given the names of those that did not succeed, if there are any; those that a second Ctrl-C
            has cut off are among them.
    """
    left = [name for name, _ in steps]
    with held():
        try:
            for name, step in steps:
                if _done(step):
                    left.remove(name)
        finally:
            if left:
                tell(left)


def _done(step: Callable[[], object]) -> bool:
    try:
        return bool(step())
    except Exception:  # noqa: BLE001 - a step that fails in whatever way is told, and keeps none from its turn
        return False
