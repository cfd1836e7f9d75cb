# SPDX-License-Identifier: Apache-2.0
"""The editing library: torch and diffusers only, no gRPC, no SQL, no host application API."""
