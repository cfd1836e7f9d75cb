# SPDX-License-Identifier: Apache-2.0
"""Builds the gRPC server: its options, its interceptors in order, its services."""

from __future__ import annotations

from typing import Any, Final

import grpc.aio
from flowanchor.v1 import jobs_pb2_grpc, media_pb2_grpc, models_pb2_grpc, system_pb2_grpc
from grpc_health.v1 import health_pb2_grpc

from flowanchor_daemon.server.activity import ActivityInterceptor
from flowanchor_daemon.server.auth import TokenInterceptor
from flowanchor_daemon.server.draining import DrainInterceptor
from flowanchor_daemon.server.parts import Parts
from flowanchor_daemon.server.translate import ErrorInterceptor
from flowanchor_daemon.server.version import VersionInterceptor

MESSAGE_SLACK: Final = 1 << 20  # bytes beside a chunk: a header, or a job of ten thousand images


def options(max_chunk_bytes: int) -> list[tuple[str, Any]]:
    """The server's options, each with its reason."""
    return [
        # With port sharing a second daemon could bind a first one's port and take part of its calls.
        ("grpc.so_reuseport", 0),
        # A larger message is refused by its announced size, before memory is taken for it.
        ("grpc.max_receive_message_length", max_chunk_bytes + MESSAGE_SLACK),
        # Answers are our own; a job of many images names each of them.
        ("grpc.max_send_message_length", -1),
        # One client's calls in flight; what is beyond waits in the client, or is refused and can be repeated.
        ("grpc.max_concurrent_streams", 128),
        # A listener's connections. Each takes a file, and a stranger can open them without a token.
        ("grpc.max_allowed_incoming_connections", 256),
        # Metadata is a token and a version.
        ("grpc.max_metadata_size", 16 << 10),
        # A client whose machine vanished during an upload or a watch is noticed within a minute and a half.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        # A client may ask as often; one that asks more is cut off.
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
    ]


def build(parts: Parts) -> grpc.aio.Server:
    """A server with all services, bound to nothing yet and not started.

    The token comes first: nothing of a stranger's call is looked at further. Errors come last, next to the
    methods, so that they see what these raise.
    """
    server = grpc.aio.server(
        interceptors=(
            TokenInterceptor(parts.token),
            VersionInterceptor(),
            ActivityInterceptor(parts.activity),
            DrainInterceptor(parts.ending),
            ErrorInterceptor(),
        ),
        options=options(parts.limits.max_chunk_bytes),
    )
    jobs_pb2_grpc.add_JobsServicer_to_server(parts.jobs_service, server)
    media_pb2_grpc.add_MediaServicer_to_server(parts.media_service, server)
    models_pb2_grpc.add_ModelsServicer_to_server(parts.models_service, server)
    system_pb2_grpc.add_SystemServicer_to_server(parts.system_service, server)
    health_pb2_grpc.add_HealthServicer_to_server(parts.health, server)
    return server
