# SPDX-License-Identifier: Apache-2.0
"""Masks and regions."""

from flowanchor_daemon.errors.entry import of_input

TITLE = "Masks and regions"
ENTRIES = (
    of_input("no-region", "No region was given.", "Mark one with a mask or a shape."),
    of_input(
        "bad-region", "The region's settings cannot be used.", "Use 0 or more for margin, grow and feather."
    ),
    of_input("mask-needed", "This editor needs a mask.", "Mark a region."),
    of_input(
        "mask-empty",
        "The mask marks nothing in this range.",
        "Mark something inside the picture on these frames.",
    ),
    of_input("mask-size", "The mask has another size than the clip.", "Export the mask at the clip's size."),
    of_input(
        "mask-length",
        "The mask has another length than the clip and the range.",
        "Give a mask for the whole clip, for exactly the range, or a single image.",
    ),
    of_input("mask-shape", "The mask is not a stack of frames.", "Give it as frames, height and width."),
    of_input(
        "mask-grid", "The mask does not fit the model's grid of tokens.", "Use a size the grid divides."
    ),
    of_input("mask-geometry", "A shape that marks the region cannot be drawn.", "Check the shape's numbers."),
    of_input("box-syntax", "The box cannot be read.", "Give it as x,y,width,height in pixels of the clip."),
    of_input("unknown-mode", "There is no such region mode.", "Use detail or fast."),
    of_input("margin-out-of-range", "The margin is out of range.", "Use 0 to 10."),
    of_input("grow-out-of-range", "The number of pixels to grow by is out of range.", "Use 0 to 1000."),
    of_input("feather-out-of-range", "The width of the soft edge is out of range.", "Use 0 to 1000 pixels."),
)
