# SPDX-License-Identifier: Apache-2.0
"""The timeline and the page that work is done on, and the way back to those of before.

Most calls about renders switch Resolve to the Deliver page, even some that only read; so the page is read
before any of them. (Measured by users on 19.1.3.)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flowanchor_resolve.calls import Calls
from flowanchor_resolve.held import put_back
from flowanchor_resolve.host import Say
from flowanchor_resolve.opened import Opened, find_timeline, open_project
from flowanchor_resolve.watch import Watch


@contextmanager
def at_work(calls: Calls, timeline_id: str, page: str, say: Say, watch: Watch) -> Iterator[Opened]:
    """Make a timeline the current one and open a page, for as long as the context lasts; `say` is told if
    the timeline or the page of before does not come back.

    What was got hold of on another timeline is worth nothing afterwards: Resolve's objects go stale with
    the timeline they are of.

    Raises:
        ResolveProblem: "resolve-timeline-gone", "resolve-timeline-closed", "resolve-refused",
            "resolve-dialog-open".
    """
    project = open_project(calls)
    page_before = calls.ask(calls.resolve, "GetCurrentPage")
    before = calls.ask(project, "GetCurrentTimeline")
    id_before = calls.ask(before, "GetUniqueId") if before else None

    def tell(left: list[str]) -> None:
        for what in left:
            say(f"{what} could not be opened again.")

    try:
        if id_before != timeline_id:
            wanted = find_timeline(calls, project, timeline_id)
            calls.need("open the timeline", project, "SetCurrentTimeline", wanted)
        if page_before != page:
            calls.need(f"open its {page} page", calls.resolve, "OpenPage", page)
        opened = Opened(calls, project, calls.need("give the timeline", project, "GetCurrentTimeline"))
        if opened.timeline_id != timeline_id:
            raise opened.switched()
        yield opened
    finally:
        put_back(
            [
                (
                    "The timeline that was open before",
                    lambda: _back_to(calls, project, id_before, timeline_id),
                ),
                (
                    f"Resolve's {page_before} page" if page_before else "The page that was open before",
                    lambda: watch.settled(calls, lambda: _back_to_page(calls, page_before)),
                ),
            ],
            tell,
        )


def _back_to(calls: Calls, project: Any, before: Any, ours: str) -> bool:
    """Open the timeline again that was open before, unless the user has opened a third one meanwhile."""
    now = calls.ask(project, "GetCurrentTimeline")
    found = calls.ask(now, "GetUniqueId") if now else None
    if before is None or found == before or (found and found != ours):
        return True
    wanted = find_timeline(calls, project, before)
    return bool(calls.ask(project, "SetCurrentTimeline", wanted))


def _back_to_page(calls: Calls, page: Any) -> bool:
    if calls.ask(calls.resolve, "GetCurrentPage") == page:
        return True
    if not page:
        return False  # it was not told
    calls.ask(calls.resolve, "OpenPage", page)
    return bool(calls.ask(calls.resolve, "GetCurrentPage") == page)
