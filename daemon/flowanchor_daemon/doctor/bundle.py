# SPDX-License-Identifier: Apache-2.0
"""`doctor --bundle`: one zip to send along with a question, with nothing in it that is nobody's business."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from flowanchor.rendezvous import Discovery, RendezvousError
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_client import DaemonUnreachable, ServiceFailure
from flowanchor_client.launch import FAILURE_FILE, LOG_FILE

from flowanchor_core.errors import DeliveryError, InputError
from flowanchor_daemon.doctor.places import Places
from flowanchor_daemon.doctor.redact import Redactor
from flowanchor_daemon.doctor.report import Report
from flowanchor_daemon.doctor.service import FAILURE, connect
from flowanchor_daemon.doctor.versions import LIBRARIES, version_of

TAIL_BYTES: Final = 400_000
"""How much of each log is taken, from its end."""
MOST_JOBS: Final = 50

README = """\
FlowAnchor's report about itself, made by `flowanchor doctor --bundle`.
findings.json: what was looked at. versions.json: Python and its libraries. jobs.json: the newest jobs,
without prompts, names and pictures. logs/: the ends of the logs. Tokens, home folders, names of users and of
this computer, prompts and names of clips have been taken out: [****], ~, [**], [...]; [.] is where the
program lies.
"""


def checked(path: Path) -> Path:
    """The absolute path of a bundle that can be called so; InputError as `write_bundle`."""
    path = path.absolute()
    if path.suffix.lower() != ".zip" or path.is_dir():
        raise InputError("output-name", f"The bundle {path.name} is no zip.", "Give it the ending .zip.")
    if not path.parent.is_dir():
        raise InputError("output-folder-missing", f"There is no folder {path.parent}.", "Make it first.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as failure:
        raise InputError(
            "output-folder-locked",
            f"{path.parent} cannot be written to ({failure.strerror or failure}).",
            "Choose another output.",
        ) from failure
    return path


def write_bundle(path: Path, report: Report, places: Places) -> Path:
    """Write the zip, readable by this user alone; gives its absolute path.

    Raises:
        InputError: `path` is no .zip, exists and is no file, or its folder does not exist or takes no files.
        DeliveryError: it could not be written; nothing is left of it.
    """
    path = checked(path)
    jobs, private = _jobs(places)
    redactor = Redactor.of_this_machine(_tokens(places), private)
    members = {
        "README.txt": README,
        "findings.json": _json(redactor, _findings(report)),
        "versions.json": _json(redactor, _versions()),
        "jobs.json": _json(redactor, jobs),
        **{name: redactor.redact(text) for name, text in _logs(places)},
    }
    try:
        handle, temporary = tempfile.mkstemp(prefix=".flowanchor-", suffix=".partial", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, text in members.items():
                    archive.writestr(name, text.encode("utf-8", "replace"))
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
    except OSError as failure:
        raise DeliveryError(
            "write-failed",
            f"The bundle could not be written to {path.parent} ({failure.strerror or failure}).",
            "Check the folder, its permissions and the disk.",
        ) from failure
    return path


def _json(redactor: Redactor, value: Any) -> str:
    # Texts are redacted before they are escaped, when a name still stands as it is.
    return json.dumps(redactor.redact_all(value), indent=1, ensure_ascii=False) + "\n"


def _findings(report: Report) -> dict[str, Any]:
    plain = report.as_json()
    for finding in plain["findings"]:
        if finding["name"].startswith(FAILURE):
            finding["text"] = ""  # can quote a prompt; the code is in the name
    return plain


def _versions() -> dict[str, Any]:
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "variables": sorted(name for name in os.environ if name.startswith(("FLOWANCHOR_", "CUDA_", "OMP_"))),
        "libraries": {name: version_of(name) for name in ("flowanchor", *LIBRARIES)},
    }


def _tokens(places: Places) -> Iterator[str]:
    with contextlib.suppress(RendezvousError):
        if (found := Discovery.read(places.runtime)) is not None:
            yield found.token


def _jobs(places: Places) -> tuple[dict[str, Any], list[str]]:
    """The newest jobs, and the user's own words in them, to be taken out of all else."""
    try:
        client = connect(places)
        if client is None:
            return {"note": "no daemon was running"}, []
        private: list[str] = []
        with client:
            jobs = list(client.jobs(limit=MOST_JOBS))
            for job in jobs:
                update = client.job(job.id)
                if update is not None:
                    private += _words_of(update.job)
    except (ServiceFailure, RendezvousError) as failure:
        kind = "unreachable" if isinstance(failure, DaemonUnreachable) else "not answering"
        return {"note": f"the daemon was {kind} ({failure.code})"}, []
    return {"jobs": [_describe(job) for job in jobs]}, private


def _words_of(job: jobs_pb2.Job) -> Iterator[str]:
    """Prompts, target words and file names of a job."""
    edit = job.request
    yield from (edit.source_prompt, edit.target_prompt, edit.negative_prompt, job.label)
    yield from (*edit.words, *job.result.target_words)
    for clip in (edit.clip, *edit.masks):
        for media in (clip.movie, *clip.images.frames):
            yield media.name


def _describe(job: jobs_pb2.Job) -> dict[str, Any]:
    """A job in what can be told of it: numbers, ids, codes."""
    described: dict[str, Any] = {
        "id": job.id,
        "state": jobs_pb2.JobState.Name(job.state),
        "priority": job.priority,
        "client": job.client,
        "created_ms": job.created_ms,
        "started_ms": job.started_ms,
        "finished_ms": job.finished_ms,
        "attempts": [
            {
                "number": attempt.number,
                "outcome": attempt.outcome,
                "memory_plan": attempt.memory_plan,
                "resumed_at": attempt.resumed_at,
                "milliseconds": max(0, attempt.ended_ms - attempt.started_ms) if attempt.ended_ms else None,
            }
            for attempt in job.attempts
        ],
        "notices": [notice.code for notice in job.notices],
        "artifact_bytes": [artifact.bytes for artifact in job.artifacts],
    }
    if job.HasField("failure"):
        described["failure"] = {
            "code": job.failure.code,
            "kind": types_pb2.FailureKind.Name(job.failure.kind),
        }
    if job.HasField("result"):
        result = job.result
        described["result"] = {
            "editor": result.editor,
            "model": result.model,
            "preset": result.preset,
            "frames": result.frames,
            "forwards": result.forwards,
            "windows": result.windows,
            "model_size": [result.model_width, result.model_height],
            "memory_plan": result.memory_plan,
            "device": result.device,
            "seconds": dict(result.seconds),
        }
    return described


def _logs(places: Places) -> Iterator[tuple[str, str]]:
    files = {
        "logs/daemon.log": places.state.daemon_log,
        "logs/engine.log": places.state.engine_log,
        "logs/start.log": places.runtime / LOG_FILE,
        "logs/start-failed.json": places.runtime / FAILURE_FILE,
    }
    for name, path in files.items():
        with contextlib.suppress(FileNotFoundError):
            yield name, tail(path, TAIL_BYTES)


def tail(path: Path, most: int) -> str:
    """The last whole lines of a text file, `most` bytes of it at most.

    A line that was cut could hold half of a token, which nothing would recognise.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - most))
            content = file.read(most)
    except FileNotFoundError:
        raise
    except OSError as failure:
        return f"(could not be read: {failure.strerror})\n"
    if size > most:
        content = content.partition(b"\n")[2]
    return content.decode("utf-8", "replace")
