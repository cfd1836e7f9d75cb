# SPDX-License-Identifier: Apache-2.0
"""The add-on's host layer in real Blenders: each script in a process of its own, each check by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blender.host import blenders


def versions() -> list[object]:
    optional = [pytest.param(version, marks=pytest.mark.optin) for version in blenders.OPTIONAL]
    return [*blenders.VERSIONS, *optional]


@pytest.mark.parametrize("script", blenders.CHECKS)
@pytest.mark.parametrize("version", versions())
def test_every_check_holds(version: str, script: str, media: Path, tmp_path: Path) -> None:
    python = blenders.python_of(version)
    if python is None:
        pytest.skip(f"there is no Blender {version} here; make one with: {blenders.MAKE} {version}")
    outcome = blenders.run(python, script, media, tmp_path)
    failed = {name: said for name, said in outcome.items() if said}
    assert outcome, "a script without a check"
    assert not failed, "\n\n".join(f"{name}:\n{said}" for name, said in failed.items())
