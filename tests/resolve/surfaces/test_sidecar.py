# SPDX-License-Identifier: Apache-2.0
"""The sidecar as a process: poked, busy, interrupted, killed, followed by another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flowanchor_resolve import meeting, poke, sidecar
from flowanchor_resolve.poke import ANSWERS, POKES
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.sidecar import Sidecar

from tests.resolve.surfaces.scene import until

PACKAGE = str(Path(sidecar.__file__).parents[1])
# Says what it is asked for; "again" takes until a file lets it go on, "undo" fails.
PROCESS = """
    import sys, time
    from pathlib import Path
    from flowanchor_resolve import meeting
    from flowanchor_resolve.problems import ResolveProblem
    from flowanchor_resolve.sidecar import Sidecar

    def say(text):
        print(text, flush=True)

    def act(action, say):
        say(f"doing {action}")
        if action == "undo":
            raise ResolveProblem("resolve-refused", "Resolve did not.", "Look at it.")
        folder = meeting.open_folder()
        while action == "again" and not (folder / "go on").exists():
            time.sleep(0.02)
        return f"{action} is done."

    Sidecar(meeting.open_folder(), act, say, IDLE).serve()
"""

Own = Callable[[str], Path]


def poked(action: str) -> poke.Reply:
    """Poke, with all the time a busy machine may take to answer."""
    return poke.poke(action, seconds=120, start_seconds=120)


class Running:
    """A sidecar's process."""

    def __init__(self, folder: Path, idle: float | None = None) -> None:
        self.folder = folder
        self.output = folder.parent / f"sidecar-{time.monotonic_ns()}.out"
        text = textwrap.dedent(PROCESS).replace("IDLE", repr(idle))
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", text],
                env={**os.environ, "PYTHONPATH": PACKAGE},
                stdout=output,
                stderr=output,
            )
        until(lambda: self.process.poll() is not None or self.status() is not None, "it serves")

    @property
    def said(self) -> str:
        return self.output.read_text()

    def status(self) -> str | None:
        return sidecar.status(self.folder) if meeting.sidecar_lives(self.folder) else None

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(120)


@pytest.fixture
def start(own_folders: Own) -> Iterator[Callable[..., Running]]:
    all_: list[Running] = []

    def started(idle: float | None = None) -> Running:
        all_.append(Running(meeting.open_folder(), idle))
        return all_[-1]

    yield started
    for running in all_:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


def test_it_does_what_it_is_asked(start: Callable[..., Running]) -> None:
    running = start()
    assert running.status() == "Waiting for Workspace > Scripts > FlowAnchor Edit."
    reply = poked("edit")
    assert reply == poke.Reply(True, "FlowAnchor Edit begins.")
    until(lambda: running.status() == "edit is done.", "it is done")
    assert "doing edit" in running.said
    for name in (POKES, ANSWERS):
        assert list((running.folder / name).iterdir()) == []
    assert running.end() == 0
    assert "The sidecar ends." in running.said


def test_one_thing_at_a_time(start: Callable[..., Running]) -> None:
    running = start()
    assert poked("again").accepted
    until(lambda: running.status() == "FlowAnchor Again is at work.", "it works")
    reply = poked("edit")
    assert not reply.accepted
    assert "still at work" in reply.text
    (running.folder / "go on").touch()
    until(lambda: running.status() == "again is done.", "it is done")
    until(lambda: poked("edit").accepted, "it takes the next")


