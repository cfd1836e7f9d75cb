# SPDX-License-Identifier: Apache-2.0
"""How a request's fields are refused: by name, with what would be right."""

from __future__ import annotations

import math

from flowanchor_daemon.errors import ServiceError


def invalid(field: str, problem: str, action: str = "Correct it and send the request again.") -> ServiceError:
    """`field` as in the .proto file; `problem` goes on with "is not …"."""
    return ServiceError("request-invalid", f"{field} {problem}.", action, field=field)


def too_large(what: str, most: int, unit: str) -> ServiceError:
    return ServiceError("request-too-large", f"{what} may have up to {most} {unit}.", limit=most)


def whole(field: str, value: int, least: int, most: int) -> None:
    """Refuse a whole number that is not within the range, both ends included."""
    if not least <= value <= most:
        raise invalid(field, f"is {value}; it goes from {least} to {most}")


def finite(field: str, value: float, least: float, most: float, above: bool = False) -> None:
    """Refuse what is no finite number of the range; `above`: `least` itself is not in it."""
    if not math.isfinite(value) or not least <= value <= most or (above and value == least):
        between = f"lies above {least:g} and goes up to" if above else f"goes from {least:g} to"
        raise invalid(field, f"is {value}; it {between} {most:g}")
