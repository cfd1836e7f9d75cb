# SPDX-License-Identifier: Apache-2.0
"""Where the results of a job go that was left to itself: to the names asked for then, or to new ones."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flowanchor.v1 import jobs_pb2

from flowanchor_core.errors import InputError
from flowanchor_daemon.cli.delivery import results_of
from flowanchor_daemon.cli.notation import free

UNNAMED = "unnamed"
"""Kept with a job whose output the user gave no name: then nothing of that name is replaced."""
READS = "reads"
"""Kept with a job: the clip and the masks it was made of, which no result may replace."""

_PLACE = re.compile(r"%0?(\d*)d|(#+)")
_NUMBER = re.compile(r"(\d+)(?=\.[^.]*$)")


def destination(job: jobs_pb2.Job, out: Path | None, sheet: Path | None) -> tuple[Path, Path | None]:
    """Output and contact sheet: as given, else as asked for when the job was submitted from this command.

    A job that repeats or varies another one has that one's names, and a name may not be the user's own: such
    names are counted on (`name-2`) where they are taken.

    InputError if neither says where.
    """
    asked = asked_for(job)
    if out is None:
        if "out" not in asked:
            raise InputError("output-name", f"The job {job.id} does not say where to.", "Give -o a name.")
        out = Path(asked["out"])
        if job.parent or UNNAMED in asked:
            out = free(out)
        if sheet is None and "sheet" in asked:
            sheet = free(Path(asked["sheet"])) if job.parent else Path(asked["sheet"])
    return out, sheet


def targets(job: jobs_pb2.Job, out: Path) -> list[Path]:
    """A name for every file of a job's result.

    A movie is called `out`, which must end as the movie does. Images go by a pattern (`name.%04d.png`,
    `name.####.png`) into its folder, else into the folder `out`, numbered as the clip's are; nothing that
    exists is replaced.

    Raises:
        InputError: `out` cannot be used.
    """
    found = results_of(job)
    if not found:
        raise InputError(
            "job-not-finished", f"The job {job.id} has no result.", "See `flowanchor jobs list`."
        )
    if not out.parent.is_dir():
        raise InputError("output-folder-missing", f"There is no folder {out.parent}.", "Make it first.")
    suffix = os.path.splitext(found[0].name)[1].lower()
    if job.result.format == "png":
        return _image_targets(found, out)
    if out.is_dir():
        return [out / Path(found[0].name).name]
    if out.suffix.lower() != suffix:
        raise InputError("output-name", f"The result is a {suffix} file, {out.name} is not.", "Rename it.")
    return [out]


def check_places(job: jobs_pb2.Job, files: Sequence[Path], sheet: Path | None) -> None:
    """Raise InputError if the files of a result or the contact sheet would replace what the edit was made of,
    or each other, or if the sheet cannot be written."""
    from flowanchor_core.edit_plan import check_sheet
    from flowanchor_core.footage import files_of, refuse_overlap

    check_sheet(sheet)
    reads = _context(job).get(READS)
    inputs = [Path(name) for name in reads if isinstance(name, str)] if isinstance(reads, list) else []
    read = [file for path in inputs if path.exists() for file in files_of(path)]
    refuse_overlap(read, (*files, *(() if sheet is None else (sheet,))))


def _image_targets(found: Sequence[jobs_pb2.Artifact], out: Path) -> list[Path]:
    numbers = []
    for place, artifact in enumerate(found):
        match = _NUMBER.search(artifact.name)
        numbers.append(int(match[1]) if match else place)
    place_in_name = _PLACE.search(out.name)
    if place_in_name is not None:
        digits = len(place_in_name[2]) if place_in_name[2] else int(place_in_name[1] or 1)
        before, after = out.name[: place_in_name.start()], out.name[place_in_name.end() :]
        names = [out.parent / f"{before}{number:0{digits}d}{after}" for number in numbers]
        taken = next((path for path in names if path.exists()), None)
    else:
        names = [out / f"{out.name}.{number:06d}.png" for number in numbers]
        if out.exists() and not out.is_dir():
            raise InputError("output-name", f"{out} is a file.", "Name a folder for the images.")
        taken = next(iter(out.iterdir()), None) if out.is_dir() else None
    if taken is not None:
        raise InputError(
            "output-exists",
            f"{taken.parent} already holds {taken.name}, and nothing in it is replaced.",
            "Choose another name or folder.",
        )
    return names


def asked_for(job: jobs_pb2.Job) -> dict[str, str]:
    """The names this command kept with the job; nothing for another host's."""
    raw = _context(job)
    return {key: raw[key] for key in ("out", "sheet", UNNAMED) if isinstance(raw.get(key), str)}


def _context(job: jobs_pb2.Job) -> dict[str, Any]:
    if job.client != "cli":
        return {}
    try:
        raw = json.loads(job.request.host_context)
    except (ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, dict) else {}
