# SPDX-License-Identifier: Apache-2.0
"""What an edit may ask for at most. GetInfo tells it to clients."""

from __future__ import annotations

from flowanchor.v1 import system_pb2

from flowanchor_daemon.media.quota import MediaLimits
from flowanchor_daemon.media.sniff import SUFFIXES

MAX_REQUEST_BYTES = (2 << 20) - (64 << 10)
"""Of an EditRequest. Below what the server takes of any message, so that it is refused by name."""


def limits_with(media: MediaLimits) -> system_pb2.Limits:
    """The daemon's limits, those of the media store among them."""
    return system_pb2.Limits(
        max_media_bytes=media.max_media_bytes,
        max_chunk_bytes=media.max_chunk_bytes,
        max_store_bytes=media.max_store_bytes,
        max_frames=10_000,
        max_prompt_chars=4000,
        max_masks=32,
        max_geometry_points=50_000,
        media_suffixes=SUFFIXES,
    )
