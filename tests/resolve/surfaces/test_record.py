# SPDX-License-Identifier: Apache-2.0
"""Recordings: nothing of the user's in them, and the client does against one what it did when it was made."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flowanchor_resolve import replay, session
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.record import Recorder
from flowanchor_resolve.resolve_host import ResolveHost
from flowanchor_resolve.session import Order

from tests.resolve.core.scene import QUICK, footage, probe, write_result
from tests.resolve.standin.world import Clip, World
from tests.resolve.surfaces import compare
from tests.resolve.surfaces.scene import SECRETS, PatchEditing, secret_world

Play = Callable[..., Path]


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return footage(tmp_path_factory.mktemp("footage"))


def recorded(world: World, path: Path, action: str, do: Callable[[ResolveHost, Recorder], None]) -> Path:
    """Do something with a host whose traffic is written to `path`."""
    recorder = Recorder.create(path, action)
    try:
        resolve = recorder.wrap(world.scriptapp("Resolve"))
        do(ResolveHost(resolve, recorder.probing(probe), watch=QUICK), recorder)
    finally:
        recorder.close()
    return path


def edit(out: Path, order: Order = Order(track=1)) -> Callable[[ResolveHost, Recorder], None]:  # noqa: B008 - frozen
    def do(host: ResolveHost, recorder: Recorder) -> None:
        recorder.note_order(order)
        session.edit(host, order, recorder.editing(PatchEditing(out)), lambda text: None)

    return do


def same(path: Path) -> int:
    """Replay a recording to its end; how many calls that were."""
    report = replay.replay(path)
    assert report.difference == ""
    written = sum("call" in json.loads(line) for line in path.read_text().splitlines())
    assert report.calls == written
    return written


def shows_no_secret(path: Path, *more: str) -> None:
    text = path.read_text()
    for secret in (*SECRETS, *more):
        for part in (secret, json.dumps(secret)[1:-1]):
            assert part not in text


@pytest.mark.parametrize("profile", ["strict", "hostile"])
@pytest.mark.parametrize("version", ["20", "21.0.4", "21.1"])
def test_an_edit_is_replayed_call_by_call(tmp_path: Path, movie: Path, profile: Any, version: str) -> None:
    with secret_world(tmp_path, movie, movie, version=version, profile=profile) as world:
        path = recorded(world, tmp_path / "edit.jsonl", "edit", edit(tmp_path / "Ergebnis.mov"))
    assert same(path) > 100
    shows_no_secret(path, str(tmp_path), "Ergebnis")


def with_composition(world: World, text: str) -> World:
    """A recorded world, its clip with a Fusion composition."""
    assert world.project is not None
    assert world.project.current is not None
    world.project.current.tracks["video"][0].items[0].add_comp(text)
    return world


MOVING = """Composition { RenderRange = { 0, 11 }, Comments = "Geheimer Film", Tools = ordered() {
    Titel = TextPlus { Inputs = { StyledText = Input { Value = "Kunde Mueller" } } },
    Karte = Loader { Clips = { Clip { Filename = "/home/mueller/karte.mov" } } },
    Gesicht = RectangleMask { Inputs = { Width = Input { SourceOp = "Weite", Source = "Value" } } },
    Weite = BezierSpline { KeyFrames = { [0] = { 0.2 }, [11] = { 0.6 } } },
} }"""


def test_a_region_of_a_fusion_composition_is_replayed(tmp_path: Path, movie: Path) -> None:
    """To the end: the client reads the mask again, and asks the same of the clip for its keyframes."""
    order = Order(track=1, mask="fusion")
    with with_composition(secret_world(tmp_path, movie), MOVING) as world:
        path = recorded(world, tmp_path / "edit.jsonl", "edit", edit(tmp_path / "Ergebnis.mov", order))
    assert same(path) > 100
    shows_no_secret(path, str(tmp_path), "Titel", "Karte", "karte", "Gesicht", "Weite", "mueller")
    (written,) = [json.loads(line) for line in path.read_text().splitlines() if '"wrote"' in line]
    assert "RectangleMask" in written["text"]


@pytest.mark.parametrize("text", ["Composition { @ }", "Composition { Tools = { M = PaintMask { } } }"])
def test_a_composition_that_cannot_be_read_is_replayed_as_one(tmp_path: Path, movie: Path, text: str) -> None:
    order = Order(track=1, mask="fusion")
    with (
        with_composition(secret_world(tmp_path, movie), text) as world,
        pytest.raises(ResolveProblem, match="composition"),
    ):
        recorded(world, tmp_path / "edit.jsonl", "edit", edit(tmp_path / "x.mov", order))
    same(tmp_path / "edit.jsonl")


def test_a_composition_is_written_into_the_replays_folder_alone(tmp_path: Path, movie: Path) -> None:
    order = Order(track=1, mask="fusion")
    with with_composition(secret_world(tmp_path, movie), MOVING) as world:
        path = recorded(world, tmp_path / "edit.jsonl", "edit", edit(tmp_path / "x.mov", order))
    victim = tmp_path / "victim.comp"

    def change(line: dict[str, Any]) -> None:
        if "wrote" in line:
            line["wrote"] = str(victim)
        if line.get("call") == "ExportFusionComp":
            line["arguments"][0] = str(victim)

    replay.replay(tampered(path, change))
    assert not victim.exists()


def test_placing_and_taking_off_are_replayed(tmp_path: Path, movie: Path) -> None:
    out = tmp_path / "Ergebnis.mov"
    with secret_world(tmp_path, movie, movie) as world:

        def undo(host: ResolveHost, recorder: Recorder) -> None:
            recorder.note_undo(None)
            placed, _ = session.newest(list(host.placed()))
            host.undo(placed)

        # `select` is not part of placing: it is done before the recording begins.
        chosen: list[Any] = []
        recorded(
            world, tmp_path / "select.jsonl", "place", lambda host, _: chosen.append(host.select(track=1))
        )
        result = PatchEditing(out).edit(session.Task(chosen[0], None, None, tmp_path))  # type: ignore[arg-type]
        assert result is not None

        def only_place(host: ResolveHost, recorder: Recorder) -> None:
            recorder.note_place(chosen[0], result, False)
            session.place(host, chosen[0], result, PatchEditing(out))

        placing = recorded(world, tmp_path / "place.jsonl", "place", only_place)
        undoing = recorded(world, tmp_path / "undo.jsonl", "undo", undo)
    assert same(placing) > 20
    assert same(undoing) > 10
    shows_no_secret(placing, str(tmp_path))
    shows_no_secret(undoing, str(tmp_path))


def test_a_failure_is_replayed_as_one(tmp_path: Path, movie: Path) -> None:
    """Without a mark there is no region: the recording ends there, and so does the client."""
    with secret_world(tmp_path, movie) as world, pytest.raises(ResolveProblem) as caught:
        recorded(world, tmp_path / "edit.jsonl", "edit", edit(tmp_path / "x.mov"))
    assert caught.value.code == "resolve-no-mask"
    same(tmp_path / "edit.jsonl")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory, movie: Path) -> list[str]:
    folder = tmp_path_factory.mktemp("recording")
    with secret_world(folder, movie, movie) as world:
        path = recorded(world, folder / "edit.jsonl", "edit", edit(folder / "x.mov"))
    return path.read_text().splitlines()


def changed(lines: list[str], name: str, alter: Callable[[dict[str, Any]], None]) -> list[str]:
    """The lines, with the first call of a name altered."""
    found = next(place for place, line in enumerate(lines) if json.loads(line).get("call") == name)
    content = json.loads(lines[found])
    alter(content)
    return [*lines[:found], json.dumps(content), *lines[found + 1 :]]


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (lambda lines: changed(lines, "AddTrack", lambda line: line.update(call="AddMarker")), "AddTrack"),
        (
            lambda lines: changed(lines, "AddTrack", lambda line: line.update(arguments=["audio"])),
            "argument 1",
        ),
        (
            lambda lines: changed(lines, "OpenPage", lambda line: line.update(arguments=[])),
            "1 arguments, not 0",
        ),
        (lambda lines: lines[: len(lines) // 2], "where the recording ends"),
        (lambda lines: [*lines, lines[-1]], "the client stops here"),
        (lambda lines: changed(lines, "GetUniqueId", lambda line: line.update(on=0)), "GetUniqueId"),
    ],
)
def test_a_difference_is_told(
    recording: list[str], tmp_path: Path, alter: Callable[[list[str]], list[str]], said: str
) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text("\n".join(alter(recording)) + "\n")
    assert said in replay.replay(path).difference


def test_another_reply_leads_elsewhere(recording: list[str], tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    lines = changed(recording, "IsRenderingInProgress", lambda line: line.update(reply=True))
    path.write_text("\n".join(lines) + "\n")
    assert replay.replay(path).difference.startswith("line ")


def test_the_command(recording: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "edit.jsonl"
    path.write_text("\n".join(recording) + "\n")
    assert replay.main([str(path)]) == 0
    assert re.fullmatch(r"\d+ calls are as recorded.\n", capsys.readouterr().out)
    path.write_text("\n".join(recording[:40]) + "\n")
    assert replay.main([str(path)]) == 1
    path.write_text("[]\n")
    assert replay.main([str(path)]) == 2


@pytest.mark.parametrize(
    "content", ["", "{", "[]\n", "{}\n", '{"flowanchor": "resolve-recording", "version": 9}\n']
)
def test_what_is_no_recording(tmp_path: Path, content: str) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text(content)
    with pytest.raises(ResolveProblem) as caught:
        replay.read(path)
    assert caught.value.code == "recording-unusable"


def tampered(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A recording, each line of it changed."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        change(line)
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


@pytest.mark.parametrize("outside", ["/../../../{}", "relative/{}", "../{}"])
@pytest.mark.parametrize("what", ["volume", "render", "result", "temporary"])
def test_a_recording_makes_nothing_outside_of_the_replays_folder(
    sent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outside: str, what: str
) -> None:
    inner = tmp_path / "a" / "b" / "c" / "d"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    monkeypatch.setattr(tempfile, "tempdir", str(inner))
    place = outside.format("victim")

    def change(line: dict[str, Any]) -> None:
        if what == "temporary" and "temporary" in line:
            line["temporary"] = place
        if what == "volume" and line.get("call") == "GetMountedVolumeList":
            line["reply"] = [place]
        if what == "render" and line.get("call") == "GetRenderJobList":
            for job in line["reply"]:
                job["dict"]["OutputFilename"] = place
        if what == "result" and line.get("did") == "edited":
            line["result"]["path"] = place

    before = sorted(tmp_path.rglob("*"))
    report = replay.replay(tampered(sent, change))
    assert report.difference
    assert sorted(tmp_path.rglob("*")) == before
    if what != "render":
        assert "not in the replay's own folder" in report.difference


@pytest.mark.parametrize(
    ("key", "value"),
    [("reply", {"pairs": [1]}), ("reply", {"object": "x"}), ("on", None), ("arguments", 3), ("call", 7)],
)
def test_a_recording_of_another_form_is_told_and_not_a_traceback(sent: Path, key: str, value: object) -> None:
    report = replay.replay(tampered(sent, lambda line: line.update({key: value}) if key in line else None))
    assert report.difference


def test_a_recording_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "edit.jsonl"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        Recorder.create(path, "edit")
    assert path.read_text() == "mine"


# The stand-in against a recording.


def other_world(folder: Path, movie: Path, **more: Any) -> World:
    """A world like the recorded one, in which everything has another name."""
    folder.mkdir()
    volume = folder / "other" / "volume"
    volume.mkdir(parents=True)
    own = folder / "another.mkv"
    own.write_bytes(movie.read_bytes())
    world = World(project="Other", volumes=[volume])
    at = more.pop("at", 3)
    clips = [Clip(own, at=at, first=2, frames=12), Clip(own, at=0, frames=30, track=2)]
    timeline = world.add_timeline(Fraction(24), clips=clips, name="Other", **more)
    timeline.tracks["video"][1].name = "FA MASK"
    assert timeline.tracks["video"][0].items[0].AddMarker(2.0, "Purple", "FlowAnchor", "one -> two", 1.0)
    timeline.SetCurrentTimecode("01:00:00:05")
    return world


@pytest.fixture
def sent(recording: list[str], tmp_path: Path) -> Path:
    path = tmp_path / "sent.jsonl"
    path.write_text("\n".join(recording) + "\n")
    return path


def test_a_stand_in_like_the_recorded_one_does_not_differ(sent: Path, tmp_path: Path, movie: Path) -> None:
    result = write_result(tmp_path / "result.mov", Fraction(24), 12)
    with other_world(tmp_path / "b", movie) as world:
        found = compare.differences(sent, world.scriptapp("Resolve"), tmp_path / "scratch", result)
        assert found == []
        assert world.project is not None
        assert world.project.current is not None
        assert [track.name for track in world.project.current.tracks["video"]][-1] == "FlowAnchor"


def test_where_it_differs_is_listed(sent: Path, tmp_path: Path, movie: Path) -> None:
    result = write_result(tmp_path / "result.mov", Fraction(24), 12)
    with other_world(tmp_path / "b", movie, at=4) as world:
        found = compare.differences(sent, world.scriptapp("Resolve"), tmp_path / "scratch", result)
    assert any("GetStart: 86404, not 86403" in one for one in found), found[:5]
