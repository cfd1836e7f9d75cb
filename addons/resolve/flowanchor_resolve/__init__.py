# SPDX-License-Identifier: Apache-2.0
"""The DaVinci Resolve client: what an edit needs of a timeline, over Resolve's scripting interface.

Standard library alone, Python 3.10 or newer: parts of it run inside Resolve, in whatever Python that has.
Files are probed and edits are run by functions that are handed in (`Editing`), so that nothing here needs
the daemon.
"""
