# SPDX-License-Identifier: Apache-2.0
"""Kdenlive itself opens a project with a result and saves it; what it saved still shows the right frames.

Opt-in: needs kdenlive, frei0r-plugins, mediainfo, melt, xvfb, dbus, xdotool and imagemagick of Debian.
Without frei0r-plugins and mediainfo Kdenlive asks about them before it opens anything.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor_interchange import files, place
from flowanchor_interchange.model import Span

from tests.interchange.documents import DOCUMENTS, ENDINGS
from tests.interchange.melt import compare, render
from tests.interchange.scene import EDITED, FRAMES, LENGTH, TWO_AT, Scene, write_edited, write_footage

TOOLS = ("kdenlive", "melt", "xvfb-run", "dbus-run-session", "dbus-send", "xdotool", "import", "mediainfo")
MISSING = [name for name in TOOLS if shutil.which(name) is None]

pytestmark = [
    pytest.mark.optin,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("source", ["kdenlive", "otio"])
def test_kdenlive_opens_and_saves_it(source: str, alpha: bool, tmp_path: Path) -> None:
    scene = Scene(Fraction(24000, 1001), 1, tmp_path / "footage.mkv")
    write_footage(scene.footage, scene.rate, scene.label, Span(0, FRAMES))
    edited = write_edited(scene, tmp_path / "edited.mkv", alpha)
    path = tmp_path / f"scene{ENDINGS[source]}"
    path.write_bytes(DOCUMENTS[source](scene))
    project, screenshot = tmp_path / "project.kdenlive", tmp_path / "kdenlive.png"
    written = place.render(files.read(path), project, scene.result(edited, alpha), {})
    place.save(written.data, project)
    inside = ["dbus-run-session", "--", "xvfb-run", "-a", "-s", "-screen 0 1600x1000x24"]
    program = [sys.executable, str(Path(__file__).with_name("kdenlive.py")), str(project), str(screenshot)]
    # Its own files not in the test's folder: a Unix socket's path has to be short.
    with tempfile.TemporaryDirectory(prefix="fa-") as home:
        done = subprocess.run([*inside, *program, home], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    print(done.stdout, f"screenshot: {screenshot}")
    assert project.read_bytes() != written.data, "Kdenlive has written it anew"
    timeline = files.read(project).timeline
    assert [track.name for track in timeline.tracks][-1] == "FlowAnchor"
    assert [clip.record for clip in timeline.tracks[-1].clips] == [EDITED.moved(TWO_AT)]
    assert compare(render(project, tmp_path / "rendered.mkv", 0, LENGTH - 1)).wrong == ()
