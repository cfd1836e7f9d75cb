# SPDX-License-Identifier: Apache-2.0
"""Timelines of other editing programs: read one, write it back with a result on a track of its own."""
