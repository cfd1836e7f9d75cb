# SPDX-License-Identifier: Apache-2.0
"""Write down what passes between us and Resolve: every call, its arguments and its reply, as JSON lines.

    {"flowanchor": "resolve-recording", "version": 1, "action": "edit", "temporary": "/~0c…", …}
    {"t": 0.01, "on": 0, "call": "GetProductName", "arguments": [], "reply": "DaVinci Resolve Studio"}
    {"t": 0.02, "on": 0, "call": "GetProjectManager", "arguments": [], "reply": {"object": 1}}
    {"t": 0.02, "of": 1, "names": ["GetCurrentProject", …]}                 what `dir` lists
    {"t": 0.90, "wrote": "/~0c…/composition-~5e….comp", "text": "Composition { … }"}   see fusion/bare.py
    {"t": 9.11, "probe": "/~3f…/~aa….mov", "reply": {"frames": 24, "rate": "24", …}}
    {"t": 9.20, "did": "edited", …}                                         what was asked and done besides

Objects of Resolve are numbered as they come, 0 is Resolve itself. Strings are veiled (see veiled.py).
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from flowanchor_resolve import plain
from flowanchor_resolve.fusion.bare import bare
from flowanchor_resolve.fusion.text import LONGEST
from flowanchor_resolve.host import Probe, Probed, Result, Selection
from flowanchor_resolve.problems import ResolveProblem
from flowanchor_resolve.session import Editing, Order, Task, temporary_parent
from flowanchor_resolve.veiled import Veil, strings_changed

FORMAT = "resolve-recording"
VERSION = 1
LARGEST = 4 * LONGEST  # bytes of a composition that is read
_PLAIN = (str, int, float, bool, type(None))


class Recorder:
    """Writes one recording."""

    def __init__(self, file: TextIO, action: str, veil: Veil | None = None) -> None:
        self._file = file
        self._veil = Veil() if veil is None else veil
        self._begun = time.monotonic()
        self._objects: list[Any] = []
        self._listed: set[int] = set()
        self._write(
            {
                "flowanchor": FORMAT,
                "version": VERSION,
                "action": action,
                "system": platform.system(),
                "python": platform.python_version(),
                "temporary": temporary_parent(),
            },
            veiled=("temporary",),
        )

    @classmethod
    def create(cls, path: Path, action: str) -> Recorder:
        """Begin a recording in a new file, closed to others. OSError if it is there or cannot be written."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        return cls(os.fdopen(handle, "w", encoding="utf-8"), action)

    def close(self) -> None:
        self._file.close()

    def wrap(self, thing: Any) -> Any:
        """What Resolve gave, such that calls of it are written down; plain values as they are."""
        if isinstance(thing, _PLAIN):
            return thing
        if isinstance(thing, (list, tuple)):
            return [self.wrap(part) for part in thing]
        if isinstance(thing, dict):
            return {key: self.wrap(part) for key, part in thing.items()}
        self._objects.append(thing)
        return _Recorded(self, thing, len(self._objects) - 1)

    def probing(self, probe: Probe) -> Probe:
        """A probe whose answers are written down."""

        def noted(path: Path) -> Probed:
            try:
                found = probe(path)
            except ResolveProblem as problem:
                self._say({"probe": str(path), "problem": {"code": problem.code}}, veiled=("probe",))
                raise
            self._say(
                {"probe": str(path), "reply": {**asdict(found), "rate": str(found.rate)}}, veiled=("probe",)
            )
            return found

        return noted

    def note_order(self, order: Order) -> None:
        """Note what is asked of an edit."""
        self._say({"did": "edit", "order": asdict(order)}, veiled=("order",))

    def note_look(self) -> None:
        """Note that it is only looked what there is."""
        self._say({"did": "look"})

    def note_again(self) -> None:
        """Note that the results on the timeline are looked for, to edit as one of them was edited."""
        self._say({"did": "again"})

    def note_place(self, selection: Selection, result: Result, as_take: bool) -> None:
        """Note what is placed where."""
        content = {"selection": plain.selection_as_plain(selection), "result": self._result(result)}
        self._say({"did": "place", **content, "as_take": as_take}, veiled=("selection", "result"))

    def note_undo(self, job: str | None) -> None:
        """Note what is taken off: the result of a job, or the last one."""
        self._say({"did": "undo", "job": job}, veiled=("job",))

    def editing(self, editing: Editing) -> Editing:
        """An editing whose outcome is written down."""
        return _NotedEditing(self, editing)

    def note_edited(self, result: Result | None) -> None:
        self._say({"did": "edited", "result": result and self._result(result)}, veiled=("result",))

    def called(self, on: int, name: str, arguments: tuple[Any, ...], reply: Any) -> Any:
        """Note a call; gives its reply, wrapped."""
        sent = [self._plain(argument) for argument in arguments]
        wrapped = self.wrap(reply)
        self._say({"on": on, "call": name, "arguments": sent, "reply": self._plain(wrapped)})
        if name == "ExportFusionComp" and reply:
            self._note_composition(Path(str(arguments[0])))
        return wrapped

    def got(self, on: int, name: str, value: Any) -> Any:
        """Note a value that is no method, such as a constant of Resolve's."""
        self._say({"on": on, "get": name, "reply": self._plain(value)})
        return value

    def listed(self, on: int, names: list[str]) -> list[str]:
        """Note what `dir` lists, once an object."""
        if on not in self._listed:
            self._listed.add(on)
            self._say({"of": on, "names": [name for name in names if not name.startswith("__")]})
        return names

    def _note_composition(self, path: Path) -> None:
        """Note what Resolve has written, as far as masks are read from it; null if that cannot be read."""
        try:
            if path.stat().st_size > LARGEST:
                raise ValueError("it is too large")
            text = bare(path.read_text(encoding="utf-8", errors="replace"))
        except FileNotFoundError:
            return
        except (OSError, ValueError, ResolveProblem):
            text = None
        self._say({"wrote": str(path), "text": text}, veiled=("wrote",))

    def _result(self, result: Result) -> Mapping[str, Any]:
        return {**plain.result_as_plain(result), "path": str(result.path)}

    def _plain(self, value: Any) -> Any:
        """A value as JSON: objects by number, strings veiled, dicts whose keys are no texts as pairs."""
        if isinstance(value, _Recorded):
            return {"object": object.__getattribute__(value, "_number")}
        if isinstance(value, str):
            return self._veil.text(value)
        if isinstance(value, _PLAIN):
            return value
        if isinstance(value, (list, tuple)):
            return [self._plain(part) for part in value]
        if isinstance(value, dict):
            if all(isinstance(key, str) for key in value):
                return {"dict": {key: self._plain(part) for key, part in value.items()}}
            return {"pairs": [[self._plain(key), self._plain(part)] for key, part in value.items()]}
        return {"other": type(value).__name__}

    def _say(self, content: dict[str, Any], veiled: tuple[str, ...] = ()) -> None:
        self._write({"t": round(time.monotonic() - self._begun, 4), **content}, veiled)

    def _write(self, content: dict[str, Any], veiled: tuple[str, ...] = ()) -> None:
        for name in veiled:
            content[name] = strings_changed(content[name], self._veil.text)
        self._file.write(json.dumps(content, ensure_ascii=True) + "\n")
        self._file.flush()


