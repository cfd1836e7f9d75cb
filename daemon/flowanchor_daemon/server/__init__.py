# SPDX-License-Identifier: Apache-2.0
"""The gRPC server: who may call, what a failed call carries, and the daemon's own service."""
