# SPDX-License-Identifier: Apache-2.0
"""The folder in which menu scripts and the sidecar leave word for each other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flowanchor import rendezvous
from flowanchor_resolve import meeting
from flowanchor_resolve.problems import ResolveProblem

posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes")


def test_it_is_made_closed_to_others(own_folders: Callable[[str], Path]) -> None:
    folder = meeting.open_folder()
    assert folder == own_folders("state")
    assert os.name != "posix" or folder.stat().st_mode & 0o777 == 0o700


@posix
def test_the_daemon_takes_the_folder_it_is_made_in(
    own_folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes first, a menu script or the daemon, makes it."""
    meeting.open_folder()
    assert rendezvous.private_folder(rendezvous.state_folder()) == own_folders("state").parent
    monkeypatch.delenv("FLOWANCHOR_STATE")
    meeting.open_folder()
    assert rendezvous.private_folder(rendezvous.state_folder()).is_dir()


@posix
@pytest.mark.parametrize("prepared", ["open", "link", "file"])
def test_what_others_could_have_prepared_is_refused(tmp_path: Path, prepared: str) -> None:
    folder = tmp_path / "place"
    if prepared == "open":
        folder.mkdir()
        folder.chmod(0o755)
    elif prepared == "link":
        (tmp_path / "other").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "other")
    else:
        folder.touch()
    with pytest.raises(ResolveProblem) as caught:
        meeting.private_folder(folder)
    assert caught.value.code == "resolve-folder-not-ours"


def test_a_note_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    note = tmp_path / "note.json"
    assert meeting.read(note) is None
    meeting.write(note, {"text": "grün"})
    assert meeting.read(note) == {"text": "grün"}
    with pytest.raises(TypeError):
        meeting.write(note, {"text": object()})
    assert meeting.read(note) == {"text": "grün"}
    assert [path.name for path in tmp_path.iterdir()] == ["note.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"text"', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_note_is_none(tmp_path: Path, content: bytes) -> None:
    note = tmp_path / "note.json"
    note.write_bytes(content)
    assert meeting.read(note) is None


def test_a_huge_note_is_none(tmp_path: Path) -> None:
    note = tmp_path / "note.json"
    note.write_text('{"text": "' + "x" * meeting.LARGEST_FILE + '"}')
    assert meeting.read(note) is None


@posix
def test_links_and_pipes_are_no_notes(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("{}")
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    os.mkfifo(tmp_path / "pipe.json")
    assert meeting.read(tmp_path / "link.json") is None
    assert meeting.read(tmp_path / "pipe.json") is None


@posix
def test_a_note_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(ResolveProblem) as caught:
        meeting.write(tmp_path / "missing" / "note.json", {})
    assert caught.value.code == "resolve-disk"


def test_a_lock_goes_with_its_holder(tmp_path: Path) -> None:
    lock = meeting.Lock(tmp_path / meeting.SERVES)
    assert not lock.is_held()
    hold = (
        "import sys; from pathlib import Path; from flowanchor_resolve.meeting import Lock; "
        f"assert Lock(Path({str(lock.path)!r})).acquire(); print('held', flush=True); sys.stdin.read()"
    )
    package = str(Path(meeting.__file__).parents[1])
    child = subprocess.Popen(
        [sys.executable, "-c", hold],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": package},
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        assert meeting.sidecar_lives(tmp_path)
        assert not lock.acquire()
        child.kill()
        child.wait(120)
    assert not meeting.sidecar_lives(tmp_path)
    assert lock.acquire()
    assert lock.is_held()
    lock.release()
    assert not lock.is_held()


def test_the_last_contact_is_remembered(tmp_path: Path) -> None:
    assert meeting.last_contact(tmp_path) is None
    meeting.note_contact(tmp_path, "DaVinci Resolve", "21.0.4", "menu")
    found = meeting.last_contact(tmp_path)
    assert found is not None
    assert (found["product"], found["version"], found["where"]) == ("DaVinci Resolve", "21.0.4", "menu")
    meeting.write(tmp_path / meeting.CONTACT, {"at": "yesterday", "product": "x"})
    assert meeting.last_contact(tmp_path) is None
