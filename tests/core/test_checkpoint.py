# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest
import torch

from flowanchor_core.checkpoint import load_checkpoint, save_checkpoint


def test_a_checkpoint_comes_back_with_the_same_bits(tmp_path: Path) -> None:
    z = torch.randn(1, 4, 3, 6, 8)
    save_checkpoint(tmp_path / "edit", 10, z, "abc")
    loaded = load_checkpoint(tmp_path / "edit", "abc")
    assert loaded is not None
    assert loaded[0] == 10
    assert torch.equal(loaded[1], z)
    assert [path.name for path in tmp_path.iterdir()] == ["edit"]


def test_another_edits_a_damaged_or_no_checkpoint_start_over(tmp_path: Path) -> None:
    path = tmp_path / "edit"
    assert load_checkpoint(path, "abc") is None
    save_checkpoint(path, 10, torch.zeros(2), "abc")
    assert load_checkpoint(path, "other") is None
    path.write_bytes(path.read_bytes()[:-1])
    assert load_checkpoint(path, "abc") is None


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "edit"
    save_checkpoint(path, 1, torch.zeros(2), "abc")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(path, 2, torch.ones(2), "abc")
    loaded = load_checkpoint(path, "abc")
    assert loaded is not None
    assert loaded[0] == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["edit"]
