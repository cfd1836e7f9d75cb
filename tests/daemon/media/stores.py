# SPDX-License-Identifier: Apache-2.0
"""What tests of the media store put into it, and how it refuses."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable

import pytest
from flowanchor_daemon.errors import ServiceError
from flowanchor_daemon.media.store import MediaStore

DATA = os.urandom(10_000)
SHA = hashlib.sha256(DATA).hexdigest()


def sha_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def put(store: MediaStore, data: bytes) -> str:
    assert store.write(sha_of(data), len(data), 0, data).complete
    return sha_of(data)


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(ServiceError) as caught:
        call()
    return caught.value.code
