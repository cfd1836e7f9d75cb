# SPDX-License-Identifier: Apache-2.0
"""Ask a stand-in what a recording asked Resolve, and list where its replies differ.

For the day on which a user sends a recording of a real Resolve: set up a world as the recording's project is
(clips at the same frames, same rate and size; names do not matter, since the recording has none), then

    differences(Path("edit.jsonl"), world.scriptapp("Resolve"), scratch, result)

Each line that comes back is something that the stand-in does otherwise than that Resolve.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

from flowanchor_resolve import veiled
from flowanchor_resolve.replay import read

PATIENCE = 30.0
"""Seconds a stand-in's render may take."""
_WATCHED = ("GetRenderJobStatus", "IsRenderingInProgress")
_TIMES = frozenset({"CompletionPercentage", "TimeTakenToRenderInMs", "EstimatedTimeRemainingInMs"})


def differences(recording: Path, resolve: Any, scratch: Path, result: Path) -> list[str]:
    """Where a stand-in's replies differ from the recorded ones.

    Args:
        recording: as `flowanchor resolve record` wrote it.
        resolve: the stand-in, as scripts get it.
        scratch: an empty folder.
        result: a movie that stands for each edited one.

    Raises:
        ResolveProblem: "recording-unusable".
    """
    comparison = _Comparison(resolve, scratch, result)
    for number, line in enumerate(read(recording), 1):
        if "call" in line:
            comparison.call(number, line)
    return comparison.found


class _Comparison:
    def __init__(self, resolve: Any, scratch: Path, result: Path) -> None:
        self.found: list[str] = []
        self._objects: dict[int, Any] = {0: resolve}
        self._scratch = scratch
        self._result = result
        self._names: dict[str, str] = {}
        self._paths: dict[str, str] = {}

    def call(self, number: int, line: dict[str, Any]) -> None:
        """Make a recorded call, and compare the reply."""
        name, thing = line["call"], self._objects.get(line["on"])
        if thing is None:
            self.found.append(f"line {number}: {name} of an object that the stand-in did not give")
            return
        if name not in dir(thing):
            self.found.append(f"line {number}: the stand-in has no {name}")
            return
        arguments = [self._argument(argument) for argument in line["arguments"]]
        self._prepare(name, arguments)
        until = time.monotonic() + PATIENCE
        while True:
            reply = getattr(thing, name)(*arguments)
            wrong = self._compare(line["reply"], reply)
            if not wrong or name not in _WATCHED or time.monotonic() > until:
                break
            if _still(line["reply"]):
                return  # how long a render takes is nobody's behaviour
            time.sleep(0.02)
        self.found.extend(f"line {number}: {name}: {one}" for one in wrong)

    def _prepare(self, name: str, arguments: list[Any]) -> None:
        """Make the folders and files that the client has made."""
        if name == "SetRenderSettings" and "TargetDir" in arguments[0]:
            os.makedirs(arguments[0]["TargetDir"], exist_ok=True)
        for path in (part for part in _strings(arguments) if name == "ImportMedia" and os.path.isabs(part)):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if not os.path.exists(path):
                shutil.copyfile(self._result, path)

    def _argument(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._live(value)
        if isinstance(value, list):
            return [self._argument(part) for part in value]
        if not isinstance(value, dict):
            return value
        if "object" in value:
            return self._objects.get(value["object"])
        if "pairs" in value:
            return {self._argument(key): self._argument(part) for key, part in value["pairs"]}
        return {key: self._argument(part) for key, part in value["dict"].items()}

    def _live(self, text: str) -> str:
        content = veiled.custom_data(text)
        if content is not None:
            return veiled.CUSTOM_DATA + veiled.dumped(veiled.strings_changed(content, self._live))
        if text.startswith("/"):
            known = max((path for path in self._paths if _below(text, path)), key=len, default=None)
            return str(self._scratch) + text if known is None else self._paths[known] + text[len(known) :]
        return veiled.changed(text, lambda part: self._names.get(part, part))

    def _compare(self, recorded: Any, live: Any, key: str = "") -> list[str]:
        """What differs; veiled parts stand for whatever the stand-in has there, the same each time."""
        where = f"{key}: " if key else ""
        if isinstance(recorded, dict) and "object" in recorded:
            if live is None or isinstance(live, (str, int, float, list, dict)):
                return [f"{where}{live!r}, not an object"]
            self._objects[recorded["object"]] = live
            return []
        if isinstance(recorded, dict):
            return self._compare_dicts(recorded, live, where)
        if isinstance(recorded, list):
            if not isinstance(live, list) or len(live) != len(recorded):
                return [f"{where}{live!r}, not a list of {len(recorded)}"]
            pairs = zip(recorded, live, strict=True)
            return [wrong for one, other in pairs for wrong in self._compare(one, other, key)]
        if isinstance(recorded, str) and isinstance(live, str):
            return [] if self._same_text(recorded, live) else [f"{where}{live!r}, not {recorded!r}"]
        if key in _TIMES and type(recorded) is type(live):
            return []
        same = type(recorded) is type(live) and recorded == live
        return [] if same else [f"{where}{live!r}, not {recorded!r}"]

    def _compare_dicts(self, recorded: dict[str, Any], live: Any, where: str) -> list[str]:
        if not isinstance(live, dict):
            return [f"{where}{live!r}, not a dict"]
        pairs = recorded.get("pairs") or list(recorded.get("dict", {}).items())
        if len(pairs) != len(live):
            theirs, ours = sorted(str(key) for key, _ in pairs), sorted(map(str, live))
            return [f"{where}the keys {ours}, not {theirs}"]
        wrong = []
        for (key, value), (own, other) in zip(pairs, live.items(), strict=True):
            wrong += self._compare(key, own) + self._compare(value, other, str(key))
        return wrong

    def _same_text(self, recorded: str, live: str) -> bool:
        if recorded.startswith("/") and live.startswith("/"):
            return self._paths.setdefault(recorded, live) == live
        content, own = veiled.custom_data(recorded), veiled.custom_data(live)
        if content is not None and own is not None:
            return bool(self._live(recorded) == veiled.CUSTOM_DATA + veiled.dumped(own))
        one, other = veiled.parts(recorded), veiled.parts(live)
        if len(one) != len(other):
            return len(one) == 1 and self._stands_for(recorded, live)
        return all(self._stands_for(part, now) for part, now in zip(one, other, strict=True))

    def _stands_for(self, recorded: str, live: str) -> bool:
        if veiled.TOKEN.fullmatch(recorded):
            return self._names.setdefault(recorded, live) == live
        return recorded == live


def _still(recorded: Any) -> bool:
    """Whether a recorded answer says that a render is at work."""
    if isinstance(recorded, dict):
        status = recorded.get("dict", {}).get("JobStatus")
        return status in ("Ready", "Rendering")
    return recorded is True


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for part in value.values() for text in _strings(part)]
    return [text for part in value for text in _strings(part)] if isinstance(value, list) else []
