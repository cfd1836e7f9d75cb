# SPDX-License-Identifier: Apache-2.0
"""Machines to harm, and what an edit looks like that nothing disturbs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from flowanchor.v1 import types_pb2

from tests.faults.harness import MODEL, Machine, edit_of, make_clip, samples_of, succeed

NewMachine = Callable[..., Machine]


class Undisturbed(NamedTuple):
    """An edit, its result's samples (see `samples_of`), the runs of the transformer it took, and its seconds
    with the engine's start."""

    edit: types_pb2.EditRequest
    samples: str
    forwards: int
    seconds: float


@pytest.fixture(scope="session")
def models(wan_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with the tiny model, at a size where a step takes long enough to be hit."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(wan_folder, folder / MODEL)
    card = json.loads((folder / MODEL / "flowanchor.json").read_text())
    card |= {"text_length": 80, "world": "shapes", "native_size": [128, 96]}
    card["sampling"] = {"negative_prompt": "", "minimum_crop": 32}
    (folder / MODEL / "flowanchor.json").write_text(json.dumps(card))
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Embedded prompts, shared: what they are is not what is tested here."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mkv")


@contextmanager
def _environment_of(machine: Machine) -> Iterator[None]:
    """A client in this process belongs to that machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in machine.environment.items():
            patch.setenv(name, value)
        yield


@contextmanager
def a_machine(models: Path, cache: Path, *options: str, **extra: str) -> Iterator[Machine]:
    """A machine, and a client in this process is its client."""
    machine = Machine(models, cache, extra, options)
    with _environment_of(machine):
        try:
            yield machine
        finally:
            print(machine.log())  # pytest shows it when the test fails
            machine.close()


@pytest.fixture
def new_machine(models: Path, cache: Path) -> Iterator[NewMachine]:
    """Make a machine: new_machine("--idle-exit", "1", VARIABLE="value")."""
    with ExitStack() as stack:

        def make(*options: str, **extra: str) -> Machine:
            return stack.enter_context(a_machine(models, cache, *options, **extra))

        yield make


@pytest.fixture
def machine(new_machine: NewMachine) -> Machine:
    return new_machine()


@pytest.fixture(scope="session")
def _warm(models: Path, cache: Path) -> Iterator[Machine]:
    machine = Machine(models, cache, {})
    yield machine
    print(machine.log())
    machine.close()


@pytest.fixture(scope="session")
def undisturbed(_warm: Machine, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The edit that other tests disturb."""
    with _environment_of(_warm), _warm.client() as client:
        edit = edit_of(client.upload(clip))
        done = succeed(client, client.submit(edit).id)
        (attempt,) = done.attempts
        seconds = (attempt.ended_ms - attempt.started_ms) / 1000
        samples = samples_of(client, done, tmp_path_factory.mktemp("undisturbed"))
        return Undisturbed(edit, samples, done.result.forwards, seconds)


@pytest.fixture
def warm(_warm: Machine, undisturbed: Undisturbed) -> Iterator[Machine]:
    """A machine with the clip and a loaded engine, shared by tests that leave it as they found it."""
    with _environment_of(_warm):
        yield _warm
