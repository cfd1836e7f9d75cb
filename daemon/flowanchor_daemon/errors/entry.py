# SPDX-License-Identifier: Apache-2.0
"""What the catalogue says about one code."""

from __future__ import annotations

from dataclasses import dataclass

import grpc
from flowanchor.v1 import types_pb2


@dataclass(frozen=True)
class Entry:
    """One way of failing. `retry` is the number of seconds after which the same call may succeed, if any."""

    code: str
    kind: types_pb2.FailureKind
    status: grpc.StatusCode
    message: str
    action: str
    retry: float | None = None
