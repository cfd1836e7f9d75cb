# SPDX-License-Identifier: Apache-2.0
"""Options as typed, from a clip's marker, and from the marker of a result placed earlier."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flowanchor_daemon.cli.edit_options import EditOptions
from flowanchor_daemon.cli.main import app
from flowanchor_daemon.cli.resolve.wish import again, as_plain, completed
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from flowanchor_core.errors import InputError

NOTHING = EditOptions(source="", target="")
WISH = {"source": "a red car", "target": "a green car", "words": "green"}


def test_the_marker_gives_what_was_not_typed() -> None:
    found = completed(NOTHING, WISH, ())
    assert (found.source, found.target, found.words) == ("a red car", "a green car", "green")


def test_what_was_typed_wins() -> None:
    typed = replace(NOTHING, target="a blue car", words="blue")
    found = completed(typed, WISH, ("target", "words"))
    assert (found.source, found.target, found.words) == ("a red car", "a blue car", "blue")


@pytest.mark.parametrize("wish", [{}, {"source": "a car"}, {"source": "a car", "target": "  "}])
def test_without_both_prompts_it_is_said(wish: dict[str, str]) -> None:
    with pytest.raises(InputError) as caught:
        completed(NOTHING, wish, ())
    assert caught.value.code == "prompts-missing"


def test_only_what_differs_from_the_defaults_is_kept() -> None:
    assert as_plain(replace(NOTHING, source="a", target="b")) == {"source": "a", "target": "b"}
    options = replace(NOTHING, source="a", target="b", mask=[Path("m.png")], seed=7, device="cpu", priority=3)
    assert as_plain(options) == {
        "source": "a",
        "target": "b",
        "mask": [str(Path("m.png").absolute())],
        "seed": 7,
    }


options = st.builds(
    EditOptions,
    source=st.text(),
    target=st.text(),
    mask=st.none() | st.lists(st.sampled_from([Path("/a/b.png"), Path("/c d/e.mov")])),
    box=st.none() | st.lists(st.sampled_from(["1,2,3,4", "5,6,7,8"])),
    words=st.none() | st.text(),
    param=st.none() | st.lists(st.just("tau=0.5")),
    steps=st.none() | st.integers(1, 50),
    shift=st.none() | st.floats(0.5, 9),
    seed=st.integers(0, 2**40),
    margin=st.floats(0, 1),
    mode=st.sampled_from(["detail", "fast"]),
    feather=st.integers(0, 90),
)


@given(options)
def test_a_marker_gives_the_same_options_again(kept: EditOptions) -> None:
    raw = json.loads(json.dumps(as_plain(kept)))
    assert again(NOTHING, raw, ()) == kept


def test_what_is_typed_now_wins_over_the_marker() -> None:
    kept = {"source": "a", "target": "b", "words": "b", "seed": 7, "feather": 3}
    found = again(replace(NOTHING, seed=9), kept, ("seed",))
    assert (found.seed, found.feather, found.words) == (9, 3, "b")
    assert again(replace(NOTHING, target="c"), kept, ("target",)).words is None, "words of the old target"


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        {"seed": "7"},
        {"seed": True},
        {"seed": 1.5},
        {"mask": "a.png"},
        {"mask": [1]},
        {"mode": "slow"},
        {"source": None},
        {"box": [["1"]]},
        {"margin": "wide"},
    ],
)
def test_a_marker_that_somebody_has_changed(kept: Any) -> None:
    with pytest.raises(InputError) as caught:
        again(NOTHING, kept, ())
    assert caught.value.code == "marker-unusable"


def test_how_an_edit_runs_is_not_taken_from_a_marker() -> None:
    found = again(NOTHING, {"device": "cuda:9", "priority": 100, "sheet": "/etc/passwd", "other": 1}, ())
    assert (found.device, found.priority, found.sheet) == ("auto", 0, None)


# The commands' options.


@pytest.mark.parametrize("command", ["edit", "sidecar"])
def test_an_edit_from_resolve_has_all_options_of_an_edit(command: str) -> None:
    shown = CliRunner().invoke(app, ["resolve", command, "--help"], terminal_width=200).output
    for name in EditOptions.__dataclass_fields__:
        assert f"--{name}" in shown
    assert "[required]" not in shown


def test_the_other_command_still_asks_for_its_prompts() -> None:
    done = CliRunner().invoke(app, ["edit", "clip.mov", "--box", "1,2,3,4"])
    assert done.exit_code == 2
    assert "--source" in done.output


def test_a_hand_off_has_to_be_asked_for() -> None:
    done = CliRunner().invoke(app, ["resolve", "edit", "20260101-100000-abcdef", "--json"])
    assert done.exit_code == 2
    assert '"handoff-unasked"' in done.output


@pytest.mark.parametrize("option", [["-o", "x.mov"], ["--detach"]])
def test_a_hand_off_keeps_its_result(option: list[str]) -> None:
    done = CliRunner().invoke(app, ["resolve", "edit", "--handoff", *option, "--json"])
    assert done.exit_code == 2
    assert '"handoff-options"' in done.output


def test_without_a_hand_off_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWANCHOR_RESULTS", str(tmp_path))
    done = CliRunner().invoke(app, ["resolve", "edit", "--handoff", "--json"])
    assert done.exit_code == 2
    assert '"handoff-unknown"' in done.output
