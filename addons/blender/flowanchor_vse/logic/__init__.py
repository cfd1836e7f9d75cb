# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on decides without Blender: nothing below imports bpy, starts a thread or sleeps."""
