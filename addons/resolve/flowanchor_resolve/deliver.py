# SPDX-License-Identifier: Apache-2.0
"""Renders a range of the timeline through Resolve's Deliver page.

Render settings lie on top of whatever preset was loaded before, so all that matters is set by us, the job
is read back before it starts, and the file is looked into when it is done.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowanchor_resolve.calls import Calls
from flowanchor_resolve.edition import Edition, check_renderable
from flowanchor_resolve.frames import Span, is_timecode_of, timecode_of_frame
from flowanchor_resolve.host import Probe, Probed, Say, Selection
from flowanchor_resolve.keep import kept, preset_names
from flowanchor_resolve.opened import Opened
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.volumes import render_folder
from flowanchor_resolve.watch import Watch

FORMAT = "mov"
OPAQUE_CODECS = ("ProRes422HQ", "ProRes4444", "DNxHRHQX_10", "DNxHRHQX_12", "DNxHRHQX", "DNxHR444")
ALPHA_CODECS = ("ProRes4444", "ProRes4444XQ")
"""Codecs by the ids Resolve gives them, the best first; ProRes is not offered on every system."""
BASE_PRESETS = ("H.264 Master", "ProRes 422 HQ", "H.265 Master")
"""Presets of Resolve's own that export pictures; the first that is there is what our settings lie on, since
what a preset brings along unseen, such as sound only, cannot be set."""


@dataclass(frozen=True)
class Order:
    """What is to be rendered."""

    selection: Selection
    name: str
    """Of the file at the end, without its suffix."""
    folder: Path
    """Where the file is to lie at the end."""
    wanted: Callable[[str, int, bool], bool]
    """Which tracks are seen; see `Kept.show_only`."""
    alpha: bool = False
    """Keep the picture's transparency."""

    @property
    def span(self) -> Span:
        return Span(self.selection.start, self.selection.end)


@dataclass(frozen=True)
class Delivery:
    """Renders with one Resolve. Its timeline is current and its Deliver page open (`at_work`)."""

    opened: Opened
    edition: Edition
    probe: Probe
    say: Say
    watch: Watch

    def render(self, order: Order) -> tuple[Path, Probed]:
        """A movie of exactly the range, and what it holds. Everything in Resolve is put back, on failure and
        interruption too.

        Raises:
            ResolveProblem: "resolve-studio-needed", "resolve-rendering", "resolve-codec-missing",
                "resolve-no-volume", "resolve-job-differs", "resolve-render-failed",
                "resolve-render-cancelled", "resolve-render-stalled", "resolve-render-empty",
                "resolve-render-differs", "resolve-no-alpha", "resolve-refused", "resolve-dialog-open", or
                what the probe raises.
        """
        chosen = order.selection
        check_renderable(self.edition, chosen.width, chosen.height, float(chosen.rate))
        calls, project = self.opened.calls, self.opened.project
        if calls.ask(project, "IsRenderingInProgress"):
            raise ResolveProblem(
                "resolve-rendering", "Resolve is rendering.", "Wait until it has finished, then try again."
            )
        codec = self._codec(order.alpha)
        with (
            render_folder(calls, order.folder) as folder,
            kept(self.opened, self.edition, self.watch, self.say) as keep,
        ):
            keep.render_folder = folder
            keep.show_only(order.wanted)
            self._set_up(order, folder, codec)
            job = self._add_job()
            keep.own_jobs.append(job)
            self.opened.check_current()  # whose job it is
            certain = self._check_job(job, order, folder)
            calls.need("start rendering", project, "StartRendering", [job], False)
            self.watch.until_done(self.opened, job, self.say)
            file = _only_file(folder, calls, self.watch)
            probed = self.probe(file)
            _check_file(probed, order, certain)
            target = order.folder / f"{order.name}{file.suffix}"
            _move(file, target)
        return target, probed

    def _codec(self, alpha: bool) -> str:
        """The best codec there is, by its id.

        Raises:
            ResolveProblem: "resolve-codec-missing".
        """
        calls, project = self.opened.calls, self.opened.project
        formats = calls.table(project, "GetRenderFormats")
        if not formats:
            calls.check_answering()
        offered: set[str] = set()
        if FORMAT in {str(name).lower() for pair in formats.items() for name in pair}:
            offered = {str(code) for code in calls.table(project, "GetRenderCodecs", FORMAT).values()}
        wanted = ALPHA_CODECS if alpha else OPAQUE_CODECS
        for codec in wanted:
            if codec in offered:
                return codec
        raise ResolveProblem(
            "resolve-codec-missing",
            f"This Resolve renders QuickTime with none of {', '.join(wanted)}.",
            "Mark the region on a track named FA MASK instead."
            if alpha
            else "Export the timeline as OTIO and use `flowanchor timeline edit`.",
        )

    def _set_up(self, order: Order, folder: Path, codec: str) -> None:
        """Each kind of setting goes by itself: Resolve refuses all keys together for one it does not like."""
        calls, project, chosen = self.opened.calls, self.opened.project, order.selection
        first, last = order.span.marks()
        base = next((name for name in BASE_PRESETS if name in preset_names(self.opened)), None)
        if base is not None:
            calls.need(f'load its render preset "{base}"', project, "LoadRenderPreset", base)
        calls.need("choose a single clip as render mode", project, "SetCurrentRenderMode", 1)
        self._choose(codec)
        # First and alone: among other keys it is ignored where the loaded preset exports sound only.
        self._set("switch the export of pictures on", {"ExportVideo": True})
        self._set("switch the export of sound off", {"ExportAudio": False})
        self._set("take the range", {"SelectAllFrames": False, "MarkIn": first, "MarkOut": last})
        self._set("take the folder", {"TargetDir": str(folder)})
        self._set("take the size", {"FormatWidth": chosen.width, "FormatHeight": chosen.height})
        self._set("switch alpha", {"ExportAlpha": order.alpha})
        # What Resolve has by itself, unless a preset says otherwise; the job and the file are compared.
        wishes: list[dict[str, Any]] = [
            {"FrameRate": round(float(chosen.rate), 3)},
            {"PixelAspectRatio": self.opened.setting("timelinePixelAspectRatio") or "square"},
            {"ColorSpaceTag": "Same as Project"},
            {"GammaTag": "Same as Project"},
        ]
        for wish in wishes:
            calls.ask(project, "SetRenderSettings", wish)
        self._choose(codec)  # again, since settings may take it back to what the preset had

    def _set(self, tried: str, settings: dict[str, Any]) -> None:
        self.opened.calls.need(tried, self.opened.project, "SetRenderSettings", settings)

    def _add_job(self) -> str:
        """A job with the settings as they are; it is refused for a while after the page was opened."""
        calls, project = self.opened.calls, self.opened.project
        job = self.watch.settled(calls, lambda: calls.ask(project, "AddRenderJob"))
        return str(job or calls.need("add a job to the render queue", project, "AddRenderJob"))

    def _choose(self, codec: str) -> None:
        calls, project = self.opened.calls, self.opened.project
        calls.need(
            "choose the render format and codec", project, "SetCurrentRenderFormatAndCodec", FORMAT, codec
        )
        now = calls.table(project, "GetCurrentRenderFormatAndCodec")
        if now.get("codec") != codec:
            calls.check_answering()
            raise ResolveProblem(
                "resolve-codec-missing",
                f"Resolve was asked to render {codec} and chose {now.get('codec')}.",
                "Choose QuickTime and this codec on the Deliver page once, then try again.",
            )

    def _check_job(self, job: str, order: Order, folder: Path) -> bool:
        """Compare the job with what was asked, before it starts.

        Returns:
            Whether it states its range; else the file's timecode has to prove it.

        Raises:
            ResolveProblem: "resolve-job-differs".
        """
        calls = self.opened.calls
        jobs = calls.tables(self.opened.project, "GetRenderJobList")
        stated = next((one for one in jobs if str(one.get("JobId")) == job), None)
        if stated is None:
            calls.check_answering()
            raise ResolveProblem(
                "resolve-job-differs",
                "The render job is missing from Resolve's queue.",
                "Look at the Deliver page, then try again.",
            )
        chosen = order.selection
        first, last = order.span.marks()
        expected = {
            "MarkIn": first,
            "MarkOut": last,
            "IsExportVideo": True,
            "FormatWidth": chosen.width,
            "FormatHeight": chosen.height,
            "TargetDir": str(folder),
        }
        for key, value in expected.items():
            if key in stated and not _same(stated[key], value):
                raise ResolveProblem(
                    "resolve-job-differs",
                    f"The render job has {key} {stated[key]} where {value} was asked for.",
                    "Reset the settings on the Deliver page, then try again.",
                )
        return "MarkIn" in stated and "MarkOut" in stated