def test_a_failure_is_told_and_the_next_thing_done(start: Callable[..., Running]) -> None:
    running = start()
    assert poked("undo").accepted
    until(lambda: running.status() == "Resolve did not. Look at it.", "it has failed")
    until(lambda: poked("edit").accepted, "it takes the next")
    until(lambda: running.status() == "edit is done.", "it is done")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_cancels_what_is_at_work_and_then_ends_it(start: Callable[..., Running]) -> None:
    running = start()
    poked("again")
    until(lambda: "doing again" in running.said, "it works")
    running.process.send_signal(signal.SIGINT)
    until(lambda: running.status() == "FlowAnchor Again was cancelled.", "it is cancelled")
    until(lambda: poked("edit").accepted, "it takes the next")
    until(lambda: running.status() == "edit is done.", "it is done")
    assert running.end() == 0


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_killed_one_is_followed_by_another(start: Callable[..., Running]) -> None:
    first = start()
    poked("again")
    until(lambda: "doing again" in first.said, "it works")
    first.process.kill()
    first.process.wait()
    folder = first.folder
    assert not meeting.sidecar_lives(folder)
    assert sidecar.status(folder) == "FlowAnchor Again is at work, but the sidecar has ended since."
    meeting.write(folder / POKES / "1-left.json", {"action": "edit", "at": time.time()})
    second = start()
    assert second.status() == "Waiting for Workspace > Scripts > FlowAnchor Edit."
    assert poked("undo").accepted
    until(lambda: second.status() == "Resolve did not. Look at it.", "it has done what it was asked")
    assert second.said.split().count("doing") == 1, "what the dead one was asked for is done unasked"


