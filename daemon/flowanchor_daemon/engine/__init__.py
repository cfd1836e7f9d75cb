# SPDX-License-Identifier: Apache-2.0
"""The engine: the process that owns the GPU, and the daemon's side of it.

Nothing on the daemon's side (`api`, `framing`, `process`, `local`) imports torch; the process itself is
`__main__`, `child` and what those import.
"""
