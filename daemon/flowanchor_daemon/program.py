# SPDX-License-Identifier: Apache-2.0
"""Which program this is, so that a daemon notices when an update has put another one in its place."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata

from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import types_pb2


@functools.cache
def program_version() -> str:
    """This program's version, as it was when first asked; "0+source" in a tree that is not installed."""
    return installed_version() or "0+source"


def installed_version() -> str | None:
    """The version that is installed now; None in a tree that is not installed."""
    try:
        return importlib.metadata.version("flowanchor")
    except importlib.metadata.PackageNotFoundError:
        return None


def engine_protocol() -> str:
    """What daemon and engine must have in common: the version, and in a source tree, where that stays the
    same, the messages they speak in."""
    messages = engine_pb2.DESCRIPTOR.serialized_pb + types_pb2.DESCRIPTOR.serialized_pb
    return f"{program_version()} {hashlib.sha256(messages).hexdigest()[:12]}"
