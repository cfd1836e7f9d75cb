# SPDX-License-Identifier: Apache-2.0
"""Models that lie about their weights, or would run code, through a real daemon, engine and command.

The same on the file's own level is in tests/core/test_model_files.py.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2
from flowanchor_client import ServiceFailure
from flowanchor_daemon.models.local import import_model, register_link

from flowanchor_core.errors import ModelError
from tests.security.victim import MODEL, Victim, memory_within

WEIGHTS = Path("transformer/diffusion_pytorch_model.safetensors")
GROWTH = 64 << 20


def forged(header: object, data: bytes = bytes(64), length: int | None = None) -> bytes:
    """A safetensors file; `length` is what it says its header has."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def tensor(begin: int, end: int, shape: list[int]) -> dict[str, object]:
    return {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}


def running(command: str) -> bytes:
    """A pickle that calls os.mkdir when it is opened."""
    return b"\x80\x02cos\nmkdir\nX" + struct.pack("<I", len(command)) + command.encode() + b"\x85R."


LIES: dict[str, Callable[[str], bytes]] = {
    "longer than the file": lambda _: forged({"x": tensor(0, 1 << 40, [1 << 38])}),
    "header longer than the file": lambda _: forged({"x": tensor(0, 64, [16])}, length=1 << 20),
    "header of 2^60 bytes": lambda _: forged({"x": tensor(0, 64, [16])}, length=1 << 60),
    "header of 2^64 - 1 bytes": lambda _: forged({"x": tensor(0, 64, [16])}, length=(1 << 64) - 1),
    "overlap": lambda _: forged({"x": tensor(0, 64, [16]), "y": tensor(32, 64, [8])}),
    "hole": lambda _: forged({"x": tensor(0, 16, [4]), "y": tensor(32, 64, [8])}),
    "negative shape": lambda _: forged({"x": tensor(0, 64, [-4, -4])}),
    "negative offset": lambda _: forged({"x": tensor(-64, 0, [16])}),
    "product over 64 bits": lambda _: forged({"x": tensor(0, 64, [1 << 62, 1 << 62, 4])}),
    "bytes nobody owns": lambda _: forged({"x": tensor(0, 32, [8])}),
    "deep header": lambda _: forged(b"[" * 1_000_000),
    "no table": lambda _: forged([1, 2, 3]),
    "pickle": running,
    "zipped pickle": lambda command: b"PK\x03\x04" + running(command),
    "pickle behind a length": lambda command: struct.pack("<Q", 30) + running(command),
    "empty": lambda _: b"",
    "text": lambda _: b"version https://git-lfs.github.com/spec/v1\nsize 5676070424\n",
}


