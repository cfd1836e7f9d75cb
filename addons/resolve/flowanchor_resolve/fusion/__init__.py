# SPDX-License-Identifier: Apache-2.0
"""Reads the masks of a Fusion composition from its text, as `TimelineItem.ExportFusionComp` writes it.

`text` reads tables, `comp` finds tools and their inputs, `spline` is how a value moves, `curve` is the
outline of a mask, `masks` puts them together.
"""
