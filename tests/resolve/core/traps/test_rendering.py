# SPDX-License-Identifier: Apache-2.0
"""Traps of the Deliver page; tests/resolve/README.md has the table.

Each test runs on a hostile Resolve, in which the trap is set, and most show as well that the trap bites
whoever does not know it.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flowanchor_resolve.problems import ResolveProblem

from tests.resolve.core.conftest import Hosting, Make
from tests.resolve.core.scene import Clip, numbers, probe, state_of
from tests.resolve.core.traps.conftest import PACKAGE, Footage, raw, timeline_of
from tests.resolve.standin.names import names_used


def test_render_marks_are_absolute_and_the_last_is_included(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make(profile="hostile")
    timeline_of(world, footage)
    host = hosting(world)
    movie = host.export_range(host.select(clip="ours"), out, said.append)
    (marks,) = [
        (settings["MarkIn"], settings["MarkOut"])
        for (settings,) in world.called("SetRenderSettings")
        if "SelectAllFrames" in settings
    ]
    assert marks == (86410, 86429)
    assert numbers(movie.path) == list(range(5, 25))


def test_the_queue_is_read_before_a_render_starts(
    make: Make,
    hosting: Hosting,
    footage: Footage,
    out: Path,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Marks that Resolve did not take are seen in the job; nothing is rendered then."""
    world = make(profile="hostile")
    timeline_of(world, footage)
    project = type(world.project)
    plain = project.SetRenderSettings  # type: ignore[union-attr]

    def forgetful(self: Any, settings: dict[str, Any]) -> bool:
        kept = {key: value for key, value in settings.items() if key not in ("MarkIn", "MarkOut")}
        return bool(plain(self, kept))

    monkeypatch.setattr(project, "SetRenderSettings", forgetful)
    host = hosting(world)
    before = state_of(world)
    with pytest.raises(ResolveProblem) as problem:
        host.export_range(host.select(clip="ours"), out, said.append)
    assert problem.value.code == "resolve-job-differs"
    assert not world.called("StartRendering")
    assert state_of(world)["queue"] == before["queue"]


def test_render_settings_lie_on_the_loaded_preset(
    make: Make, hosting: Hosting, footage: Footage, out: Path, volume: Path, said: list[str]
) -> None:
    world = make(profile="hostile")
    timeline_of(world, footage)
    project = raw(world)
    assert project.LoadRenderPreset("Audio Only")
    believed = {"TargetDir": str(volume), "CustomName": "x", "ExportVideo": True, "SelectAllFrames": False}
    assert project.SetRenderSettings({**believed, "MarkIn": 86410, "MarkOut": 86429})
    job = project.AddRenderJob()
    assert project.StartRendering([job], False)
    while project.IsRenderingInProgress():
        time.sleep(0.01)
    with pytest.raises(ResolveProblem):
        probe(volume / "x.mov")  # no pictures, whatever was set
    assert project.DeleteRenderJob(job)
    before = state_of(world)
    host = hosting(world)
    movie = host.export_range(host.select(clip="ours"), out, said.append)
    assert numbers(movie.path) == list(range(5, 25))
    assert state_of(world) == before
    assert before["unseen"] == {"no_video": True}


def test_format_and_codec_are_chosen_by_id_and_the_file_is_looked_into(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make(profile="hostile")
    timeline_of(world, footage)
    host = hosting(world)
    host.export_range(host.select(clip="ours"), out, said.append)
    assert ("mov", "ProRes422HQ") in world.called("SetCurrentRenderFormatAndCodec")
    with pytest.raises(ResolveProblem) as problem:
        hosting(world, probe=lambda path: replace(probe(path), frames=19)).export_range(
            host.select(clip="ours"), out, said.append
        )
    assert problem.value.code == "resolve-render-differs"
    with pytest.raises(ResolveProblem) as problem:
        hosting(world, probe=lambda path: replace(probe(path), alpha=False)).export_mask(
            host.select(clip="ours"), "alpha", out, said.append
        )
    assert problem.value.code == "resolve-no-alpha"


def test_without_the_codecs_it_is_said(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make(profile="hostile", prores=False)
    timeline_of(world, footage)
    host = hosting(world)
    with pytest.raises(ResolveProblem) as problem:
        host.export_mask(host.select(clip="ours"), "alpha", out, said.append)
    assert problem.value.code == "resolve-codec-missing"
    assert "ProRes4444" in problem.value.message


def test_renders_go_to_media_storage_and_are_moved_from_there(
    make: Make, hosting: Hosting, footage: Footage, out: Path, volume: Path, said: list[str]
) -> None:
    world = make("21.1", "studio", "hostile")
    timeline_of(world, footage)
    assert not raw(world).SetRenderSettings({"TargetDir": str(out)})
    assert world.dialog
    world.dismiss_dialog()
    host = hosting(world)
    movie = host.export_range(host.select(clip="ours"), out, said.append)
    assert not world.dialog
    assert movie.path.parent == out
    named = [settings.get("TargetDir") for (settings,) in world.called("SetRenderSettings")][1:]
    targets = [target for target in named if target]
    assert targets
    assert all(Path(target).is_relative_to(volume) for target in targets)


def test_without_a_volume_to_write_to_it_is_said(
    make: Make, hosting: Hosting, footage: Footage, out: Path, tmp_path: Path, said: list[str]
) -> None:
    world = make("21.1", "studio", "hostile", volumes=[tmp_path / "unmounted"])
    timeline_of(world, footage)
    host = hosting(world)
    with pytest.raises(ResolveProblem) as problem:
        host.export_range(host.select(clip="ours"), out, said.append)
    assert problem.value.code == "resolve-no-volume"
    assert world.dialog is None


def test_fusion_is_rendered_through_deliver_and_never_with_a_saver(
    make: Make, hosting: Hosting, footage: Footage, out: Path, said: list[str]
) -> None:
    world = make("21.1", "studio", "hostile")
    clips = [Clip(footage(), frames=4, name="ours", fusion_shows="invert")]
    timeline_of(world, footage, clips=clips)
    host = hosting(world)
    movie = host.export_range(host.select(clip="ours"), out, said.append)
    assert probe(movie.path).frames == 4
    assert numbers(movie.path) != [0, 1, 2, 3], "the composition is in the picture"
    assert world.dialog is None
    assert not {"Render", "AddTool", "Saver"} & {use.name for use in names_used(PACKAGE)}
