# SPDX-License-Identifier: Apache-2.0
"""Each check of the doctor's by what it says when a thing is well and when it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flowanchor_daemon.doctor import blender, checks_of_host, examine
from flowanchor_resolve import connect, doctor, handoff, meeting, menu_files, scripting
from flowanchor_resolve.doctor import Told
from flowanchor_resolve.places import script_folders
from flowanchor_resolve.problems import ResolveProblem

from tests.resolve.surfaces.conftest import SELECTION, FakeHost, result_of

Own = Callable[[str], Path]
SECOND = 1.0


def by_name(findings: Iterator[Told]) -> dict[str, Told]:
    return {told.name: told for told in findings}


def answering(product: str, version: str) -> Callable[[], connect.Answer]:
    return lambda: connect.Answer(product, version, "edit", "/opt/resolve")


def silent(code: str) -> Callable[[], connect.Answer]:
    def probe() -> connect.Answer:
        raise ResolveProblem(code, "It is so.", "Do this.")

    return probe


@pytest.mark.parametrize(
    ("product", "version", "level", "says"),
    [
        ("DaVinci Resolve Studio", "18.6.6", "ok", "one-click"),
        ("DaVinci Resolve Studio", "21.1.0", "ok", "one-click"),
        ("DaVinci Resolve", "19.0.3", "warning", "hand-offs"),
        ("DaVinci Resolve", "21.0.4", "warning", "hand-offs"),
        ("DaVinci Resolve", "21.1.0", "problem", "runs no scripts"),
    ],
)
def test_editions(own_folders: Own, product: str, version: str, level: str, says: str) -> None:
    found = by_name(doctor.check_connection(answering(product, version)))
    assert found["resolve"].level == "ok"
    assert found["resolve edition"].level == level
    assert says in found["resolve edition"].text
    assert ("resolve preference" in found) == ("Studio" in product)


@pytest.mark.parametrize(
    ("code", "level"),
    [("resolve-not-running", "warning"), ("resolve-silent", "problem"), ("resolve-crashed", "problem")],
)
def test_a_resolve_that_cannot_be_reached(own_folders: Own, code: str, level: str) -> None:
    found = by_name(doctor.check_connection(silent(code)))
    assert found["resolve"] == Told("resolve", level, "It is so.", "Do this.")
    assert "resolve edition" not in found


def test_a_missing_module_is_told_once(own_folders: Own) -> None:
    (found,) = doctor.check_connection(silent("resolve-module-missing"))
    assert (found.level, found.action) == ("warning", "See `resolve module`.")


def test_the_edition_that_was_met_last_is_told(own_folders: Own) -> None:
    meeting.note_contact(meeting.open_folder(), "DaVinci Resolve", "21.1.0", "menu")
    found = by_name(doctor.check_connection(silent("resolve-free")))
    assert found["resolve edition"].level == "problem"
    assert "as it was met last" in found["resolve edition"].text


def test_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripting, "find", lambda: None)
    assert [told.level for told in doctor.check_module()] == ["problem"]
    monkeypatch.setattr(scripting, "find", lambda: Path("/opt/x.py"))
    assert list(doctor.check_module()) == [Told("resolve module", "ok", str(Path("/opt/x.py")))]


def test_menu_scripts(own_folders: Own) -> None:
    folder = script_folders()[0]
    assert {told.level for told in doctor.check_scripts()} == {"warning"}
    folder.mkdir(parents=True)
    for name, action in menu_files.MENU.items():
        (folder / f"{name}.py").write_text(menu_files.script_of(action))
    assert {told.level for told in doctor.check_scripts()} == {"ok"}
    (folder / "FlowAnchor Undo.py").write_text(menu_files.script_of("undo", Path("/an/older/clone")))
    other = folder.parent / "Comp"
    other.mkdir()
    (other / "FlowAnchor Edit.py").write_text(menu_files.script_of("edit"))
    found = by_name(doctor.check_scripts())
    assert "of another version" in found["script FlowAnchor Undo"].text
    assert "more than once" in found["script FlowAnchor Edit"].text
    assert found["script FlowAnchor Place"].level == "ok"


def test_the_sidecar(own_folders: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    (first,) = doctor.check_sidecar()
    assert first.level == "warning"
    assert first.action.startswith("Unset FLOWANCHOR_STATE"), "the set-up would not help"
    with monkeypatch.context() as patch:
        patch.delenv("FLOWANCHOR_STATE")
        (usual,) = doctor.check_sidecar()
    assert usual.action.startswith("Run `python3 installers/run.py setup`")
    launcher = own_folders("home") / "data" / "flowanchor" / "launcher.json"
    launcher.parent.mkdir(parents=True)
    meeting.write(launcher, {"argv": ["python", "-m", "flowanchor_daemon.serve"]})
    (second,) = doctor.check_sidecar()
    assert (second.level, "starts it" in second.text) == ("ok", True)
    lock = meeting.Lock(meeting.open_folder() / meeting.SERVES)
    assert lock.acquire()
    try:
        (third,) = doctor.check_sidecar()
    finally:
        lock.release()
    assert third.text.startswith("It runs.")


@pytest.mark.parametrize(
    ("later", "says"),
    [
        (5, "less than a minute ago"),
        (61, "1 minute ago"),
        (7200, "2 hours ago"),
        (200_000, "2 days ago"),
        (-500, "in the future"),
    ],
)
def test_the_last_contact(own_folders: Own, later: float, says: str) -> None:
    (never,) = doctor.check_contact()
    assert never.text == "never so far"
    meeting.note_contact(meeting.open_folder(), "DaVinci Resolve", "19.1.2", "menu")
    contact = meeting.last_contact(meeting.open_folder())
    assert contact is not None
    (told,) = doctor.check_contact(lambda: contact["at"] + later)
    assert told.text.startswith(says)
    assert "DaVinci Resolve 19.1.2, Python 3." in told.text


def test_hand_offs(own_folders: Own, tmp_path: Path) -> None:
    assert [told.level for told in doctor.check_handoffs()] == ["ok"]

    host = FakeHost()
    request = handoff.leave(lambda folder: (SELECTION, host.export_range(SELECTION, folder, print), None))
    (waiting,) = doctor.check_handoffs()
    assert "1 wait" in waiting.text
    path = tmp_path / "edited.mov"
    path.touch()
    handoff.finish(request, result_of(path))
    (finished,) = doctor.check_handoffs()
    assert "FlowAnchor Place" in finished.action


def test_looking_makes_nothing(own_folders: Own) -> None:
    report = examine(checks_of_host("resolve"))
    assert len(report.findings) > 8
    assert not own_folders("results").exists()
    assert not own_folders("state").parent.exists() or own_folders("state").is_dir()
    assert all(finding.action or finding.level == "ok" for finding in report.findings)


# Blender's.


@pytest.fixture
def settings(own_folders: Own, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = own_folders("home") / "config"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    monkeypatch.setattr("sys.platform", "linux")
    return blender.settings_folder("linux")


def add_on(settings: Path, version: str, where: str = "user_default", text: str | None = None) -> None:
    folder = settings / version / "extensions" / where / blender.ADDON
    folder.mkdir(parents=True)
    manifest = f'schema_version = "1.0.0"\nversion = "{blender._ours()}"\n' if text is None else text
    (folder / "blender_manifest.toml").write_text(manifest)


def test_no_blender(settings: Path) -> None:
    (only,) = blender.check_extensions()
    assert only.level == "warning"


def test_a_blender_without_the_add_on(settings: Path) -> None:
    (settings / "4.2").mkdir(parents=True)
    levels = [finding.level for finding in blender.check_extensions()]
    assert levels == ["ok", "warning"]


def test_add_ons_that_are_well_old_broken_and_double(settings: Path) -> None:
    add_on(settings, "4.2")
    add_on(settings, "4.5", text='version = "0.0.1"\n')
    add_on(settings, "5.0", text="no manifest")
    add_on(settings, "5.1")
    add_on(settings, "5.1", where="other")
    found = {finding.name: finding.level for finding in blender.check_extensions()}
    assert found == {
        "blender 4.2": "ok",
        "blender 4.5": "warning",
        "blender 5.0": "problem",
        "blender 5.1": "warning",
    }


def test_how_blender_starts_the_daemon(own_folders: Own, tmp_path: Path) -> None:
    (none,) = blender.check_daemon_command()
    assert none.level == "problem"
    launcher = own_folders("home") / "data" / "flowanchor" / "launcher.json"
    launcher.parent.mkdir(parents=True)
    program = tmp_path / "python"
    meeting.write(launcher, {"argv": [str(program), "-m", "x"]})
    (gone,) = blender.check_daemon_command()
    assert "not there any more" in gone.text
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    (well,) = blender.check_daemon_command()
    assert well.level == "ok"
