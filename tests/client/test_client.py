# SPDX-License-Identifier: Apache-2.0
"""The client's methods over the real wire, and that none of them starts a thread."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_client import Client
from flowanchor_client.channel import Connection, is_local

from tests.client.fake_daemon import CONTENT

ARTIFACT = jobs_pb2.Artifact(
    index=0, name="result.mkv", bytes=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest()
)


def test_no_method_starts_a_thread(runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    born: list[str] = []
    start = threading.Thread.start

    def noted(self: threading.Thread) -> None:
        born.append(self.name)
        start(self)

    monkeypatch.setattr(threading.Thread, "start", noted)
    clip = tmp_path / "clip.mov"
    clip.write_bytes(CONTENT)
    before = set(threading.enumerate())
    client = Client.connect()
    task = client.pull("wan")
    calls: dict[str, Callable[[], object]] = {
        "info": client.info,
        "diagnose": client.diagnose,
        "upload": lambda: client.upload(clip),
        "submit": lambda: client.submit(types_pb2.EditRequest()),
        "job": lambda: client.job("one", wait=0.1, preview_since=0),
        "watch": lambda: list(client.watch("one", previews=True)),
        "jobs": lambda: list(client.jobs()),
        "cancel": lambda: client.cancel("one"),
        "retry": lambda: client.retry("one"),
        "vary": lambda: client.vary("one", seed=4),
        "estimate": lambda: client.estimate(jobs_pb2.EstimateEditRequest(frames=5)),
        "move": lambda: client.move("one", priority=3),
        "delete": lambda: client.delete("one"),
        "download": lambda: client.download("one", ARTIFACT, tmp_path / "out.mkv"),
        "download_images": lambda: client.download_images("one", [ARTIFACT], [tmp_path / "new" / "0.png"]),
        "models": client.models,
        "watch_task": lambda: list(client.watch_task(task)),
        "load": lambda: client.load("shapes"),
        "unload": client.unload,
        "pull": lambda: client.pull("wan"),
        "verify": lambda: client.verify("wan"),
        "task": lambda: client.task(task.id, wait=0.1),
        "cancel_task": lambda: client.cancel_task(task.id),
        "shutdown": client.shutdown,
        "close": client.close,
    }
    for name, call in calls.items():
        call()
        assert set(threading.enumerate()) == before, name
        assert threading.active_count() == len(before), name
    assert born == []
    public = {name for name in dir(Client) if not name.startswith("_")}
    others = {"connect", "address", "warning", "upload_all", "stat_media", "upload_chunk", "download_chunk"}
    assert public == set(calls) | others


def test_what_the_methods_give(runtime: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mov"
    clip.write_bytes(CONTENT)
    with Client.connect() as client:
        assert client.upload(clip) == hashlib.sha256(CONTENT).hexdigest()
        assert [job.id for job in client.jobs()] == [str(index) for index in range(250)]
        assert len(list(client.jobs(limit=120))) == 120
        assert [job.id for job in client.jobs(limit=1)] == ["0"]
        update = client.job("one", since=2)
        assert update is not None
        assert (update.job.revision, update.preview) == (3, b"jpeg")
        client.download("one", ARTIFACT, tmp_path / "out.mkv")
        assert (tmp_path / "out.mkv").read_bytes() == CONTENT
        assert client.estimate(jobs_pb2.EstimateEditRequest(frames=5)).forwards == 5
        states = [task.revision for task in client.watch_task(client.pull("wan"))]
        assert states == [1, 2]


def test_a_call_has_a_deadline(runtime: Path) -> None:
    """Every call passes one on: without it a daemon that hangs would hang its hosts."""
    with Client.connect() as client:
        given: list[float | None] = []

        def noting(request: object, timeout: float | None = None, metadata: object = None) -> object:
            given.append(timeout)
            raise AssertionError("enough")

        class Stub:
            with_call = staticmethod(noting)

        for seconds in (60.0, 3.0):
            with pytest.raises(AssertionError):
                client._connection.call(Stub(), object(), seconds)  # type: ignore[arg-type]
        assert given == [60.0, 3.0]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("unix:/run/user/1/flowanchor/daemon.sock", True),
        ("127.0.0.1:5000", True),
        ("[::1]:5000", True),
        ("localhost:5000", False),
        ("10.0.0.7:5000", False),
        ("render.example:443", False),
        ("127.0.0.1.example:443", False),
    ],
)
def test_only_addresses_of_this_machine_go_without_tls(
    address: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_local(address) is expected
    kinds: list[str] = []

    def noting(kind: str, make: Callable[..., grpc.Channel]) -> Callable[..., grpc.Channel]:
        def made(*arguments: Any, **options: Any) -> grpc.Channel:
            kinds.append(kind)
            return make(*arguments, **options)

        return made

    monkeypatch.setattr(grpc, "insecure_channel", noting("plain", grpc.insecure_channel))
    monkeypatch.setattr(grpc, "secure_channel", noting("tls", grpc.secure_channel))
    Connection(address, "token").close()
    assert kinds == ["plain" if expected else "tls"]
