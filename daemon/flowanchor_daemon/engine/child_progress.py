# SPDX-License-Identifier: Apache-2.0
"""How far a whole job is, from how far its phases are."""

from __future__ import annotations

# Shares of a job's time by phase: those of a usual edit on a GPU, roughly.
_SHARES = {"load": 3, "read": 2, "encode": 7, "edit": 68, "decode": 10, "deliver": 6, "verify": 4}


class WholeJob:
    """The fraction of a job that is done. It never falls, and is 1 only when the last phase has ended."""

    def __init__(self) -> None:
        self._fraction = 0.0

    def after(self, phase: str, step: int, total: int) -> float:
        """0 to 1, once `step` of `total` steps of a phase are done."""
        before = 0
        for name, share in _SHARES.items():
            if name == phase:
                done = (before + share * (step / total if total else 1.0)) / sum(_SHARES.values())
                self._fraction = max(self._fraction, done)
                break
            before += share
        return self._fraction
