# SPDX-License-Identifier: Apache-2.0
"""The wheels that the Blender extension brings along: the client's own, and the pinned ones it needs."""

from __future__ import annotations

import base64
import hashlib
import platform
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from installers.environment import ROOT, SetupError, say

ADDON = ROOT / "addons" / "blender" / "flowanchor_vse"

GRPCIO = "grpcio==1.85.1"
PROTOBUF = "protobuf==7.36.2"
TYPING_EXTENSIONS = "typing_extensions==4.16.0"
WHEELS = (GRPCIO, PROTOBUF, TYPING_EXTENSIONS)
"""What the client needs, pinned: a zip built tomorrow is the one that was tested."""
PYTHONS = ("3.11", "3.13", "3.14")
"""Blender 4.2 to 5.0; 5.1 or newer; distributions that build Blender with a Python of theirs (Debian: 3.13
with Blender 4.3, 3.14 with 5.2)."""
PLATFORMS = {
    "linux-x64": "manylinux2014_x86_64",
    "linux-arm64": "manylinux2014_aarch64",
    "macos-arm64": "macosx_11_0_universal2",
    "macos-x64": "macosx_11_0_universal2",
    "windows-x64": "win_amd64",
}
"""Blender's names of systems, and pip's."""


def this_platform() -> str:
    """Blender's name for the system this runs on; SetupError for one the extension is not built for."""
    system = {"darwin": "macos"}.get(platform.system().lower(), platform.system().lower())
    machine = platform.machine().lower()
    name = f"{system}-{ {'x86_64': 'x64', 'amd64': 'x64', 'aarch64': 'arm64'}.get(machine, machine) }"
    if name not in PLATFORMS:
        raise SetupError(f"There are no wheels for {name}. Known are {', '.join(PLATFORMS)}.")
    return name


def addon_version() -> str:
    import tomllib  # here, since what says which Python is needed has to start in an older one

    manifest = tomllib.loads((ADDON / "blender_manifest.toml").read_text(encoding="utf-8"))
    return str(manifest["version"])


def our_wheel(folder: Path) -> Path:
    """Make the wheel of flowanchor_client and the API. Its version ends with a hash of its content, because
    Blender keeps an installed wheel that has the version of a new one."""
    files = sorted(our_files())
    content = {name: path.read_bytes() for name, path in files}
    digest = hashlib.sha256(b"".join(name.encode() + data for name, data in content.items())).hexdigest()
    name = f"flowanchor_client-{addon_version()}+{digest[:8]}"
    content[f"{name}.dist-info/METADATA"] = (
        f"Metadata-Version: 2.1\nName: flowanchor_client\nVersion: {name.partition('-')[2]}\n"
        "License-Expression: Apache-2.0\n"
    ).encode()
    content[f"{name}.dist-info/licenses/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    content[f"{name}.dist-info/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: flowanchor\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = f"{name}.dist-info/RECORD"
    lines = [
        f"{entry},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},{len(data)}"
        for entry, data in content.items()
    ]
    content[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    target = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, data in content.items():
            archive.writestr(zipfile.ZipInfo(entry, (1980, 1, 1, 0, 0, 0)), data)
    return target


def our_files() -> Iterator[tuple[str, Path]]:
    for package, folder in (
        ("flowanchor_client", ROOT / "addons" / "flowanchor_client"),
        ("flowanchor", ROOT / "proto" / "flowanchor"),
    ):
        for path in folder.rglob("*.py"):
            within = path.relative_to(folder)
            if within.parts[0] != "engine":  # what daemon and engine say to each other
                yield f"{package}/{within.as_posix()}", path


def download_wheels(folder: Path, python: Path, platforms: Sequence[str]) -> list[Path]:
    """The pinned wheels of these systems and every Python, downloaded unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    found: set[Path] = set()
    for tag in dict.fromkeys(PLATFORMS[name] for name in platforms):
        for version in PYTHONS:
            kept = folder / f"{tag}-{version}"
            done = kept / "complete"
            if not done.exists() or done.read_text() != " ".join(WHEELS):
                say(f"downloading wheels for {tag}, Python {version}")
                shutil.rmtree(kept, ignore_errors=True)
                download(python, kept, tag, version)
                done.write_text(" ".join(WHEELS))
            found.update(kept.glob("*.whl"))
    # By name: the same wheel lies in several folders, and the zip must not depend on which is taken.
    return sorted({path.name: path for path in found}.values(), key=lambda path: path.name)


def download(python: Path, folder: Path, tag: str, version: str) -> None:
    # fmt: off
    command = [
        str(python), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--only-binary=:all:", "--platform", tag, "--python-version", version, "--dest", str(folder), *WHEELS,
    ]
    # fmt: on
    if subprocess.run(command).returncode != 0:
        raise SetupError(
            f"The wheels for {tag} could not be downloaded; pip's own message is above. Try again later."
        )
