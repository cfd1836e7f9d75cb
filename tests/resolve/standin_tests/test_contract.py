# SPDX-License-Identifier: Apache-2.0
"""The contract is what the published stubs say."""

from __future__ import annotations

import pytest

from tests.resolve.standin.contract import Method, parse, published
from tests.resolve.standin.types import Constant, Plain


def method(full: str) -> Method:
    owner, name = full.split(".")
    found = published().method(owner, name)
    assert found is not None, full
    return found


def test_the_stubs_have_370_methods_in_13_classes() -> None:
    counted = {name: len(methods) for name, methods in published().classes.items() if methods}
    assert (len(counted), sum(counted.values())) == (13, 370)


def test_classes_without_methods_are_there_too() -> None:
    assert {"Fusion", "FusionComp", "GalleryStill"} <= published().classes.keys()


@pytest.mark.parametrize(
    ("full", "arguments", "wrong"),
    [
        ("Timeline.GetTrackCount", ("video",), None),
        ("Timeline.GetTrackCount", ("pictures",), "trackType"),
        ("Timeline.GetTrackCount", (), "0 arguments"),
        ("Timeline.GetTrackCount", ("video", 1), "2 arguments"),
        ("Timeline.GetTrackName", ("video", 1.0), "int expected"),
        ("Timeline.SetTrackEnable", ("video", 1, 1), "bool expected"),
        ("Timeline.GetTrackName", ("video", True), "int expected"),
        ("Timeline.AddMarker", (1, "Blue", "n", "t", 1), None),
        ("Timeline.AddMarker", (1, "Blue", "n", "t", 1, "data"), None),
        ("Timeline.AddMarker", (1, "Orange", "n", "t", 1, "data"), "color"),
        ("Project.StartRendering", (), None),
        ("Project.StartRendering", (True,), None),
        ("Project.StartRendering", (["a", "b"],), None),
        ("Project.StartRendering", ("a", "b", "c"), None),
        ("Project.StartRendering", (1, 2), "expected"),
        ("Project.GetRenderJobs", (), "deprecated"),
        ("MediaPool.ImportMedia", ([1],), "expected"),
        ("Project.SetSetting", ("timelineFrameRate", 24), "str expected"),
        ("TimelineItem.SetClipColor", ("Cyan",), "colorName"),
        ("TimelineItem.SetClipColor", ("Navy",), None),
        ("Timeline.AddTrack", ("audio", "adaptive35"), None),
        ("Timeline.AddTrack", ("audio", "adaptive36"), "subTrackType"),
        ("Resolve.SetKeyframeMode", (Constant("KEYFRAME_MODE_ALL"),), None),
    ],
)
def test_a_call_is_held_to_its_signature(full: str, arguments: tuple[object, ...], wrong: str | None) -> None:
    complaint = method(full).complaint(arguments)
    if wrong is None:
        assert complaint is None
    else:
        assert complaint is not None
        assert wrong in complaint


def test_unknown_and_missing_keys_are_found() -> None:
    settings = method("Project.SetRenderSettings")
    assert "no key 'MarkInn'" in str(settings.complaint(({"MarkInn": 1},)))
    assert "'MarkIn': int expected" in str(settings.complaint(({"MarkIn": "1"},)))
    assert "MediaPoolClipInfo lacks" in str(method("MediaPool.AppendToTimeline").complaint(([{}],)))


def test_failure_is_false_where_success_is_a_bool_and_else_none() -> None:
    assert method("Timeline.SetName").failure is False
    assert method("Project.GetCurrentTimeline").failure is None


def test_answers_are_held_to_the_contract_too() -> None:
    assert method("Timeline.GetTrackCount").returns(2) is None
    assert method("Timeline.GetTrackCount").returns(None) is None
    assert method("Timeline.GetTrackCount").returns("two") == "int expected, str given"
    assert method("Timeline.GetMarkInOut").returns({"video": {"in": 0, "out": 3}}) is None
    assert "no key" in str(method("Timeline.GetMarkInOut").returns({"picture": {"in": 0, "out": 3}}))


def test_what_needs_studio_is_read_from_the_text() -> None:
    assert method("Timeline.CreateSubtitlesFromAudio").studio
    assert method("TimelineItem.SmartReframe").studio
    assert not method("Timeline.AddTrack").studio


def test_constants_have_their_number_where_one_is_published() -> None:
    constants = published().constants
    assert constants["KEYFRAME_MODE_SIZING"] == 2
    assert constants["AUDIO_SYNC_CHANNEL_MIX"] == -2
    assert constants["CACHE_AUTO_ENABLED"] == -1
    assert constants["EXPORT_AAF"] == Constant("EXPORT_AAF")


def test_a_stub_in_other_words_is_read_the_same() -> None:
    contract = parse(
        "class Settings(TypedDict):\n    a: int\n    b: NotRequired[str]\n"
        "class Resolve:\n    ONE: 1\n    TWO: Final\n"
        "    def Do(self, what: Settings, often: Optional[int], how: bool = False) -> bool: ...\n"
    )
    do = contract.method("Resolve", "Do")
    assert do is not None
    assert do.complaint(({"a": 1},)) is None
    assert do.complaint(({"a": 1}, 2, True)) is None
    assert do.complaint(({"b": "x"},)) == "what: Settings lacks a"
    assert do.signatures[0].returns == Plain("bool")
    assert contract.constants == {"ONE": 1, "TWO": Constant("TWO")}
