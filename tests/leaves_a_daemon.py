# SPDX-License-Identifier: Apache-2.0
"""A test that passes and leaves what looks like a daemon; test_isolation.py runs it, nothing else does."""

from __future__ import annotations

from flowanchor.rendezvous import DaemonLock, runtime_folder

LOCK = DaemonLock(runtime_folder())


def test_leaves_a_daemon() -> None:
    assert LOCK.acquire()
