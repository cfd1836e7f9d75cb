# SPDX-License-Identifier: GPL-3.0-or-later
"""What the edit in the panel would take, as the daemon reckons it."""

from __future__ import annotations

from typing import Any

from flowanchor.v1 import jobs_pb2, types_pb2

from .. import properties
from ..logic.frames import FrameRange
from ..logic.plan import Box, Footage, UploadPlan
from ..logic.request import edit_request


def request_for(scene: Any, part: FrameRange) -> jobs_pb2.EstimateEditRequest:
    """The question: the panel's settings, the picture's size, how many frames. The region is told where it is
    numbers; of a mask nothing is known before it is rendered, so the whole picture counts."""
    panel = properties.of(scene)
    plan = UploadPlan(Footage(()), boxes=(Box(0, 0, 1, 1),))
    edit = edit_request(properties.to_edit(panel), plan, {})
    for name in ("clip", "geometry", "seed", "host_context", "source_prompt", "target_prompt", "words"):
        edit.ClearField(name)
    asked = jobs_pb2.EstimateEditRequest(
        edit=edit,
        width=scene.render.resolution_x,  # as frames are exported, whatever share is rendered otherwise
        height=scene.render.resolution_y,
        frames=part.count,
    )
    if panel.mask_kind == "box" and min(panel.box[2:]) > 0:
        x, y, width, height = map(float, panel.box)
        asked.region.CopyFrom(types_pb2.Box(x=x, y=y, width=width, height=height))
    return asked
