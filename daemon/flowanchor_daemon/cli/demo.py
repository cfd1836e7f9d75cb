# SPDX-License-Identifier: Apache-2.0
"""`flowanchor demo`: edit a small clip of two things, once each, and say what came of it."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowanchor_daemon.cli import edit_job
from flowanchor_daemon.cli.connected import connected
from flowanchor_daemon.cli.edit import runs_of_the_model
from flowanchor_daemon.cli.notation import whole_number
from flowanchor_daemon.cli.outcome import reported
from flowanchor_daemon.cli.progress import reporter

if TYPE_CHECKING:
    from flowanchor_core.progress import EditResult


@dataclass(frozen=True)
class Seen:
    """A thing after an edit. `share` of its pixels are nearer to the `wanted` colour than to any other."""

    name: str
    wanted: str
    share: float
    edited: bool


def demo(
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            metavar="FOLDER",
            help="Folder for the clip, a timeline of it, the results and the sheets.",
        ),
    ] = Path("flowanchor-demo"),
    model: Annotated[
        str, typer.Option(metavar="NAME", help="Name of a model, or path of a folder.")
    ] = "shapes",
    seed: Annotated[
        int, typer.Option(metavar="N", parser=whole_number, help="Number that fixes the noise.")
    ] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Last line of output: the results as JSON.")
    ] = False,
) -> None:
    """Edit a small clip of two moving things, first one, then the other."""
    with reported(as_json):
        from flowanchor_core.footage.preflight import make_folder

        started = time.monotonic()
        make_folder(out)
        print("Drawing the demo's clip.", file=sys.stderr, flush=True)
        from flowanchor_core.request import DeliverySettings, EditRequest, RegionSettings
        from flowanchor_core.shapes.demo import demo_clip

        clip = demo_clip(out)
        write_timeline(out / "two-things.otio", clip.clip)
        told = []
        print(f'{clip.clip}: "{clip.source_prompt}"')
        for edit in clip.edits:
            request = EditRequest(
                clip=clip.clip,
                delivery=DeliverySettings(out / f"{edit.name}-edited.mkv", "full", "ffv1"),
                source_prompt=clip.source_prompt,
                target_prompt=edit.target_prompt,
                words=edit.words,
                masks=(edit.mask,),
                model=model,
                seed=seed,
                region=RegionSettings(feather=2),
                sheet=out / f"{edit.name}-sheet.png",
            )
            plan = edit_job.planned(request)
            with reporter() as show, connected(show) as client:
                result = edit_job.run(client, plan, "auto", 0, show)
            things = look_at(result.output, edit.name, {other.name: other.mask for other in clip.edits})
            told.append({**result.to_json(), "things": [vars(thing) for thing in things]})
            if not as_json:
                _print_edit(edit.target_prompt, result, things)
        if as_json:
            print(json.dumps({"edits": told, "seconds": round(time.monotonic() - started, 3)}))
        else:
            print(f"\n{time.monotonic() - started:.0f} s in all")


def write_timeline(path: Path, clip: Path) -> None:
    """A timeline with the whole clip on one track, for `flowanchor timeline edit` to be tried on."""
    import opentimelineio as otio  # type: ignore[import-untyped]

    from flowanchor_core.footage import probe

    info = probe(clip)
    frames = otio.opentime.TimeRange(
        otio.opentime.RationalTime(0, float(info.rate)),
        otio.opentime.RationalTime(info.frames, float(info.rate)),
    )
    media = otio.schema.ExternalReference(clip.absolute().as_uri(), frames)
    track = otio.schema.Track("V1", [otio.schema.Clip(clip.stem, media, frames)], kind="Video")
    timeline = otio.schema.Timeline(clip.stem)
    timeline.tracks.append(track)
    whole = path.with_name(f"{path.name}.partial")
    otio.adapters.write_to_file(timeline, str(whole), "otio_json")
    whole.replace(path)


def look_at(path: Path, edited: str, masks: dict[str, Path]) -> list[Seen]:
    """What the written file shows of every thing: its pixels over the whole clip, away from its rim."""
    import cv2
    import numpy as np

    from flowanchor_core.footage import frame_to_rgb, open_mask, probe, read_frames
    from flowanchor_core.shapes.demo import SCENE, WANTED
    from flowanchor_core.shapes.world import BACKGROUNDS, COLOURS

    names = [*COLOURS, *BACKGROUNDS]
    palette = np.array([*COLOURS.values(), *BACKGROUNDS.values()], np.float32)
    clip = probe(path)
    last = clip.frames - 1
    pictures = [frame_to_rgb(frame, clip.colour) for frame in read_frames(clip, 0, last)]
    seen = []
    for thing, wanted in zip(SCENE.things, WANTED, strict=True):
        inner = [
            cv2.erode(mask.astype(np.uint8), np.ones((3, 3)))
            for mask in open_mask(masks[thing.shape], clip, 0, last)
        ]
        pixels = np.concatenate([picture[mask > 0] for picture, mask in zip(pictures, inner, strict=True)])
        nearest = np.square(pixels[:, None] - palette).sum(axis=2).argmin(axis=1)
        changed = thing.shape == edited
        colour = wanted if changed else thing.colour
        seen.append(Seen(thing.shape, colour, float((nearest == names.index(colour)).mean()), changed))
    return seen


def _print_edit(target: str, result: EditResult, things: list[Seen]) -> None:
    total = sum(result.seconds.values())
    print(f'\n"{target}"')
    for thing in things:
        role = "to become" if thing.edited else "to stay"
        print(f"  the {thing.name}, {role} {thing.wanted}: {thing.share:.0%} of its pixels are")
    print(f"  largest difference outside the region and its soft edge: {result.max_abs_diff_outside}")
    print(f"  {result.frames} frames, {runs_of_the_model(result.forwards)}, {total:.1f} s")
    print(f"  result: {result.output}")
    print(f"  contact sheet: {result.sheet}")
