# SPDX-License-Identifier: Apache-2.0
"""Failures of the service: raise `ServiceError` by code; what it means stands in the catalogue, once."""

from flowanchor_daemon.errors.catalogue import CATALOGUE
from flowanchor_daemon.errors.entry import Entry
from flowanchor_daemon.errors.failure import failure_error, to_failure
from flowanchor_daemon.errors.service_error import ServiceError

__all__ = ["CATALOGUE", "Entry", "ServiceError", "failure_error", "to_failure"]
