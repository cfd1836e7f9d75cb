# SPDX-License-Identifier: Apache-2.0
"""The region that the user has marked, from wherever it was marked.

In this order: a clip on a track named "FA MASK"; the transparency of the clip, from an Alpha Output on the
Color page; a mask of the clip's Fusion composition; a matte attached to the clip in the media pool.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flowanchor_resolve.deliver import Delivery, Order
from flowanchor_resolve.direct import Differs, Untold, check_geometry, first_frame, same_frames
from flowanchor_resolve.frames import Span, whole
from flowanchor_resolve.fusion.comp import Comp, comp_of
from flowanchor_resolve.fusion.masks import Window, has_masks, read_masks
from flowanchor_resolve.fusion.text import LONGEST, parse
from flowanchor_resolve.host import Footage, MaskSource, Region, Selection
from flowanchor_resolve.names import MASK_TRACK, is_mask_track
from flowanchor_resolve.opened import Item, Opened
from flowanchor_resolve.problems import ResolveProblem

ORDER: tuple[MaskSource, ...] = ("track", "alpha", "fusion", "matte")


class NotThere(Exception):
    """The region is not marked in this way: why, to go after "the region is not marked: "."""


@dataclass(frozen=True)
class Regions:
    """Reads regions of one selection; its timeline is current and its Deliver page open."""

    delivery: Delivery
    selection: Selection
    folder: Path
    """Where movies of the region go."""
    sees_pictures: bool = True
    """Whether it can be looked whether a movie is transparent somewhere."""

    @property
    def opened(self) -> Opened:
        return self.delivery.opened

    def read(self, source: MaskSource) -> Region:
        """The region; with "auto" the first that is there.

        Raises:
            ResolveProblem: "resolve-no-mask" with what was looked for, or what a render or a composition
                raises.
        """
        reasons = []
        for one in ORDER if source == "auto" else (source,):
            try:
                region = self._read_one(one, certain=source != "auto")
            except NotThere as reason:
                reasons.append(str(reason))
                continue
            if source == "auto":
                self.delivery.say(f"The region is {_called(one)}.")
            return region
        raise ResolveProblem(
            "resolve-no-mask",
            f"The region is not marked: {'; '.join(reasons)}.",
            f"Put a clip that is white inside it on a track named {MASK_TRACK}, or use --mask or --box.",
        )

    def _read_one(self, source: MaskSource, certain: bool) -> Region:
        if source == "track":
            return self._track()
        if source == "alpha":
            return self._alpha(certain)
        if source == "fusion":
            return self._fusion()
        return self._matte()

    def _track(self) -> Region:
        opened, span = self.opened, Span(self.selection.start, self.selection.end)
        tracks = [
            track
            for track in range(1, opened.track_count("video") + 1)
            if is_mask_track(opened.track_name("video", track))
        ]
        if not tracks:
            raise NotThere(f"there is no track named {MASK_TRACK}")
        covered = {
            frame
            for track in tracks
            for item in opened.items("video", track)
            for both in [item.span.overlap(span)]
            if both is not None
            for frame in range(both.start, both.end)
        }
        if not covered:
            raise NotThere(f"no clip on the track {MASK_TRACK} is at the selection's frames")
        path, _ = self.delivery.render(
            self._order("region", lambda kind, track, was: kind == "video" and track in tracks)
        )
        missing = self.selection.frames - len(covered)
        notes = (
            [f"{missing} of {self.selection.frames} frames have no clip on the track {MASK_TRACK}."]
            if missing
            else []
        )
        return Region("track", [self._movie(path)], notes=notes)

    def _alpha(self, certain: bool) -> Region:
        if not (certain or self.sees_pictures):
            raise NotThere("whether the clip is transparent cannot be told here")
        chosen = self.selection.track
        order = self._order("region", lambda kind, track, was: kind == "video" and track == chosen)
        try:
            path, probed = self.delivery.render(
                Order(order.selection, order.name, order.folder, order.wanted, alpha=True)
            )
        except ResolveProblem as problem:
            if certain or problem.code not in ("resolve-no-alpha", "resolve-codec-missing"):
                raise
            raise NotThere("the clip has no alpha") from None
        if probed.transparent is False:
            path.unlink(missing_ok=True)
            raise NotThere("the clip is nowhere transparent")
        movie = Footage(path, 0, self.selection.frames, direct=False, in_alpha=True)
        note = "The Alpha Output cuts the clip itself out: around the region its picture is what lies below."
        return Region("alpha", [movie], notes=[note])

    def _fusion(self) -> Region:
        opened, item = self.opened, self._item()
        comps = [comp for comp in self._comps(item) if has_masks(comp)]
        if not comps:
            raise NotThere("the clip has no Fusion composition with a mask")
        if len(comps) > 1:
            raise ResolveProblem(
                "fusion-ambiguous",
                f"{len(comps)} of the clip's Fusion compositions have masks.",
                "Keep one of them, or mark the region on a track named FA MASK.",
            )
        comp = comps[0]
        first, notes = _first_frame(comp, item.span.frames)
        window = Window(
            first + self.selection.start - item.span.start,
            self.selection.frames,
            self.selection.width,
            self.selection.height,
        )
        found = read_masks(comp, window)
        moving = any(len(polygon.keyframes) > 1 for polygon in found.polygons)
        try:
            self._check_picture(item)
            if moving and item.media:
                first_frame(opened, item, self.selection)
        except Untold:
            notes.append("This version of Resolve does not tell retimes; keyframes were read as at 100 %.")
        except Differs as difference:
            raise ResolveProblem(
                "fusion-placement",
                f"The clip's Fusion mask does not lie where it does in the composition, since {difference}.",
                "Mark the region on a track named FA MASK.",
            ) from None
        return Region("fusion", polygons=found.polygons, notes=[*(notes if moving else []), *found.notes])

    def _matte(self) -> Region:
        opened, item = self.opened, self._item()
        media = item.media
        mattes = opened.calls.many(opened.pool, "GetClipMatteList", media) if media else []
        if not mattes:
            raise NotThere("the clip has no matte attached")
        try:
            source = same_frames(opened, item, self.selection, self.delivery.probe)
        except Differs as difference:
            raise ResolveProblem(
                "resolve-matte-placement",
                f"The clip's matte does not lie frame on frame on the timeline, since {difference}.",
                "Put the matte on a track named FA MASK.",
            ) from None
        movies = [self._matte_file(Path(str(path)), source.first) for path in mattes]
        return Region("matte", movies)

    def _matte_file(self, path: Path, first: int) -> Footage:
        """A matte is as long as the clip's file, or a single picture."""
        probed = self.delivery.probe(path)
        still = probed.frames == 1
        size = (self.selection.width, self.selection.height)
        fits = still or (
            probed.rate == self.selection.rate and probed.frames >= first + self.selection.frames
        )
        if (probed.width, probed.height) != size or not fits:
            raise ResolveProblem(
                "resolve-matte-placement",
                f'The matte "{path.name}" is of another size, length or rate than the clip.',
                "Put the matte on a track named FA MASK.",
            )
        return Footage(path, 0 if still else first, 1 if still else self.selection.frames, direct=True)

    def _comps(self, item: Item) -> list[Comp]:
        calls = self.opened.calls
        comps = []
        for index in range(1, whole(calls.ask(item.thing, "GetFusionCompCount") or 0) + 1):
            file = self.folder / f"composition-{uuid.uuid4().hex[:8]}.comp"
            try:
                calls.need(
                    "export the clip's Fusion composition", item.thing, "ExportFusionComp", str(file), index
                )
                if file.stat().st_size > 4 * LONGEST:
                    raise ResolveProblem(
                        "fusion-too-large",
                        "The clip's Fusion composition is too long to be read.",
                        "Mark the region on a track named FA MASK.",
                    )
                comps.append(comp_of(parse(file.read_text(encoding="utf-8", errors="replace"))))
            except FileNotFoundError:
                raise ResolveProblem(
                    "resolve-refused",
                    "Resolve did not write the clip's Fusion composition.",
                    "Look at Resolve, then try again.",
                ) from None
            finally:
                file.unlink(missing_ok=True)
        return comps

    def _check_picture(self, item: Item) -> None:
        """A composition works on the clip's own picture; it has to fill the timeline's."""
        opened = self.opened
        check_geometry(opened, item)
        media = item.media
        told = str(opened.calls.ask(media, "GetClipProperty", "Resolution") or "") if media else ""
        size = re.fullmatch(r"(\d+)\s*x\s*(\d+)", told)
        if size is None:
            return  # a title or a generator is made at the timeline's size
        width, height = int(size.group(1)), int(size.group(2))
        if width * self.selection.height != height * self.selection.width:
            raise Differs(f"the clip's picture is {told} and the timeline's of another shape")
        scaled = opened.calls.ask(item.thing, "GetProperty", "Scaling")
        cropped = scaled == 1 or opened.setting("timelineInputResMismatchBehavior") == "centerCrop"
        if cropped and (width, height) != (self.selection.width, self.selection.height):
            raise Differs(f"the clip's picture is {told} and not scaled to the timeline's")

    def _item(self) -> Item:
        return self.opened.need_item(self.selection.item_id, self.selection.name)

    def _order(self, name: str, wanted: Callable[[str, int, bool], bool]) -> Order:
        return Order(self.selection, f"{name} {uuid.uuid4().hex[:8]}", self.folder, wanted)

    def _movie(self, path: Path) -> Footage:
        return Footage(path, 0, self.selection.frames, direct=False)


def _first_frame(comp: Comp, frames: int) -> tuple[float, list[str]]:
    """The composition's frame that is the clip's first: 0, unless the range it renders says otherwise."""
    if comp.render_range is None or comp.render_range[0] == 0:
        return 0.0, []
    first, last = comp.render_range
    if last - first + 1 == frames:
        return first, []
    note = (
        f"The Fusion composition renders from frame {first:g} on; its keyframes were counted from the clip's"
        " first frame."
    )
    return 0.0, [note]


def _called(source: MaskSource) -> str:
    return {
        "track": f"what is on the track {MASK_TRACK}",
        "alpha": "where the clip is not transparent",
        "fusion": "the mask of the clip's Fusion composition",
        "matte": "the matte attached to the clip",
    }[source]
