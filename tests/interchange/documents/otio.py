# SPDX-License-Identifier: Apache-2.0
"""The scene as OpenTimelineIO."""

from __future__ import annotations

import opentimelineio as otio  # type: ignore[import-untyped]

from tests.interchange.scene import FIRST, FRAMES, TOP, TOP_AT, TWO, TWO_AT, Scene


def otio_document(scene: Scene) -> bytes:
    """With a marker, an effect, and metadata of another program."""
    rate = float(scene.rate)

    def span(start: int, frames: int) -> otio.opentime.TimeRange:
        return otio.opentime.TimeRange(
            otio.opentime.RationalTime(start, rate), otio.opentime.RationalTime(frames, rate)
        )

    def clip(name: str, start: int, frames: int) -> otio.schema.Clip:
        reference = otio.schema.ExternalReference(scene.footage.as_uri(), span(scene.recorded, FRAMES))
        return otio.schema.Clip(name, reference, span(scene.recorded + start, frames))

    timeline = otio.schema.Timeline("Scene", global_start_time=otio.opentime.RationalTime(scene.start, rate))
    timeline.metadata["other"] = {"version": 3, "inner": {"list": [1, 2.5, "drei"]}}
    lower, upper, sound = (
        otio.schema.Track("V1"),
        otio.schema.Track("V2"),
        otio.schema.Track("A1", kind="Audio"),
    )
    lower.append(clip("one", FIRST.start, FIRST.duration))
    lower.append(otio.schema.Gap(source_range=span(0, TWO_AT - FIRST.duration)))
    two = clip("two", TWO.start, TWO.duration)
    two.effects.append(otio.schema.Effect("Grade", "grade", {"lift": 0.1}))
    two.markers.append(otio.schema.Marker("look here", span(scene.recorded + 70, 1)))
    lower.append(two)
    upper.append(otio.schema.Gap(source_range=span(0, TOP_AT)))
    upper.append(clip("top", TOP.start, TOP.duration))
    sound.append(clip("one", FIRST.start, FIRST.duration))
    timeline.tracks.extend([lower, upper, sound])
    text: str = otio.adapters.write_to_string(timeline, "otio_json")
    return text.encode()
