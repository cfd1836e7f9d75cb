# SPDX-License-Identifier: Apache-2.0
"""What tests of the Blender add-on share: real daemons, each with folders of its own, and one for all tests
that only edit with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.daemon.conftest import daemon
from tests.daemon.processes import Daemons, RunningDaemon

__all__ = ["daemon", "served"]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """A daemon that serves, its engine loaded once there was an edit. It knows the jobs of other tests, and
    no test stops it."""
    daemons = Daemons(tmp_path_factory.mktemp("served"))
    try:
        yield daemons()
    finally:
        daemons.close()
