# SPDX-License-Identifier: Apache-2.0
"""Python, FlowAnchor and its libraries, read from what pip noted: nothing is imported."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys
from collections.abc import Iterator

from flowanchor_daemon.doctor.finding import Finding, ok, problem, warning

OLDEST_PYTHON = (3, 11)
LIBRARIES = (
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "safetensors",
    "av",
    "opencv-python-headless",
    "numpy",
    "platformdirs",
    "grpcio",
    "grpcio-health-checking",
    "protobuf",
    "googleapis-common-protos",
    "huggingface_hub",
    "httpx2",
    "psutil",
    "typer",
    "rich",
    "opentimelineio",
)
_SET_UP = "Run `python3 installers/run.py setup` again."


def check_versions() -> Iterator[Finding]:
    text = f"{platform.python_version()} on {platform.platform()}"
    if sys.version_info < OLDEST_PYTHON:
        yield problem("python", text, "Set FlowAnchor up with Python 3.11 or newer.")
    else:
        yield ok("python", text)
    yield ok("flowanchor", version_of("flowanchor") or "from a source tree that is not installed")
    pins = pinned()
    for name in LIBRARIES:
        found, wanted = version_of(name), pins.get(name)
        if found is None:
            yield problem(name, "is not installed", _SET_UP)
        elif wanted is not None and found.split("+")[0] != wanted:
            yield warning(name, f"{found}, but FlowAnchor was made and tested with {wanted}", _SET_UP)
        else:
            yield ok(name, found)


def version_of(distribution: str) -> str | None:
    """The installed version, None if it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def pinned() -> dict[str, str]:
    """Exact versions FlowAnchor asks for, by library; none from a source tree that is not installed."""
    try:
        requirements = importlib.metadata.requires("flowanchor") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    found = (re.fullmatch(r"([\w.-]+)==([\w.]+)", line) for line in requirements)  # extras have a marker
    return {match[1]: match[2] for match in found if match}
