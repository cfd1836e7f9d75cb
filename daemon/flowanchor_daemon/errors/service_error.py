# SPDX-License-Identifier: Apache-2.0
"""The failure that the service itself raises."""

from __future__ import annotations

from flowanchor_core.errors import FlowAnchorError
from flowanchor_daemon.errors.catalogue import CATALOGUE


class ServiceError(FlowAnchorError):
    """A failure by its code; sentence and action are the catalogue's unless given.

    `metadata` is told to programs, not people (in google.rpc.ErrorInfo): names, numbers, limits; never a
    token, a prompt or a path of the daemon's. KeyError for a code that is not in the catalogue.
    """

    def __init__(
        self, code: str, message: str | None = None, action: str | None = None, **metadata: str | int | float
    ) -> None:
        entry = CATALOGUE[code]
        super().__init__(code, message or entry.message, entry.action if action is None else action)
        self.metadata = {key: str(value) for key, value in metadata.items()}
