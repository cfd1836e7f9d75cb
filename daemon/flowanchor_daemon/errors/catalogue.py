# SPDX-License-Identifier: Apache-2.0
"""Every failure a user can meet: its code, what it is about, its gRPC status, one sentence and one action.

The sentence and the action here are the general ones; most places that raise a code say it more exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flowanchor_daemon.errors.codes import (
    clips,
    daemon,
    edits,
    jobs,
    media,
    models,
    regions,
    resolve,
    resolve_link,
    results,
    timelines,
)
from flowanchor_daemon.errors.entry import Entry

TOPICS: Mapping[str, tuple[Entry, ...]] = MappingProxyType(
    {
        topic.TITLE: topic.ENTRIES
        for topic in (
            daemon,
            jobs,
            media,
            models,
            clips,
            regions,
            edits,
            results,
            timelines,
            resolve,
            resolve_link,
        )
    }
)
"""Title -> entries, in the order of the page."""

CATALOGUE: Mapping[str, Entry] = MappingProxyType(
    {entry.code: entry for entries in TOPICS.values() for entry in entries}
)
"""Code -> entry."""
