# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_daemon.queue.artifacts import ArtifactFiles, collect
from flowanchor_daemon.queue.folders import JobFolder
from flowanchor_daemon.queue.store import JobStore

from flowanchor_core.errors import FlowAnchorError
from tests.daemon.queue.wishes import wish


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    (tmp_path / "jobs").mkdir()
    return JobFolder(tmp_path / "jobs", "0123456789abcdef")


def made(output: Path, *names: str) -> list[engine_pb2.OutputFile]:
    for name in names:
        (output / name).write_bytes(name.encode() * 1000)
    return [engine_pb2.OutputFile(path=name, sheet=name.startswith("sheet")) for name in names]


def test_results_move_in_order_under_names_of_our_own(folder: JobFolder) -> None:
    _, output = folder.begin_attempt(1)
    found = collect(folder, output, made(output, "result.000024.png", "result.000025.png", "sheet.PNG"))
    assert [(one.index, one.name, one.file) for one in found] == [
        (0, "result.000024.png", "0.png"),
        (1, "result.000025.png", "1.png"),
        (2, "sheet.PNG", "2.png"),
    ]
    assert [one.kind for one in found] == [1, 1, jobs_pb2.ARTIFACT_KIND_SHEET]
    assert sorted(path.name for path in folder.artifacts.iterdir()) == ["0.png", "1.png", "2.png"]
    for one in found:
        content = (folder.artifacts / one.file).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (one.bytes, one.sha256)
    assert list(output.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "a/b.png", "..", ".hidden", "", "missing.png", "a\0b"]
)
def test_what_is_no_plain_file_of_the_folder_is_refused(folder: JobFolder, name: str) -> None:
    _, output = folder.begin_attempt(1)
    (output.parent / "secret").write_text("secret")
    with pytest.raises(FlowAnchorError) as refused:
        collect(folder, output, [engine_pb2.OutputFile(path=name)])
    assert refused.value.code == "engine-output"


def test_links_and_folders_are_no_results(folder: JobFolder) -> None:
    _, output = folder.begin_attempt(1)
    (output / "link.png").symlink_to("/etc/passwd")
    (output / "folder.png").mkdir()
    for name in ("link.png", "folder.png"):
        with pytest.raises(FlowAnchorError) as refused:
            collect(folder, output, [engine_pb2.OutputFile(path=name)])
        assert refused.value.code == "engine-output"


def test_a_second_try_begins_without_what_the_first_left(folder: JobFolder) -> None:
    _, output = folder.begin_attempt(1)
    collect(folder, output, made(output, "a.mkv", "b.mkv"))
    folder.checkpoint.write_bytes(b"state")
    (folder.checkpoint.parent / "half.tmp").write_bytes(b"half")
    inputs, output = folder.begin_attempt(2)
    assert sorted(path.name for path in folder.path.iterdir()) == ["attempt-2", "checkpoint"]
    assert list(inputs.iterdir()) == list(output.iterdir()) == []
    assert [path.name for path in folder.checkpoint.parent.iterdir()] == ["state.safetensors"]


def test_files_and_folders_are_synced_before_they_are_returned(
    folder: JobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    real = os.fsync

    def watch(handle: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{handle}")))
        real(handle)

    if not Path("/proc/self/fd").exists():
        pytest.skip("open files have no names here")
    _, output = folder.begin_attempt(1)
    files = made(output, "a.mkv")
    monkeypatch.setattr(os, "fsync", watch)
    collect(folder, output, files)
    assert synced[0].name == "a.mkv"
    assert synced[1:] == [folder.artifacts, folder.path, folder.jobs]


@pytest.mark.parametrize("job", ["../../etc", "/etc", "0123456789ABCDEF", "", "0123456789abcdef\n", "con"])
def test_only_ids_of_our_making_name_folders(tmp_path: Path, job: str) -> None:
    with pytest.raises(ValueError, match="no job's id"):
        JobFolder(tmp_path, job)


def test_recorded_results_are_found_by_job_and_index(tmp_path: Path, store: JobStore) -> None:
    (tmp_path / "jobs").mkdir()
    job = store.submit(wish())[0].id
    store.take()
    folder = JobFolder(tmp_path / "jobs", job)
    _, output = folder.begin_attempt(1)
    found = collect(folder, output, made(output, "result.mkv"))
    files = ArtifactFiles(store, tmp_path / "jobs")
    assert code_of(lambda: files(job, 0)) == "artifact-unknown"  # moved, and not recorded yet
    store.succeed(job, types_pb2.EditResult(), found)
    assert files(job, 0).path.read_bytes() == b"result.mkv" * 1000
    assert files(job, 0).name == "result.mkv"
    assert code_of(lambda: files(job, 1)) == "artifact-unknown"
    assert code_of(lambda: files(job, -1)) == "artifact-unknown"
    assert code_of(lambda: files("../" + job, 0)) == "job-unknown"
    files(job, 0).path.unlink()
    assert code_of(lambda: files(job, 0)) == "artifact-unknown"


def code_of(call: object) -> str:
    with pytest.raises(FlowAnchorError) as refused:
        call()  # type: ignore[operator]
    return refused.value.code
