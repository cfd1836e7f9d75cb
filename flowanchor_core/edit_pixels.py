# SPDX-License-Identifier: Apache-2.0
"""Between native frames and what the model sees: the region's place, pictures, masks, padding, the sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from flowanchor_core import sheet
from flowanchor_core.footage import Region, frame_to_rgb, grow_mask, model_size, plan_region, read_frames
from flowanchor_core.footage.colour import Picture, to_8bit
from flowanchor_core.masks import to_token_grid

if TYPE_CHECKING:
    from flowanchor_core.backbone import Backbone
    from flowanchor_core.edit_plan import EditPlan


def place_region(plan: EditPlan, backbone: Backbone) -> Region:
    """Where the crop lies and at what size the model sees it, one place for the whole range.

    The crop is at least as large as the preset asks where the picture is, so that the model sees some
    context.
    """
    native, settings = plan.card.native_size, plan.request.region
    least = plan.preset.minimum_crop
    wanted = (least, least) if least else native
    minimum = (min(wanted[0], plan.clip.width), min(wanted[1], plan.clip.height))
    token = backbone.strides[1] * backbone.patch[1]
    return plan_region(
        plan.mask,
        margin=settings.margin,
        grow=settings.grow,
        feather=settings.feather,
        minimum=minimum,
        size_of=lambda crop: model_size(crop, native[0] * native[1], token, settings.mode),
    )


def read_pictures(plan: EditPlan, region: Region) -> Iterator[Picture]:
    """The range's frames, cropped, at model size: float32 [height, width, 3], R'G'B' 0..1."""
    for frame in read_frames(plan.clip, plan.first, plan.last):
        yield region.cut(frame, plan.clip.colour)


def token_mask(plan: EditPlan, region: Region, backbone: Backbone) -> Tensor:
    """The region on the transformer's token grid, bool [F, rows, columns].

    It is what the model may change, so it takes in every pixel that is marked at all: where the crop is
    shrunk a model pixel counts as soon as one native pixel under it is marked.
    """
    shrunk = region.model_width < region.crop.width or region.model_height < region.crop.height
    marked = []
    for mask in plan.mask:
        share = region.cut_mask(grow_mask(mask, region.grow))
        marked.append(torch.from_numpy(share > 0 if shrunk else share >= 0.5))
    stride = backbone.strides[0]
    tokens = (backbone.strides[1] * backbone.patch[1], backbone.strides[1] * backbone.patch[2])
    return to_token_grid(torch.stack(padded(marked, stride)), stride, *tokens)


def to_model(pictures: Sequence[Picture], stride: int) -> Tensor:
    """Pictures as the VAE takes them: float32 [3, T', height, width] in -1..1, T' = stride * n + 1."""
    frames = [torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))) for picture in pictures]
    return torch.stack(padded(frames, stride), dim=1) * 2 - 1


def from_model(chunks: Iterable[Tensor], frames: int) -> Iterator[Picture]:
    """The VAE's chunks [3, n, height, width] in -1..1 as the first `frames` pictures, padding dropped."""
    left = frames
    for chunk in chunks:
        for frame in chunk.unbind(1)[:left]:
            picture = (frame.float().clamp(-1, 1) + 1) / 2
            yield picture.permute(1, 2, 0).contiguous().cpu().numpy()
            left -= 1


def padded(frames: Sequence[Tensor], stride: int) -> list[Tensor]:
    """The frames, the last one repeated until their number is stride * n + 1, which is what the VAE takes."""
    missing = -(len(frames) - 1) % stride
    return [*frames, *[frames[-1]] * missing]


def save_sheet(plan: EditPlan, region: Region, edited: Sequence[Picture], file: sheet.SheetFile) -> None:
    """Contact sheet of an edit; its result row composites the edited pictures as the delivery does."""
    shown = sheet.columns_for(plan.frames)
    rows, columns = region.window
    found = []
    for index, frame in enumerate(read_frames(plan.clip, plan.first, plan.last)):
        if index not in shown:
            continue
        source = frame_to_rgb(frame, plan.clip.colour)
        matte = np.zeros(source.shape[:2], np.float32)
        matte[rows, columns] = region.matte(plan.mask[index])
        result = source.copy()
        change = region.place(edited[index]) - result[rows, columns]
        result[rows, columns] += matte[rows, columns, None] * change
        found.append(sheet.Column(plan.first + index, to_8bit(source), matte, to_8bit(result)))
    request = plan.request
    file.write(found, f"{request.editor}: {request.source_prompt} -> {request.target_prompt}")
