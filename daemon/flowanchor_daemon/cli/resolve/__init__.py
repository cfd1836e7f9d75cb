# SPDX-License-Identifier: Apache-2.0
"""`flowanchor resolve`: the commands are in `commands`, what they do in `actions`."""
