# SPDX-License-Identifier: Apache-2.0
"""A source strip is found again after whatever a user does to it, and no copy is taken for it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from flowanchor_vse.logic.identity import (
    Found,
    SceneKeys,
    SceneLook,
    StripLook,
    find_scene,
    find_strip,
    strip_owners,
)
from hypothesis import given
from hypothesis import strategies as st

SOURCE = StripLook("id-1", "shot", "shot", "MOVIE:shot.mp4")
COPY = SOURCE._replace(name="shot.001")
OTHER = StripLook("", "", "other", "MOVIE:other.mp4")
UNMARKED = SOURCE._replace(id="", owner="")


def find(*strips: StripLook) -> Found:
    return find_strip(strips, "id-1", "shot", "MOVIE:shot.mp4")


def test_its_id_finds_it_whatever_it_is_called() -> None:
    assert find(OTHER, SOURCE) == Found(1)
    assert find(OTHER, SOURCE._replace(name="renamed", content="MOVIE:relinked.mp4")) == Found(1)


def test_of_copies_the_owner_is_the_original() -> None:
    assert find(COPY, SOURCE) == Found(1)
    assert find(SOURCE._replace(owner="hero", name="hero"), SOURCE._replace(owner="hero", name="a")) == Found(
        0
    )


def test_copies_without_their_owner_are_not_guessed_among() -> None:
    assert find(COPY, COPY._replace(name="shot.002")) == Found(None, ambiguous=True)


def test_after_an_undo_it_is_known_by_name_and_content() -> None:
    assert find(OTHER, UNMARKED) == Found(1)
    assert find(UNMARKED._replace(name="shot.001"), UNMARKED) == Found(1)
    assert find(UNMARKED._replace(name="renamed"), OTHER) == Found(0), "the only one that shows this"


def test_after_an_undo_several_that_look_alike_are_not_guessed_among() -> None:
    a, b = UNMARKED._replace(name="a"), UNMARKED._replace(name="b")
    assert find(a, b) == Found(None, ambiguous=True)


def test_another_strip_of_its_name_is_not_it() -> None:
    assert find(UNMARKED._replace(content="MOVIE:else.mp4")) == Found(None)
    assert find(SOURCE._replace(id="id-2")) == Found(None)
    assert find() == Found(None)


def test_of_an_older_version_the_name_is_all_there_is() -> None:
    assert find_strip([OTHER, UNMARKED], "id-1", "shot", "") == Found(1)
    assert find_strip([OTHER], "id-1", "shot", "") == Found(None)


def test_a_renamed_strip_is_the_owner_under_its_new_name() -> None:
    assert strip_owners([SOURCE._replace(name="hero"), OTHER]) == [("id-1", "hero"), ("", "")]


def test_copies_lose_their_marks_and_the_original_keeps_them() -> None:
    assert strip_owners([COPY, SOURCE, COPY._replace(name="x")]) == [("", ""), ("id-1", "shot"), ("", "")]


def test_where_no_original_can_be_told_nothing_changes() -> None:
    copies = [COPY, COPY._replace(name="shot.002")]
    assert strip_owners(copies) == [("id-1", "shot")] * 2


@dataclass
class Timeline:
    """Strips as Blender keeps them: copies take all marks and get a free name."""

    strips: dict[int, StripLook] = field(default_factory=dict)
    original: int = 0
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def duplicate(self, number: int) -> None:
        names = {strip.name for strip in self.strips.values()}
        base = self.strips[number].name.partition(".")[0]
        name = next(one for n in itertools.count(1) if (one := f"{base}.{n:03d}") not in names)
        self.strips[next(self.numbers)] = self.strips[number]._replace(name=name)

    def rename(self, number: int, name: str) -> None:
        if name not in {strip.name for strip in self.strips.values()}:
            self.strips[number] = self.strips[number]._replace(name=name)

    def settle(self) -> None:
        marks = strip_owners(list(self.strips.values()))
        for (number, strip), (mark, owner) in zip(list(self.strips.items()), marks, strict=True):
            self.strips[number] = strip._replace(id=mark, owner=owner)

    def found(self) -> int | None:
        index = find(*self.strips.values()).at
        return None if index is None else list(self.strips)[index]


wishes = st.lists(
    st.tuples(st.sampled_from(["duplicate", "rename", "delete a copy", "undo"]), st.integers(0, 9)),
    max_size=12,
)


@given(wishes)
def test_looked_at_after_each_step_the_original_is_always_found_and_never_a_copy(
    steps: list[tuple[str, int]],
) -> None:
    line = Timeline({0: SOURCE})
    for wish, number in steps:
        chosen = list(line.strips)[number % len(line.strips)]
        if wish == "duplicate":
            line.duplicate(chosen)
        elif wish == "rename":
            line.rename(chosen, f"name {number}")
        elif wish == "delete a copy" and chosen != 0:
            del line.strips[chosen]
        line.settle()
        assert line.found() == 0


@given(wishes)
def test_looked_at_only_at_the_end_a_copy_is_never_taken_beside_the_original(
    steps: list[tuple[str, int]],
) -> None:
    line = Timeline({0: SOURCE})
    for wish, number in steps:
        chosen = list(line.strips)[number % len(line.strips)]
        if wish == "duplicate":
            line.duplicate(chosen)
        elif wish == "rename" and not (chosen != 0 and "shot" not in {s.name for s in line.strips.values()}):
            line.rename(chosen, f"name {number}")
    assert line.found() in (0, None)


# Scenes


def look(key: str, owner: str, name: str, uid: int) -> SceneLook:
    return SceneLook(key, owner, name, uid)


def settled(keys: SceneKeys, *scenes: SceneLook) -> list[SceneLook]:
    marks = keys.settle(scenes)
    return [scene._replace(key=key, owner=owner) for scene, (key, owner) in zip(scenes, marks, strict=True)]


@pytest.fixture
def keys() -> SceneKeys:
    """A scene "A", number 1, that was marked in this session."""
    made = SceneKeys()
    made.give("key", 1)
    return made


def test_a_copied_scene_loses_the_key_even_if_the_original_was_renamed(keys: SceneKeys) -> None:
    scenes = settled(keys, look("key", "A", "A", 2), look("key", "A", "B", 1))
    assert [scene.key for scene in scenes] == ["", "key"]
    assert find_scene(scenes, "key", "A") == "B"


def test_undo_takes_the_key_and_gets_it_back(keys: SceneKeys) -> None:
    scenes = settled(keys, look("", "", "A", 1), look("", "", "other", 3))
    assert scenes[0] == look("key", "A", "A", 1)
    assert find_scene(scenes, "key", "A") == "A"


def test_a_copy_is_not_taken_for_an_original_that_was_deleted(keys: SceneKeys) -> None:
    scenes = settled(keys, look("key", "A", "A.001", 2))
    assert find_scene(scenes, "key", "A") is None


def test_in_a_file_just_opened_the_owner_is_the_original() -> None:
    keys = SceneKeys()
    scenes = settled(keys, look("key", "A", "A.001", 8), look("key", "A", "A", 9))
    assert [scene.key for scene in scenes] == ["", "key"]
    renamed = settled(keys, scenes[0], scenes[1]._replace(name="B"))
    assert find_scene(renamed, "key", "A") == "B"


def test_in_a_file_just_opened_a_scene_alone_with_its_key_was_renamed() -> None:
    scenes = settled(SceneKeys(), look("key", "A", "B", 9), look("", "", "A", 8))
    assert find_scene(scenes, "key", "A") == "B"


def test_copies_of_a_file_without_their_owner_are_not_guessed_among() -> None:
    scenes = settled(SceneKeys(), look("key", "A", "A.001", 8), look("key", "A", "A.002", 9))
    assert find_scene(scenes, "key", "A") is None
    assert [scene.key for scene in scenes] == ["key", "key"]


def test_an_edit_of_an_older_version_goes_by_the_scenes_name() -> None:
    scenes = [look("", "", "A", 1), look("key", "B", "B", 2)]
    assert find_scene(scenes, "", "B") == "B"
    assert find_scene(scenes, "gone", "A") == "A", "it lost its key"
    assert find_scene(scenes, "gone", "B") is None, "it is another one"


scene_steps = st.lists(
    st.tuples(
        st.sampled_from(["copy", "rename", "undo marks", "delete a copy", "settle"]), st.integers(0, 9)
    ),
    max_size=12,
)


@given(scene_steps)
def test_within_a_session_the_scene_is_found_whatever_happens(steps: list[tuple[str, int]]) -> None:
    keys = SceneKeys()
    keys.give("key", 0)
    scenes = {0: look("key", "A", "A", 0)}
    for wish, number in steps:
        chosen = list(scenes)[number % len(scenes)]
        names = {scene.name for scene in scenes.values()}
        if wish == "copy":
            uid = max(scenes) + 1
            name = next(one for n in itertools.count(1) if (one := f"A.{n:03d}") not in names)
            scenes[uid] = scenes[chosen]._replace(name=name, uid=uid)
        elif wish == "rename" and f"name {number}" not in names:
            scenes[chosen] = scenes[chosen]._replace(name=f"name {number}")
        elif wish == "undo marks":
            scenes[chosen] = scenes[chosen]._replace(key="", owner="")
        elif wish == "delete a copy" and chosen != 0:
            del scenes[chosen]
        elif wish == "settle":
            scenes = {scene.uid: scene for scene in settled(keys, *scenes.values())}
    last = settled(keys, *scenes.values())
    assert find_scene(last, "key", "A") == last[0].name