def _move(file: Path, target: Path) -> None:
    try:
        shutil.move(str(file), str(target))
    except OSError as error:
        raise ResolveProblem(
            "resolve-disk",
            f"The rendered movie cannot be moved to {target.parent}: {error.strerror or error}.",
            "Make room or check the folder, then try again.",
        ) from error


def _same(stated: Any, value: Any) -> bool:
    if isinstance(value, bool):
        return bool(stated) == value
    if isinstance(value, int):
        return str(stated).split(".")[0] == str(value)
    return Path(str(stated)) == Path(str(value))


def _only_file(folder: Path, calls: Calls, watch: Watch) -> Path:
    """What was rendered, whatever it is named; it may appear a little after the job has ended."""

    def listed() -> list[Path]:
        return sorted(path for path in folder.iterdir() if path.is_file() and path.stat().st_size)

    files: list[Path] = watch.settled(calls, listed)
    if len(files) == 1:
        return files[0]
    raise ResolveProblem(
        "resolve-render-empty",
        f"Resolve says that it has rendered, and left {len(files)} files where one was expected.",
        "Look at the Deliver page: the settings for individual clips or for file names may be on.",
    )


def _check_file(probed: Probed, order: Order, certain: bool) -> None:
    """Compare what was rendered with what was asked."""
    chosen = order.selection
    if unlike := probed.unlike(chosen):
        what, found, wanted = unlike
        raise ResolveProblem(
            "resolve-render-differs",
            f"Resolve rendered {found} {what} where {wanted} were asked for.",
            "Reset the settings on the Deliver page, then try again.",
        )
    timecode = timecode_of_frame(chosen.start, chosen.rate, chosen.drop_frame)
    if not certain and not is_timecode_of(probed.start_timecode, timecode):
        raise ResolveProblem(
            "resolve-render-differs",
            f"It cannot be proved that Resolve rendered from {timecode} on.",
            "Set the timecode of renders to that of the timeline on the Deliver page.",
        )
    if order.alpha and not probed.alpha:
        raise ResolveProblem(
            "resolve-no-alpha",
            "Resolve rendered a movie without alpha.",
            "Add an Alpha Output to the clip's nodes on the Color page, or use a track named FA MASK.",
        )
