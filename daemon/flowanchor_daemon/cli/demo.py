# SPDX-License-Identifier: Apache-2.0
"""`flowanchor demo`."""

from __future__ import annotations


def demo() -> None:
    """Edit a small clip of two objects, once each object."""
