# SPDX-License-Identifier: Apache-2.0
"""A whole Resolve with a project in it, as a test sets it up and a user at its windows would change it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from tests.resolve.standin.desk import Call, Desk
from tests.resolve.standin.line import ContractBroken, Remote
from tests.resolve.standin.model.app import App
from tests.resolve.standin.model.graph import grade
from tests.resolve.standin.model.item import Look, TimelineItem, link
from tests.resolve.standin.model.media import MediaPoolItem, look_into
from tests.resolve.standin.model.project import Project
from tests.resolve.standin.model.render_job import Renderer
from tests.resolve.standin.model.thing import Thing
from tests.resolve.standin.model.timeline import Timeline
from tests.resolve.standin.profiles import FORBIDDEN, Edition, Manner, Overlay, Place, Profile, Traps
from tests.resolve.standin.server import Server

Fate = Literal["complete", "hang", "fail", "cancel", "short"]
"""What becomes of renders: they end well; never end; fail; are cancelled by the user half-way; end well one
frame too soon."""
Behaviour = Literal["answer", "none", "hang", "crash", "raise"]
"""What `scriptapp` does in another process: answers, gives None, never returns, takes the process down,
fails to be imported."""


@dataclass(frozen=True)
class Clip:
    """A clip to put on a timeline. `at` counts frames from the timeline's start, `first` source frames,
    `frames` is how long it is on the timeline (all of the source if None)."""

    path: Path
    at: int = 0
    track: int = 1
    first: int = 0
    frames: int | None = None
    name: str | None = None
    speed: Fraction = Fraction(1)
    properties: Mapping[str, Any] = field(default_factory=dict)
    look: Look = field(default_factory=Look)
    fusion: str | None = None
    """Text of a Fusion composition, as ExportFusionComp writes it."""
    fusion_shows: str = ""
    """What that composition does to the pictures: "" or "invert"."""
    mattes: Sequence[Path] = ()
    enabled: bool = True


class World:
    """Use it as a context: leaving it stops renders and the server, and fails if a strict Resolve was
    asked something that its contract does not allow, even where the caller swallowed that."""

    def __init__(
        self,
        version: str = "21.0.4",
        edition: Edition = "studio",
        profile: Profile = "strict",
        where: Place = "external",
        *,
        traps: Traps | None = None,
        volumes: Sequence[Path] = (),
        scripting: bool = True,
        running: bool = True,
        prores: bool = True,
        project: str | None = "Feature",
    ) -> None:
        self.overlay = Overlay(version, edition, where)
        self.manner = Manner.of(profile, traps)
        self.volumes = [Path(volume) for volume in volumes]
        self.scripting, self.running, self.prores = scripting, running, prores
        self.lock = threading.RLock()
        self.things: list[Thing] = []
        self.calls: list[Call] = []
        self.breaches: list[str] = []
        self.dialog: str | None = None
        self.render_fate: Fate = "complete"
        self.frame_seconds = 0.0
        """How long each frame takes to render, besides what it takes."""
        self._once: set[str] = set()
        self._before: dict[str, list[Callable[[], object]]] = {}
        self._at: dict[int, Callable[[], object]] = {}
        self.renderer = Renderer(self)
        self.desk = Desk(self)
        self.app = App(self)
        self._server: Server | None = None
        if project is not None:
            self.app.manager.CreateProject(project)

    def __enter__(self) -> World:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if self.breaches and error is None:
            raise ContractBroken("; ".join(self.breaches))

    def close(self) -> None:
        """Stop renders and the server."""
        self.renderer.close()
        if self._server is not None:
            self._server.close()
            self._server = None

    # what scripts get

    @property
    def allows_scripts(self) -> bool:
        """Whether a script gets the Resolve object at all."""
        if self.overlay.where == "external" and not self.scripting:
            return False
        return self.running and self.overlay.scripts_run

    def scriptapp(self, name: str = "Resolve") -> Any:
        """What `DaVinciResolveScript.scriptapp` gives: the Resolve object, or None."""
        return self.remote(self.app) if name == "Resolve" and self.allows_scripts else None

    def remote(self, thing: Thing) -> Any:
        """A thing of the model as a script gets it."""
        return Remote(self.desk, self.desk.given(thing))

    def thing(self, remote: Any) -> Any:
        """The thing of the model behind what a script holds."""
        return self.things[remote._ref.number]

    def environment(self, behaviour: Behaviour = "answer") -> dict[str, str]:
        """Variables for a child process that is to find this Resolve; they come on top of `os.environ`."""
        if self._server is None:
            self._server = Server(self)
        api = Path(__file__).parent / "api"
        path = [str(api / "Modules"), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {
            "RESOLVE_SCRIPT_API": str(api),
            "RESOLVE_SCRIPT_LIB": sys.executable,
            "PYTHONPATH": os.pathsep.join(path),
            "RESOLVE_STANDIN": f"{behaviour}:{self._server.port}",
        }

    # the model's own needs

    def register(self, thing: Thing) -> None:
        thing.number = len(self.things)
        self.things.append(thing)

    @property
    def project(self) -> Project | None:
        return self.app.manager.project

    @property
    def rate(self) -> Fraction:
        """Of the current timeline, else of the project."""
        project = self.project
        if project is None:
            return Fraction(24)
        return project.current.rate if project.current else project.rate

    def refuses_name(self, name: str) -> bool:
        traps = self.manner.traps
        return traps.refused_names and self.overlay.number >= (21, 1) and bool(FORBIDDEN & set(name))

    def once(self, what: str) -> bool:
        """True the first time it is asked."""
        first = what not in self._once
        self._once.add(what)
        return first

    def before(self, name: str, action: Callable[[], object]) -> None:
        """Have something happen just before the next call of a method ("Name" or "Class.Name"): a dialog
        opens, the user closes the timeline, the script is interrupted. Several wait for one call each."""
        self._before.setdefault(name, []).append(action)

    def at_call(self, number: int, action: Callable[[], object]) -> None:
        """The same just before a call by its number, from 0: the place it will have in `calls`."""
        self._at[number] = action

    def arrives(self, call: Call) -> None:
        """A call is about to be carried out."""
        number = len(self.calls)
        self.calls.append(call)
        if number in self._at:
            self._at.pop(number)()
        for name in (str(call), call.name):
            if self._before.get(name):
                self._before[name].pop(0)()

    def called(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of all calls of a method, by its name or "Class.Name"."""
        return [call.arguments for call in self.calls if name in (call.name, str(call))]

    # what a test sets up

    def add_timeline(
        self,
        rate: Fraction = Fraction(24),
        start_timecode: str = "01:00:00:00",
        size: tuple[int, int] = (192, 96),
        clips: Sequence[Clip] = (),
        name: str = "Timeline 1",
        drop: bool = False,
    ) -> Timeline:
        """A new timeline with clips on it, the current one from then on."""
        project = self._open_project()
        timeline = Timeline(self, project, name, Fraction(rate), start_timecode, size, drop)
        project.current = timeline
        for clip in clips:
            self.add_clip(timeline, clip)
        return timeline

    def add_clip(self, timeline: Timeline, clip: Clip) -> TimelineItem:
        """Put a clip on a timeline, whatever the traps."""
        media = self.add_media(clip.path)
        assert media.source is not None
        media.mattes.extend(str(one) for one in clip.mattes if str(one) not in media.mattes)
        while len(timeline.tracks["video"]) < clip.track:
            timeline.AddTrack("video")
        item = TimelineItem(self, timeline, media, "video", timeline.start + clip.at, 1, clip.first)
        item.speed = Fraction(clip.speed)
        whole = int((media.source.frames - clip.first) / item.ratio)
        item.duration = whole if clip.frames is None else clip.frames
        item.name = clip.name or item.name
        item.look, item.enabled = clip.look, clip.enabled
        if clip.look.gain != 1:
            grade(item, "Primary")
        if clip.look.alpha is not None:
            grade(item, "Window")
        assert item.SetProperty(dict(clip.properties)), f"{clip.properties} are no properties"
        if clip.fusion is not None or clip.fusion_shows:
            item.add_comp(clip.fusion or "", clip.fusion_shows)
        track = timeline.tracks["video"][clip.track - 1]
        assert not track.occupied(item.start, item.end), f"{clip} lies on another one"
        track.add(item)
        if media.source.audio:
            while len(timeline.tracks["audio"]) < clip.track:
                timeline.AddTrack("audio", "stereo")
            sound = TimelineItem(self, timeline, media, "audio", item.start, item.duration, item.first)
            timeline.tracks["audio"][clip.track - 1].add(sound)
            link([item, sound])
        return item

    def add_media(self, path: Path) -> MediaPoolItem:
        """A file in the pool's root bin, once."""
        root = self._open_project().pool.root
        for one in root.clips:
            if one.source and one.source.path == path:
                return one
        source = look_into(path, self.rate)
        assert source is not None, f"{path} is no media"
        return MediaPoolItem(self, root, source)

    def _open_project(self) -> Project:
        assert self.project is not None, "no project is open"
        return self.project

    # what a user does at the windows

    def open_dialog(self, text: str) -> None:
        """A dialog stands open from now on; the first one stays."""
        self.dialog = self.dialog or text

    def dismiss_dialog(self) -> None:
        self.dialog = None

    dismiss_modal = dismiss_dialog

    def select(self, *items: TimelineItem) -> None:
        """Select items on the current timeline, and what is linked to them, as a click does."""
        timeline = self._open_project().current
        assert timeline is not None
        timeline.selected = [one for item in items for one in (item, *item.linked)]

    def close_timeline(self) -> None:
        """Close the current timeline; it stays in the project."""
        project = self._open_project()
        timeline, project.current = project.current, None
        if timeline is not None and self.manner.traps.stale_objects:
            for thing in (timeline, *timeline.items("video"), *timeline.items("audio")):
                thing.epoch += 1

    def quit(self) -> None:
        """Resolve ends: whatever is held of it answers None."""
        self.running = False


def build_resolve(
    version: str = "21.0.4",
    edition: Edition = "studio",
    profile: Profile = "strict",
    where: Place = "external",
    **more: Any,
) -> Any:
    """What a script gets of a new world, or None. `world_of` finds the world again."""
    return World(version, edition, profile, where, **more).scriptapp("Resolve")


def world_of(remote: Any) -> World:
    """The world behind an object that a script holds in the same process."""
    desk = remote._line
    assert isinstance(desk, Desk)
    return desk.world