@pytest.fixture
def folder(models: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model, somewhere of the user's."""
    return Path(shutil.copytree(models / MODEL, tmp_path / "mine"))


@pytest.fixture(autouse=True)
def _shelf(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWANCHOR_MODELS", str(models))


@pytest.fixture(scope="module")
def worked(victim: Victim) -> Victim:
    """A victim whose engine has worked: what it takes now is not for torch."""
    victim.works()
    return victim


def content_of(models: Path) -> list[Path]:
    """All there is of models; the folder for what is on its way stays once it was needed."""
    return sorted(path for path in models.rglob("*") if path.name != ".incoming")


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_refused_by_an_import_and_by_an_edit(
    worked: Victim, models: Path, folder: Path, tmp_path: Path, lie: str
) -> None:
    victim, name = worked, register_link(folder)
    (folder / WEIGHTS).write_bytes(LIES[lie](str(tmp_path / "ran")))
    before = content_of(models)
    with pytest.raises(ModelError) as caught:
        import_model(folder, "imported")
    assert "\n" not in str(caught.value)
    assert content_of(models) == before
    with memory_within(victim.engine, GROWTH), memory_within(victim.daemon, GROWTH):
        failure = victim.failed(victim.edit(model=name))
        assert failure.code == caught.value.code
        assert failure.code in ("model-file-damaged", "model-file-truncated", "not-safetensors")
    assert not (tmp_path / "ran").exists()


def test_a_lie_is_refused_by_a_load(worked: Victim, folder: Path) -> None:
    name = register_link(folder)
    (folder / WEIGHTS).write_bytes(LIES["header of 2^60 bytes"](""))
    with pytest.raises(ServiceFailure) as refused:
        worked.client.load(name, "cpu")
    assert refused.value.code == "not-safetensors"


def test_after_all_of_that_it_still_works(worked: Victim) -> None:
    worked.works()


def test_the_pickle_would_have_run(tmp_path: Path) -> None:
    """The other half of the tests above: whoever opens it makes a folder."""
    (tmp_path / "weights.bin").write_bytes(running(str(tmp_path / "ran")))
    line = "import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))"
    subprocess.run([sys.executable, "-c", line, str(tmp_path / "weights.bin")], check=True, timeout=200)
    assert (tmp_path / "ran").is_dir()


def test_pickles_beside_the_weights_stay_where_they_are(
    victim: Victim, models: Path, folder: Path, tmp_path: Path
) -> None:
    for part in ("transformer", "vae", "text_encoder", "tokenizer", "."):
        for file in ("pytorch_model.bin", "model.pkl", "modeling_evil.py", "custom.pt"):
            (folder / part / file).write_bytes(running(str(tmp_path / "ran")))
    made = import_model(folder, "with-pickles")
    assert not [path for path in made.rglob("*") if path.suffix in (".bin", ".pkl", ".py", ".pt")]
    assert victim.finished(victim.edit(model="with-pickles")).state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert victim.finished(victim.edit(model=register_link(folder))).state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert not (tmp_path / "ran").exists()


def test_weights_that_are_only_pickled_are_refused(victim: Victim, folder: Path, tmp_path: Path) -> None:
    name = register_link(folder)
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).with_suffix(".bin").write_bytes(running(str(tmp_path / "ran")))
    with pytest.raises(ModelError) as caught:
        import_model(folder, "imported")
    assert caught.value.code == "pickled-weights"
    assert victim.failed(victim.edit(model=name)).code == "pickled-weights"
    assert not (tmp_path / "ran").exists()


def test_a_model_that_brings_code_is_refused(victim: Victim, folder: Path) -> None:
    name = register_link(folder)
    config = folder / "transformer" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "auto_map": {"AutoModel": "evil.Model"}}))
    (folder / "transformer" / "evil.py").write_text("raise SystemExit('this ran')\n")
    assert victim.failed(victim.edit(model=name)).code == "model-config"


@pytest.mark.parametrize("lie", ["overlap", "header of 2^60 bytes", "pickle"])
def test_a_model_that_is_changed_after_it_was_imported_is_refused(
    victim: Victim, models: Path, folder: Path, tmp_path: Path, lie: str
) -> None:
    made = import_model(folder, f"changed-{list(LIES).index(lie)}")
    (made / WEIGHTS).write_bytes(LIES[lie](str(tmp_path / "ran")))
    failure = victim.failed(victim.edit(model=made.name))
    assert failure.code in ("model-file-damaged", "not-safetensors")
    task = victim.client.verify(made.name)
    *_, task = victim.client.watch_task(task)
    assert task.failure.code == "verify-failed"
    assert not (tmp_path / "ran").exists()


def test_the_command_says_so(victim: Victim, folder: Path, tmp_path: Path) -> None:
    (folder / WEIGHTS).write_bytes(running(str(tmp_path / "ran")))
    line = [sys.executable, "-m", "flowanchor_daemon.cli", "models", "import", str(folder), "--name", "evil"]
    done = subprocess.run(
        line, env={**victim.running.environment}, capture_output=True, text=True, timeout=200, cwd=tmp_path
    )
    assert done.returncode == 2, done.stderr
    assert "not a safetensors file" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (Path(victim.running.environment["FLOWANCHOR_MODELS"]) / "evil").exists()
    assert not (tmp_path / "ran").exists()
    assert "ran" not in os.listdir(tmp_path)
