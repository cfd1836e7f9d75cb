# SPDX-License-Identifier: Apache-2.0
"""What tests of the Blender add-on share: real daemons, each with folders of its own."""

from __future__ import annotations

from tests.daemon.conftest import daemon

__all__ = ["daemon"]
