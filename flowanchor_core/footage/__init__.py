# SPDX-License-Identifier: Apache-2.0
"""Footage in and out: exact frames, colour, masks, the edited region, composites, deliveries and their proof.

An edit uses this package in this order (frames are numbered from 0, both ends included; everything streams):

    clip = probe("shot.mp4")                              # ClipInfo: size, rate, frames, colour, notes
    first, last = check_range(clip, 24, None)
    delivery = Delivery("full", "ffv1", Path("out.mkv"))  # or Delivery("patch", "png", Path("frames"))
    delivery.preflight(clip, first, last)                 # folder, container, sound, disk: errors come now
    track = open_mask("mask.png", clip, first, last)      # MaskTrack; `a | b`; MaskTrack.of(array, h, w)
    region = plan_region(track, margin=0.25, grow=2, feather=8,
                         size_of=lambda crop: model_size(crop, 832 * 480))

    for frame in read_frames(clip, first, last):
        rgb = region.cut(frame, clip.colour)              # float32 [model_height, model_width, 3], 0..1
    masks = [region.cut_mask(mask) for mask in track]     # float32 [model_height, model_width], 0..1

    with delivery.open(clip, first, last, region, track) as writer:
        for edited in edited_frames:                      # as `rgb` above, in order
            writer.write(edited)                          # composites over the source and encodes
        for done in writer.verify():                      # decodes the result and the source again
            ...                                           # `done` frames have been compared
    proof = writer.proof                                  # Proof: frames, rate, max_abs_diff_outside, ...

Leaving the `with` block puts the result under its final name; leaving it by any exception (a generator's
close included) leaves nothing behind.
"""

from flowanchor_core.crops import Crop, model_size, plan_crop
from flowanchor_core.footage.colour import frame_to_rgb, rgb_to_frame
from flowanchor_core.footage.conflicts import files_of, refuse_overlap
from flowanchor_core.footage.decode import check_range, read_frames
from flowanchor_core.footage.deliver import Delivery, DeliveryWriter
from flowanchor_core.footage.mask_files import MaskTrack, open_mask, read_mask
from flowanchor_core.footage.matte import grow_mask, matte_of
from flowanchor_core.footage.probe import ClipInfo, probe
from flowanchor_core.footage.region import Region, plan_region
from flowanchor_core.footage.verify import Proof

__all__ = [
    "ClipInfo",
    "Crop",
    "Delivery",
    "DeliveryWriter",
    "MaskTrack",
    "Proof",
    "Region",
    "check_range",
    "files_of",
    "frame_to_rgb",
    "grow_mask",
    "matte_of",
    "model_size",
    "open_mask",
    "plan_crop",
    "plan_region",
    "probe",
    "read_frames",
    "read_mask",
    "refuse_overlap",
    "rgb_to_frame",
]
