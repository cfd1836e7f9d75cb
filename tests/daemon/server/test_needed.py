# SPDX-License-Identifier: Apache-2.0
"""When a daemon that nobody asks to leaves by itself, and what must not make it leave, or stay."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flowanchor.rendezvous import Discovery, RendezvousError, new_token
from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.server.activity import Activity
from flowanchor_daemon.server.draining import Ending
from flowanchor_daemon.server.needed import Watch
from flowanchor_daemon.server.place import Place


class Fake:
    """The daemon's parts and its place at once: `busy` and `lost` are what each look finds, the last one for
    ever; an exception is raised."""

    def __init__(self, busy: list[bool | Exception], lost: list[bool]) -> None:
        self._busy, self._lost = self._said(busy), self._said(lost)
        self.ending, self.activity = Ending(), Activity()
        self.folder = Path("/nowhere")
        self.looks = self.renewed = 0

    @staticmethod
    def _said(answers: list[Any]) -> Iterator[Any]:
        yield from answers
        while True:
            yield answers[-1]

    async def busy(self) -> bool:
        self.looks += 1
        answer = next(self._busy)
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    def is_lost(self) -> bool:
        return bool(next(self._lost))

    async def renew(self) -> bool:
        self.renewed += 1
        return True


def watched(fake: Fake, idle_exit: float, looks: int | None = None) -> str:
    """Watch until the end is asked for, and give the reason; "" if it is not after so many looks."""

    async def run() -> None:
        both: Any = fake
        task = asyncio.create_task(Watch(both, both, idle_exit, every=0.01).run())
        async with asyncio.timeout(120):
            while not fake.ending.asked and (looks is None or fake.looks < looks):
                await asyncio.sleep(0.005)
        task.cancel()

    asyncio.run(run())
    return fake.ending.reason


def test_one_look_that_fails_does_not_end_the_looking() -> None:
    fake = Fake([ServiceError("queue-locked"), OSError("the disk"), False], [False])
    assert watched(fake, 0.05).startswith("nobody needed")


def test_a_look_that_finds_nothing_is_made_again_before_it_counts() -> None:
    assert watched(Fake([False], [True, True, False] * 5 + [False]), -1, looks=16) == ""
    assert watched(Fake([False], [False, True]), -1).startswith("nobody can find")


def test_while_it_works_it_makes_its_place_anew_instead_of_leaving() -> None:
    fake = Fake([True], [True, True, True, False])
    assert watched(fake, 0, looks=8) == ""
    assert fake.renewed == 1


def test_what_cannot_be_read_now_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(SimpleNamespace(), tmp_path, SimpleNamespace())  # type: ignore[arg-type]  # looks at none
    assert place.is_lost(), "nothing is there"

    def raising(code: str) -> None:
        def read(_: Path) -> Discovery:
            raise RendezvousError(code, "No.", "Do.")

        monkeypatch.setattr(Discovery, "read", read)

    raising("state-unreadable")
    assert not place.is_lost()
    raising("state-not-ours")
    assert place.is_lost()
    monkeypatch.setattr(Discovery, "read", lambda _: Discovery(1, "unix:/x", (1, 0), "1", new_token(), 1))
    assert place.is_lost(), "another daemon is there"
