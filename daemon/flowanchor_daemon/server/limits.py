# SPDX-License-Identifier: Apache-2.0
"""What the daemon accepts, in one message: told by GetInfo, held by the services."""

from __future__ import annotations

from typing import Final

from flowanchor.v1 import system_pb2

from flowanchor_daemon.media.quota import MediaLimits
from flowanchor_daemon.media.sniff import SUFFIXES

MAX_FRAMES: Final = 10_000  # of one edit: seven minutes; a message can name as many images
MAX_PROMPT_CHARS: Final = 4_000  # the model reads 512 tokens; people paste more
MAX_MASKS: Final = 32
MAX_GEOMETRY_POINTS: Final = 100_000


def limits_of(media: MediaLimits) -> system_pb2.Limits:
    """The limits of an API whose store has `media`'s."""
    return system_pb2.Limits(
        max_media_bytes=media.max_media_bytes,
        max_chunk_bytes=media.max_chunk_bytes,
        max_store_bytes=media.max_store_bytes,
        max_frames=MAX_FRAMES,
        max_prompt_chars=MAX_PROMPT_CHARS,
        max_masks=MAX_MASKS,
        max_geometry_points=MAX_GEOMETRY_POINTS,
        media_suffixes=sorted(SUFFIXES),
    )
