# SPDX-License-Identifier: GPL-3.0-or-later
"""What a .blend remembers of its edits, as plain data for a custom property of the scene.

Undo and load take the property back to an older one: the newest of each record wins (`Ledger.merge`), so that
no accepted job is forgotten and no result is placed twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from .files import FileId
from .frames import FrameRange
from .settings import EditSettings

SCHEMA = 1
STATES = (
    *("starting", "uploading", "waiting", "running", "downloading"),
    *("placing", "done", "failed", "cancelled"),
)
ENDED = frozenset({"done", "failed", "cancelled"})
PLACES = ("", "ambiguous", "gone")
NO_FILE = FileId()
MOST_RECORDS = 100
"""Of one file; the oldest that are placed, failed or cancelled go first."""
_MOST_ENTRIES = 1000
"""Read of one file's text."""
_DEPTH = 4
"""To which plain data in a record are nested at most."""
_HALF_LETTER = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Origin:
    """Where an edit comes from and its result belongs. Names are for finding again, never pointers.

    Attributes:
        scene, strip_name: names when it was submitted.
        scene_key, strip: marks of the scene and the source strip, see `identity`.
        content: what the strip showed, to know it by when undo has taken its mark.
        first, last: scene frames of the range, both included.
        channel: of the source strip.
        mask: how the region was chosen, for people and for "again": plain data of the host's own.
        transform: the source strip's transform and what else placing needs: plain data of the host's own.
    """

    scene: str
    strip: str
    strip_name: str
    first: int
    last: int
    channel: int
    scene_key: str = ""
    content: str = ""
    mask: dict[str, Any] = field(default_factory=dict)
    transform: dict[str, Any] = field(default_factory=dict)

    @property
    def range(self) -> FrameRange:
        return FrameRange(self.first, self.last)


