# SPDX-License-Identifier: Apache-2.0
"""Importing and linking folders, and what the core makes of a link."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from flowanchor_daemon.models import catalog, local
from flowanchor_daemon.models.local import import_model, register_link
from flowanchor_daemon.models.manifest import Manifest, ModelFile, is_wanted, read_manifest

from flowanchor_core import models
from flowanchor_core.errors import ModelError
from tests.daemon.models.tiny import TRANSFORMER, safetensors, tiny_files


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_copied_without_what_the_model_does_not_need(shelf: Path, folder: Path) -> None:
    (folder / "transformer" / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps({}))
    (folder / "vae" / "run_me.py").write_text("import os")
    (folder / "assets").mkdir()
    (folder / "flowanchor.json").write_text('{"native_frames": 17}')
    told: list[tuple[str, int, int]] = []
    assert import_model(folder, "mine", lambda *now: told.append(now)) == shelf / "mine"
    copied = files_of(shelf / "mine")
    copied.pop("manifest.json")
    assert copied == {**tiny_files(), "flowanchor.json": b'{"native_frames": 17}'}
    assert told[-1][1] == told[-1][2] == sum(map(len, copied.values()))
    manifest = read_manifest(shelf / "mine")
    assert manifest is not None
    assert {file.path: file.sha256 for file in manifest.files} == {
        path: hashlib.sha256(content).hexdigest() for path, content in copied.items()
    }
    assert not list((shelf / ".incoming").iterdir())
    assert models.names() == ["shapes", "mine"]


@pytest.mark.parametrize(
    "name",
    [
        *("", "..", ".hidden", "a/b", "a\\b", "/abs", "UPPER", "a b", "a\0", "ü", "-x", "x" * 65, "line\n"),
        *("shapes", "con", "nul.txt", "x.link.json", "dot."),
    ],
)
def test_names_that_cannot_be_are_refused(shelf: Path, folder: Path, name: str) -> None:
    with pytest.raises(ModelError) as caught:
        import_model(folder, name)
    assert caught.value.code == "model-name"
    assert list(shelf.iterdir()) == []


def test_a_name_that_is_taken_is_refused(shelf: Path, folder: Path) -> None:
    import_model(folder, "mine")
    (shelf / "linked.link.json").write_text("{}")
    for name in ("mine", "linked"):
        with pytest.raises(ModelError) as caught:
            import_model(folder, name)
        assert caught.value.code == "model-exists"


def test_lies_and_pickles_are_refused_and_leave_nothing(shelf: Path, folder: Path) -> None:
    for content in (pickle.dumps({"w": 1}), safetensors(100, 1)[:-1], b""):
        (folder / TRANSFORMER).write_bytes(content)
        with pytest.raises(ModelError, match="transformer"):
            import_model(folder, "mine")
    shutil.rmtree(folder / "vae")
    with pytest.raises(ModelError, match="vae"):
        import_model(folder, "mine")
    with pytest.raises(ModelError, match="no folder"):
        import_model(folder / "nowhere", "mine")
    assert models.names() == ["shapes"]
    assert list(shelf.iterdir()) == []


def test_a_published_name_takes_only_the_published_files(
    shelf: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError) as caught:
        import_model(folder, "wan2.1-t2v-1.3b")
    assert caught.value.code == "verify-failed"
    assert not list((shelf / ".incoming").iterdir())

    published = Manifest(
        tuple(
            ModelFile(path, len(content), hashlib.sha256(content).hexdigest())
            for path, content in tiny_files().items()
        ),
        "someone/model",
        "a" * 40,
    )
    known = catalog.Known("tiny", "Tiny", "someone/model", "a" * 40, 1, published)
    monkeypatch.setattr(catalog, "KNOWN", (known,))
    import_model(folder, "tiny")
    assert read_manifest(shelf / "tiny") == published


def test_a_disk_without_room_is_said_before_the_copy(
    shelf: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(shelf)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ModelError) as caught:
        import_model(folder, "mine")
    assert caught.value.code == "disk-full"
    assert files_of(shelf) == {}


def test_a_link_has_one_name_for_ever(shelf: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = register_link(folder)
    assert local.check_name(name).startswith("my-model-")
    assert register_link(folder) == name
    monkeypatch.chdir(folder.parent)
    assert register_link(Path("My Model")) == name
    assert [path.name for path in shelf.iterdir()] == [f"{name}.link.json"]
    assert models.find_model(name) == folder
    assert models.names() == ["shapes", name]
    assert models.read_card(models.find_model(name), name).name == name


def test_models_that_have_a_name_get_no_link(shelf: Path, folder: Path) -> None:
    import_model(folder, "mine")
    assert register_link(shelf / "mine") == "mine"
    assert register_link(models.EMBEDDED_FOLDER) == "shapes"
    assert not list(shelf.glob("*.link.json"))


@pytest.mark.parametrize("called", ["Ünïcode …", "...", "CON", "x" * 200, "a.link.json"])
def test_any_folder_name_gives_a_usable_link(shelf: Path, folder: Path, called: str) -> None:
    renamed = folder.rename(folder.with_name(called))
    assert models.find_model(register_link(renamed)) == renamed


def test_a_link_to_what_is_no_model_is_not_made(shelf: Path, tmp_path: Path) -> None:
    for target in (tmp_path, tmp_path / "gone"):
        with pytest.raises(ModelError):
            register_link(target)
    assert list(shelf.iterdir()) == []


def test_a_link_that_leads_nowhere_is_named(shelf: Path, folder: Path) -> None:
    name = register_link(folder)
    shutil.rmtree(folder)
    assert models.names() == ["shapes"]
    with pytest.raises(ModelError, match=name) as caught:
        models.find_model(name)
    assert caught.value.code == "model-link"
    assert str(folder) in caught.value.message


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"folder": 3}', '{"folder": "relative"}', "[" * 100_000, '{"folder": "/a\\u0000b"}'],
)
def test_a_link_that_cannot_be_read_is_named(shelf: Path, content: str) -> None:
    (shelf / "odd.link.json").write_text(content)
    assert models.names() == ["shapes"]
    with pytest.raises(ModelError, match="odd") as caught:
        models.find_model("odd")
    assert caught.value.code == "model-link"


def test_only_what_makes_a_model_is_wanted() -> None:
    assert [path for path in tiny_files() if not is_wanted(path)] == []
    unwanted = [
        "../x.json",
        "/x.json",
        "vae/../x.json",
        "vae/x.bin",
        "x.safetensors",
        "vae/a/b.json",
        "vae\\x.json",
    ]
    assert [
        path for path in (*unwanted, "manifest.json", "vae/.hidden.json", "vae/x.json\n") if is_wanted(path)
    ] == []


@pytest.mark.parametrize(
    "change",
    [
        {"files": [{"path": "../x.json", "bytes": 1, "sha256": "0" * 64}]},
        {"files": [{"path": "x.json", "bytes": -1, "sha256": "0" * 64}]},
        {"files": [{"path": "x.json", "bytes": 1, "sha256": "short"}]},
        {"files": [{"path": "x.json"}]},
        {"files": 3},
        {"revision": 3},
        [],
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused(tmp_path: Path, change: object) -> None:
    content = {"files": [], **change} if isinstance(change, dict) else change
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(ModelError, match="no usable manifest"):
        read_manifest(tmp_path)


def test_it_needs_no_torch(tmp_path: Path) -> None:
    script = (
        "import sys, flowanchor_daemon.models.local, flowanchor_daemon.models.manager, "
        "flowanchor_daemon.models.service, flowanchor_daemon.media.service, flowanchor_daemon.media.inputs\n"
        "print([name for name in ('torch', 'diffusers', 'transformers', 'av', 'cv2', 'huggingface_hub') "
        "if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_what_a_killed_import_left_goes_with_the_next(shelf: Path, folder: Path) -> None:
    incoming = shelf / local.INCOMING
    for name in ("import-dead", "import-alive", "tiny"):
        (incoming / name).mkdir(parents=True)
        (incoming / name / "weights").write_bytes(b"x")
    (incoming / "import-dead.lock").write_text("1\n")
    with local._ImportLock(incoming / "import-alive") as alive:
        assert alive.acquire()
        import_model(folder, "mine")
    assert sorted(path.name for path in incoming.iterdir()) == ["import-alive", "import-alive.lock", "tiny"]
