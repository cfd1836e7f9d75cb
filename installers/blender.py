#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Blender extension as a zip, and the environments its tests run in. Standard library only.

    python3 installers/blender.py build          dist/flowanchor_vse-<version>.zip for this machine's system
        --all-platforms                          wheels of every system in it
        --split-platforms                        all systems, one zip each
    python3 installers/blender.py environments   .venv-bpy-<version>, each with that Blender as a module

`installers/run.py blender` and `installers/run.py test` call this. The zip holds everything the add-on needs:
nothing is downloaded inside Blender. The `bpy` wheels exist for Python 3.11 (from Blender 5.1 on for 3.13),
which has to be installed.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from installers.run import (  # noqa: E402  # found through the line above when this file is started
    NO_PYTHON_FOR_BLENDER,
    SetupError,
    create_venv,
    executable,
    pip,
    read_stamp,
    say,
    works,
    write_stamp,
)

ADDON = ROOT / "addons" / "blender" / "flowanchor_vse"
VERSIONS = ("4.2.23", "5.0.1")
"""Blenders every test run uses; others can be asked for (`environments 4.5.15 5.2.3`)."""
PYTHON = (3, 11)
NEWER_PYTHON = (3, 13)
"""That of Blender 5.1 and newer."""
ENVIRONMENT_BYTES = 1_300_000_000

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


# Environments


def environment(version: str) -> Path:
    return ROOT / f".venv-bpy-{version}"


def python_of(version: str) -> tuple[int, int]:
    """The Python that this Blender's wheel is for."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return NEWER_PYTHON if (major, minor) >= (5, 1) else PYTHON


def wanted_stamp(version: str) -> dict[str, str]:
    return {"bpy": version, "wheels": " ".join(WHEELS), "root": str(ROOT), "state": "complete"}


def set_up_environment(version: str) -> Path:
    """Bring `.venv-bpy-<version>` to what the tests need; quick when it is there."""
    venv, wanted = environment(version), wanted_stamp(version)
    stamp = read_stamp(venv)
    if stamp == wanted and executable(venv, "python").exists():
        say(f"{venv.name} is up to date")
        return venv
    if shutil.disk_usage(ROOT).free < ENVIRONMENT_BYTES:
        raise SetupError(
            f"Blender {version} as a module takes {ENVIRONMENT_BYTES / 1e9:.1f} GB of disk space."
        )
    started = time.monotonic()
    unfinished = {**wanted, "state": "installing"}
    ours = stamp is not None and {**stamp, "state": ""} == {**wanted, "state": ""}
    if not ours or stamp == unfinished or not works(venv):
        create_venv(venv, unfinished)
    write_stamp(venv, unfinished)
    try:
        pip(
            venv,
            [f"bpy=={version}", *WHEELS, "pytest>=8.4"],
            f"installing Blender {version} as a module (400 MB to download, a few minutes)",
        )
    except SetupError:
        write_stamp(venv, {**wanted, "state": "failed"})
        raise
    write_stamp(venv, wanted)
    say(f"{venv.name} complete in {time.monotonic() - started:.0f} s")
    return venv


def extension_tool() -> list[str]:
    """Command of Blender's own tool for extensions, which comes with every `bpy`."""
    for version in VERSIONS:
        stamp = read_stamp(environment(version))
        if stamp is not None and stamp.get("state") == "complete":
            break
    venv = set_up_environment(version)
    found = sorted(venv.rglob("bl_pkg/cli/blender_ext.py"))
    if not found:
        raise SetupError(f"{venv} lacks Blender's extension tool. Remove that folder and start again.")
    return [str(executable(venv, "python")), "-B", str(found[0])]


# Wheels


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
    return sorted({path.name: path for path in found}.values())


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


# The zip


def addon_version() -> str:
    manifest = tomllib.loads((ADDON / "blender_manifest.toml").read_text(encoding="utf-8"))
    return str(manifest["version"])


