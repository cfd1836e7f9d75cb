# SPDX-License-Identifier: Apache-2.0
"""`flowanchor doctor`: is everything here that an edit needs?"""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import typer

from flowanchor_core import models
from flowanchor_core.errors import FlowAnchorError
from flowanchor_daemon.cli.outcome import FAILED

# import name by distribution: what the edit path loads
LIBRARIES = {
    "torch": "torch",
    "diffusers": "diffusers",
    "transformers": "transformers",
    "av": "av",
    "opencv-python-headless": "cv2",
    "numpy": "numpy",
}
CODECS = ("libx264", "prores_ks", "ffv1", "png")
LEAST_FREE_BYTES = 1_000_000_000


class Problem(Exception):
    """A check failed; the text says what and what helps."""


def doctor() -> None:
    """Report versions, device, codecs, disk space and models; exit code 4 if an edit could not run."""
    checks: dict[str, Callable[[], str]] = {
        "python": lambda: f"{platform.python_version()} on {platform.platform()}",
        **{name: _library(name, module) for name, module in LIBRARIES.items()},
        "device": _device,
        "codecs": _codecs,
        "disk": _disk,
        **{f"model {name}": _model(name) for name in models.names()},
    }
    failed = 0
    for name, check in checks.items():
        try:
            print(f"ok       {name:<24} {check()}")
        except Problem as problem:
            failed += 1
            print(f"problem  {name:<24} {problem}")
    if failed:
        print(f"{failed} of {len(checks)} checks found a problem.", file=sys.stderr)
        raise typer.Exit(FAILED)


def _library(name: str, module: str) -> Callable[[], str]:
    def check() -> str:
        try:
            importlib.import_module(module)
        except ImportError as failure:
            raise Problem(f"cannot be imported ({failure}); run installers/run.py setup again") from failure
        return importlib.metadata.version(name)

    return check


def _device() -> str:
    try:
        import torch
    except ImportError as failure:
        raise Problem("unknown without torch") from failure
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        return f"{properties.name}, {properties.total_memory / 1e9:.0f} GB"
    return (
        f"CPU, {torch.get_num_threads()} threads (no CUDA device that this torch {torch.__version__} can use)"
    )


def _codecs() -> str:
    try:
        import av
    except ImportError as failure:
        raise Problem("unknown without av") from failure
    missing = [name for name in CODECS if name not in av.codecs_available]
    if missing:
        raise Problem(f"this build of PyAV lacks {', '.join(missing)}; some deliveries will not work")
    return ", ".join(CODECS)


def _disk() -> str:
    free = shutil.disk_usage(Path.cwd()).free
    if free < LEAST_FREE_BYTES:
        raise Problem(f"only {free / 1e9:.1f} GB free where you are")
    return f"{free / 1e9:.0f} GB free where you are"


def _model(name: str) -> Callable[[], str]:
    def check() -> str:
        try:
            folder = models.find_model(name)
            models.read_card(folder, name)
        except FlowAnchorError as failure:
            raise Problem(str(failure)) from failure
        return str(folder)

    return check
