# SPDX-License-Identifier: Apache-2.0
"""The meeting place: what is trusted, who holds a lock, what a reader ever sees."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import socket
import stat
import sys
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from flowanchor import rendezvous
from flowanchor.rendezvous import (
    DaemonLock,
    Discovery,
    RendezvousError,
    StartLock,
    meeting_folder,
    note_meeting,
    noted_meeting,
    parse_api,
    private_folder,
    read_launcher,
    runtime_folder,
    socket_path,
    socket_target,
    write_launcher,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows closes its folders by other means")


def discovery(pid: int = 1) -> Discovery:
    return Discovery(pid, "unix:/run/x.sock", (1, 0), "0.1.0", "s3cret", 1_700_000_000_000)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def refused(failure: pytest.ExceptionInfo[RendezvousError], word: str) -> None:
    assert failure.value.code == "state-not-ours"
    assert word in failure.value.message
    assert failure.value.action


class TestRuntimeFolder:
    def test_is_the_one_that_was_chosen(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FLOWANCHOR_RUNTIME", str(tmp_path / "here"))
        assert runtime_folder() == tmp_path / "here"

    def test_is_the_systems_for_this_user(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("FLOWANCHOR_RUNTIME", raising=False)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        assert runtime_folder() == tmp_path / "flowanchor"

    @pytest.mark.parametrize("system", [None, "/there/is/no/such/folder"])
    def test_is_among_temporary_files_by_user(
        self, system: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("FLOWANCHOR_RUNTIME", raising=False)
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        if system:
            monkeypatch.setenv("XDG_RUNTIME_DIR", system)
        assert runtime_folder().name == f"flowanchor-{os.getuid()}"


class TestPrivateFolder:
    def test_is_made_for_its_user_alone_whatever_the_umask(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            assert mode(private_folder(tmp_path / "a" / "b")) == 0o700
        finally:
            os.umask(before)

    def test_is_found_again(self, tmp_path: Path) -> None:
        private_folder(tmp_path / "a")
        assert private_folder(tmp_path / "a") == tmp_path / "a"

    @pytest.mark.parametrize("wide", [0o750, 0o705, 0o701, 0o777])
    def test_is_refused_when_open_to_others(self, wide: int, tmp_path: Path) -> None:
        folder = tmp_path / "a"
        folder.mkdir()
        folder.chmod(wide)
        with pytest.raises(RendezvousError) as failure:
            private_folder(folder)
        refused(failure, f"{wide:o}")
        assert mode(folder) == wide, "what somebody else prepared is not corrected"

    def test_is_refused_when_it_is_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir(mode=0o700)
        (tmp_path / "a").symlink_to(tmp_path / "real")
        with pytest.raises(RendezvousError) as failure:
            private_folder(tmp_path / "a")
        refused(failure, "link")

    def test_is_refused_when_it_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch(mode=0o600)
        with pytest.raises(RendezvousError) as failure:
            private_folder(tmp_path / "a")
        refused(failure, "no folder")

    def test_is_refused_when_it_is_anothers(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = private_folder(tmp_path / "a")
        monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
        with pytest.raises(RendezvousError) as failure:
            private_folder(folder)
        refused(failure, "another user")

    def test_is_refused_where_it_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(RendezvousError) as failure:
            private_folder(tmp_path / "file" / "a")
        refused(failure, "cannot be made")


class TestDiscovery:
    def test_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        folder = private_folder(tmp_path / "a")
        discovery().write(folder)
        assert Discovery.read(folder) == discovery()

    def test_is_its_users_alone_whatever_the_umask(self, tmp_path: Path) -> None:
        folder = private_folder(tmp_path / "a")
        before = os.umask(0)
        try:
            discovery().write(folder)
        finally:
            os.umask(before)
        assert mode(folder / "daemon.json") == 0o600

    def test_leaves_nothing_beside_it(self, tmp_path: Path) -> None:
        folder = private_folder(tmp_path / "a")
        discovery().write(folder)
        discovery(2).write(folder)
        assert [path.name for path in folder.iterdir()] == ["daemon.json"]

    def test_keeps_the_token_out_of_what_is_printed(self) -> None:
        assert "s3cret" not in repr(discovery())

    def test_missing_folder_or_file_is_no_daemon(self, tmp_path: Path) -> None:
        assert Discovery.read(tmp_path / "a") is None
        assert not (tmp_path / "a").exists(), "looking makes nothing"
        assert Discovery.read(private_folder(tmp_path / "a")) is None

    @pytest.mark.parametrize(
        "content", ["", "{", "[]", "{}", '{"pid": 1}', "[" * 60_000, '{"pid": "x", "api": [1, 0]}', "\x00"]
    )
    def test_damaged_file_is_no_daemon(self, content: str, tmp_path: Path) -> None:
        folder = private_folder(tmp_path / "a")
        (folder / "daemon.json").touch(mode=0o600)
        (folder / "daemon.json").write_text(content)
        assert Discovery.read(folder) is None

    @pytest.mark.parametrize("wide", [0o640, 0o604, 0o660])
    def test_is_refused_when_open_to_others(self, wide: int, tmp_path: Path) -> None:
        folder = private_folder(tmp_path / "a")
        discovery().write(folder)
        (folder / "daemon.json").chmod(wide)
        with pytest.raises(RendezvousError) as failure:
            Discovery.read(folder)
        refused(failure, f"{wide:o}")

    def test_is_refused_when_it_is_a_link(self, tmp_path: Path) -> None:
        folder, other = private_folder(tmp_path / "a"), private_folder(tmp_path / "b")
        discovery().write(other)
        (folder / "daemon.json").symlink_to(other / "daemon.json")
        with pytest.raises(RendezvousError) as failure:
            Discovery.read(folder)
        refused(failure, "link")

    def test_is_refused_in_a_folder_that_is_open_to_others(self, tmp_path: Path) -> None:
        folder = private_folder(tmp_path / "a")
        discovery().write(folder)
        folder.chmod(0o755)
        with pytest.raises(RendezvousError) as failure:
            Discovery.read(folder)
        refused(failure, "755")

    def test_that_cannot_be_read_now_is_told_from_one_that_is_not_ours(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = private_folder(tmp_path / "a")
        discovery().write(folder)

        def full(*_: object) -> int:
            raise OSError(errno.EMFILE, "Too many open files")

        monkeypatch.setattr(os, "open", full)
        with pytest.raises(RendezvousError) as failure:
            Discovery.read(folder)
        assert failure.value.code == "state-unreadable"
        assert "Too many open files" in failure.value.message

    def test_removal_spares_a_successors(self, tmp_path: Path) -> None:
        folder = private_folder(tmp_path / "a")
        discovery(2).write(folder)
        Discovery.remove(folder, pid=1)
        assert Discovery.read(folder) == discovery(2)
        Discovery.remove(folder, pid=2)
        assert Discovery.read(folder) is None


def _hold(folder: Path, held: Event, release: Event) -> None:
    lock = DaemonLock(folder)
    assert lock.acquire()
    held.set()
    release.wait(120)


class TestLocks:
    @pytest.fixture
    def other(self, tmp_path: Path) -> tuple[Path, multiprocessing.Process, Event]:
        """A folder, and a process that holds its lock until the event is set."""
        context = multiprocessing.get_context("spawn")
        held, release = context.Event(), context.Event()
        process = context.Process(target=_hold, args=(tmp_path, held, release))
        process.start()
        assert held.wait(120)
        return tmp_path, process, release  # type: ignore[return-value]

    def test_keep_a_second_process_out_and_name_the_first(
        self, other: tuple[Path, multiprocessing.Process, Event]
    ) -> None:
        folder, process, release = other
        try:
            assert DaemonLock(folder).is_held()
            assert not DaemonLock(folder).acquire(0.1)
            assert DaemonLock(folder).holder() == process.pid
            assert not StartLock(folder).is_held()
        finally:
            release.set()
            process.join(120)
        assert not DaemonLock(folder).is_held()

    def test_are_dropped_when_their_holder_is_killed(
        self, other: tuple[Path, multiprocessing.Process, Event]
    ) -> None:
        folder, process, _ = other
        process.kill()
        process.join(120)
        lock = DaemonLock(folder)
        with lock:
            assert lock.acquire()
            assert lock.holder() == os.getpid()

    def test_file_stays_after_release(self, tmp_path: Path) -> None:
        lock = DaemonLock(tmp_path)
        assert lock.acquire()
        lock.release()
        lock.release()
        assert (tmp_path / "daemon.lock").exists()
        assert mode(tmp_path / "daemon.lock") == 0o600

    def test_are_in_place_until_somebody_removes_their_file(self, tmp_path: Path) -> None:
        with DaemonLock(tmp_path) as lock:
            assert not lock.is_in_place()
            assert lock.acquire()
            assert lock.is_in_place()
            lock.path.unlink()
            assert not lock.is_in_place()
            lock.path.touch(mode=0o600)
            assert not lock.is_in_place(), "this one is another's"

    def test_of_nobody_is_not_held_and_looking_makes_nothing(self, tmp_path: Path) -> None:
        assert not DaemonLock(tmp_path).is_held()
        assert DaemonLock(tmp_path).holder() is None
        assert list(tmp_path.iterdir()) == []

    def test_that_is_a_link_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "victim").write_text("precious")
        (tmp_path / "daemon.lock").symlink_to(tmp_path / "victim")
        with pytest.raises(RendezvousError) as failure:
            DaemonLock(tmp_path).acquire()
        refused(failure, "cannot be opened")
        assert (tmp_path / "victim").read_text() == "precious"


class TestMeetingFolder:
    @pytest.fixture
    def elsewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Where the daemon of another session of the user's says that it is."""
        monkeypatch.delenv("FLOWANCHOR_RUNTIME", raising=False)
        monkeypatch.setenv("FLOWANCHOR_STATE", str(tmp_path / "state"))
        (tmp_path / "session").mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "session"))
        folder = private_folder(tmp_path / "elsewhere")
        note_meeting(private_folder(tmp_path / "state"), folder)
        return folder

    def test_is_wherever_the_users_daemon_is(self, elsewhere: Path) -> None:
        assert noted_meeting() == elsewhere
        assert meeting_folder() == runtime_folder(), "nobody is there"
        with DaemonLock(elsewhere) as lock:
            assert lock.acquire()
            assert meeting_folder() == elsewhere
            with DaemonLock(private_folder(runtime_folder())) as near:
                assert near.acquire()
                assert meeting_folder() == runtime_folder()
            assert meeting_folder() == elsewhere
        assert meeting_folder() == runtime_folder()

    def test_is_the_one_that_was_chosen(self, elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FLOWANCHOR_RUNTIME", str(elsewhere.parent / "chosen"))
        with DaemonLock(elsewhere) as lock:
            assert lock.acquire()
            assert meeting_folder() == elsewhere.parent / "chosen"

    @pytest.mark.parametrize("opened", ["state", "elsewhere"])
    def test_is_not_one_that_others_could_have_named(self, opened: str, elsewhere: Path) -> None:
        with DaemonLock(elsewhere) as lock:
            assert lock.acquire()
            (elsewhere.parent / opened).chmod(0o777)
            assert meeting_folder() == runtime_folder()


class TestSocketPath:
    def test_is_encoded_in_a_target(self) -> None:
        assert socket_target(Path("/a b/#?%41/x.sock")) == "unix:/a%20b/%23%3F%2541/x.sock"

    def test_lies_in_the_folder(self) -> None:
        assert socket_path(Path("/run/user/1/flowanchor")) == Path("/run/user/1/flowanchor/daemon.sock")

    @pytest.mark.parametrize(("letters", "fits"), [("x" * 87, True), ("x" * 88, False), ("ü" * 44, False)])
    def test_is_none_where_it_would_be_too_long(self, letters: str, fits: bool) -> None:
        assert (socket_path(Path("/", letters)) is not None) is fits

    def test_is_none_without_unix_sockets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(socket, "AF_UNIX")
        assert socket_path(Path("/run")) is None


def test_results_without_a_place_go_into_the_users_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendezvous, "_data_folder", lambda: tmp_path / "data")
    assert rendezvous.results_folder() == tmp_path / "data" / "results"
    assert not rendezvous.results_folder().exists()


