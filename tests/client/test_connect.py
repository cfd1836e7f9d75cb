# SPDX-License-Identifier: Apache-2.0
"""Finding the daemon, starting it, and finding it again."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from flowanchor.rendezvous import DaemonLock, Discovery, StartLock, note_meeting, private_folder
from flowanchor.v1 import types_pb2
from flowanchor_client import Client, DaemonUnreachable, ServiceFailure
from flowanchor_client.connect import Start, reaching
from flowanchor_client.launch import FAILURE_FILE, LOG_FILE

from tests.client.conftest import gone, started, wait_for


def pid_of(client: Client) -> int:
    """The made-up daemon tells its pid as its version."""
    return int(client.info().version)


def test_without_a_daemon_and_without_leave_to_start_one_it_says_so(runtime: Path) -> None:
    with pytest.raises(DaemonUnreachable) as caught:
        Client.connect(start=False)
    assert caught.value.code == "daemon-unreachable"
    assert "No daemon is running" in str(caught.value)
    assert caught.value.stopped
    assert not runtime.exists()


def test_a_daemon_is_started_on_demand_in_a_session_of_its_own_and_found_again(runtime: Path) -> None:
    with Client.connect() as client:
        pid = pid_of(client)
    with Client.connect(start=False) as client:
        assert pid_of(client) == pid
    assert started(runtime) == [pid]
    assert os.getsid(pid) == pid
    assert psutil.Process(pid).cwd() == str(runtime)
    assert (runtime / LOG_FILE).stat().st_mode & 0o777 == 0o600
    assert runtime.stat().st_mode & 0o777 == 0o700


def test_eight_clients_at_once_start_one_daemon(runtime: Path) -> None:
    def connect(_: int) -> int:
        with Client.connect() as client:
            return pid_of(client)

    with ThreadPoolExecutor(8) as pool:
        pids = set(pool.map(connect, range(8)))
    assert started(runtime) == list(pids)


def test_a_start_that_failed_tells_why_and_is_not_repeated_at_once(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_DAEMON", "refuse")
    monkeypatch.setattr("flowanchor_client.launch.HOLD_BACK_SECONDS", 3600.0)
    for _ in range(3):
        with pytest.raises(DaemonUnreachable) as caught:
            Client.connect()
        assert caught.value.code == "daemon-start-failed"
        assert "exit code 7" in caught.value.message
        assert "queue's file is damaged" in caught.value.message
        assert caught.value.log == ("reading the queue", "flowanchor: The queue's file is damaged.")
    assert len(started(runtime)) == 1
    assert (runtime / FAILURE_FILE).stat().st_mode & 0o777 == 0o600
    # Another command is another matter, and so is the same one later.
    monkeypatch.setenv("FLOWANCHOR_DAEMON", os.environ["FLOWANCHOR_DAEMON"] + " --again")
    with pytest.raises(DaemonUnreachable):
        Client.connect()
    assert len(started(runtime)) == 2
    monkeypatch.setattr("flowanchor_client.launch.HOLD_BACK_SECONDS", 0.0)
    monkeypatch.setenv("FAKE_DAEMON", "")
    with Client.connect() as client:
        assert pid_of(client) == started(runtime)[2]
    assert not (runtime / FAILURE_FILE).exists()


def test_a_daemon_that_never_serves_is_ended(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_DAEMON", "hang")
    with pytest.raises(DaemonUnreachable, match="did not serve within"):
        Client.connect(timeout=2)
    for pid in started(runtime):
        wait_for(lambda pid=pid: gone(pid))  # type: ignore[misc]


def test_a_command_that_does_not_exist_is_named(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWANCHOR_DAEMON", "/nowhere/flowanchor serve")
    with pytest.raises(DaemonUnreachable) as caught:
        Client.connect()
    assert "/nowhere/flowanchor could not be run" in caught.value.message


def test_a_dead_daemons_discovery_file_leads_to_a_new_daemon(runtime: Path) -> None:
    with Client.connect() as client:
        first = pid_of(client)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not DaemonLock(runtime).is_held())
    assert Discovery.read(runtime) is not None
    with Client.connect() as client:
        assert pid_of(client) != first
    assert len(started(runtime)) == 2


def test_a_daemon_of_another_api_is_neither_used_nor_replaced(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_DAEMON", "api=2")
    for _ in range(2):
        with pytest.raises(DaemonUnreachable) as caught:
            Client.connect(timeout=120)
        assert caught.value.code == "api-version"
        assert "flowanchor stop" in caught.value.action
    assert len(started(runtime)) == 1


def test_a_daemon_that_holds_its_lock_in_silence_is_named(runtime: Path) -> None:
    with DaemonLock(private_folder(runtime)) as lock:
        assert lock.acquire()
        with pytest.raises(DaemonUnreachable) as caught:
            Client.connect(timeout=0.3)
    assert str(os.getpid()) in caught.value.message
    assert not caught.value.stopped
    assert started(runtime) == []


def test_a_meeting_place_open_to_others_is_refused(runtime: Path) -> None:
    runtime.mkdir()
    runtime.chmod(0o755)
    with pytest.raises(DaemonUnreachable) as caught:
        Client.connect()
    assert caught.value.code == "state-not-ours"


def test_a_call_after_a_crash_reaches_a_new_daemon_with_its_new_token(runtime: Path) -> None:
    with Client.connect() as client:
        os.kill(pid_of(client), signal.SIGKILL)
        assert client.diagnose().pid == started(runtime)[1]
        assert pid_of(client) == started(runtime)[1]


def test_without_leave_to_start_a_crash_is_told(runtime: Path) -> None:
    with Client.connect():
        pass
    with Client.connect(start=False, timeout=120) as client:
        os.kill(pid_of(client), signal.SIGKILL)
        with pytest.raises(DaemonUnreachable):
            client.diagnose()
    assert len(started(runtime)) == 1


def test_a_wish_to_a_daemon_that_goes_away_is_taken_to_the_next(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_DAEMON", "drain")
    with Client.connect() as client:
        assert client.submit(types_pb2.EditRequest(), request_id="wish-0001").request_id == "wish-0001"
    assert len(started(runtime)) == 2


def test_a_watch_goes_on_over_a_crash(runtime: Path) -> None:
    seen = []
    with Client.connect() as client:
        for update in client.watch("one", previews=True):
            seen.append((update.job.revision, int(update.job.label)))
            if len(seen) == 2:
                os.kill(started(runtime)[0], signal.SIGKILL)
        assert update.preview == b"jpeg"
    assert [revision for revision, _ in seen] == [1, 2, 3, 4, 5]
    assert [pid for _, pid in seen] == [started(runtime)[0]] * 2 + [started(runtime)[1]] * 3


def test_a_watch_does_not_bring_back_a_daemon_that_was_stopped(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowanchor_client.connect.STOPPED_SECONDS", 0.3)
    with Client.connect() as client:
        updates = client.watch("one")
        next(updates)
        client.shutdown()
        wait_for(lambda: not DaemonLock(runtime).is_held())
        with pytest.raises(DaemonUnreachable, match="was stopped"):
            next(updates)
    assert len(started(runtime)) == 1


def test_a_refusal_keeps_its_code(runtime: Path) -> None:
    with Client.connect() as client, pytest.raises(ServiceFailure) as caught:
        client.job("two")
    assert (caught.value.code, caught.value.message) == ("job-unknown", "There is no job two.")


def test_a_fixed_address_needs_its_token(runtime: Path) -> None:
    with Client.connect():
        pass
    found = Discovery.read(runtime)
    assert found is not None
    with Client.connect(address=found.address, token=found.token) as client:
        assert client.diagnose().pid == found.pid
    with pytest.raises(DaemonUnreachable) as caught:
        Client.connect(address=found.address, token="wrong", timeout=120)
    assert caught.value.code == "unauthenticated"


def test_a_start_in_steps_never_waits(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon serves only after the steps have gone on without it: one that waited would never return."""
    monkeypatch.setenv("FAKE_DAEMON", "wait")
    steps = reaching(Start.ON_DEMAND, 240, patience=0.2)
    while not started(runtime):
        next(steps)
        time.sleep(0.01)
    for _ in range(20):
        next(steps)
    (runtime / "go-on").touch()
    while True:
        try:
            next(steps)
        except StopIteration as reached:
            connection, info = reached.value
            break
        time.sleep(0.01)
    connection.close()
    assert [int(info.version)] == started(runtime)


