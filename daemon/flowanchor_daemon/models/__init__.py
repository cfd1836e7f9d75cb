# SPDX-License-Identifier: Apache-2.0
"""Models: which there are, getting them, checking them."""
