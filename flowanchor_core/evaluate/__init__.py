# SPDX-License-Identifier: Apache-2.0
"""Measurements: quality of edits, cost of their parts."""
