# SPDX-License-Identifier: Apache-2.0
"""Calls to an application that raises nothing."""

from __future__ import annotations

from typing import Any

import pytest
from flowanchor_resolve.calls import Calls, has
from flowanchor_resolve.problems import ResolveProblem

from tests.resolve.core.conftest import Make


class Silent:
    """Answers what it is told to, and None for any other name, as Resolve does."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def __dir__(self) -> list[str]:
        return list(self.answers)

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.answers.get(name)


RESOLVE = Silent(GetProductName="DaVinci Resolve Studio")


def test_a_method_is_looked_for_in_dir() -> None:
    thing = Silent(GetName="Anna")
    assert hasattr(thing, "GetNothing")
    assert has(thing, "GetName")
    assert not has(thing, "GetNothing")


@pytest.mark.parametrize("answer", [None, False, ""])
def test_an_answer_that_means_failure_says_what_was_tried(answer: Any) -> None:
    with pytest.raises(ResolveProblem) as problem:
        Calls(RESOLVE).need("add a track", Silent(AddTrack=answer), "AddTrack", "video")
    assert problem.value.code == "resolve-refused"
    assert problem.value.message == "Resolve did not add a track."


@pytest.mark.parametrize("answer", [0, 0.0, [], {}, True, "x"])
def test_other_answers_are_answers(answer: Any) -> None:
    assert Calls(RESOLVE).need("tell", Silent(Get=answer), "Get") == answer


def test_a_missing_method_is_told_by_its_name() -> None:
    with pytest.raises(ResolveProblem) as problem:
        Calls(RESOLVE).ask(Silent(), "GetSelectedClips")
    assert problem.value.code == "resolve-too-old"
    assert "GetSelectedClips" in problem.value.message
    assert Calls(RESOLVE).ask_if_there(Silent(), "GetSelectedClips") is None


@pytest.mark.parametrize("resolve", [Silent(GetProductName=None), Silent(GetProductName=""), Silent()])
def test_silence_is_a_dialog(resolve: Silent) -> None:
    for attempt in (
        lambda: Calls(resolve).need("add a track", Silent(AddTrack=None), "AddTrack"),
        lambda: Calls(resolve).ask(Silent(), "AddTrack"),
        lambda: Calls(resolve).ask(None, "AddTrack"),
        Calls(resolve).check_answering,
    ):
        with pytest.raises(ResolveProblem) as problem:
            attempt()
        assert problem.value.code == "resolve-dialog-open"


def test_a_dialog_in_a_whole_resolve(make: Make) -> None:
    world = make(profile="hostile")
    calls = Calls(world.scriptapp("Resolve"))
    manager = calls.need("give", calls.resolve, "GetProjectManager")
    world.open_dialog("Licence")
    with pytest.raises(ResolveProblem) as problem:
        calls.need("give its project", manager, "GetCurrentProject")
    assert problem.value.code == "resolve-dialog-open"
    world.dismiss_dialog()
    assert calls.need("give its project", manager, "GetCurrentProject")


def test_a_method_that_is_listed_and_not_there_is_told() -> None:
    """What is held of a Resolve that has ended may list names and give None for each."""
    thing = Silent(GetName="Anna")
    thing.__dict__["GetName"] = None
    with pytest.raises(ResolveProblem):
        Calls(RESOLVE).ask(thing, "GetName")
    assert Calls(RESOLVE).ask_if_there(thing, "GetName") is None


def test_a_resolve_that_has_ended_is_told(make: Make) -> None:
    world = make(profile="hostile")
    calls = Calls(world.scriptapp("Resolve"))
    world.quit()
    with pytest.raises(ResolveProblem) as problem:
        calls.need("give its project manager", calls.resolve, "GetProjectManager")
    assert problem.value.code == "resolve-dialog-open"
