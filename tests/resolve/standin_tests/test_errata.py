# SPDX-License-Identifier: Apache-2.0
"""Errata have sources, concern what exists, and change what they say they change."""

from __future__ import annotations

from typing import Any

import pytest

from tests.resolve.standin.contract import published
from tests.resolve.standin.errata import corrected, entries, version

KINDS = sorted(set(entries()) - {"sources"})


def listed() -> list[tuple[str, dict[str, Any]]]:
    return [(kind, entry) for kind in KINDS for entry in entries()[kind]]


@pytest.mark.parametrize(("kind", "entry"), listed())
def test_every_entry_has_a_source(kind: str, entry: dict[str, Any]) -> None:
    assert entry["source"] in entries()["sources"]


def test_every_source_is_used() -> None:
    assert {entry["source"] for _, entry in listed()} == set(entries()["sources"])


@pytest.mark.parametrize("kind", ["since", "optional", "returns"])
def test_entries_name_methods_that_exist(kind: str) -> None:
    for entry in entries()[kind]:
        for full in entry["names"]:
            owner, name = full.split(".")
            assert published().method(owner, name) is not None, full


def test_what_is_added_is_not_in_the_stubs_by_now() -> None:
    for entry in entries()["added"]:
        name = entry["def"].split("(")[0].removeprefix("def ")
        assert published().method(entry["to"], name) is None
        assert corrected().contract.method(entry["to"], name) is not None


def test_sources_say_where_they_are_and_what_they_weigh() -> None:
    weights = {"vendor", "measured", "reported", "unverified"}
    for name, source in entries()["sources"].items():
        assert source["weight"] in weights, name
        assert len(source["where"]) > 20, name


def test_entries_of_dicts_concern_dicts_that_exist() -> None:
    for kind in ("keys", "not_required", "record_since"):
        for entry in entries()[kind]:
            assert entry["record"] in published().records


@pytest.mark.parametrize(
    ("full", "first", "before"),
    [
        ("Timeline.GetSelectedClips", "21.0.4", "21.0.3"),
        ("MediaPoolItem.GetTimeline", "21.0.4", "21.0.3"),
        ("TimelineItem.GetType", "21.1", "21.0.4"),
        ("Resolve.IsStudio", "21.1", "21.0.4"),
        ("Timeline.GetMarkInOut", "20.0.0", "19.1.3"),
        ("TimelineItem.GetTrackTypeAndIndex", "19.0.0", "18.6.6"),
        ("TimelineItem.GetSourceStartFrame", "19.0.2", "19.0.1"),
        ("Project.DeleteRenderPreset", "19.1.0", "19.0.3"),
        ("TimelineItem.SetName", "20.2.0", "20.1.0"),
    ],
)
def test_a_method_is_there_from_its_version_on(full: str, first: str, before: str) -> None:
    owner, name = full.split(".")
    assert corrected().has(owner, name, version(first))
    assert not corrected().has(owner, name, version(before))
    assert name in corrected().names(owner, version(first))
    assert name not in corrected().names(owner, version(before))


@pytest.mark.parametrize(
    ("full", "arguments"),
    [
        ("TimelineItem.GetStart", ()),
        ("TimelineItem.GetDuration", ()),
        ("Timeline.AddTrack", ("video",)),
        ("Timeline.AddTrack", ("video", {"index": 2})),
        ("Timeline.AddTrack", ("audio", {"audioType": "stereo"})),
        ("TimelineItem.SetProperty", ({"Pan": 1.0},)),
        ("Project.GetSetting", ()),
        ("Project.SetRenderSettings", ({"MarkIn": 1},)),
    ],
)
def test_calls_that_the_stubs_would_refuse_are_taken(full: str, arguments: tuple[object, ...]) -> None:
    owner, name = full.split(".")
    old, new = published().method(owner, name), corrected().contract.method(owner, name)
    assert old is not None
    assert new is not None
    assert old.complaint(arguments) is not None
    assert new.complaint(arguments) is None


def test_marker_constants_are_absent_as_they_are_in_resolve() -> None:
    assert any(name.startswith("MARKER_") for name in published().constants)
    assert not any(name.startswith("MARKER_") for name in corrected().contract.constants)
