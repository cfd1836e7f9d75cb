# SPDX-License-Identifier: Apache-2.0
"""What each edition and version allows, as published."""

from __future__ import annotations

import pytest
from flowanchor_resolve.calls import Calls
from flowanchor_resolve.edition import Edition, check_renderable, check_usable, edition_of, read_edition
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.resolve_host import ResolveHost

from tests.resolve.core.conftest import Make
from tests.resolve.core.scene import EDITIONS, probe

STUDIO, FREE = "DaVinci Resolve Studio", "DaVinci Resolve"


@pytest.mark.parametrize(
    ("product", "version", "outside", "inside"),
    [
        (STUDIO, "18.6.6.7", True, True),
        (STUDIO, "21.1.0.14", True, True),
        (FREE, "18.6.6.7", False, True),
        (FREE, "19.0.3.4", False, True),
        (FREE, "19.1.0.12", False, True),
        (FREE, "21.0.4.5", False, True),
        (FREE, "21.1.0.14", False, False),
        (FREE, "22.0b1", False, False),
    ],
)
def test_the_table_of_editions(product: str, version: str, outside: bool, inside: bool) -> None:
    edition = edition_of(product, version)
    assert (edition.external_scripts, edition.scripts_inside) == (outside, inside)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("21.0.4.5", (21, 0, 4)),
        ("20.0b2", (20, 0, 0)),
        ("19.1", (19, 1, 0)),
        ("18.6.6.7", (18, 6, 6)),
        ("", (0, 0, 0)),
        ("beta", (0, 0, 0)),
    ],
)
def test_versions_as_resolve_writes_them(text: str, version: tuple[int, int, int]) -> None:
    assert edition_of(STUDIO, text).version == version


def test_what_a_version_tells() -> None:
    assert not Edition(STUDIO, (21, 0, 3)).selected_clips
    assert Edition(STUDIO, (21, 0, 4)).selected_clips
    assert not Edition(STUDIO, (19, 1, 3)).marks
    assert Edition(STUDIO, (20, 0, 0)).marks


@pytest.mark.parametrize(("version", "edition", "where"), EDITIONS)
def test_a_running_resolve_tells_what_it_is(make: Make, version: str, edition: str, where: str) -> None:
    world = make(version, edition, "strict", where)
    found = read_edition(Calls(world.scriptapp("Resolve")))
    assert found.studio == (edition == "studio")
    assert str(found).startswith(world.overlay.product)
    assert found.version[0] == int(version.split(".")[0])


def test_free_from_21_1_on_says_what_to_use_instead() -> None:
    with pytest.raises(ResolveProblem) as problem:
        check_usable(edition_of(FREE, "21.1.0"))
    assert problem.value.code == "resolve-free"
    assert "needs DaVinci Resolve Studio" in problem.value.message
    assert "flowanchor timeline edit" in problem.value.action


def test_free_21_1_gives_scripts_nothing(make: Make) -> None:
    world = make("21.1", "free", "hostile", "in-app")
    assert world.scriptapp("Resolve") is None


def test_a_host_is_not_made_over_it(make: Make) -> None:
    world = make("21.1", "free", "hostile", "in-app")
    with pytest.raises(ResolveProblem) as problem:
        ResolveHost(world.remote(world.app), probe)
    assert problem.value.code == "resolve-free"
    assert {call.name for call in world.calls} <= {"GetProductName", "GetVersion", "GetVersionString"}


def test_a_host_is_not_made_behind_a_dialog(make: Make) -> None:
    world = make()
    world.open_dialog("Update available")
    with pytest.raises(ResolveProblem) as problem:
        ResolveHost(world.scriptapp("Resolve"), probe)
    assert problem.value.code == "resolve-dialog-open"
    assert problem.value.action == "Close the dialog and try again."


@pytest.mark.parametrize(
    ("width", "height", "rate", "fine"),
    [
        (3840, 2160, 60, True),
        (3841, 2160, 24, False),
        (1920, 2161, 24, False),
        (1920, 1080, 120, False),
    ],
)
def test_the_free_edition_renders_up_to_uhd(width: int, height: int, rate: float, fine: bool) -> None:
    check_renderable(edition_of(STUDIO, "19.1"), width, height, rate)
    if fine:
        check_renderable(edition_of(FREE, "19.1"), width, height, rate)
        return
    with pytest.raises(ResolveProblem) as problem:
        check_renderable(edition_of(FREE, "19.1"), width, height, rate)
    assert problem.value.code == "resolve-studio-needed"
