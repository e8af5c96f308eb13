"""Time: the machine's, read in one place only, and the clock that each account has of its own.

All instants are unix seconds as ``float``; all durations are seconds. Nothing outside this module asks
the machine what time it is, so that a test may decide it.
"""

from __future__ import annotations

import functools
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal, Protocol

from emulator.core.values import value_type

ClockMode = Literal["real", "scaled", "frozen"]

DAY = 86400
"""Seconds."""
BEIJING_OFFSET = 8 * 3600
BEIJING = timezone(timedelta(seconds=BEIJING_OFFSET))
"""The zone in which both vendors print dates (China has no daylight saving)."""


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(3000, 1, 1, tzinfo=UTC).timestamp()
"""No clock can be set or advanced beyond this."""


class Machine(Protocol):
    """The two readings of time that everything else is derived from."""

    def wall(self) -> float:
        """Unix seconds now."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary point; never goes back."""


class SystemMachine:
    """The machine's own time."""

    def wall(self) -> float:
        """Unix seconds now."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since an arbitrary point; never goes back."""
        return time.monotonic()


@value_type
class ClockSpec:
    """How a clock is to start: its mode, its speed, and the instant it shows (``None``: the machine's)."""

    mode: ClockMode = "real"
    speed: float = 1.0
    now: float | None = None


class Clock:
    """One account's time.

    ``real`` runs with the machine, ``scaled`` runs ``speed`` times as fast, ``frozen`` moves only when
    :meth:`move_to` says so.
    """

    __slots__ = ("_anchor", "_machine", "_rate", "_reading", "mode", "speed")

    def __init__(self, machine: Machine, spec: ClockSpec | None = None) -> None:
        self._machine = machine
        self.set(spec or ClockSpec())

    def set(self, spec: ClockSpec) -> None:
        """Start again as ``spec`` says.

        Raises:
            ValueError: the speed is not above zero.

        """
        if spec.speed <= 0:
            raise ValueError(f"a clock's speed is above 0, not {spec.speed}")
        self.mode: ClockMode = spec.mode
        self.speed = spec.speed if spec.mode == "scaled" else 1.0
        self._rate = 0.0 if spec.mode == "frozen" else self.speed
        self._anchor = self._machine.wall() if spec.now is None else spec.now
        self._reading = self._machine.monotonic()

    def now(self) -> float:
        """The instant this clock shows."""
        if self._rate == 0.0:
            return self._anchor
        return self._anchor + (self._machine.monotonic() - self._reading) * self._rate

    def move_to(self, instant: float) -> None:
        """Put a frozen clock forward to ``instant``; an earlier instant leaves it where it is."""
        self._anchor = max(self._anchor, instant)

    def real_seconds_until(self, instant: float) -> float | None:
        """How long the machine takes until this clock shows ``instant``; ``None`` if it never will by itself."""
        if self._rate == 0.0:
            return None
        return max(0.0, (instant - self.now()) / self._rate)


def iso(instant: float) -> str:
    """``instant`` as people read it: UTC, milliseconds, a trailing ``Z``."""
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_instant(text: str | float) -> float:
    """Unix seconds from a number or an ISO 8601 text (no zone means UTC).

    Raises:
        ValueError: the text is no instant, or one before 1970 or after 2999.

    """
    if isinstance(text, str):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text!r} is no instant; write 2026-01-31T09:00:00Z or unix seconds") from None
        instant = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH).total_seconds()
    else:
        instant = float(text)
    if not 0 <= instant <= LATEST:
        raise ValueError(f"{text} is out of bounds: instants are from 1970 to 2999")
    return instant


@functools.lru_cache(maxsize=64)
def _beijing_day(days: int) -> str:
    return datetime.fromtimestamp(days * DAY, UTC).strftime("%Y%m%d")


def beijing_day(instant: float) -> str:
    """The day of ``instant`` in Beijing, ``yyyymmdd``."""
    return _beijing_day(int((instant + BEIJING_OFFSET) // DAY))


def beijing(instant: float, pattern: str) -> str:
    """``instant`` in Beijing time, formatted by ``pattern`` (``strftime``)."""
    return datetime.fromtimestamp(instant, BEIJING).strftime(pattern)
