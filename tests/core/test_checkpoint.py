# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest
import torch

from flowanchor_core.checkpoint import Checkpoint, load_checkpoint, save_checkpoint


def test_a_checkpoint_comes_back_with_the_same_bits(tmp_path: Path) -> None:
    z = torch.randn(1, 4, 3, 6, 8)
    save_checkpoint(tmp_path / "edit", Checkpoint(10, z, 39), "abc")
    loaded = load_checkpoint(tmp_path / "edit", "abc")
    assert loaded is not None
    assert (loaded.step, loaded.forwards) == (10, 39)
    assert torch.equal(loaded.z, z)
    assert [path.name for path in tmp_path.iterdir()] == ["edit"]


def test_another_edits_a_damaged_or_no_checkpoint_start_over(tmp_path: Path) -> None:
    path = tmp_path / "edit"
    assert load_checkpoint(path, "abc") is None
    save_checkpoint(path, Checkpoint(10, torch.zeros(2)), "abc")
    assert load_checkpoint(path, "other") is None
    path.write_bytes(path.read_bytes()[:-1])
    assert load_checkpoint(path, "abc") is None


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "edit"
    save_checkpoint(path, Checkpoint(1, torch.zeros(2)), "abc")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(path, Checkpoint(2, torch.ones(2)), "abc")
    loaded = load_checkpoint(path, "abc")
    assert loaded is not None
    assert loaded.step == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["edit"]
