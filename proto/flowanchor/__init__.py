# SPDX-License-Identifier: Apache-2.0
"""The contract between the daemon and its clients: generated messages and the meeting place."""
