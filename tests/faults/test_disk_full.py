# SPDX-License-Identifier: Apache-2.0
"""The state folder's disk fills up: during an upload, a checkpoint, a result, and a commit of the queue.

The disk is a tmpfs of its own whose size is changed while the daemon runs, so that it is full at the byte.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2, media_pb2, types_pb2
from flowanchor_client import ENDED, ServiceFailure, new_request_id

from tests.daemon.processes import standing_still
from tests.faults.conftest import Undisturbed
from tests.faults.harness import (
    Machine,
    brief,
    client_job,
    finish,
    follow,
    in_phase,
    required,
    samples_of,
    succeed,
    wait_for,
)

LARGE = 4 << 30
"""Bytes of the disk when it has room: more than the daemon keeps free. Only what is written takes memory."""


class Disk:
    """A small disk at `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def mount(self) -> str:
        """Gives the reason why it cannot be."""
        done = self._mount("-t", "tmpfs", "-o", f"size={LARGE},mode=0700", "tmpfs")
        return "" if done.returncode == 0 else done.stderr.strip()

    def fill(self) -> None:
        """Leave no room at all."""

        def try_once() -> bool:
            found = os.statvfs(self.folder)
            used = (found.f_blocks - found.f_bfree) * found.f_frsize
            self._mount("-o", f"remount,size={used}", "tmpfs")  # refused if more was written meanwhile
            return os.statvfs(self.folder).f_bfree == 0

        wait_for(try_once, "the disk to be full")

    def make_room(self) -> None:
        assert self._mount("-o", f"remount,size={LARGE}", "tmpfs").returncode == 0

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True, capture_output=True)

    def _mount(self, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["mount", *options, str(self.folder)], capture_output=True, text=True)


@pytest.fixture
def disk(machine: Machine) -> Iterator[Disk]:
    """The state folder of `machine`, as a disk of its own."""
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux has disks that can be made and filled in a moment")
    found = Disk(machine.state)
    if reason := found.mount():
        pytest.skip(f"mounting a tmpfs is not permitted here ({reason})")
    yield found
    found.make_room()
    print(machine.log())
    found.unmount()


def test_an_upload_to_a_full_disk_is_refused_and_goes_on_once_there_is_room(
    machine: Machine, disk: Disk, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mov"
    path.write_bytes(random.Random(1).randbytes(48 << 20))
    sent: list[media_pb2.UploadHeader] = []
    with machine.client() as client:
        send = client.upload_chunk

        def filling(header: media_pb2.UploadHeader, data: bytes) -> media_pb2.MediaState:
            sent.append(header)
            if len(sent) == 20:
                disk.fill()
            return send(header, data)

        client.upload_chunk = filling  # type: ignore[method-assign]
        with pytest.raises(ServiceFailure) as failure:
            client.upload(path)
        assert failure.value.code == "disk-full"
        assert failure.value.action
        (state,) = client.stat_media([sent[0].sha256])
        assert not state.complete
        assert state.received_bytes == sent[19].offset > 0
        with pytest.raises(ServiceFailure, match="free"):
            client.upload(path)

        disk.make_room()
        sent.clear()
        client.upload_chunk = send  # type: ignore[method-assign]
        offsets: list[int] = []

        def counted(header: media_pb2.UploadHeader, data: bytes) -> media_pb2.MediaState:
            offsets.append(header.offset)
            return send(header, data)

        client.upload_chunk = counted  # type: ignore[method-assign]
        sha256 = client.upload(path)
        assert offsets[0] == state.received_bytes
        assert client.stat_media([sha256])[0].complete


def test_a_checkpoint_that_finds_no_room_is_told_and_the_edit_goes_on(
    machine: Machine, disk: Disk, undisturbed: Undisturbed, clip: Path, tmp_path: Path
) -> None:
    with machine.client() as client:
        client.upload(clip)
        job = client.submit(undisturbed.edit).id
        follow(client, job, in_phase("edit", 3))
        with standing_still(required(machine.engine(), "no engine").pid):
            disk.fill()
        follow(client, job, lambda found: found.progress.step >= 8 or found.progress.phase == "decode")
        assert client_job(client, job).state == jobs_pb2.JOB_STATE_RUNNING
        disk.make_room()
        done = succeed(client, job)
        assert len(done.attempts) == 1
        assert "checkpoint-not-written" in [notice.code for notice in done.notices], brief(done)
        assert samples_of(client, done, tmp_path) == undisturbed.samples


def test_a_result_that_finds_no_room_fails_its_job_and_leaves_nothing(
    machine: Machine, disk: Disk, undisturbed: Undisturbed, clip: Path, tmp_path: Path
) -> None:
    with machine.client() as client:
        client.upload(clip)
        job = client.submit(undisturbed.edit).id
        follow(client, job, in_phase("decode", 1))
        with standing_still(required(machine.engine(), "no engine").pid):
            disk.fill()
        failed = finish(client, job)
        assert failed.state == jobs_pb2.JOB_STATE_FAILED
        assert failed.failure.code == "disk-full", brief(failed)
        assert failed.failure.action
        assert not failed.artifacts
        wait_for(lambda: not left_of(machine, job), "what is left of the job to be removed")
        # The daemon goes on, full as the disk is.
        assert client.diagnose().last_failures[0].code == "disk-full"
        full = finish(client, client.retry(job).id)
        assert full.failure.code == "disk-full", brief(full)

        disk.make_room()
        done = succeed(client, client.retry(job).id)
        assert samples_of(client, done, tmp_path) == undisturbed.samples


def left_of(machine: Machine, job: str) -> list[Path]:
    folder = machine.state / "jobs" / job
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_queue_without_room_refuses_jobs_and_keeps_those_it_took(
    machine: Machine, disk: Disk, undisturbed: Undisturbed, clip: Path
) -> None:
    chance = random.Random(2)
    with machine.client() as client:
        client.upload(clip)
        edit = types_pb2.EditRequest()
        edit.CopyFrom(undisturbed.edit)
        taken = [client.submit(edit).id]
        disk.fill()
        refused, wish = "", ""
        for _ in range(200):
            edit.host_context = chance.randbytes(60_000)
            wish = new_request_id()
            try:
                taken.append(client.submit(edit, request_id=wish).id)
            except ServiceFailure as failure:
                refused = failure.code
                break
        assert refused == "disk-full"
        assert sorted(job.id for job in client.jobs()) == sorted(taken)

        # Not even a violent end and a start on the full disk change that.
        machine.kill_daemon()
        errors = machine.run_daemon(errors=subprocess.PIPE).communicate(timeout=200)[1].decode()
        assert "Traceback" not in errors
        if errors:  # it needs a little room to start, and says so
            assert "full" in errors
            assert len(errors.strip().splitlines()) == 1
        disk.make_room()
        assert sorted(job.id for job in client.jobs()) == sorted(taken)
        again = client.submit(edit, request_id=wish)
        assert again.id not in taken
        taken.append(again.id)
        for job in taken:
            client.cancel(job)
        for job in taken:
            follow(client, job, lambda found: found.state in ENDED)
        assert sorted(job.id for job in client.jobs()) == sorted(taken)
