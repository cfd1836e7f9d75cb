# SPDX-License-Identifier: Apache-2.0
"""What is no gRPC, who does not call at all, and where the token must not be.

Tokens on every call, HTTP/1.1 and TLS: tests/daemon/server/test_access.py. File modes and second daemons:
tests/daemon/server/test_life.py.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import re
import socket
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_client import ServiceFailure

from tests.daemon.processes import until
from tests.security import http2
from tests.security.victim import MODEL, Victim, memory_within

GROWTH = 64 << 20
INFO = "/flowanchor.v1.System/GetInfo"
SHUTDOWN = "/flowanchor.v1.System/Shutdown"


def port_of(victim: Victim) -> str:
    """The loopback address beside the private one."""
    found = re.search(r"127\.0\.0\.1:[0-9]+", victim.running.log)
    assert found is not None
    return found[0]


@pytest.fixture(params=["private", "port"])
def address(request: pytest.FixtureRequest, victim: Victim) -> str:
    return victim.running.address if request.param == "private" else port_of(victim)


def answers(victim: Victim) -> None:
    victim.client.diagnose()


def random_bytes() -> bytes:
    return random.Random(5).randbytes(1 << 20)


NO_GRPC: dict[str, Callable[[], bytes]] = {
    "random": random_bytes,
    "zeros": lambda: bytes(1 << 20),
    "newlines": lambda: b"\n" * (1 << 20),
    "half a preface": lambda: http2.PREFACE[:12],
    "preface and random": lambda: http2.PREFACE + random_bytes(),
    "preface and a frame of 16 MB": lambda: http2.PREFACE + b"\xff\xff\xff\0\0\0\0\0\1" + bytes(1 << 20),
    "headers without end": lambda: (
        http2.PREFACE
        + http2.frame(http2.SETTINGS, b"")
        + http2.frame(http2.HEADERS, b"\0\1a\1b" * 3000, 0, 1) * 50
    ),
    "a table that refers to itself": lambda: (
        http2.PREFACE + http2.frame(http2.SETTINGS, b"") + http2.frame(http2.HEADERS, b"\xff" * 1000, 4, 1)
    ),
    "settings by the thousand": lambda: (
        http2.PREFACE + http2.frame(http2.SETTINGS, b"\0\1\0\0\0\1" * 2000) * 80
    ),
    "tls": lambda: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + random_bytes()[:512],
    "http/1.1 that wants http/2": lambda: (
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: \r\n\r\n"
    ),
    "a browser's post": lambda: (
        b"POST " + SHUTDOWN.encode() + b" HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n"
        b"Content-Type: application/grpc-web+proto\r\nContent-Length: 5\r\n\r\n\0\0\0\0\0"
    ),
}


@pytest.mark.parametrize("kind", NO_GRPC)
def test_what_is_no_grpc_gets_nothing(victim: Victim, address: str, kind: str) -> None:
    with memory_within(victim.daemon, GROWTH):
        answer = http2.exchange(address, NO_GRPC[kind]())
        assert not answer.startswith(b"HTTP/"), answer[:80]
        assert b"lowanchor" not in answer
        assert victim.running.token.encode() not in answer
        answers(victim)


@pytest.mark.parametrize(
    "content_type", ["", "text/html", "application/json", "application/x-www-form-urlencoded"]
)
@pytest.mark.parametrize("path", [INFO, SHUTDOWN, "/", "/index.html"])
def test_http2_that_is_no_grpc_does_nothing(
    victim: Victim, address: str, path: str, content_type: str
) -> None:
    """Not even with the token: a form or a fetch of a browser's is no call."""
    headers = {"content-type": content_type} if content_type else {}
    sent = http2.opening(path, {**headers, "authorization": f"Bearer {victim.running.token}"})
    kind = http2.ask(address, sent + http2.data(http2.message(b"")))
    assert kind in (http2.HEADERS, http2.RST_STREAM, http2.GOAWAY)
    answers(victim)


def test_grpc_by_hand_is_answered(victim: Victim, address: str) -> None:
    """The other half of the tests above: what they send arrives."""
    headers = {"content-type": "application/grpc", "te": "trailers"}
    sent = http2.opening(INFO, {**headers, "authorization": f"Bearer {victim.running.token}"})
    assert http2.ask(address, sent + http2.data(http2.message(b""))) == http2.HEADERS