class _Recorded:
    """An object of Resolve's whose calls are written down; Resolve itself never meets one."""

    def __init__(self, recorder: Recorder, thing: Any, number: int) -> None:
        self._recorder = recorder
        self._thing = thing
        self._number = number

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self._thing, name)
        if not callable(found):
            return self._recorder.got(self._number, name, found)

        def call(*arguments: Any) -> Any:
            reply = found(*[_bare(argument) for argument in arguments])
            return self._recorder.called(self._number, name, arguments, reply)

        return call

    def __dir__(self) -> list[str]:
        return self._recorder.listed(self._number, list(dir(self._thing)))


def _bare(value: Any) -> Any:
    if isinstance(value, _Recorded):
        return object.__getattribute__(value, "_thing")
    if isinstance(value, (list, tuple)):
        return [_bare(part) for part in value]
    if isinstance(value, dict):
        return {key: _bare(part) for key, part in value.items()}
    return value


class _NotedEditing:
    """An editing whose outcome is written down."""

    def __init__(self, recorder: Recorder, editing: Editing) -> None:
        self._recorder = recorder
        self._editing = editing

    def check(self, selection: Selection) -> None:
        self._editing.check(selection)

    def edit(self, task: Task) -> Result | None:
        result = self._editing.edit(task)
        self._recorder.note_edited(result)
        return result

    def discard(self, result: Result) -> None:
        self._editing.discard(result)
