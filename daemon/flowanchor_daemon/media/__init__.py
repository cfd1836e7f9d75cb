# SPDX-License-Identifier: Apache-2.0
"""Files that clients sent: kept by content, laid out for the engine under the daemon's own names."""
