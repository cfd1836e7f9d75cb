# SPDX-License-Identifier: Apache-2.0
"""Names of Resolve's interface are found in source code."""

from __future__ import annotations

from pathlib import Path

from tests.resolve.standin.names import names_used, unknown_names

CODE = '''
"""GetNothing"""
import subprocess, ast

def run(resolve, calls, settings):
    project = resolve.GetProjectManager().GetCurrentProject()
    calls.need("open the page", resolve, "OpenPage", "edit")
    if "GetSelectedClips" in dir(project.GetCurrentTimeline()):
        pass
    subprocess.Popen([])
    ast.GetAttr()
    settings["SelectAllFrames"] = settings.get("ExportAlpha")
    project.SetRenderSettings({"ExportVideo": True})
    project.GetCurrntTimeline()
    calls.ask(project, "AddRenderJbo")
    return resolve.Fusion()
'''


def test_calls_and_names_in_strings_are_found_and_the_rest_is_not(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(CODE)
    used = {use.name for use in names_used(tmp_path)}
    assert used == {
        "GetProjectManager",
        "GetCurrentProject",
        "OpenPage",
        "GetSelectedClips",
        "GetCurrentTimeline",
        "SetRenderSettings",
        "GetCurrntTimeline",
        "AddRenderJbo",
        "Fusion",
    }


def test_what_is_not_published_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(CODE)
    unknown = unknown_names(tmp_path / "code.py")
    assert sorted(map(str, unknown)) == [
        "AddRenderJbo (code.py, line 15)",
        "GetCurrntTimeline (code.py, line 14)",
    ]
