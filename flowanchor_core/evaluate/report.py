# SPDX-License-Identifier: Apache-2.0
"""The quality benchmark's table and the JSON of a run's numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flowanchor_core.evaluate.statistics import interval, paired

if TYPE_CHECKING:
    from flowanchor_core.evaluate.quality import Result

MEASURES = {
    "obj": "success",
    "pixels": "right pixels",
    "keep": "others kept",
    "psnr_outside": "PSNR outside (dB)",
    "flicker": "flicker",
}
REFERENCES = ("flowedit", "flowanchor")


@dataclass(frozen=True)
class Row:
    """A variant's means with 95 % bootstrap intervals, and its paired differences by
    reference variant."""

    variant: str
    edits: int
    forwards: float
    seconds: float
    measures: dict[str, tuple[float, float, float]]
    differences: dict[str, dict[str, tuple[float, float, float]]]


def summarise(results: Sequence[Result]) -> list[Row]:
    """One row a variant, in the order in which they come. ValueError without results."""
    grouped: dict[str, list[Result]] = {}
    for result in results:
        grouped.setdefault(result.variant, []).append(result)
    references = {name: grouped[name] for name in REFERENCES if name in grouped}
    return [_row(name, group, references) for name, group in grouped.items()]


def _row(name: str, group: Sequence[Result], references: Mapping[str, Sequence[Result]]) -> Row:
    measures = {key: interval(list(_values(group, key).values())) for key in MEASURES}
    differences = {
        other: {key: _paired(_values(group, key), _values(theirs, key)) for key in MEASURES}
        for other, theirs in references.items()
        if other != name
    }
    count = len(group)
    forwards, seconds = (sum(getattr(r, k) for r in group) / count for k in ("forwards", "seconds"))
    return Row(name, count, forwards, seconds, measures, differences)


def _paired(mine: Mapping[str, float], theirs: Mapping[str, float]) -> tuple[float, float, float]:
    shared = [case for case in mine if case in theirs]
    return paired([mine[case] for case in shared], [theirs[case] for case in shared])


def _values(group: Sequence[Result], key: str) -> dict[str, float]:
    found = {result.case: getattr(result.verdict, key) for result in group}
    return {case: value for case, value in found.items() if value is not None}


def table(rows: Sequence[Row]) -> str:
    """A Markdown table; in brackets the 95 % bootstrap interval of the mean."""
    heads = ["variant", *MEASURES.values(), "runs of the model", "seconds"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        cells = [_cell(key, row.measures[key]) for key in MEASURES]
        lines.append(" | ".join([f"| {row.variant}", *cells, f"{row.forwards:.0f}", f"{row.seconds:.1f} |"]))
    return "\n".join(lines)


def differences(rows: Sequence[Row]) -> str:
    """What every variant changes against each reference, case by case, as lines of text."""
    lines = []
    for reference in REFERENCES:
        lines.append(f"paired differences to {reference}, mean [95 % interval]:")
        for row in rows:
            found = row.differences.get(reference, {})
            cells = [f"{MEASURES[k]} {m:+.3f} [{a:+.3f}, {b:+.3f}]" for k, (m, a, b) in found.items()]
            if cells:
                lines.append(f"  {row.variant}: " + "; ".join(cells))
    return "\n".join(lines)


def _cell(key: str, values: tuple[float, float, float]) -> str:
    digits = 1 if key in ("psnr_outside", "flicker") else 3
    mean, low, high = (f"{value:.{digits}f}" for value in values)
    return f"{mean} [{low}, {high}]"


def write_json(rows: Sequence[Row], results: Sequence[Result], about: dict[str, object], path: Path) -> None:
    """A run's own numbers: what it was (`about`), its rows and every edit."""
    content = {
        **about,
        "rows": [asdict(row) for row in rows],
        "edits": [asdict(result) for result in results],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_rows(path: Path) -> list[Row]:
    """The rows of a run as `write_json` kept them. KeyError or ValueError for another file."""
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return [
        Row(
            variant=row["variant"],
            edits=row["edits"],
            forwards=row["forwards"],
            seconds=row["seconds"],
            measures={key: _three(values) for key, values in row["measures"].items()},
            differences={
                other: {key: _three(values) for key, values in found.items()}
                for other, found in row["differences"].items()
            },
        )
        for row in rows
    ]


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    mean, low, high = values
    return mean, low, high
