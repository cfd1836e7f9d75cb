# SPDX-License-Identifier: Apache-2.0
"""Checks of one editing program: what editing from there needs besides the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, cast

from flowanchor_resolve import doctor as resolve_doctor

from flowanchor_daemon.doctor.blender import check_daemon_command, check_extensions
from flowanchor_daemon.doctor.finding import Finding, Level

HostName = Literal["blender", "resolve"]


def checks_of_host(host: HostName) -> dict[str, Callable[[], Iterator[Finding]]]:
    """The checks of an editing program by name, in the order of the report."""
    if host == "blender":
        return {"blender add-on": check_extensions, "blender daemon": check_daemon_command}
    return {name: _findings(check) for name, check in resolve_doctor.CHECKS.items()}


def _findings(check: Callable[[], Iterator[resolve_doctor.Told]]) -> Callable[[], Iterator[Finding]]:
    """A check of the Resolve client's, which knows nothing of this package."""

    def findings() -> Iterator[Finding]:
        for told in check():
            yield Finding(told.name, cast(Level, told.level), told.text, told.action)

    return findings
