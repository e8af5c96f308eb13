"""Numbers, times and rates as clients write them into templates and wishes: as numbers or as text, or not at all."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any


def text(value: Any) -> str:
    """``value`` if it is a text, else none."""
    return value if isinstance(value, str) else ""


def number(value: Any) -> float | None:
    """The number that ``value`` is or spells; ``None`` if it is neither. Clients send both. [sdk-java]"""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def whole(value: Any) -> int | None:
    """The whole number that ``value`` is or spells; a fraction is cut off."""
    found = number(value)
    return None if found is None else int(found)


def positive(value: Any, most: int) -> int | None:
    """A whole number from 1 to ``most``; 0, a negative one and none at all mean the default. [sdk-java]"""
    found = whole(value)
    return min(found, most) if found is not None and found > 0 else None


def frame_rate(value: Any) -> Fraction | None:
    """Frames per second: ``25``, ``29.97`` or ``30000/1001``, to 1000 at most."""
    above, slash, below = value.partition("/") if isinstance(value, str) else (value, "", "")
    top, bottom = number(above), number(below) if slash else 1.0
    if not top or not bottom or top < 0 or bottom < 0:
        return None
    found = Fraction(top) / Fraction(bottom)
    return max(Fraction(1, 1001), min(found, Fraction(1000))).limit_denominator(1001)


MOST_BITS = 10**10
"""No stream has more bits per second; descriptions of media are held to it too."""

_UNITS = {"k": 1_000, "kb": 1_000, "m": 1_000_000, "mb": 1_000_000}


def bits(value: Any) -> int | None:
    """Bits per second: digits, with ``k``, ``kb``, ``m`` or ``mb`` behind them or not. [book]"""
    unit = 1
    if isinstance(value, str):
        digits = value.strip().lower().rstrip("bkm")
        unit = _UNITS.get(value.strip().lower()[len(digits) :], 1)
        value = digits
    found = number(value)
    return max(1, min(round(found * unit), MOST_BITS)) if found is not None and found > 0 else None


def instant(*values: Any) -> int:
    """The first of ``values`` that is a time, in milliseconds: seconds, or ``HH:MM:SS``; 0 if none is. [docs 2397]"""
    for value in values:
        parts = value.split(":") if isinstance(value, str) else [value]
        numbers = [number(part) for part in parts[:3]]
        if len(parts) <= 3 and all(found is not None and found >= 0 for found in numbers):
            seconds = 0.0
            for found in numbers:
                seconds = seconds * 60 + (found or 0.0)
            return round(min(seconds, 10**9) * 1000)
    return 0
