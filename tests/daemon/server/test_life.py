# SPDX-License-Identifier: Apache-2.0
"""A daemon's life as a process: it begins quickly and alone, and ends in order."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from flowanchor.rendezvous import DaemonLock, Discovery
from flowanchor.v1 import jobs_pb2, media_pb2, system_pb2
from grpc_health.v1 import health_pb2

from tests.daemon.processes import Daemons, RunningDaemon, failure_of, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and modes are those of POSIX")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def health(running: RunningDaemon) -> Any:
    with running.call(token=None) as caller:
        check = caller.health.Check
        return check(health_pb2.HealthCheckRequest(), timeout=120).status


def info(running: RunningDaemon) -> system_pb2.GetInfoResponse:
    with running.call() as caller:
        return caller.system.GetInfo(system_pb2.GetInfoRequest(), timeout=120, metadata=caller.metadata)


def kept_alive(running: RunningDaemon, idle: float) -> bool:
    """Call a daemon for twice as long as it idles; False if this machine made us leave it alone so long."""
    until(lambda: running.serves() or running.process.poll() is not None, "it serves")
    asked, begun = running.started, 0.0
    if running.discovery is not None:
        with running.call() as caller:
            while not begun or asked < begun + 2 * idle:
                now = time.monotonic()
                try:
                    caller.system.GetInfo(system_pb2.GetInfoRequest(), timeout=120, metadata=caller.metadata)
                except grpc.RpcError:
                    break
                asked, begun = now, begun or now
            else:
                return True
    assert time.monotonic() - asked >= idle, "it left while it was called"
    assert running.wait() == 0
    return False


class TestBeginning:
    def test_serves_and_says_so_in_every_way(self, daemon: Daemons) -> None:
        running = daemon()
        assert health(running) == health_pb2.HealthCheckResponse.SERVING
        found = info(running)
        assert (found.api_major, found.api_minor) == (1, 0)
        assert {editor.name for editor in found.editors} >= {"flowedit", "flowanchor"}
        assert found.limits.max_chunk_bytes > 0
        assert DaemonLock(running.runtime).holder() == running.pid

    def test_holds_no_heavy_library(self, daemon: Daemons) -> None:
        running = daemon()
        info(running)
        loaded = Path(f"/proc/{running.pid}/maps")
        if not loaded.exists():
            pytest.skip("the system does not list what a process has loaded")
        libraries = loaded.read_text()
        assert "cygrpc" in libraries, "the list is of the daemon"
        for name in ("torch", "libav", "opencv", "cv2", "numpy", "tokenizers"):
            assert name not in libraries

    def test_everything_it_writes_is_its_users_alone(self, daemon: Daemons) -> None:
        before = os.umask(0)
        try:
            running = daemon()
        finally:
            os.umask(before)
        info(running)
        for root in (running.runtime, running.state):
            assert mode(root) == 0o700
            for path in root.rglob("*"):
                wanted = 0o700 if path.is_dir() else 0o600
                assert mode(path) == wanted, path
        assert mode(running.runtime / "daemon.json") == 0o600
        assert mode(running.runtime / "daemon.sock") == 0o600

    def test_listens_on_loopback_where_a_socket_does_not_fit(self, daemon: Daemons, tmp_path: Path) -> None:
        long = tmp_path / ("x" * 100)
        running = daemon(environment={"FLOWANCHOR_RUNTIME": str(long)})
        assert running.address.startswith("127.0.0.1:")
        assert info(running).api_major == 1
        assert running.stop() == 0

    def test_a_path_that_a_uri_would_misread_is_no_hindrance(self, daemon: Daemons) -> None:
        runtime = str(Path(daemon.runtime(), "a#b?c%41 d"))
        running = daemon(environment={"FLOWANCHOR_RUNTIME": runtime})
        assert running.address.startswith("unix:")
        assert (running.runtime / "daemon.sock").exists()
        assert info(running).api_major == 1


class TestAlone:
    def test_a_second_one_is_refused_and_told_whom_it_met(self, daemon: Daemons) -> None:
        first = daemon()
        second = daemon(wait=False)
        assert second.wait() == 5
        assert f"pid {first.pid}" in second.said
        assert second.said.startswith("flowanchor: Another daemon")
        assert Discovery.read(first.runtime) == first.discovery, "the first one's file is untouched"
        assert info(first).api_major == 1

    def test_a_second_one_on_the_same_queue_is_refused(self, daemon: Daemons) -> None:
        first = daemon()
        second = daemon(environment={"FLOWANCHOR_RUNTIME": daemon.runtime()}, wait=False)
        assert second.wait() == 5
        assert f"pid {first.pid}" in second.said
        assert str(first.runtime) in second.said, "where the first one is found"

    def test_many_at_once_leave_one(self, daemon: Daemons) -> None:
        started = [daemon(wait=False) for _ in range(4)]
        until(lambda: sum(one.process.poll() is None for one in started) == 1, "all but one have left")
        (alive,) = [one for one in started if one.process.poll() is None]
        alive.wait_until_it_serves()
        assert {one.process.poll() for one in started if one is not alive} == {5}

    def test_a_port_that_is_taken_is_not_shared(self, daemon: Daemons) -> None:
        first = daemon("--listen", "127.0.0.1:0")
        address = first.log.partition(", ")[2].partition(" ")[0]
        other = {"FLOWANCHOR_RUNTIME": daemon.runtime(), "FLOWANCHOR_STATE": str(daemon.folder / "other")}
        second = daemon("--listen", address, environment=other, wait=False)
        assert second.wait() == 2
        assert address in second.said

    @pytest.mark.parametrize("variable", ["FLOWANCHOR_RUNTIME", "FLOWANCHOR_STATE"])
    def test_a_folder_others_can_enter_is_refused(self, variable: str, daemon: Daemons) -> None:
        folder = daemon.folder / "wide"
        folder.mkdir()
        folder.chmod(0o755)
        running = daemon(environment={variable: str(folder)}, wait=False)
        assert running.wait() == 2
        assert running.said.count("mode 755") == 1
        assert f"`chmod go= {folder}`" in running.said
        assert "Traceback" not in running.said

    @pytest.mark.parametrize("variable", ["FLOWANCHOR_RUNTIME", "FLOWANCHOR_STATE"])
    def test_a_linked_folder_is_refused(self, variable: str, daemon: Daemons) -> None:
        (daemon.folder / "real").mkdir(mode=0o700)
        (daemon.folder / "link").symlink_to(daemon.folder / "real")
        running = daemon(environment={variable: str(daemon.folder / "link")}, wait=False)
        assert running.wait() == 2
        assert "link" in running.said

    def test_something_else_in_the_sockets_place_is_left_alone(self, daemon: Daemons) -> None:
        path = Path(daemon.environment["FLOWANCHOR_RUNTIME"], "daemon.sock")
        path.write_text("precious")
        running = daemon(wait=False)
        assert running.wait() == 2
        assert path.read_text() == "precious"

    def test_a_damaged_queue_is_refused_and_kept(self, daemon: Daemons) -> None:
        daemon().stop()
        queue = Path(daemon.environment["FLOWANCHOR_STATE"], "queue.sqlite")
        damaged = b"no database at all" * 1000
        queue.write_bytes(damaged)
        running = daemon(wait=False)
        assert running.wait() == 2
        assert "damaged" in running.said
        assert queue.read_bytes() == damaged
        assert Discovery.read(running.runtime) is None


class TestAfterAViolentEnd:
    def test_what_a_killed_daemon_left_is_replaced(self, daemon: Daemons) -> None:
        first = daemon()
        first.kill()
        assert Discovery.read(first.runtime) == first.discovery, "nobody could remove it"
        assert (first.runtime / "daemon.sock").exists()
        second = daemon()
        assert second.token != first.token
        with second.call(token=first.token) as caller, pytest.raises(grpc.RpcError) as failure:
            caller.system.GetInfo(system_pb2.GetInfoRequest(), timeout=120, metadata=caller.metadata)
        assert failure_of(failure.value).code == "unauthenticated"

    def test_a_dead_socket_is_not_a_daemon(self, daemon: Daemons) -> None:
        path = Path(daemon.environment["FLOWANCHOR_RUNTIME"], "daemon.sock")
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
        assert info(daemon()).api_major == 1


class TestEnding:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_on_a_signal_it_leaves_nothing_behind(self, number: int, daemon: Daemons) -> None:
        # Children inherit what a runner such as nohup made us deaf to.
        before = signal.signal(number, signal.SIG_DFL)
        try:
            running = daemon()
        finally:
            signal.signal(number, before)
        running.signal(number)
        assert running.wait() == 0
        assert Discovery.read(running.runtime) is None
        assert not (running.runtime / "daemon.sock").exists()
        assert not DaemonLock(running.runtime).is_held()
        assert running.said.count("\n") == 1, "nothing but where it serves"
        assert signal.Signals(number).name in running.log

    def test_on_a_call(self, daemon: Daemons) -> None:
        running = daemon()
        with running.call() as caller:
            caller.system.Shutdown(system_pb2.ShutdownRequest(), timeout=120, metadata=caller.metadata)
        assert running.wait() == 0

    def test_calls_that_wait_do_not_hold_it_up(self, daemon: Daemons) -> None:
        running = daemon()
        with running.call(token=None) as caller:
            watch = caller.health.Watch(health_pb2.HealthCheckRequest())
            assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
            running.signal(signal.SIGTERM)
            assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
            assert running.wait() == 0

    @pytest.mark.parametrize("gone", ["daemon.json", ""])
    def test_on_being_out_of_reach(self, gone: str, daemon: Daemons) -> None:
        """As when a cleaner of temporary files comes by: only another daemon could be found again."""
        running = daemon("--idle-exit", "-1")
        if gone:
            (running.runtime / gone).unlink()
        else:
            shutil.rmtree(running.runtime)
        assert running.wait() == 0
        assert "nobody can find" in running.log
        running.runtime.mkdir(mode=0o700, exist_ok=True)
        assert info(daemon()).api_major == 1

    def test_nohup_is_heeded(self, daemon: Daemons) -> None:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            running = daemon()
        finally:
            signal.signal(signal.SIGHUP, before)
        running.signal(signal.SIGHUP)
        assert info(running).api_major == 1
        assert running.stop() == 0
        assert "SIGTERM" in running.log

    def test_on_idleness(self, daemon: Daemons) -> None:
        running = daemon("--idle-exit", "0.5", wait=False)
        assert running.wait() == 0
        assert "Serving on" in running.said
        assert "nobody needed" in running.log

    def test_health_checks_do_not_keep_it_alive_but_calls_do(self, daemon: Daemons) -> None:
        for idle in (1.0, 4.0, 16.0):
            running = daemon("--idle-exit", str(idle), wait=False)
            if kept_alive(running, idle):
                break
        else:
            pytest.fail("this machine halts for a quarter of a minute at a time")
        with running.call(token=None) as caller:
            check = caller.health.Check
            while running.process.poll() is None:
                try:
                    check(health_pb2.HealthCheckRequest(), timeout=120)
                except grpc.RpcError:
                    break
        assert running.wait() == 0

    def test_a_restart_gives_larger_revisions_and_the_same_queue(self, daemon: Daemons) -> None:
        first = daemon()
        first.stop()
        second = daemon()
        with second.call() as caller:
            listed = caller.jobs.ListJobs(jobs_pb2.ListJobsRequest(), timeout=120, metadata=caller.metadata)
            assert listed.total == 0
            stat_ = caller.media.StatMedia(
                media_pb2.StatMediaRequest(sha256=["0" * 64]), timeout=120, metadata=caller.metadata
            )
            assert not stat_.media[0].complete


def test_a_terminal_that_went_away_is_no_reason_to_fail(daemon: Daemons) -> None:
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen(
        [sys.executable, "-m", "flowanchor_daemon.serve", "--idle-exit", "0.2"],
        env=daemon.environment,
        stdout=write,
        stderr=write,
    )
    os.close(write)
    try:
        assert process.wait(120) == 0
    finally:
        process.kill()
