# SPDX-License-Identifier: Apache-2.0
"""The upload protocol under any order of pieces, repeats, gaps, lies and restarts."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.media.quota import MediaLimits
from flowanchor_daemon.media.store import MediaState, MediaStore
from hypothesis import given, settings
from hypothesis import strategies as st

LIMITS = MediaLimits(free_floor_bytes=0)

# (offset, length, how): a piece sent as it is, with a flipped bit, or a restart of the store
STEPS = st.lists(
    st.tuples(
        st.integers(0, 400), st.integers(0, 200), st.sampled_from(["sent", "sent", "sent", "bad", "restart"])
    ),
    max_size=20,
)


def attempt(
    store: MediaStore, sha256: str, total: int, offset: int, piece: bytes
) -> tuple[MediaState | None, ServiceError | None]:
    try:
        return store.write(sha256, total, offset, piece), None
    except ServiceError as refusal:
        return None, refusal


@settings(max_examples=150, deadline=None)
@given(data=st.binary(min_size=1, max_size=300), steps=STEPS)
def test_whatever_is_sent_ends_with_the_file_or_a_refusal(
    data: bytes, steps: list[tuple[int, int, str]]
) -> None:
    sha256 = hashlib.sha256(data).hexdigest()
    with tempfile.TemporaryDirectory() as folder:
        store = MediaStore(Path(folder) / "media", LIMITS)
        for offset, length, how in steps:
            if how == "restart":
                store = MediaStore(store.folder, LIMITS)
                continue
            piece = data[offset : offset + length]
            if how == "bad" and piece:
                piece = bytes([piece[0] ^ 1]) + piece[1:]
            before = store.stat(sha256)
            state, refusal = attempt(store, sha256, len(data), offset, piece)
            after = store.stat(sha256)
            if refusal is None:
                assert state == after
                assert after.received_bytes >= before.received_bytes
            elif refusal.code == "media-offset":
                assert offset > before.received_bytes == after.received_bytes
                assert refusal.metadata["received"] == str(before.received_bytes)
            else:
                assert refusal.code == "media-hash"
                assert (after.complete, after.received_bytes) == (False, 0)
            assert store.used_bytes() == after.received_bytes
            if after.complete:
                assert store.path(sha256).read_bytes() == data
        # an honest client that asks where to go on always gets there, in two rounds at most
        for _ in range(2):
            start = store.stat(sha256).received_bytes
            _, refusal = attempt(store, sha256, len(data), start, data[start:])
            assert refusal is None or refusal.code == "media-hash"
        assert store.path(sha256).read_bytes() == data
