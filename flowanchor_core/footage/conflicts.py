# SPDX-License-Identifier: Apache-2.0
"""Keep an edit from writing over what it reads, or over its own results."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from flowanchor_core.errors import InputError
from flowanchor_core.footage import sequences


def files_of(path: Path) -> tuple[Path, ...]:
    """The files that a mask named `path` is read from: those of a folder or a pattern, else the file itself.

    Raises InputError as `sequences.find_sequence` does.
    """
    if path.is_dir() or sequences.is_pattern(path):
        return sequences.find_sequence(path).files
    return (path,)


def refuse_overlap(inputs: Iterable[Path], outputs: Iterable[Path]) -> None:
    """Raise InputError if an output is one of the inputs, by whatever name or link, or two outputs are one
    file.
    """
    read: set[object] = set()
    for path in inputs:
        read |= _identities(path)
    written: set[object] = set()
    for path in outputs:
        same = _identities(path)
        if same & read:
            raise InputError(
                "output-is-input",
                f"The output {path} is a file that the edit reads.",
                "Choose another output name.",
            )
        if same & written:
            raise InputError(
                "output-twice", f"Two outputs have the name {path}.", "Choose another name for one of them."
            )
        written |= same


def _identities(path: Path) -> set[object]:
    """The real path (in the system's own notion of case) and, if there is such a file, the file itself."""
    found: set[object] = {os.path.normcase(os.path.realpath(path))}
    if os.path.exists(path):
        status = path.stat()
        found.add((status.st_dev, status.st_ino))
    return found
