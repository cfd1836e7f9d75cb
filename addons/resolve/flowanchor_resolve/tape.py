# SPDX-License-Identifier: Apache-2.0
"""A recording in Resolve's place: objects that answer with the replies that are written there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from flowanchor_resolve import veiled
from flowanchor_resolve.host import Probed
from flowanchor_resolve.problems import ResolveProblem


class Differs(Exception):
    """The client does something else than the recording says."""


class Tape:
    """A recording that is being replayed below the folder `scratch`."""

    def __init__(self, lines: list[dict[str, Any]], scratch: Path) -> None:
        self.scratch = str(scratch)
        self.calls = 0
        self.difference = ""
        self._lines = lines
        self._place = 1
        self._names: dict[int, list[str]] = {line["of"]: line["names"] for line in lines if "of" in line}
        self._live: dict[str, str] = {}
        self._veiled: dict[str, str] = {}
        self._files: dict[str, Path] = {}

    @property
    def root(self) -> Any:
        return Replayed(self, 0)

    @property
    def ended(self) -> bool:
        self._skip()
        return self._place >= len(self._lines)

    def clock(self) -> float:
        """When the last line was written that has been replayed, in seconds."""
        return float(self._lines[self._place - 1].get("t", 0.0))

    def where(self) -> str:
        return f"line {self._place + 1}"

    def names(self, number: int) -> list[str]:
        """What `dir` lists for an object."""
        return self._names.get(number, [])

    def call(self, number: int, name: str, arguments: tuple[Any, ...]) -> Any:
        """The recorded reply to a call, if it is the one that comes now."""
        line = self._next("call", f"calls {name}")
        if (line["on"], line["call"]) != (number, name):
            raise self.differs(
                f"the client calls {name} of object {number}, not {line['call']} of {line['on']}"
            )
        if len(arguments) != len(line["arguments"]):
            raise self.differs(f"{name} gets {len(arguments)} arguments, not {len(line['arguments'])}")
        for place, (recorded, live) in enumerate(zip(line["arguments"], arguments, strict=False), 1):
            if not self.same(recorded, live):
                raise self.differs(f"argument {place} of {name} is {live!r}, not {recorded!r}")
        self.calls += 1
        reply = self.revived(line["reply"])
        self._follow(name, arguments, reply)
        return reply

    def get(self, number: int, name: str) -> Any:
        """A recorded value that is no method; a method if none comes now."""
        self._skip()
        line = self._lines[self._place] if self._place < len(self._lines) else {}
        if line.get("get") == name and line.get("on") == number:
            self._place += 1
            return self.revived(line["reply"])
        return lambda *arguments: self.call(number, name, arguments)

    def probe(self, path: Path) -> Probed:
        """What a movie was found to be when it was recorded."""
        line = self._next("probe", f"looks into {path.name}")
        if not self.same(line["probe"], str(path)):
            raise self.differs(f"the client looks into {path}, not {line['probe']}")
        if "problem" in line:
            raise ResolveProblem(line["problem"]["code"], "The movie cannot be read.", "See the recording.")
        reply = line["reply"]
        return Probed(**{**reply, "rate": Fraction(reply["rate"])})

    def did(self, *expected: str) -> dict[str, Any]:
        """The next note of what was asked or done."""
        line = self._next("did", f"does {' or '.join(expected)}")
        if line["did"] not in expected:
            raise self.differs(f"{' or '.join(expected)} comes, not {line['did']}")
        return line

    def coming(self) -> str:
        """What the next note says that something was asked or done; "" if a call comes first."""
        self._skip()
        line = self._lines[self._place] if self._place < len(self._lines) else {}
        return str(line.get("did", ""))

    def live(self, text: str) -> str:
        """A recorded string as the client gets it: veiled parts as they are called now, paths below
        `scratch`."""

        def part(recorded: str) -> str:
            if veiled.TOKEN.fullmatch(recorded) and recorded not in self._live:
                self._bind(recorded, recorded)
            return self._live.get(recorded, recorded)

        content = veiled.custom_data(text)
        if content is not None:
            return veiled.CUSTOM_DATA + veiled.dumped(veiled.strings_changed(content, self.live))
        found = veiled.changed(text, part)
        return self.scratch + found.rstrip("/") if found.startswith("/") else found

    def inside(self, path: str | Path) -> Path:
        """A path from the recording that something is written to: anybody may have written the recording, so
        it has to lie below `scratch`.

        Raises:
            Differs: it does not.
        """
        real = os.path.realpath(path)
        if not Path(real).is_relative_to(self.scratch):
            raise self.differs(
                f"the recording names {str(path)[:200]}, which is not in the replay's own folder"
            )
        return Path(real)

    def revived(self, value: Any) -> Any:
        """A recorded value as the client gets it."""
        if isinstance(value, str):
            return self.live(value)
        if isinstance(value, list):
            return [self.revived(part) for part in value]
        if not isinstance(value, dict):
            return value
        if "object" in value:
            return Replayed(self, value["object"])
        if "dict" in value:
            return {key: self.revived(part) for key, part in value["dict"].items()}
        if "pairs" in value:
            return {self.revived(key): self.revived(part) for key, part in value["pairs"]}
        return value

    def same(self, recorded: Any, live: Any) -> bool:
        """Whether what the client gives is what was recorded, veiled parts by what they stand for."""
        if isinstance(live, Replayed):
            return bool(recorded == {"object": live._number})
        if isinstance(live, str):
            return isinstance(recorded, str) and self._same_text(recorded, live)
        if isinstance(live, (list, tuple)):
            return (
                isinstance(recorded, list)
                and len(recorded) == len(live)
                and all(self.same(one, other) for one, other in zip(recorded, live, strict=False))
            )
        if isinstance(live, Mapping):
            pairs = recorded.get("dict") if isinstance(recorded, dict) else None
            return (
                isinstance(pairs, dict)
                and list(pairs) == list(live)
                and all(self.same(pairs[key], live[key]) for key in live)
            )
        return type(recorded) is type(live) and bool(recorded == live)

    def differs(self, what: str) -> Differs:
        self.difference = self.difference or f"line {self._place}: {what}"
        return Differs(self.difference)

    def _same_text(self, recorded: str, live: str) -> bool:
        if live == self.scratch or live.startswith(self.scratch + os.sep):
            live = live[len(self.scratch) :] or "/"
        ours, theirs = veiled.custom_data(recorded), veiled.custom_data(live)
        if ours is not None and theirs is not None:
            return self._same_data(ours, theirs)
        one, other = veiled.parts(recorded), veiled.parts(live)
        if len(one) != len(other):
            # A veiled part stands for all of a text that comes apart otherwise now.
            return len(one) == 1 and self._stands_for(recorded, live)
        return all(self._stands_for(part, now) for part, now in zip(one, other, strict=False))

    def _same_data(self, recorded: Any, live: Any) -> bool:
        if isinstance(recorded, str) and isinstance(live, str):
            return self._same_text(recorded, live)
        if isinstance(recorded, list) and isinstance(live, list):
            return len(recorded) == len(live) and all(map(self._same_data, recorded, live))
        if isinstance(recorded, dict) and isinstance(live, dict):
            return recorded.keys() == live.keys() and all(
                self._same_data(recorded[key], live[key]) for key in recorded
            )
        return bool(recorded == live)

    def _stands_for(self, recorded: str, live: str) -> bool:
        if not veiled.TOKEN.fullmatch(recorded):
            return recorded == live
        if recorded in self._live or live in self._veiled:
            return self._live.get(recorded) == live
        self._bind(recorded, live)
        return True

    def _bind(self, recorded: str, live: str) -> None:
        self._live[recorded] = live
        self._veiled[live] = recorded

    def _skip(self) -> None:
        while self._place < len(self._lines) and "of" in self._lines[self._place]:
            self._place += 1

    def _next(self, kind: str, doing: str) -> dict[str, Any]:
        self._skip()
        if self.difference:
            raise Differs(self.difference)
        if self._place >= len(self._lines):
            raise self.differs(f"the client {doing}, where the recording ends")
        line = self._lines[self._place]
        self._place += 1
        if kind not in line:
            raise self.differs(f"the client {doing}, not {_shown(line)}")
        return line

    def _write_composition(self, path: str) -> None:
        """A composition as it was recorded, where the client wants it; none if Resolve has left none."""
        self._skip()
        line = self._lines[self._place] if self._place < len(self._lines) else {}
        if "wrote" not in line:
            return
        self._place += 1
        text = line["text"]
        self.inside(path).write_text(text if isinstance(text, str) else "unreadable", encoding="utf-8")

    def _follow(self, name: str, arguments: tuple[Any, ...], reply: Any) -> None:
        """Leave the files that Resolve would have: folders it names, a composition it exports, and a movie
        when a render is done, named as the queue says."""
        if name == "GetMountedVolumeList":
            for folder in reply or ():
                os.makedirs(self.inside(folder), exist_ok=True)
        elif name == "ExportFusionComp" and reply:
            self._write_composition(str(arguments[0]))
        elif name == "GetRenderJobList":
            self._files.update(
                {
                    job["JobId"]: Path(job["TargetDir"], job["OutputFilename"])
                    for job in reply or ()
                    if {"JobId", "TargetDir", "OutputFilename"} <= set(job)
                }
            )
        elif name == "GetRenderJobStatus" and isinstance(reply, dict):
            file = self._files.get(arguments[0])
            if reply.get("CompletionPercentage") == 100 and file is not None and file.parent.is_dir():
                self.inside(file).write_bytes(b"stands for a rendered movie")


class Replayed:
    """Stands for an object of Resolve's."""

    def __init__(self, tape: Tape, number: int) -> None:
        self._tape = tape
        self._number = number

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._tape.get(self._number, name)

    def __dir__(self) -> list[str]:
        return self._tape.names(self._number)


def _shown(line: Mapping[str, Any]) -> str:
    if "call" in line:
        return f"{line['call']} of object {line['on']}"
    return f"what line {json.dumps(line)[:80]} says"
