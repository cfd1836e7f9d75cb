# SPDX-License-Identifier: Apache-2.0
"""What OpenTimelineIO has of its own: rates anywhere, nesting, time effects, collections, images."""

from __future__ import annotations

import json
import tracemalloc
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio  # type: ignore[import-untyped]
import pytest
from flowanchor_interchange.model import Span, Timeline
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers import common
from flowanchor_interchange.readers.otio import MAX_DEPTH, load, read


def span(start: float, frames: float, rate: float = 25) -> Any:
    return otio.opentime.TimeRange(
        otio.opentime.RationalTime(start, rate), otio.opentime.RationalTime(frames, rate)
    )


def clip(start: float = 100, frames: float = 50, rate: float = 25, media: Any = None) -> Any:
    media = media or otio.schema.ExternalReference("/a.mov", span(0, 500, rate))
    return otio.schema.Clip("c", media, span(start, frames, rate))


ZERO = otio.opentime.RationalTime(0, 25)


def document(*items: Any, start: Any = ZERO) -> Any:
    timeline = otio.schema.Timeline("t", global_start_time=start)
    track = otio.schema.Track("V1")
    track.extend(items)
    timeline.tracks.append(track)
    return timeline


def timeline(value: Any, **choices: Any) -> Timeline:
    return read(value.to_json_string().encode(), Path("/"), common.Choices(**choices))


@pytest.mark.parametrize(
    ("effect", "obstacles"),
    [
        (otio.schema.LinearTimeWarp(time_scalar=0.5), (common.SPEED,)),
        (otio.schema.LinearTimeWarp(time_scalar=-1), (common.REVERSED,)),
        (otio.schema.LinearTimeWarp(time_scalar=1), ()),
        (otio.schema.FreezeFrame(), (common.FREEZE,)),
        (otio.schema.TimeEffect(), (common.SPEED,)),
    ],
)
def test_time_effects(effect: Any, obstacles: tuple[str, ...]) -> None:
    item = clip()
    item.effects.append(effect)
    (found,) = timeline(document(item)).tracks[0].clips
    assert found.obstacles == obstacles
    assert found.effects == ()


def test_footage_of_another_rate() -> None:
    (found,) = timeline(document(clip(rate=24, frames=48))).tracks[0].clips
    assert found.record == Span(0, 50)
    assert found.obstacles == ("its file runs at 24 frames a second, the timeline at 25",)


def test_places_after_footage_of_another_rate_are_exact() -> None:
    """Seven frames at 24 are not a whole number at 25: what follows does not fall on frames."""
    found = (
        timeline(document(clip(rate=24, frames=7), clip(), clip(rate=24, frames=17), clip())).tracks[0].clips
    )
    assert [common.OFF_FRAMES in one.obstacles for one in found] == [True, True, True, False]
    assert found[3].record == Span(125 - 50, 125)


def test_nested_things_take_their_time() -> None:
    inner = otio.schema.Stack("inner", source_range=span(0, 30))
    inner.append(otio.schema.Track("V1", [clip()]))
    found = timeline(document(inner, clip())).tracks[0].clips
    assert found[0].obstacles == (common.NESTED,)
    assert found[1].record == Span(30, 80)


def test_transitions_lie_over_the_cut() -> None:
    offsets = otio.opentime.RationalTime(5, 25), otio.opentime.RationalTime(7, 25)
    cross = otio.schema.Transition("Cross", "SMPTE_Dissolve", *offsets)
    found = timeline(document(clip(), cross, clip())).tracks[0]
    assert [one.record for one in found.clips] == [Span(0, 50), Span(50, 100)]
    assert [(one.name, one.record) for one in found.transitions] == [("Cross", Span(45, 57))]


@pytest.mark.parametrize(
    ("media", "obstacle"),
    [
        (otio.schema.MissingReference(), common.NO_FILE),
        (otio.schema.ExternalReference(""), common.NO_FILE),
        (otio.schema.GeneratorReference("bars"), common.GENERATOR),
    ],
)
def test_clips_without_a_file(media: Any, obstacle: str) -> None:
    (found,) = timeline(document(clip(media=media))).tracks[0].clips
    assert (found.media, found.obstacles) == (None, (obstacle,))


def test_media_that_states_no_range() -> None:
    (found,) = timeline(document(clip(media=otio.schema.ExternalReference("/a.mov")))).tracks[0].clips
    assert found.media is not None
    assert found.media.start is None


def test_numbered_images() -> None:
    images = otio.schema.ImageSequenceReference(
        "file:///shots/",
        "shot.",
        ".png",
        start_frame=1001,
        rate=25,
        frame_zero_padding=4,
        available_range=span(0, 100),
    )
    (found,) = timeline(document(clip(start=10, media=images))).tracks[0].clips
    assert found.media is not None
    assert (found.media.path, found.media.kind) == (Path("/shots/shot.%04d.png"), "images")
    assert (found.media.first_number, found.media.start, found.source.start) == (1001, 0, 10)


