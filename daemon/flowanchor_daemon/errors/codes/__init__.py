# SPDX-License-Identifier: Apache-2.0
"""The catalogue's entries by topic: a file holds a TITLE and its ENTRIES, in the order of the page."""