def stage(folder: Path, wheels: Sequence[Path], platforms: Sequence[str]) -> None:
    """Lay the extension's files out in `folder`, with the manifest completed."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ADDON, folder, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "*.partial"))
    (folder / "wheels").mkdir()
    for wheel in wheels:
        shutil.copy(wheel, folder / "wheels")
    ours = our_wheel(folder / "wheels")
    names = [f"./wheels/{path.name}" for path in (*wheels, ours)]
    manifest = folder / "blender_manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    place = next(line for line in text.splitlines() if line.startswith("# `platforms`"))
    manifest.write_text(
        text.replace(place, f"platforms = {toml_list(platforms)}\nwheels = {toml_list(names)}"),
        encoding="utf-8",
    )


def toml_list(texts: Sequence[str]) -> str:
    return "[" + "".join(f'\n    "{text}",' for text in texts) + "\n]"


def build(out: Path, platforms: Sequence[str], split: bool = False) -> list[Path]:
    """Build and validate the extension; gives the zips, in `out`."""
    tool = extension_tool()
    work = ROOT / "build" / "blender"
    wheels = download_wheels(work / "wheels", Path(tool[0]), platforms)
    staged = work / "extension"
    stage(staged, wheels, platforms)
    fresh = work / "zips"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    arguments = ["build", "--source-dir", str(staged), "--output-dir", str(fresh)]
    run_tool([*tool, *arguments, *(["--split-platforms"] if split else [])])
    out.mkdir(parents=True, exist_ok=True)
    zips = []
    for path in sorted(fresh.glob("*.zip")):
        run_tool([*tool, "validate", str(path)])
        zips.append(out / path.name)
        os.replace(shutil.copy(path, out / f"{path.name}.partial"), zips[-1])
    return zips


def run_tool(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SetupError(f"Blender's extension tool refused: {(done.stdout + done.stderr).strip()}")


def find_python(wanted: tuple[int, int]) -> str | None:
    """A Python of this version: this one, or one on the PATH that starts."""
    if sys.version_info[:2] == wanted:
        return sys.executable
    for name in (f"python{wanted[0]}.{wanted[1]}", "python3"):
        found = shutil.which(name)
        if found is None:
            continue
        check = f"import sys; sys.exit(sys.version_info[:2] != {wanted})"
        if subprocess.run([found, "-c", check], capture_output=True).returncode == 0:
            return found
    return None


def with_python(wanted: tuple[int, int], arguments: Sequence[str]) -> int | None:
    """Exit code of this script in a Python of that version, which virtual environments are made of; None if
    this is one."""
    python = find_python(wanted)
    if python is None:
        name = f"{wanted[0]}.{wanted[1]}"
        print(
            f"Blender as a module needs Python {name}, which was not found. Install it beside this one "
            f"(on Debian and Ubuntu: sudo apt install python{name}-venv).",
            file=sys.stderr,
        )
        return NO_PYTHON_FOR_BLENDER
    if sys.version_info[:2] == wanted:
        return None
    return subprocess.run([python, str(Path(__file__).resolve()), *arguments]).returncode


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Build the Blender extension, or set up its tests.")
    tasks = parser.add_subparsers(dest="task", required=True)
    building = tasks.add_parser("build", help="build and validate the zip")
    building.add_argument("-o", "--out", type=Path, default=ROOT / "dist", help="folder for it (dist)")
    building.add_argument("--all-platforms", action="store_true", help="wheels of every system in one zip")
    building.add_argument("--split-platforms", action="store_true", help="every system, one zip each")
    environments = tasks.add_parser("environments", help="make .venv-bpy-<version>")
    environments.add_argument("versions", nargs="*", default=VERSIONS)
    known = parser.parse_args(arguments)
    try:
        if known.task == "environments":
            for version in known.versions:
                code = with_python(python_of(version), ["environments", version])
                if code is None:
                    set_up_environment(version)
                elif code:
                    return code
        else:
            if (code := with_python(PYTHON, arguments)) is not None:
                return code
            every = known.all_platforms or known.split_platforms
            platforms = list(PLATFORMS) if every else [this_platform()]
            for path in build(known.out, platforms, known.split_platforms):
                say(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the next run goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
