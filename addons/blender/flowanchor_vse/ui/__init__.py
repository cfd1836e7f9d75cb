# SPDX-License-Identifier: GPL-3.0-or-later
"""Panels, operators and the timer: what stands between a user and `logic`."""
