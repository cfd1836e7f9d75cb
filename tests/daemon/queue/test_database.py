# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from flowanchor_daemon.queue.listing import Query
from flowanchor_daemon.queue.store import JobStore

from flowanchor_core.errors import FlowAnchorError
from tests.daemon.queue.wishes import wish

HOLD = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


def filled(path: Path, count: int = 40) -> None:
    store = JobStore.open(path)
    for _ in range(count):
        store.submit(wish())
    store.close()


def refused_at_open(path: Path) -> FlowAnchorError:
    with pytest.raises(FlowAnchorError) as refused:
        JobStore.open(path)
    return refused.value


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    JobStore.open(tmp_path / "queue.sqlite").close()
    assert stat.S_IMODE((tmp_path / "queue.sqlite").stat().st_mode) == 0o600


def test_the_journal_is_synced_at_each_commit(store: JobStore) -> None:
    sql = store._database.connection
    found = [
        sql.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    ]
    assert found == ["wal", 2, 1]


def test_each_opening_is_an_epoch(tmp_path: Path) -> None:
    epochs = []
    for _ in range(3):
        store = JobStore.open(tmp_path / "queue.sqlite")
        epochs.append(store.epoch)
        store.close()
    assert epochs == [1, 2, 3]


@pytest.mark.parametrize("damage", ["garbage", "truncated", "overwritten", "another program's"])
def test_a_damaged_file_is_refused_by_name_and_left_as_it_is(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "queue.sqlite"
    filled(path)
    whole = path.read_bytes()
    if damage == "garbage":
        path.write_bytes(b"no database at all " * 100)
    elif damage == "truncated":
        path.write_bytes(whole[: len(whole) * 2 // 3])
    elif damage == "overwritten":
        path.write_bytes(whole[:8192] + b"\xa5" * 8192 + whole[16384:])
    else:
        path.unlink()
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE songs (title TEXT)")
        other.close()
    before = hashlib.sha256(path.read_bytes()).digest()
    failure = refused_at_open(path)
    assert failure.code == "queue-damaged"
    assert str(path) in failure.message
    assert hashlib.sha256(path.read_bytes()).digest() == before


def test_an_emptied_file_with_a_journal_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    path.touch()
    (tmp_path / "queue.sqlite-wal").write_bytes(b"commits")
    assert refused_at_open(path).code == "queue-damaged"


def test_a_file_whose_making_was_cut_short_is_made_now(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    path.touch()
    store = JobStore.open(path)
    assert store.submit(wish())[1]
    store.close()


def test_a_later_versions_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    filled(path, 1)
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    assert refused_at_open(path).code == "queue-newer"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    filled(path, 1)
    path.chmod(0)
    assert refused_at_open(path).code == "queue-unusable"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    failure = refused_at_open(tmp_path / "nowhere" / "queue.sqlite")
    assert failure.code == "queue-unusable"
    assert "nowhere" in failure.message


def test_a_locked_file_is_refused_and_works_once_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    filled(path, 1)
    store = JobStore.open(path)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(FlowAnchorError) as refused:
            store.submit(wish("request-a"))
        assert refused.value.code == "queue-locked"
        assert refused_at_open(path).code == "queue-locked"
        assert store.page(Query()).total == 1  # reading goes on
    finally:
        holder.communicate("")
    assert store.submit(wish("request-a"))[1]
    store.close()


def test_a_full_disk_refuses_the_write_and_nothing_else(store: JobStore) -> None:
    first = store.submit(wish())[0]
    sql = store._database.connection
    pages = sql.execute("PRAGMA page_count").fetchone()[0]
    sql.execute(f"PRAGMA max_page_count = {pages}")
    big = wish("request-big", target="many words " * 4000)
    with pytest.raises(FlowAnchorError) as refused:
        store.submit(big)
    assert refused.value.code == "disk-full"
    assert store.page(Query()).total == 1
    assert store.get(first.id) == first
    assert store.cancel(first.id).id == first.id  # small writes go on
    sql.execute("PRAGMA max_page_count = 1000000")
    assert store.submit(big)[1]
