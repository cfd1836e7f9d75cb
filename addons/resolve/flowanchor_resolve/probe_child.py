# SPDX-License-Identifier: Apache-2.0
"""Ask Resolve who it is, in a process that may hang or crash in its place: `python -m
flowanchor_resolve.probe_child`.

Prints a line of JSON, after a mark, for each step it has reached, so that its parent knows where it stopped:
{"step": "found"}, {"step": "loaded"}, then {"step": "answer", "product", "version", "page"} or
{"step": "none"}, or {"step": "failed", "error"}.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TextIO

MARK = "flowanchor-probe:"


def main() -> int:
    # The module's own words go to standard error, so that they cannot end up inside our lines.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        _ask(answers)
    except Exception as failure:  # noqa: BLE001 - whatever the vendor's module raises, the parent is told
        _tell(answers, step="failed", error=f"{type(failure).__name__}: {failure}"[:500])
    answers.flush()
    # Without the interpreter's end, in which the vendor's library may hang.
    os._exit(0)


def _ask(answers: TextIO) -> None:
    from flowanchor_resolve import scripting

    where = scripting.find()
    _tell(answers, step="found" if where is not None else "missing", path=str(where) if where else None)
    if where is None:
        return
    module = scripting.load(where)
    _tell(answers, step="loaded")
    resolve = module.scriptapp("Resolve")
    if resolve is None:
        _tell(answers, step="none")
        return
    product, version, page = resolve.GetProductName(), resolve.GetVersionString(), resolve.GetCurrentPage()
    _tell(answers, step="answer", product=product, version=version, page=page)


def _tell(answers: TextIO, **content: str | None) -> None:
    answers.write(f"{MARK}{json.dumps(content)}\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