def test_a_thousand_connections_that_say_nothing(victim: Victim, address: str) -> None:
    connections: list[socket.socket] = []
    try:
        with memory_within(victim.daemon, 200 << 20):
            for number in range(1000):
                connections.append(http2.connect(address))
                with contextlib.suppress(ConnectionError):  # beyond what the daemon takes it hangs up
                    if number % 3 == 1:
                        connections[-1].sendall(http2.PREFACE[:10])
                    elif number % 3 == 2:
                        connections[-1].sendall(http2.opening(INFO, {"content-type": "application/grpc"}))
            answers(victim)
            victim.works()
    finally:
        for connection in connections:
            connection.close()
    until(lambda: victim.daemon.num_fds() < 200, "the connections are let go")
    answers(victim)


def test_streams_by_the_hundred_on_one_connection(victim: Victim) -> None:
    """Calls beyond what a connection may have wait in the client, or are refused and can be repeated."""
    with victim.running.call() as caller, memory_within(victim.daemon, GROWTH):
        # gRPC's client (1.85) may lose a connection on which it opened more than the server allows before it
        # was told how many: its calls then last to their deadlines. With a server of gRPC's own, too.
        grpc.channel_ready_future(caller.channel).result(120)
        job = victim.client.submit(victim.edit())
        request = jobs_pb2.WatchJobRequest(id=job.id)
        watches = [caller.jobs.WatchJob(request, timeout=250, metadata=caller.metadata) for _ in range(500)]
        ended = [outcome_of(watch) for watch in watches]
        assert set(ended) <= {"watched to its end", "UNAVAILABLE"}
        assert ended.count("watched to its end") >= 128
        again = caller.jobs.WatchJob(request, timeout=250, metadata=caller.metadata)
        assert outcome_of(again) == "watched to its end"


def outcome_of(watch: Iterator[jobs_pb2.WatchJobResponse]) -> str:
    try:
        last = list(watch)[-1]
    except grpc.RpcError as error:
        return str(error.code().name)
    return "watched to its end" if last.job.finished_ms else "cut short"


# Where the token must not be


def test_the_token_is_nowhere_but_in_its_file(victim: Victim, tmp_path: Path) -> None:
    """After jobs, failures and refusals: not in any process, any file of the daemon's, or any failure."""
    token = victim.running.token
    victim.works()
    failures = [victim.failed(victim.edit(types_pb2.Clip(movie=victim.reference(b"no movie\1", ".mov"))))]
    with pytest.raises(ServiceFailure) as caught:
        victim.client.job("x" * 30)
    assert token not in f"{failures} {caught.value!r} {victim.client.diagnose()}"
    for process in (victim.daemon, victim.engine):
        assert token not in " ".join(process.cmdline())
        assert token not in json.dumps(process.environ())
    folders = (victim.folder, victim.running.runtime)
    files = [Path(root, name) for folder in folders for root, _, names in os.walk(folder) for name in names]
    assert [path for path in files if not path.is_symlink() and token.encode() in content_of(path)] == [
        victim.running.runtime / "daemon.json"
    ]


def test_the_token_is_not_in_the_doctors_bundle(victim: Victim, tmp_path: Path) -> None:
    token = victim.running.token
    log = victim.running.state / "logs" / "engine.log"
    with log.open("a", encoding="utf-8") as file:  # as a library might write it there
        before = file.tell()
        file.write(f"authorization: Bearer {token}\ntoken={token}\nHOME={victim.folder}/home\n")
    bundle = tmp_path / "bundle.zip"
    line = [sys.executable, "-m", "flowanchor_daemon.cli", "doctor", "--bundle", str(bundle)]
    try:
        done = subprocess.run(
            line,
            env={**victim.running.environment},
            capture_output=True,
            text=True,
            timeout=250,
            cwd=tmp_path,
        )
    finally:
        os.truncate(log, before)  # other tests look for the token in there
    assert bundle.exists(), done.stderr
    assert token not in done.stdout + done.stderr
    with zipfile.ZipFile(bundle) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    assert any(name.endswith("engine.log") for name in content)
    assert not [name for name, data in content.items() if token.encode() in data]
    assert not [name for name, data in content.items() if f"{victim.folder}/home".encode() in data]
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="modes are Unix's")
def test_everything_is_its_users_alone_after_jobs_too(victim: Victim) -> None:
    victim.finished(victim.edit(delivery=types_pb2.DeliverySettings(format="ffv1", sheet=True), model=MODEL))
    for folder in (victim.running.state, victim.running.runtime):
        inside = [Path(root, name) for root, *names in os.walk(folder) for name in itertools.chain(*names)]
        assert inside
        assert [path for path in (folder, *inside) if mode_of(path) & 0o077] == []


def content_of(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:  # of an attempt that is being cleared
        return b""


def mode_of(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except FileNotFoundError:  # of an attempt that is being cleared
        return 0