class TestLauncher:
    @pytest.fixture(autouse=True)
    def _own_data_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rendezvous, "_data_folder", lambda: tmp_path / "data")
        monkeypatch.delenv("FLOWANCHOR_DAEMON", raising=False)

    def test_is_none_before_an_installation(self) -> None:
        assert read_launcher() is None

    def test_is_read_as_it_was_written(self) -> None:
        path = write_launcher(["/opt/py thon", "-m", "flowanchor_daemon.serve"])
        assert read_launcher() == ["/opt/py thon", "-m", "flowanchor_daemon.serve"]
        assert mode(path) == 0o600

    def test_environment_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write_launcher(["/opt/python"])
        monkeypatch.setenv("FLOWANCHOR_DAEMON", "'/a b/python' -m x")
        assert read_launcher() == ["/a b/python", "-m", "x"]

    @pytest.mark.parametrize("content", [{}, {"argv": []}, {"argv": "python"}, {"argv": [1]}])
    def test_unusable_record_is_none(self, content: object) -> None:
        write_launcher(["x"]).write_text(json.dumps(content))
        assert read_launcher() is None

    def test_that_others_can_write_is_refused(self) -> None:
        write_launcher(["/opt/python"]).chmod(0o622)
        with pytest.raises(RendezvousError) as failure:
            read_launcher()
        refused(failure, "622")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.0", (1, 0)),
        ("12.34", (12, 34)),
        *((text, None) for text in ("", "1", "1.", "a.b", "-1.0", "1.0.0", "1.²", "9999999.0")),
    ],
)
def test_api_versions(text: str, version: tuple[int, int] | None) -> None:
    assert parse_api(text) == version
