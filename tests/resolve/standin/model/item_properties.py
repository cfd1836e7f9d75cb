# SPDX-License-Identifier: Apache-2.0
"""Properties of timeline items: what the vendor's text lists, with defaults and ranges."""

from __future__ import annotations

from typing import Any

DEFAULTS: dict[str, Any] = {
    "Pan": 0.0,
    "Tilt": 0.0,
    "ZoomX": 1.0,
    "ZoomY": 1.0,
    "ZoomGang": True,
    "RotationAngle": 0.0,
    "AnchorPointX": 0.0,
    "AnchorPointY": 0.0,
    "Pitch": 0.0,
    "Yaw": 0.0,
    "FlipX": False,
    "FlipY": False,
    "CropLeft": 0.0,
    "CropRight": 0.0,
    "CropTop": 0.0,
    "CropBottom": 0.0,
    "CropSoftness": 0.0,
    "CropRetain": False,
    "DynamicZoomEase": 0,
    "CompositeMode": 0,
    "Opacity": 100.0,
    "Distortion": 0.0,
    "RetimeProcess": 0,
    "MotionEstimation": 0,
    "Scaling": 0,
    "ResizeFilter": 0,
}
_RANGES: dict[str, tuple[float, float]] = {
    "ZoomX": (0, 100),
    "ZoomY": (0, 100),
    "RotationAngle": (-360, 360),
    "Pitch": (-1.5, 1.5),
    "Yaw": (-1.5, 1.5),
    "CropSoftness": (-100, 100),
    "Opacity": (0, 100),
    "Distortion": (-1, 1),
}
_CHOICES = {
    "DynamicZoomEase": 4,
    "CompositeMode": 32,
    "RetimeProcess": 4,
    "MotionEstimation": 7,
    "Scaling": 5,
    "ResizeFilter": 16,
}


def admitted(name: str, value: Any, size: tuple[int, int]) -> Any:
    """The value as it is taken (numbers beyond their range are clipped), or None if it is refused."""
    default = DEFAULTS.get(name)
    if default is None:
        return None
    if isinstance(default, bool):
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if name in _CHOICES:
        return int(value) if 0 <= value < _CHOICES[name] else None
    width, height = size
    reach = {"Pan": width, "AnchorPointX": width, "Tilt": height, "AnchorPointY": height}.get(name)
    if reach:
        low, high = -4.0 * reach, 4.0 * reach
    elif name.startswith("Crop") and name != "CropSoftness":
        low, high = 0.0, float(width if name in ("CropLeft", "CropRight") else height)
    else:
        low, high = _RANGES[name]
    return min(max(float(value), low), high)
