# SPDX-License-Identifier: Apache-2.0
"""The other commands in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Run


def test_help_does_not_load_torch(environment: dict[str, str]) -> None:
    heavy = "{'torch', 'cv2', 'av', 'diffusers'}"
    code = f"import sys, flowanchor_daemon.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_help_lists_the_commands(run: Run) -> None:
    done = run("--help")
    assert done.returncode == 0
    for name in ("edit", "demo", "serve", "stop", "jobs", "models", "doctor", "bench"):
        assert name in done.stdout


def test_models_list_names_folders_of_the_user(
    run: Run, environment: dict[str, str], model: Path, edit_arguments: list[Any], tmp_path: Path
) -> None:
    given_by_path = run(*edit_arguments, "-o", tmp_path / "out.mkv")
    assert given_by_path.returncode == 0, given_by_path.stderr
    shelf = Path(environment["FLOWANCHOR_MODELS"])
    shelf.mkdir(exist_ok=True)
    (shelf / "mine").symlink_to(model)
    try:
        listed = json.loads(run("models", "list", "--json").stdout)
    finally:
        (shelf / "mine").unlink()
    assert [entry["name"] for entry in listed] == ["shapes", "mine"]
    assert listed[1]["native_size"] == [32, 32]
    everything = {entry["source"] for entry in json.loads(run("models", "list", "--all", "--json").stdout)}
    assert everything >= {"embedded", "linked", "hub"}


def test_doctor_finds_what_an_edit_needs(own_run: Run) -> None:
    done = own_run("doctor")  # without the failures other tests made the shared daemon remember
    assert done.returncode == 0, done.stdout
    lines = {line.split()[1]: line for line in done.stdout.splitlines()}
    assert {"python", "torch", "device", "codecs", "disk", "model"} <= set(lines)
    assert all(line.startswith("ok") for line in lines.values())


def test_demo_edits_each_thing_and_shows_its_figures(run: Run, model: Path, tmp_path: Path) -> None:
    done = run("demo", "--model", model, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    edits = json.loads(done.stdout.splitlines()[-1])["edits"]
    assert [[thing["edited"] for thing in edit["things"]] for edit in edits] == [[True, False], [False, True]]
    for edit in edits:
        assert Path(tmp_path, edit["sheet"]).stat().st_size > 1000
        assert (edit["frames"], edit["max_abs_diff_outside"]) == (17, 0)
        # The matte keeps all but the rim of the other thing, whatever this random model paints.
        assert next(thing["share"] for thing in edit["things"] if not thing["edited"]) > 0.9


def test_the_embedded_model_changes_the_named_thing_and_no_other(run: Run, tmp_path: Path) -> None:
    done = run("demo", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    edits = json.loads(done.stdout.splitlines()[-1])["edits"]
    assert len(edits) == 2
    for edit in edits:
        assert edit["model"] == "shapes"
        assert edit["max_abs_diff_outside"] == 0
        # 21 steps of four forwards; the first shares its unconditional one between source and edit.
        assert edit["forwards"] == 21 * 4 - 1
        for thing in edit["things"]:
            assert thing["share"] > 0.9, thing
