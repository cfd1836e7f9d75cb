# SPDX-License-Identifier: Apache-2.0
"""What the media store holds at most, what makes way, and a disk that fills up."""

from __future__ import annotations

import errno
import os
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.media.quota import MediaLimits
from flowanchor_daemon.media.store import MediaStore

from flowanchor_core.errors import FlowAnchorError
from tests.daemon.media.stores import DATA, SHA, code_of, put, sha_of


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media")


def full_store(tmp_path: Path, kept: set[str], results: int = 0, grace: float = 0.0) -> MediaStore:
    limits = MediaLimits(max_store_bytes=3000, grace_seconds=grace)
    return MediaStore(tmp_path / "media", limits, lambda: kept, lambda: results)


def aged(store: MediaStore, sha: str, seconds: float) -> str:
    used = time.time() - seconds
    os.utime(store.folder / sha[:2] / sha, (used, used))
    return sha


def test_what_no_job_needs_goes_longest_unused_first(tmp_path: Path) -> None:
    kept: set[str] = set()
    store = full_store(tmp_path, kept)
    old, older, oldest = (
        aged(store, put(store, bytes([index]) * 1000), age) for index, age in enumerate((10, 20, 30))
    )
    kept.add(oldest)
    fresh = put(store, b"x" * 900)
    assert [store.stat(sha).complete for sha in (fresh, old, older, oldest)] == [True, True, False, True]
    assert store.used_bytes() == 2900


def test_files_of_jobs_are_never_evicted(tmp_path: Path) -> None:
    kept: set[str] = set()
    store = full_store(tmp_path, kept, results=500)
    kept.update(put(store, bytes([index]) * 1000) for index in range(2))
    with pytest.raises(ServiceError) as caught:
        store.write(SHA, 1000, 0, b"")
    assert caught.value.code == "quota-full"
    assert "2.0 kB" in caught.value.message
    assert "500 B" in caught.value.message
    assert "delete" in caught.value.action
    assert all(store.stat(sha).complete for sha in kept)
    store.make_room(400)
    assert code_of(lambda: store.make_room(600)) == "quota-full"
    store.make_room(600, keep=set)


def test_results_that_were_deleted_count_no_more_at_once(tmp_path: Path) -> None:
    results = [2500]
    store = MediaStore(
        tmp_path / "media", MediaLimits(max_store_bytes=3000), keep=set, results_bytes=lambda: results[0]
    )
    assert code_of(lambda: store.write(SHA, 1000, 0, b"")) == "quota-full"
    results[0] = 0
    assert store.write(SHA, 1000, 0, b"").received_bytes == 0


def test_the_queue_is_not_asked_at_every_piece(tmp_path: Path) -> None:
    asked: list[int] = []

    def results() -> int:
        asked.append(1)
        return 0

    store = MediaStore(tmp_path / "media", MediaLimits(), keep=set, results_bytes=results)
    for at in range(0, 1000, 10):
        store.write(SHA, len(DATA), at, DATA[at : at + 10])
    assert len(asked) < 20


def test_what_was_touched_long_ago_is_forgotten(tmp_path: Path) -> None:
    store = MediaStore(tmp_path / "media", MediaLimits(grace_seconds=0))
    for number in range(10_050):
        store.write(f"{number:064x}", 10, 0, b"")
    assert len(store._room._touched) < 100
    assert len(store._uploads) <= 257


def test_nothing_goes_when_it_would_not_help(tmp_path: Path) -> None:
    store = full_store(tmp_path, set(), results=2500)
    sha = put(store, b"y" * 400)
    assert code_of(lambda: store.make_room(1000)) == "quota-full"
    assert store.stat(sha).complete


def test_files_laid_out_or_just_used_are_not_evicted(tmp_path: Path) -> None:
    store = full_store(tmp_path, set())
    linked = put(store, b"a" * 1500)
    os.link(store.path(linked), tmp_path / "clip.mov")
    put(store, b"b" * 1400)
    assert code_of(lambda: store.make_room(2000)) == "quota-full"
    store.make_room(1500)
    assert store.stat(linked).complete

    patient = MediaStore(
        tmp_path / "other", MediaLimits(max_store_bytes=3000, grace_seconds=600), set, lambda: 0
    )
    put(patient, b"c" * 2000)
    assert code_of(lambda: patient.make_room(2000)) == "quota-full"


def test_what_may_go_counts_as_room_for_results(tmp_path: Path) -> None:
    kept: set[str] = set()
    store = full_store(tmp_path, kept, results=500)
    kept.add(put(store, b"a" * 1000))
    put(store, b"b" * 900)
    assert store.room_left() == 3000 - 500 - 1000


def test_without_the_queue_nothing_is_evicted(tmp_path: Path) -> None:
    store = MediaStore(tmp_path / "media", MediaLimits(max_store_bytes=3000, grace_seconds=0))
    put(store, b"c" * 2000)
    assert code_of(lambda: store.make_room(2000)) == "quota-full"
    store.attach(set, lambda: 0)
    store.make_room(2000)
    assert store.used_bytes() == 0


def test_an_abandoned_partial_upload_makes_room(tmp_path: Path) -> None:
    store = full_store(tmp_path, set())
    store.write(SHA, len(DATA[:2900]), 0, DATA[:1500])
    put(store, b"z" * 2000)
    assert store.stat(SHA).received_bytes == 0
    short = DATA[:900]
    assert store.write(sha_of(short), len(short), 0, short).complete


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_the_disk_is_never_filled_to_the_brim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MediaStore(tmp_path / "media", MediaLimits(free_floor_bytes=5000))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(100_000, 87_000, 13_000))
    assert code_of(lambda: store.write(SHA, len(DATA), 0, DATA[:100])) == "disk-full"
    assert not list((store.folder / "partial").iterdir())
    assert code_of(lambda: store.make_room(8001)) == "disk-full"
    store.make_room(8000)
    put(store, DATA[:8000])


def test_a_disk_that_fills_up_leaves_what_was_there(
    store: MediaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(SHA, len(DATA), 0, DATA[:4000])
    real = os.write

    def full(descriptor: int, data: Any) -> int:
        if len(data) < 6000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data[:3000])

    monkeypatch.setattr(os, "write", full)
    assert code_of(lambda: store.write(SHA, len(DATA), 4000, DATA[4000:])) == "disk-full"
    monkeypatch.undo()
    assert store.stat(SHA).received_bytes == 4000
    assert store.used_bytes() == 4000
    assert store.write(SHA, len(DATA), 4000, DATA[4000:]).complete


def test_other_failures_of_the_disk_are_not_hidden(
    store: MediaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(descriptor: int, data: Any) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "write", broken)
    with pytest.raises(OSError, match="Input/output") as caught:
        store.write(SHA, len(DATA), 0, DATA)
    assert not isinstance(caught.value, FlowAnchorError)