def test_without_a_start_the_rate_is_what_all_items_share() -> None:
    assert timeline(document(clip(), start=None)).rate == 25
    with pytest.raises(TimelineProblem) as failure:
        timeline(document(clip(), clip(rate=24), start=None))
    assert failure.value.code == "timeline-rate-unknown"
    assert timeline(document(clip(), clip(rate=24), start=None), rate=Fraction(25)).rate == 25


def test_a_rounded_rate_is_the_exact_one() -> None:
    found = timeline(document(clip(rate=23.976), start=otio.opentime.RationalTime(86400, 23.976)))
    assert (found.rate, found.start) == (Fraction(24000, 1001), 86400)
    assert not found.tracks[0].clips[0].obstacles


def test_older_schemas_are_read() -> None:
    plain = json.loads(document(clip()).to_json_string())
    item = plain["tracks"]["children"][0]["children"][0]
    (item["media_reference"],) = item.pop("media_references").values()
    item["OTIO_SCHEMA"] = "Clip.1"
    del item["active_media_reference_key"]
    found = read(json.dumps(plain).encode(), Path("/"), common.Choices())
    assert found.tracks[0].clips[0].source == Span(100, 150)


def test_collections() -> None:
    many = otio.schema.SerializableCollection("all", [document(clip()), document(clip())])
    with pytest.raises(TimelineProblem) as failure:
        timeline(many)
    assert failure.value.code == "timeline-several"
    many[1].name = "second"
    assert timeline(many, name="second").name == "second"
    one = otio.schema.SerializableCollection("one", [document(clip())])
    assert timeline(one).name == "t"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"OTIO_SCHEMA": "Clip.2"}',
        '{"OTIO_SCHEMA": "Timeline.1", "tracks": 5}',
        '{"OTIO_SCHEMA": "Timeline.1", "tracks": null}',
        "[" * 100_000,
        '{"a":' * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1),
    ],
)
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(TimelineProblem) as failure:
        read(text.encode(), Path("/"), common.Choices())
    assert failure.value.code == "timeline-unreadable"


def test_trimmed_stacks_are_refused() -> None:
    whole = document(clip())
    whole.tracks.source_range = span(5, 10)
    with pytest.raises(TimelineProblem):
        timeline(whole)
    whole = document(clip())
    whole.tracks[0].source_range = span(5, 10)
    with pytest.raises(TimelineProblem):
        timeline(whole)


def resolve_effect(name: str, *parameters: str, enabled: bool = True) -> Any:
    about = {
        "Effect Name": name,
        "Enabled": enabled,
        "Parameters": [{"Parameter ID": one} for one in parameters],
    }
    return otio.schema.Effect("", "Resolve Effect", {"Resolve_OTIO": about})


def test_effects_of_resolve_are_those_that_change_something() -> None:
    """It writes its inspector's settings for every clip, without parameters where nothing was set."""
    item = clip()
    item.effects.extend(
        [
            resolve_effect("Transform"),
            resolve_effect("Composite"),
            resolve_effect("Dynamic Zoom", "dynamicZoomScale", enabled=False),
            resolve_effect("Cropping", "cropLeft"),
            resolve_effect("Gaussian Blur"),
        ]
    )
    (found,) = timeline(document(item)).tracks[0].clips
    assert found.effects == ("Cropping", "Gaussian Blur")


def test_a_rate_of_zero_in_the_medias_length_is_refused() -> None:
    text = document(clip()).to_json_string()
    plain = json.loads(text)
    item = plain["tracks"]["children"][0]["children"][0]
    item["media_references"]["DEFAULT_MEDIA"]["available_range"]["duration"]["rate"] = 0
    with pytest.raises(TimelineProblem) as failure:
        read(json.dumps(plain).encode(), Path("/"), common.Choices())
    assert failure.value.code == "timeline-rate"


def test_what_has_no_length_on_a_track_is_refused() -> None:
    plain = json.loads(document(clip()).to_json_string())
    plain["tracks"]["children"][0]["children"].append({"OTIO_SCHEMA": "Item.1", "name": "odd"})
    with pytest.raises(TimelineProblem) as failure:
        read(json.dumps(plain).encode(), Path("/"), common.Choices())
    assert failure.value.code == "timeline-unreadable"


def test_long_lists_are_looked_at_in_place() -> None:
    data = json.dumps([1] * 200_000).encode()
    tracemalloc.start()
    try:
        load(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * len(data), "the text decoded and a list of small numbers, no more"


def test_effects_of_a_track_are_those_of_its_clips() -> None:
    made = document(clip())
    track = made.tracks[0]
    track.effects.append(otio.schema.Effect("Grade", "grade"))
    made.tracks.effects.append(otio.schema.Effect("Master", "master"))
    (found,) = timeline(made).tracks[0].clips
    assert (found.effects, found.obstacles) == (("Grade",), ())
    for host in (track, made.tracks):
        host.effects.append(otio.schema.LinearTimeWarp(time_scalar=2))
        assert timeline(made).tracks[0].clips[0].obstacles == (common.SPEED,)
        host.effects.pop()
