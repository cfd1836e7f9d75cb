# SPDX-License-Identifier: Apache-2.0
"""Colour tags of a stream: what they say, what is assumed where they say nothing, what is refused.

Numbers are those of ITU-T H.273, which FFmpeg uses as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from flowanchor_core.errors import InputError

Matrix = Literal["rgb", "bt709", "bt601"]

UNSPECIFIED: Final = 2
_MATRICES: Final[Mapping[int, Matrix]] = {0: "rgb", 1: "bt709", 5: "bt601", 6: "bt601"}
_REFUSED_TRANSFERS: Final = {
    8: "linear light",
    9: "a log curve",
    10: "a log curve",
    14: "wide-gamut BT.2020",
    15: "wide-gamut BT.2020",
    16: "HDR (PQ)",
    17: "cinema (SMPTE 428) coding",
    18: "HDR (HLG)",
}
_REFUSED_PRIMARIES: Final = {9: "wide-gamut BT.2020", 10: "cinema (XYZ) colour"}
_LOG_NAMES: Final = ("s-log", "slog", "v-log", "vlog", "c-log", "clog", "logc", "n-log", "f-log", "d-log")


@dataclass(frozen=True)
class ColourTags:
    """Matrix, range, transfer and primaries as the stream states them, and how its samples are read.

    `matrix` and `full_range` are what the conversion uses; the four `tag_*` numbers (H.273) are what was
    stated and what a delivery in the same pixel format states again. `assumed` says in words what had to be
    assumed, or "".
    """

    matrix: Matrix
    full_range: bool
    tag_matrix: int = UNSPECIFIED
    tag_range: int = 0
    tag_transfer: int = UNSPECIFIED
    tag_primaries: int = UNSPECIFIED
    assumed: str = ""


SRGB: Final = ColourTags("rgb", True, tag_matrix=0, tag_range=2, tag_transfer=13, tag_primaries=1)
"""Full-range R'G'B' with Rec.709 primaries: image files and RGB video."""


def read_tags(
    name: str,
    height: int,
    *,
    rgb: bool,
    full_by_format: bool,
    matrix: int,
    colour_range: int,
    transfer: int,
    primaries: int,
    metadata: Mapping[str, str],
) -> ColourTags:
    """Interpret a stream's tags.

    Args:
        name: the clip's name, for messages.
        height: of the frame; decides the matrix where none is stated: 709 from 576 lines up, else 601.
        rgb, full_by_format: the pixel format is RGB; it means full range by itself (gray, yuvj).
        matrix, colour_range, transfer, primaries: H.273 numbers (range: 0 unknown, 1 limited, 2 full).
        metadata: the file's and the stream's, where cameras name their log curves.

    Raises:
        InputError: PQ, HLG, a log curve, linear light, BT.2020 or an unknown matrix.
    """
    reason = _REFUSED_TRANSFERS.get(transfer) or _REFUSED_PRIMARIES.get(primaries) or _log_curve(metadata)
    if reason is None and not rgb and matrix in (9, 10, 14):
        reason = "wide-gamut BT.2020"
    if reason is not None:
        raise InputError(
            "colour-unsupported",
            f"{name} is coded in {reason}, which this version cannot edit faithfully.",
            "Convert it to Rec.709 first.",
        )
    if rgb:
        return ColourTags("rgb", True, 0, colour_range, transfer, primaries)
    assumed = []
    if matrix in (UNSPECIFIED, 0, 3):
        name_of_matrix: Matrix = "bt709" if height >= 576 else "bt601"
        assumed.append("Rec.709" if name_of_matrix == "bt709" else "Rec.601")
    elif matrix in _MATRICES:
        name_of_matrix = _MATRICES[matrix]
    else:
        raise InputError(
            "colour-unsupported",
            f"{name} uses colour matrix number {matrix}, which this version cannot edit faithfully.",
            "Convert it to Rec.709 first.",
        )
    full = full_by_format or colour_range == 2
    if colour_range == 0 and not full_by_format:
        assumed.append("limited range")
    note = f"{name} does not state its colour fully; {' and '.join(assumed)} assumed." if assumed else ""
    return ColourTags(name_of_matrix, full, matrix, colour_range, transfer, primaries, note)


def _log_curve(metadata: Mapping[str, str]) -> str | None:
    for key, value in metadata.items():
        if "gamma" in key.lower() or "transfer" in key.lower():
            flat = value.lower().replace(" ", "").replace("_", "-")
            if any(log in flat for log in _LOG_NAMES):
                return f"a camera log curve ({value})"
    return None
