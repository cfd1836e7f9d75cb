# SPDX-License-Identifier: Apache-2.0
"""Clients that vanish: an upload goes on where it was, a job goes on without its watcher, nothing is held."""

from __future__ import annotations

import random
from pathlib import Path

import psutil
from flowanchor.v1 import media_pb2
from flowanchor_client import transfer

from tests.faults.conftest import NewMachine, Undisturbed
from tests.faults.harness import (
    Machine,
    client_job,
    follow,
    in_phase,
    is_gone,
    kill,
    required,
    samples_of,
    succeed,
    wait_for,
)


def test_an_upload_whose_client_was_killed_goes_on_where_it_was(machine: Machine, tmp_path: Path) -> None:
    path = tmp_path / "large.mov"
    with path.open("wb") as file:
        file.write(random.Random(3).randbytes(1 << 20))
        file.truncate(200 << 20)
    sha256, size = transfer.hash_file(path)
    with machine.client() as client:
        worker = machine.run_worker("upload", str(path))
        wait_for(lambda: client.stat_media([sha256])[0].received_bytes > 8 << 20, "the upload to be at work")
        kill(psutil.Process(worker.pid))
        worker.wait(120)
        (state,) = client.stat_media([sha256])
        assert not state.complete
        assert 0 < state.received_bytes < size

        sent: list[media_pb2.UploadHeader] = []
        send = client.upload_chunk

        def counted(header: media_pb2.UploadHeader, data: bytes) -> media_pb2.MediaState:
            sent.append(header)
            return send(header, data)

        client.upload_chunk = counted  # type: ignore[method-assign]
        assert client.upload(path) == sha256
        # The piece that was on its way when the client was killed may have arrived since.
        assert state.received_bytes <= sent[0].offset <= state.received_bytes + (1 << 20)
        assert client.stat_media([sha256])[0].complete


def test_a_job_goes_on_without_its_watcher_and_the_watcher_is_let_go(
    new_machine: NewMachine, undisturbed: Undisturbed, clip: Path, tmp_path: Path
) -> None:
    """The daemon ends when it is idle, which it is not as long as it believes that somebody watches."""
    machine = new_machine("--idle-exit", "5")
    with machine.client() as client:
        client.upload(clip)
        job = client.submit(undisturbed.edit).id
        daemon = required(machine.daemon(), "no daemon")
        alone = len(daemon.net_connections(kind="all"))
        watchers = [machine.run_worker("watch", job) for _ in range(2)]
        for watcher in watchers:
            assert watcher.stdout is not None
            assert watcher.stdout.readline()
        assert len(daemon.net_connections(kind="all")) >= alone + 2
        follow(client, job, in_phase("edit", 1))
        for watcher in watchers:
            kill(psutil.Process(watcher.pid))
            watcher.wait(120)
        wait_for(lambda: len(daemon.net_connections(kind="all")) <= alone + 1, "the connections to close")
        done = succeed(client, job)
        assert len(done.attempts) == 1
        assert samples_of(client, done, tmp_path) == undisturbed.samples
        assert client_job(client, job).artifacts
    wait_for(lambda: is_gone(daemon.pid), "the idle daemon to end")