@dataclass(frozen=True)
class Record:
    """One edit of a .blend. Its id is that of the request, known before the daemon has heard of it.

    Attributes:
        id: request id, unique.
        origin, settings: where it belongs, and what was asked.
        folder: absolute folder of its files, this machine's; of what a file says only its name is taken, see
            `confined`.
        state: as in `views.JobState`.
        job: the daemon's id; empty until accepted.
        call: how the daemon is asked for it: "submit", or "retry" and "vary" of the job `of`.
        of: the daemon's id of the job that is retried or varied; empty for "submit".
        seed: as used; -1 until known.
        plan: the upload as plain data, as long as it may be needed again.
        files: names of the result's files in `folder`, in frame order; empty until they are whole.
        size: width and height of the result's pixels if known, else (0, 0).
        placed: custom id of the result strip; empty until placed.
        parent: record this one retries or varies.
        failure: code, message, action, remedy as in `views.Problem`; empty if there is none.
        edition: grows with every change.
        created_ms: when it was submitted, milliseconds since 1970-01-01 UTC.
        deleted: the user deleted it; kept so that an undo does not bring it back.
        file: id of the .blend it belongs to, see `files`; empty until that is saved.
        heir: id of the .blend it was written into while its own had not been saved since it was made, see
            `saving.inherit`; else empty.
        where: what was uncertain when its result was placed: "", "ambiguous" (several strips could be the
            source) or "gone" (it was not there).
    """

    id: str
    origin: Origin
    settings: EditSettings
    folder: str
    state: str = "starting"
    job: str = ""
    call: str = "submit"
    of: str = ""
    seed: int = -1
    plan: dict[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    size: tuple[int, int] = (0, 0)
    placed: str = ""
    parent: str = ""
    failure: dict[str, str] = field(default_factory=dict)
    edition: int = 0
    created_ms: int = 0
    deleted: bool = False
    file: str = ""
    heir: str = ""
    where: str = ""

    @property
    def paths(self) -> tuple[Path, ...]:
        """The result's files."""
        return tuple(Path(self.folder) / name for name in self.files)

    def changed(self, **changes: Any) -> Record:
        """A newer copy."""
        return replace(self, **changes, edition=self.edition + 1)


class Ledger:
    """The records of one file by id, oldest first, which file that is, and which it was saved from."""

    def __init__(
        self, records: Iterable[Record] = (), file: FileId = NO_FILE, earlier: FileId = NO_FILE
    ) -> None:
        self.file = file
        self.earlier = earlier
        self._records: dict[str, Record] = {record.id: record for record in records}
        self._texts: dict[str, tuple[Record, str]] = {}

    def __iter__(self) -> Iterator[Record]:
        """Records that were not deleted."""
        return iter([record for record in self._records.values() if not record.deleted])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ledger) and self._records == other._records

    __hash__ = None  # type: ignore[assignment]  # it changes

    def owns(self, record: Record) -> bool:
        """Whether a record belongs to this file, not to one this was copied from."""
        return record.file in ("", self.file.id)

    def get(self, record: str) -> Record | None:
        found = self._records.get(record)
        return None if found is None or found.deleted else found

    def find(self, record: str) -> Record | None:
        """The record, deleted or not."""
        return self._records.get(record)

    def put(self, record: Record) -> None:
        """Add a record or replace the one of its id."""
        self._records[record.id] = record
        self._trim()

    def merge(self, other: Ledger) -> bool:
        """Take what is newer there; whether that ledger lacks something that is known here."""
        lacks = any(
            (theirs := other._records.get(own.id)) is None or theirs.edition < own.edition
            for own in self._records.values()
        )
        for record in other._records.values():
            own = self._records.get(record.id)
            if own is None or own.edition < record.edition:
                self._records[record.id] = record
        self._trim()
        return lacks

    def map(self, change: Callable[[Record], Record | None]) -> Ledger:
        """A ledger of what `change` makes of every record, deleted ones too; None leaves one out."""
        made = (change(record) for record in self._records.values())
        return Ledger((record for record in made if record is not None), self.file, self.earlier)

    def to_json(self) -> str:
        """One line of JSON. It is asked for after every change, so what has not changed is not made anew."""
        texts = {}
        for record in self._records.values():
            made, text = self._texts.get(record.id, (None, ""))
            if made is not record:
                text = json.dumps(_record_to_json(record), separators=(",", ":"))
            texts[record.id] = record, text
        self._texts = texts
        files = {"file": self.file._asdict(), "earlier": self.earlier._asdict()}
        head = json.dumps({"schema": SCHEMA, **files}, separators=(",", ":"))
        records = ",".join(text for _, text in texts.values())
        return f'{head[:-1]},"records":[{records}]}}'

    @classmethod
    def from_json(cls, text: str) -> Ledger:
        """What `to_json` gave. A damaged text is an empty ledger, a damaged record is left out: a file opens
        whatever is in it."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return cls()
        if not isinstance(data, dict):
            return cls()
        entries = data.get("records")
        found = (
            [_record_from_json(entry) for entry in entries[-_MOST_ENTRIES:]]
            if isinstance(entries, list)
            else []
        )
        files = [_file_from_json(data.get(name)) for name in ("file", "earlier")]
        return cls((record for record in found if record is not None), *files)

    def _trim(self) -> None:
        spare = len(self._records) - MOST_RECORDS
        for record in list(self._records.values()):
            if spare <= 0:
                return
            if record.deleted or record.state in ENDED:
                del self._records[record.id]
                spare -= 1


def _file_from_json(data: Any) -> FileId:
    if not isinstance(data, dict) or not all(isinstance(data.get(name), str) for name in FileId._fields):
        return NO_FILE
    return FileId(data["id"], data["path"])


def _record_to_json(record: Record) -> dict[str, Any]:
    return {**asdict(record), "settings": record.settings.to_json()}


def _record_from_json(data: Any) -> Record | None:
    try:
        known = {entry.name for entry in fields(Record)}
        values = {name: value for name, value in data.items() if name in known}
        origin = Origin(
            **{e.name: data["origin"][e.name] for e in fields(Origin) if e.name in data["origin"]}
        )
        values |= {
            "origin": origin,
            "settings": EditSettings.from_json(data["settings"]),
            "files": tuple(map(str, data.get("files", ()))),
            "size": (int(data.get("size", (0, 0))[0]), int(data.get("size", (0, 0))[1])),
        }
        record = Record(**values)
    except (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
    return record if _sound(record) else None


def _plain(value: Any, depth: int = _DEPTH) -> bool:
    """Whether data can be written, shown and sent: not nested without end, no half letters (which JSON can
    say, and Blender cannot show)."""
    if isinstance(value, str):
        return not _HALF_LETTER.search(value)
    if isinstance(value, dict):
        return depth > 0 and all(_plain(key) and _plain(one, depth - 1) for key, one in value.items())
    return not isinstance(value, list | tuple) or (depth > 0 and all(_plain(one, depth - 1) for one in value))


def _sound(record: Record) -> bool:
    """Whether every entry is of its type: JSON written by others may hold anything."""
    origin = record.origin
    texts = (
        *(record.folder, record.id, record.state, record.job, record.call, record.of),
        *(record.placed, record.parent, record.file, record.heir, record.where),
        *(origin.scene, origin.strip, origin.strip_name, origin.scene_key, origin.content),
    )
    numbers = (
        *(record.edition, record.created_ms, record.seed),
        *(origin.first, origin.last, origin.channel),
    )
    return (
        all(isinstance(text, str) for text in texts)
        and all(type(number) is int for number in numbers)
        and all(isinstance(one, dict) for one in (record.plan, record.failure, origin.mask, origin.transform))
        # Not the folder: a path may hold bytes that are no letters, and only its name is taken.
        and all(map(_plain, (*texts[1:], origin.mask, origin.transform, record.failure)))
        and _plain(record.settings.to_json())
        and isinstance(record.deleted, bool)
        and origin.first <= origin.last
        and bool(record.id)
        and record.state in STATES
        and record.where in PLACES
    )
