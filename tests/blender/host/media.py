# SPDX-License-Identifier: Apache-2.0
"""The clips that the scripts in Blender work on."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

from tests.blender.host import numbered

FRAMES = 40
RATES = {
    "23.976.mp4": Fraction(24000, 1001),
    "24.mp4": Fraction(24),
    "24.mkv": Fraction(24),
    "25.mp4": Fraction(25),
    "29.97.mp4": Fraction(30000, 1001),
    "30.mp4": Fraction(30),
    "50.mp4": Fraction(50),
}


def write_media(folder: Path) -> Path:
    """Write them into a new folder, which is returned."""
    folder.mkdir(parents=True)
    for name, rate in RATES.items():
        numbered.write_movie(folder / name, rate, FRAMES)
    numbered.write_movie(folder / "long.mp4", Fraction(24), 120, gop=120)
    numbered.write_movie(folder / "short.mkv", Fraction(24), FRAMES - 3)
    numbered.write_movie(folder / "vfr.mp4", Fraction(24), FRAMES, late=20)
    numbered.write_movie(folder / "tall.mp4", Fraction(24), 3, scale=8)
    numbered.write_movie(folder / "untagged.mp4", Fraction(24), 3, scale=8, tagged=False)
    numbered.write_movie(folder / "nclc.mov", Fraction(24), FRAMES)
    numbered.write_patch(folder / "alpha.mov", Fraction(24), FRAMES)
    numbered.write_soft_patch(folder / "soft.mov", Fraction(24), 6)
    numbered.write_images(folder / "images", [numbered.picture(number) for number in range(FRAMES)])
    numbered.write_images(folder / "patches", [numbered.patch(number) for number in range(FRAMES)])
    with wave.open(str(folder / "sound.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    return folder
