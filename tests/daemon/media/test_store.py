# SPDX-License-Identifier: Apache-2.0
"""Uploads in pieces become files, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
import tracemalloc
from pathlib import Path

import pytest
from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.media import store as media_store
from flowanchor_daemon.media import upload
from flowanchor_daemon.media.quota import MediaLimits
from flowanchor_daemon.media.store import MediaState, MediaStore

from tests.daemon.media.stores import DATA, SHA, code_of, put, sha_of


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media")


def test_pieces_in_order_make_the_file(store: MediaStore) -> None:
    assert store.stat(SHA) == MediaState(SHA, False, 0)
    assert store.write(SHA, len(DATA), 0, DATA[:4000]) == MediaState(SHA, False, 4000)
    assert store.stat(SHA) == MediaState(SHA, False, 4000)
    assert code_of(lambda: store.path(SHA)) == "media-missing"
    assert store.write(SHA, len(DATA), 4000, DATA[4000:]) == MediaState(SHA, True, len(DATA))
    assert store.stat(SHA) == MediaState(SHA, True, len(DATA))
    assert store.path(SHA).read_bytes() == DATA
    assert store.path(SHA) == store.folder / SHA[:2] / SHA
    assert store.used_bytes() == len(DATA)
    assert not list((store.folder / "partial").iterdir())


def test_only_the_user_can_read_it(store: MediaStore) -> None:
    store.write(SHA, len(DATA), 0, DATA[:10])
    assert stat.S_IMODE((store.folder / "partial" / SHA).stat().st_mode) == 0o600
    put(store, DATA)
    assert stat.S_IMODE(store.path(SHA).stat().st_mode) == 0o600
    for folder in (store.folder, store.folder / "partial", store.path(SHA).parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_same_file_twice_is_kept_once(store: MediaStore) -> None:
    put(store, DATA)
    before = store.path(SHA).stat().st_ino
    assert store.write(SHA, len(DATA), 0, DATA[:100]).complete
    assert store.path(SHA).stat().st_ino == before
    assert store.used_bytes() == len(DATA)


def test_repeats_and_overlaps_are_skipped(store: MediaStore) -> None:
    store.write(SHA, len(DATA), 0, DATA[:4000])
    assert store.write(SHA, len(DATA), 0, DATA[:4000]).received_bytes == 4000
    assert store.write(SHA, len(DATA), 1000, DATA[1000:2000]).received_bytes == 4000
    assert store.write(SHA, len(DATA), 3000, DATA[3000:5000]).received_bytes == 5000
    assert store.write(SHA, len(DATA), 0, DATA).complete
    assert store.path(SHA).read_bytes() == DATA


def test_a_piece_too_far_is_told_where_to_go_on(store: MediaStore) -> None:
    store.write(SHA, len(DATA), 0, DATA[:4000])
    with pytest.raises(ServiceError) as caught:
        store.write(SHA, len(DATA), 4001, DATA[4001:5000])
    assert (caught.value.code, caught.value.metadata["received"]) == ("media-offset", "4000")
    assert store.stat(SHA).received_bytes == 4000


def test_an_upload_goes_on_after_a_restart(store: MediaStore) -> None:
    store.write(SHA, len(DATA), 0, DATA[:4000])
    again = MediaStore(store.folder)
    assert again.used_bytes() == 4000
    assert again.stat(SHA) == MediaState(SHA, False, 4000)
    assert again.write(SHA, len(DATA), 4000, DATA[4000:]).complete
    assert again.path(SHA).read_bytes() == DATA


def test_a_partial_file_that_was_whole_at_a_crash_is_finished(store: MediaStore) -> None:
    (store.folder / "partial" / SHA).write_bytes(DATA)
    assert MediaStore(store.folder).write(SHA, len(DATA), 0, b"").complete


def left_behind(store: MediaStore, data: bytes, monkeypatch: pytest.MonkeyPatch) -> MediaStore:
    """A store that finds the beginning of a file, too large to be hashed while a call waits."""
    (store.folder / "partial" / SHA).write_bytes(data)
    monkeypatch.setattr(upload, "AT_ONCE", 100)
    return MediaStore(store.folder)


def test_a_large_beginning_is_hashed_while_pieces_are_taken(
    store: MediaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = left_behind(store, DATA[:4000], monkeypatch)
    slots = [upload._AT_WORK.acquire(), upload._AT_WORK.acquire()]  # nothing can be read for its hash yet
    try:
        assert again.write(SHA, len(DATA), 4000, DATA[4000:7000]) == MediaState(SHA, False, 7000)
        hashing = again.hashing(SHA)
        assert hashing is not None
        assert again.write(SHA, len(DATA), 7000, DATA[7000:]) == MediaState(SHA, False, len(DATA))
        assert again.stat(SHA) == MediaState(SHA, False, len(DATA))
        assert code_of(lambda: again.path(SHA)) == "media-missing"
    finally:
        for _ in slots:
            upload._AT_WORK.release()
    hashing.result(20)
    assert again.write(SHA, len(DATA), len(DATA), b"").complete
    assert again.path(SHA).read_bytes() == DATA


def test_a_large_beginning_that_is_damaged_is_refused_and_removed(
    store: MediaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = left_behind(store, bytes(4000), monkeypatch)
    assert not again.write(SHA, len(DATA), 4000, DATA[4000:]).complete
    hashing = again.hashing(SHA)
    assert hashing is not None
    hashing.result(20)
    assert code_of(lambda: again.write(SHA, len(DATA), len(DATA), b"")) == "media-hash"
    assert again.stat(SHA).received_bytes == 0
    put(again, DATA)


def test_a_large_file_goes_to_the_disk_bit_by_bit(store: MediaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(media_store, "_SYNC_BYTES", 2000)
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_size))
    for at in range(0, 9000, 1000):
        store.write(SHA, len(DATA), at, DATA[at : at + 1000])
    assert synced == [2000, 4000, 6000, 8000]


def test_a_smaller_announcement_costs_nobody_the_pieces_they_sent(store: MediaStore) -> None:
    store.write(SHA, len(DATA), 0, DATA[:4000])
    assert code_of(lambda: store.write(SHA, 1000, 0, b"")) == "media-hash"
    assert store.stat(SHA).received_bytes == 4000
    assert store.write(SHA, len(DATA), 4000, DATA[4000:]).complete


def test_what_is_larger_than_announced_goes_when_nobody_sends_it_any_more(store: MediaStore) -> None:
    partial = store.folder / "partial" / SHA
    store.write(SHA, 20_000, 0, DATA + b"x")
    os.utime(partial, (time.time() - 10_000,) * 2)
    assert code_of(lambda: store.write(SHA, len(DATA), 0, b"")) == "media-hash"
    put(store, DATA)


def test_another_content_is_refused_and_removed(store: MediaStore) -> None:
    wrong = DATA[:-1] + bytes([DATA[-1] ^ 1])
    assert code_of(lambda: store.write(SHA, len(DATA), 0, wrong)) == "media-hash"
    assert store.stat(SHA) == MediaState(SHA, False, 0)
    assert (store.used_bytes(), list((store.folder / "partial").iterdir())) == (0, [])
    put(store, DATA)


def test_a_partial_file_damaged_on_disk_is_refused_and_removed(store: MediaStore) -> None:
    store.write(SHA, len(DATA), 0, DATA[:4000])
    (store.folder / "partial" / SHA).write_bytes(bytes(4000))
    again = MediaStore(store.folder)
    assert code_of(lambda: again.write(SHA, len(DATA), 4000, DATA[4000:])) == "media-hash"
    put(again, DATA)


def test_more_than_announced_is_refused(store: MediaStore) -> None:
    assert code_of(lambda: store.write(SHA, 100, 0, DATA[:101])) == "media-hash"
    assert store.stat(SHA).received_bytes == 0


@pytest.mark.parametrize("size", [1001, 2**63 - 1, 0, -1])
def test_a_size_out_of_bounds_is_refused_before_anything_is_written(tmp_path: Path, size: int) -> None:
    store = MediaStore(tmp_path / "media", MediaLimits(max_media_bytes=1000))
    assert code_of(lambda: store.write(SHA, size, 0, DATA[:10])) == "media-too-large"
    assert not list((store.folder / "partial").iterdir())


def test_clients_that_send_the_same_file_at_once_help_each_other(store: MediaStore) -> None:
    data = os.urandom(300_000)
    sha, failures = sha_of(data), list[Exception]()
    gate = threading.Barrier(4)

    def client(piece: int) -> None:
        gate.wait()
        try:
            position = 0
            while not store.write(sha, len(data), position, data[position : position + piece]).complete:
                position += piece
        except Exception as failure:  # noqa: BLE001  # told to the test's own thread
            failures.append(failure)

    threads = [threading.Thread(target=client, args=(piece,)) for piece in (1000, 1700, 4096, 7777)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert store.path(sha).read_bytes() == data
    assert store.used_bytes() == len(data)


def test_memory_stays_flat(store: MediaStore) -> None:
    piece = os.urandom(1 << 20)
    total, digest = 48 << 20, hashlib.sha256()
    for _ in range(48):
        digest.update(piece)
    tracemalloc.start()
    for index in range(48):
        state = store.write(digest.hexdigest(), total, index << 20, piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert state.complete
    assert peak < 2 << 20