def test_a_start_that_is_given_up_lets_others_have_their_turn(runtime: Path) -> None:
    steps = reaching(Start.ON_DEMAND, 240)
    next(steps)
    assert StartLock(runtime).is_held()
    steps.close()
    assert not StartLock(runtime).is_held()


def test_a_session_with_another_runtime_folder_that_was_quicker_is_joined(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours finds the state in use and ends; the daemon that uses it meets its clients elsewhere."""
    state = private_folder(tmp_path / "state")
    note_meeting(state, runtime)
    (tmp_path / "session").mkdir()
    other = tmp_path / "other.sh"
    other.write_text(
        f"FLOWANCHOR_RUNTIME={runtime} {os.environ['FLOWANCHOR_DAEMON']} &\n"
        f"until [ -e {runtime}/daemon.json ]; do sleep 0.05; done\nexit 5\n"
    )
    monkeypatch.delenv("FLOWANCHOR_RUNTIME")
    monkeypatch.setenv("FLOWANCHOR_STATE", str(state))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "session"))
    monkeypatch.setenv("FLOWANCHOR_DAEMON", f"sh {other}")
    with Client.connect() as client:
        assert started(runtime) == [pid_of(client)]
    assert not (tmp_path / "session" / "flowanchor" / FAILURE_FILE).exists()
