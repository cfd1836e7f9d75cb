# SPDX-License-Identifier: Apache-2.0
"""Bring a job's results to where the user wants them, and say what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_client import Client, ServiceFailure
from flowanchor_client.transfer import Progress

from flowanchor_core.progress import PHASES, EditResult
from flowanchor_daemon.cli.edit_upload import plain_value


def results_of(job: jobs_pb2.Job) -> list[jobs_pb2.Artifact]:
    """The files of the edited frames, in order."""
    return [found for found in job.artifacts if found.kind == jobs_pb2.ARTIFACT_KIND_RESULT]


def sheet_of(job: jobs_pb2.Job) -> jobs_pb2.Artifact | None:
    """The contact sheet, if one was made."""
    return next((found for found in job.artifacts if found.kind == jobs_pb2.ARTIFACT_KIND_SHEET), None)


def deliver(
    client: Client,
    job: jobs_pb2.Job,
    targets: Sequence[Path],
    out: Path,
    sheet: Path | None,
    progress: Progress | None = None,
) -> EditResult:
    """Fetch the results of a job that has succeeded to `targets`, whole or not at all.

    A sheet that cannot be written costs only itself: a notice of the result says so.

    Args:
        client: where the job is.
        job: with its artifacts.
        targets: a name for every file of the result.
        out: the output as the user named it, for the result.
        sheet: where the contact sheet goes.
        progress: told bytes done and bytes in all.

    Raises:
        ServiceFailure: the results could not be fetched or written.
    """
    artifacts = results_of(job)
    if len(artifacts) != len(targets):
        raise ServiceFailure(
            "write-failed",
            f"The job made {len(artifacts)} files, where {len(targets)} were expected.",
            "Fetch them into a folder with `flowanchor jobs fetch`.",
            types_pb2.FAILURE_KIND_DELIVERY,
        )
    if job.result.format == "png":
        client.download_images(job.id, artifacts, targets, progress)
    else:
        client.download(job.id, artifacts[0], targets[0], progress)
    result = edit_result(job, out)
    made = sheet_of(job)
    if sheet is None or made is None:
        return result
    try:
        client.download(job.id, made, sheet)
    except ServiceFailure as failure:
        if failure.kind != types_pb2.FAILURE_KIND_DELIVERY:
            raise
        return replace(
            result, notices=(*result.notices, f"The contact sheet was not written: {failure.message}")
        )
    return replace(result, sheet=sheet)


def edit_result(job: jobs_pb2.Job, out: Path) -> EditResult:
    """What a job that has succeeded tells of its edit, without a sheet, as the core would have told it."""
    made = job.result
    seconds = {phase: made.seconds[phase] for phase in ("load", *PHASES) if phase in made.seconds}
    crop = made.crop
    return EditResult(
        job=job.id,
        editor=made.editor,
        model=made.model,
        preset=made.preset,
        seed=made.seed,
        frames=made.frames,
        rate=Fraction(made.rate.numerator, made.rate.denominator),
        start_timecode=made.start_timecode if made.HasField("start_timecode") else None,
        output=out,
        deliver=made.deliver,
        format=made.format,
        max_abs_diff_outside=made.max_abs_diff_outside,
        forwards=made.forwards,
        seconds={**seconds, **{key: value for key, value in made.seconds.items() if key not in seconds}},
        settings={name: plain_value(value) for name, value in sorted(made.settings.items())},
        sampling={
            name: plain_value(made.sampling[name])
            for name in ("steps", "skip", "shift")
            if name in made.sampling
        },
        crop=(round(crop.x), round(crop.y), round(crop.width), round(crop.height)),
        model_size=(made.model_width, made.model_height),
        windows=made.windows,
        target_words=tuple(made.target_words),
        audio=made.audio,
        sheet=None,
        notices=tuple(notice.text for notice in made.notices),
    )
