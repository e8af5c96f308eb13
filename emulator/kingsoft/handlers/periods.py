"""The span of days, and the page of it, that a list is asked for. [docs 2403, sdk-python]"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from emulator.core.clock import BEIJING_OFFSET, DAY, beijing, beijing_day
from emulator.core.errors import ApiError
from emulator.core.exchange import JsonObject
from emulator.core.values import value_type

T = TypeVar("T")

PAGE = 100
"""Rows of one answer at most. [docs 2403, sdk-python]"""
LONGEST = 90
"""Days: what is older is not shown [docs 2403], and a longer span is refused. [inference]"""
USUAL_SPAN = 30
"""Days from the first day to the last one if that is not given. [sdk-python]"""


@value_type
class Period:
    """What is asked for: instants from ``start`` up to, not including, ``end``; rows from ``marker`` on.

    What is older than ``oldest`` is not shown.
    """

    start: float
    end: float
    oldest: float
    marker: int
    limit: int

    def has(self, instant: float) -> bool:
        """Whether what began at ``instant`` is meant."""
        return max(self.start, self.oldest) <= instant < self.end

    def page(self, rows: list[T]) -> list[T]:
        """The rows of this page."""
        return rows[self.marker : self.marker + self.limit]

    def shown(self, rows: list[Any]) -> JsonObject:
        """How the answer repeats what was asked for, and counts."""
        return {
            "StartDate": beijing_day(self.start),
            "EndDate": beijing_day(self.end - 1),
            "Marker": self.marker,
            "Count": len(self.page(rows)),
            "Total": len(rows),
        }


def moment(instant: float) -> str:
    """``instant`` as answers show it. [book gettaskbytaskid]"""
    return beijing(instant, "%Y-%m-%d %H:%M:%S")


def period(given: JsonObject, now: float, *, clamp: bool) -> Period:
    """The period that ``given`` asks for at ``now``; 0 and nothing mean the default.

    Raises:
        ApiError: 1001, a day is none, or (unless ``clamp``) a page is too long; 1019, the span is too long.

    """
    start = _instant(given, "StartTime") or day(given, "StartDate")
    if not start:
        start = _midnight(beijing_day(now)[:6] + "01")
    # The last day counts as a whole.
    end = _instant(given, "EndTime") + 1 if _instant(given, "EndTime") else day(given, "EndDate") + DAY
    if end <= DAY:
        end = start + USUAL_SPAN * DAY + DAY
    tomorrow = _midnight(beijing_day(now)) + DAY
    end = min(end, tomorrow)
    if end - start > (LONGEST + 1) * DAY:
        raise ApiError(1019, f"the span has {(end - start) / DAY:.0f} days; {LONGEST} are allowed")
    limit = int(given.get("Limit") or PAGE)
    if limit > PAGE and not clamp:
        raise ApiError(1001, f"Limit is {limit}; {PAGE} is the most")
    oldest = tomorrow - (LONGEST + 1) * DAY
    return Period(start, end, oldest, int(given.get("Marker") or 0), min(limit, PAGE))


def _instant(given: JsonObject, name: str) -> float:
    return float(given.get(name) or 0)


def day(given: JsonObject, name: str) -> float:
    """The first instant of a day written as YYYYMMDD; 0 if none is given. Day 00, as in a sample, is the first."""
    value = str(given.get(name) or "0")
    if value == "0":
        return 0.0
    try:
        return _midnight(value[:6] + "01" if value.endswith("00") else value)
    except (ValueError, OverflowError):
        raise ApiError(1001, f"{name} is {value!r}, not a day as YYYYMMDD") from None


def _midnight(day: str) -> float:
    moment = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
    return (moment - timedelta(seconds=BEIJING_OFFSET)).timestamp()
