# SPDX-License-Identifier: Apache-2.0
"""`flowanchor edit`: one clip, one region, two prompts."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from flowanchor_core.errors import InputError
from flowanchor_daemon.cli.outcome import reported
from flowanchor_daemon.cli.progress import reporter

if TYPE_CHECKING:
    from flowanchor_core.masks import Box
    from flowanchor_core.progress import EditResult

# What a name ending says about the format, by delivery; the first one of each is the default.
FULL_FORMATS = {".mp4": "h264", ".mov": "prores", ".mkv": "ffv1", ".png": "png"}
PATCH_FORMATS = {".mov": "prores4444", ".png": "png"}


def edit(
    clip: Annotated[
        Path, typer.Argument(help="Movie file, or numbered image sequence (folder or name.%04d.png).")
    ],
    source: Annotated[str, typer.Option(help="What the clip shows now.")],
    target: Annotated[str, typer.Option(help="What it should show.")],
    mask: Annotated[
        list[Path] | None,
        typer.Option(
            help="Region as clip, image sequence or single image, white inside. Several: their union."
        ),
    ] = None,
    box: Annotated[
        list[str] | None, typer.Option(metavar="X,Y,W,H", help="Region as a rectangle in the clip's pixels.")
    ] = None,
    words: Annotated[
        str | None,
        typer.Option(
            help="Words of the target prompt that drive the edit, by commas; else where prompts differ."
        ),
    ] = None,
    frames: Annotated[
        str | None, typer.Option(metavar="A-B", help="Frames to edit, from 0, both ends included; else all.")
    ] = None,
    rate: Annotated[
        str | None, typer.Option(help="Frames a second of an image sequence, such as 24000/1001.")
    ] = None,
    editor: Annotated[str, typer.Option(help="Editing method.")] = "flowanchor",
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter of the method. Repeatable.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="Name of a model, or path of a diffusers-layout folder.")
    ] = "shapes",
    preset: Annotated[str, typer.Option(help="draft, standard or final.")] = "standard",
    steps: Annotated[
        int | None, typer.Option(help="Steps of the schedule, in place of the preset's.")
    ] = None,
    skip: Annotated[
        int | None, typer.Option(help="Steps left out at the noisy end; more keeps more.")
    ] = None,
    shift: Annotated[float | None, typer.Option(help="Shift of the schedule towards noise.")] = None,
    negative: Annotated[str | None, typer.Option(help="Negative prompt, in place of the model's.")] = None,
    seed: Annotated[int, typer.Option(help="Number that fixes the noise.")] = 0,
    margin: Annotated[
        float, typer.Option(help="Surroundings the model sees, as a share of the region.")
    ] = 0.25,
    mode: Annotated[
        Literal["detail", "fast"], typer.Option(help="Scale the crop to the model's size, or keep its scale.")
    ] = "detail",
    grow: Annotated[int, typer.Option(help="Pixels by which the region may grow.")] = 0,
    feather: Annotated[int, typer.Option(help="Width of the soft edge outside the region, in pixels.")] = 8,
    deliver: Annotated[
        Literal["full", "patch"], typer.Option(help="Whole frames, or the region with its matte as alpha.")
    ] = "full",
    out_format: Annotated[
        str | None,
        typer.Option(
            "--format", help="h264, prores, ffv1, png; patch: prores4444, png. Else by the name's ending."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Output file, or pattern for images.")
    ] = None,
    sheet: Annotated[Path | None, typer.Option(help="Write a contact sheet to this PNG.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Last line of output: the result as JSON.")] = False,
) -> None:
    """Edit the marked region of CLIP so that SOURCE becomes TARGET; everything outside stays as it is."""
    with reported(as_json):
        from flowanchor_core.request import DeliverySettings, EditRequest, RegionSettings
        from flowanchor_daemon.cli.session import Session

        first, last = parse_frames(frames)
        file_format, path = output_for(clip, deliver, out_format, out)
        request = EditRequest(
            clip=clip,
            delivery=DeliverySettings(out=path, kind=deliver, format=file_format),
            source_prompt=source,
            target_prompt=target,
            masks=tuple(mask or ()),
            geometry=tuple(parse_box(text) for text in box or ()),
            first=first,
            last=last,
            rate=parse_rate(rate),
            words=parse_words(words),
            negative_prompt=negative,
            editor=editor,
            params=dict(parse_param(text) for text in param or ()),
            model=model,
            preset=preset,
            steps=steps,
            shift=shift,
            skip=skip,
            seed=seed,
            region=RegionSettings(margin=margin, mode=mode, grow=grow, feather=feather),
            sheet=sheet,
        )
        with reporter() as show:
            result = Session(device).run(request, show)
        print_result(result, as_json)


def print_result(result: EditResult, as_json: bool) -> None:
    """The outcome on standard output: one JSON line, or the same facts to read."""
    if as_json:
        print(json.dumps(result.to_json(), ensure_ascii=False))
        return
    total = sum(result.seconds.values())
    phases = ", ".join(f"{phase} {spent:.1f}" for phase, spent in result.seconds.items())
    print(f"{result.output}")
    count = "1 frame" if result.frames == 1 else f"{result.frames} frames"
    print(f"  {count} at {result.rate}, {result.deliver} as {result.format}")
    steps, skip = result.sampling["steps"], result.sampling["skip"]
    how = f"{result.editor} with {result.model}, {result.preset}, {steps} steps of which {skip} are skipped"
    print(f"  {how}, seed {result.seed}: {result.forwards} runs of the transformer")
    print(f"  largest difference outside the region: {result.max_abs_diff_outside}{_why(result)}")
    print(f"  {total:.1f} s ({phases})")
    if result.sheet is not None:
        print(f"  contact sheet: {result.sheet}")
    for text in result.notices:
        print(f"  Note: {text}")


def _why(result: EditResult) -> str:
    """Where the codec, not the edit, changed what lies outside."""
    if result.max_abs_diff_outside == 0 or result.deliver == "patch":
        return ""
    return f" ({result.format} compresses the whole frame again; ffv1, png or --deliver patch leave it exact)"


def parse_frames(text: str | None) -> tuple[int, int | None]:
    """ "24-64" -> (24, 64); "24-" -> (24, None); "24" -> (24, 24); None -> (0, None)."""
    if text is None:
        return 0, None
    found = re.fullmatch(r"(\d{1,9})(-(\d{0,9}))?", text.strip())
    if found is None:
        raise InputError(
            "frames-syntax", f"'{text[:40]}' is no range of frames.", "Write it as 24-64, counted from 0."
        )
    first = int(found[1])
    if found[2] is None:
        return first, first
    return first, int(found[3]) if found[3] else None


def parse_rate(text: str | None) -> Fraction | None:
    """ "24", "23.976" or "24000/1001", exactly as written."""
    if text is None:
        return None
    # Not whatever Fraction takes: "1e999999999" would keep it busy for hours.
    found = re.fullmatch(r"\d{1,9}(\.\d{1,9})?|\d{1,9}/0*[1-9]\d{0,8}", text.strip())
    if found is None:
        raise InputError("rate-syntax", f"'{text[:40]}' is no rate.", "Write it as 24 or 24000/1001.")
    return Fraction(found[0])


def parse_box(text: str) -> Box:
    """ "x,y,w,h" in whole pixels."""
    from flowanchor_core.masks import Box

    found = re.fullmatch(r"(-?\d{1,9}),(-?\d{1,9}),(\d{1,9}),(\d{1,9})", text.replace(" ", ""))
    if found is None:
        raise InputError(
            "box-syntax", f"'{text[:40]}' is no box.", "Write it as x,y,width,height in pixels: 40,30,120,90."
        )
    x, y, width, height = map(int, found.groups())
    return Box(x, y, width, height)


def parse_words(text: str | None) -> tuple[str, ...] | None:
    """ "red, ball" -> ("red", "ball"); None when the difference of the prompts decides."""
    if text is None:
        return None
    found = tuple(word.strip() for word in text.split(",") if word.strip())
    if not found:
        raise InputError(
            "words-empty", "--words is empty.", "Name words of the target prompt or leave it out."
        )
    return found


def parse_param(text: str) -> tuple[str, Any]:
    """ "tau=0.5" -> ("tau", 0.5); numbers, true and false by their looks, anything else is text."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise InputError("param-syntax", f"'{text}' is no parameter.", "Write it as name=value: tau=0.6.")
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        parsed = value
    return name.strip(), parsed if isinstance(parsed, int | float) else value


def output_for(
    clip: Path, deliver: Literal["full", "patch"], out_format: str | None, out: Path | None
) -> tuple[str, Path]:
    """Format and path of the output; where --format is silent the name's ending decides."""
    formats = FULL_FORMATS if deliver == "full" else PATCH_FORMATS
    known = tuple(formats.values())
    if out_format is not None and out_format not in known:
        raise InputError(
            "unknown-format",
            f"'{out_format}' is no format for the delivery '{deliver}'.",
            f"Use {', '.join(known)}.",
        )
    if out is None:
        chosen = out_format or known[0]
        ending = {value: key for key, value in formats.items()}[chosen]
        stem = re.sub(r"[._-]?%0?\d*d$", "", clip.stem) or "clip"
        name = f"{stem}-{deliver}.%04d.png" if chosen == "png" else f"{stem}-{deliver}{ending}"
        return chosen, clip.parent / name
    chosen = out_format or formats.get(out.suffix.lower(), "")
    if not chosen:
        raise InputError(
            "unknown-format",
            f"The ending of {out.name} does not name a format for the delivery '{deliver}'.",
            f"Use {', '.join(formats)} or say --format.",
        )
    return chosen, out