def test_one_that_starts_serves_when_what_was_left_is_gone(
    own_folders: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or it would be seen with its predecessor's words, and forget what is asked of it meanwhile."""
    folder = meeting.open_folder()
    meeting.write(folder / meeting.STATUS, {"state": "working", "text": "FlowAnchor Again is at work."})
    seen: list[tuple[bool, str | None]] = []
    write = meeting.write

    def written(path: Path, content: dict[str, object]) -> None:
        seen.append((meeting.sidecar_lives(folder), sidecar.status(folder)))
        write(path, content)

    monkeypatch.setattr(meeting, "write", written)
    Sidecar(folder, lambda action, say: "", print, idle_seconds=0.05).serve()
    assert seen == [
        (False, "FlowAnchor Again is at work, but the sidecar has ended since."),
        (True, "Waiting for Workspace > Scripts > FlowAnchor Edit."),
    ]


def test_who_looks_whether_one_runs_keeps_none_from_starting(own_folders: Own) -> None:
    fcntl = pytest.importorskip("fcntl")
    lock = meeting.Lock(meeting.open_folder() / meeting.LOCK)
    look = os.open(lock.path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(look, fcntl.LOCK_SH)  # as `is_held` does, for a moment
    end = threading.Timer(0.1, os.close, [look])
    end.start()
    try:
        assert lock.acquire()
    finally:
        end.join()
        lock.release()


def test_two_menu_entries_at_once_start_one(own_folders: Own, tmp_path: Path) -> None:
    """Both are answered: one by the sidecar that it has started, one by the same."""
    script = tmp_path / "serve.py"
    text = textwrap.dedent(PROCESS).replace("IDLE", "5").replace('"again"', '"edit"')
    script.write_text(f"import sys; sys.path.insert(0, {PACKAGE!r})\n{text}")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}"\n')
    python.chmod(0o700)
    record(own_folders, [str(python), "-m", "flowanchor_daemon.serve"])
    replies: list[poke.Reply] = []
    entries = [threading.Thread(target=lambda: replies.append(poked("edit"))) for _ in range(2)]
    for entry in entries:
        entry.start()
    for entry in entries:
        entry.join(250)
    (meeting.open_folder() / "go on").touch()
    assert sorted(reply.accepted for reply in replies) == [False, True]
    folder = meeting.open_folder()
    until(lambda: sidecar.status(folder) == "edit is done.", "it is done")
    found = meeting.read(folder / meeting.STATUS)
    assert found is not None
    os.kill(int(found["pid"]), signal.SIGINT)
    until(lambda: not meeting.Lock(folder / meeting.LOCK).is_held(), "it ends")


def test_a_second_one_is_refused(start: Callable[..., Running]) -> None:
    start()
    with pytest.raises(ResolveProblem) as caught:
        Sidecar(meeting.open_folder(), lambda action, say: "", print).serve()
    assert caught.value.code == "resolve-sidecar-running"


def test_an_idle_one_ends(start: Callable[..., Running]) -> None:
    running = start(idle=0.3)
    assert running.process.wait(120) == 0
    assert "the sidecar ends" in running.said


@pytest.mark.parametrize(
    "content",
    [{}, {"action": "delete everything", "at": 0}, {"action": "edit"}, {"action": ["edit"], "at": 1}],
)
def test_what_it_does_not_know_is_refused(start: Callable[..., Running], content: dict[str, object]) -> None:
    running = start()
    meeting.write(
        running.folder / POKES / "1-odd.json", {**content, **({"at": time.time()} if "at" in content else {})}
    )
    answer = running.folder / ANSWERS / "1-odd.json"
    until(lambda: meeting.read(answer) is not None, "it answers")
    found = meeting.read(answer)
    assert found is not None
    assert found["accepted"] is False
    assert "doing" not in running.said


@pytest.mark.skipif(os.name != "posix", reason="links and pipes")
def test_odd_things_among_the_pokes_do_not_end_it(start: Callable[..., Running], tmp_path: Path) -> None:
    running = start()
    pokes = running.folder / POKES
    target = tmp_path / "target.json"
    meeting.write(target, {"action": "edit", "at": time.time()})
    (pokes / "1-folder.json").mkdir()
    (pokes / "2-link.json").symlink_to(target)
    os.mkfifo(pokes / "3-pipe.json")
    (pokes / "4-huge.json").write_bytes(b" " * 1_000_000)
    (pokes / "5-half.json").write_text('{"action": "ed')
    until(lambda: len(list((running.folder / ANSWERS).iterdir())) == 4, "it answers the files")
    assert "doing" not in running.said
    assert target.is_file()
    assert poked("edit").accepted


def test_what_was_asked_long_ago_is_refused(start: Callable[..., Running]) -> None:
    running = start()
    meeting.write(running.folder / POKES / "1-old.json", {"action": "edit", "at": time.time() - 3600})
    until(lambda: "asked too long ago" in running.said, "it answers")
    assert "doing" not in running.said


def test_a_silent_one_is_told_and_the_poke_taken_back(own_folders: Own) -> None:
    folder = meeting.open_folder()
    lock = meeting.Lock(folder / meeting.SERVES)
    assert lock.acquire()  # as a sidecar that hangs would
    try:
        with pytest.raises(ResolveProblem) as caught:
            poke.poke("edit", seconds=0.3)
    finally:
        lock.release()
    assert caught.value.code == "resolve-sidecar-silent"
    assert list((folder / POKES).iterdir()) == []


def record(own_folders: Own, argv: list[str]) -> None:
    launcher = own_folders("home") / "data" / "flowanchor" / "launcher.json"
    launcher.parent.mkdir(parents=True)
    meeting.write(launcher, {"argv": argv})


def test_without_a_record_it_cannot_be_started(own_folders: Own) -> None:
    with pytest.raises(ResolveProblem) as caught:
        poked("edit")
    assert caught.value.code == "resolve-sidecar-unknown"
    record(own_folders, ["some", "other", "command"])
    with pytest.raises(ResolveProblem) as caught:
        poked("edit")
    assert caught.value.code == "resolve-sidecar-unknown"


def test_one_that_does_not_come_up_is_told_with_its_words(own_folders: Own, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'no such module' >&2\nexit 3\n")
    python.chmod(0o700)
    record(own_folders, [str(python), "-m", "flowanchor_daemon.serve"])
    with pytest.raises(ResolveProblem) as caught:
        poked("edit")
    assert caught.value.code == "resolve-sidecar-failed"
    assert "exit code 3" in caught.value.message
    assert "no such module" in caught.value.message


def test_one_whose_python_is_gone(own_folders: Own, tmp_path: Path) -> None:
    record(own_folders, [str(tmp_path / "gone"), "-m", "flowanchor_daemon.serve"])
    with pytest.raises(ResolveProblem) as caught:
        poked("edit")
    assert caught.value.code == "resolve-sidecar-failed"


def test_what_resolve_sets_for_its_own_python_is_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        monkeypatch.setenv(name, "/opt/resolve/libs")
    monkeypatch.setenv("RESOLVE_SCRIPT_API", "/opt/resolve/Developer/Scripting")
    found = poke.clean_environment()
    assert not {"PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} & set(found)
    assert found["RESOLVE_SCRIPT_API"] == "/opt/resolve/Developer/Scripting"
