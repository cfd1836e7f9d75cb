# SPDX-License-Identifier: Apache-2.0
"""What is opened as a timeline's file, and what is refused before it is read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flowanchor_interchange import files
from flowanchor_interchange.problems import TimelineProblem
from flowanchor_interchange.readers import edl

OPEN = """
import sys
from pathlib import Path
from flowanchor_interchange import files
from flowanchor_interchange.problems import TimelineProblem
try:
    files.load(Path(sys.argv[1]))
except TimelineProblem as problem:
    print(problem.code, problem.message)
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "scene.otio"
    os.mkfifo(pipe)
    # In a process of its own: waiting for a pipe cannot be interrupted from within.
    command = [sys.executable, "-c", OPEN, str(pipe)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250)
    assert done.stdout == "timeline-missing scene.otio is a pipe or a device, not a file.\n", done.stderr


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no such devices")
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_refused(device: str, tmp_path: Path) -> None:
    (tmp_path / "link.otio").symlink_to(device)
    for path in (Path(device), tmp_path / "link.otio"):
        with pytest.raises(TimelineProblem) as failure:
            files.load(path)
        assert "is a pipe or a device" in failure.value.message


def test_a_list_larger_than_any_program_writes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    event = b"001  TAPE  V  C  00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00\n"
    monkeypatch.setattr(edl, "MAX_BYTES", len(event))
    assert edl.names_of_files(event, Path("/nowhere")) == []
    with pytest.raises(TimelineProblem) as failure:
        edl.names_of_files(event * 2, Path("/nowhere"))
    assert failure.value.code == "timeline-too-large"


def test_a_name_that_no_file_can_have() -> None:
    for path in (Path("a" * 5000), Path("a\0b")):
        with pytest.raises(TimelineProblem) as failure:
            files.load(path)
        assert failure.value.code == "timeline-missing"
