# SPDX-License-Identifier: Apache-2.0
"""Run all checks, whatever one of them does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from flowanchor_daemon.doctor.finding import Finding, Level, problem
from flowanchor_daemon.doctor.machine import check_device, check_driver, check_memory
from flowanchor_daemon.doctor.places import Places, check_disk, check_folders, check_models
from flowanchor_daemon.doctor.service import check_daemon
from flowanchor_daemon.doctor.versions import check_versions

Check = Callable[[], Iterable[Finding]]


@dataclass(frozen=True)
class Report:
    """All findings, in the order they were made."""

    findings: tuple[Finding, ...]

    def count(self, level: Level) -> int:
        return sum(finding.level == level for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {
            "problems": self.count("problem"),
            "warnings": self.count("warning"),
            "findings": [asdict(finding) for finding in self.findings],
        }


def checks_of(places: Places) -> dict[str, Check]:
    """All checks by name, in the order of the report."""
    return {
        "versions": check_versions,
        "driver": check_driver,
        "device": check_device,
        "memory": check_memory,
        "disk": lambda: check_disk(places),
        "folders": lambda: check_folders(places),
        "daemon": lambda: check_daemon(places),
        "models": check_models,
    }


def examine(checks: Mapping[str, Check], told: Callable[[Finding], None] | None = None) -> Report:
    """Run checks; one that fails itself is a finding too. `told` gets each finding when it is made."""
    found: list[Finding] = []

    def add(finding: Finding) -> None:
        found.append(finding)
        if told is not None:
            told(finding)

    for name, check in checks.items():
        try:
            for finding in check():
                add(finding)
        except Exception as failure:  # noqa: BLE001 - one broken check must not hide what the others find
            add(
                problem(
                    name,
                    f"This could not be looked at ({type(failure).__name__}: {failure}).",
                    "Report it with the output of `flowanchor doctor --bundle`.",
                )
            )
    return Report(tuple(found))
