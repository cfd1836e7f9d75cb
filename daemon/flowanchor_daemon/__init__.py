# SPDX-License-Identifier: Apache-2.0
"""What runs around the editing library: the command line now, the service that owns the GPU next."""
