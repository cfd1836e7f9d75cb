# SPDX-License-Identifier: Apache-2.0
"""Every failure a user can meet: its code, what it is about, its gRPC status, one sentence and one action.

The sentence and the action here are the general ones; most places that raise a code say it more exactly.
"""

from __future__ import annotations

from types import MappingProxyType

from flowanchor_daemon.errors.entry import Entry
from flowanchor_daemon.errors.service_codes import SERVICE

CATALOGUE = MappingProxyType({entry.code: entry for entry in (*SERVICE,)})
"""Code -> entry."""

__all__ = ["CATALOGUE", "Entry"]
