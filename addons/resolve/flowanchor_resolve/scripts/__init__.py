# SPDX-License-Identifier: Apache-2.0
"""Scripts that are put into Resolve's menu. They are read from here as text, never imported."""
