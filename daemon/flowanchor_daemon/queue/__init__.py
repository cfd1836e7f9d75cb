# SPDX-License-Identifier: Apache-2.0
"""The durable queue: what was accepted is kept, runs once at a time, and ends in exactly one way."""
