"""What an account has used, by the minute: seconds of output, pictures, calls. [sdk-java, meanings: inference]"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from emulator.core.exchange import JsonObject

K = TypeVar("K")

MINUTE = 60
KEPT_DAYS = 90
"""How far back is remembered, as with tasks. [docs 2403]"""
KEPT = KEPT_DAYS * 24 * 60
"""The same in minutes."""
SOUND = "AUDIO"
"""Codec and resolution of an output without a picture. [inference]"""

_TRANSCODING = frozenset({"avtrans", "avop", "avlogo", "avm3u8"})
_RESOLUTIONS = ((240, "240P"), (360, "360P"), (480, "480P"), (720, "720P"), (1080, "1080P"), (1440, "2K"))
_LARGEST = "4K"


def resolution(width: int, height: int) -> str:
    """The class of a picture's size, by its shorter side: the smallest class that it fits into. [inference]"""
    short = min(width, height)
    if short <= 0:
        return SOUND
    return next((name for most, name in _RESOLUTIONS if short <= most), _LARGEST)


class _Tally(Generic[K]):
    """Amounts by minute and key. Minutes long past are forgotten when a new one begins."""

    def __init__(self) -> None:
        self._minutes: dict[int, dict[K, int]] = {}

    def add(self, now: float, key: K, amount: int) -> None:
        number = int(now // MINUTE)
        minute = self._minutes.get(number)
        if minute is None:
            self._forget(number - KEPT)
            minute = self._minutes[number] = {}
        minute[key] = minute.get(key, 0) + amount

    def rows(self, start: float, end: float, granularity: int) -> Iterator[tuple[str, dict[K, int]]]:
        """The amounts of each ``granularity`` minutes from the minute of ``start`` up to ``end``."""
        first, last = int(start // MINUTE), math.ceil(end / MINUTE)
        sums: list[dict[K, int]] = [{} for _ in range(first, last, granularity)]
        for number, minute in self._minutes.items():
            if first <= number < last:
                row = sums[(number - first) // granularity]
                for key, amount in minute.items():
                    row[key] = row.get(key, 0) + amount
        for place, row in enumerate(sums):
            yield str((first + place * granularity) * MINUTE), row

    def _forget(self, before: int) -> None:
        while self._minutes and ((oldest := next(iter(self._minutes))) <= before or len(self._minutes) >= KEPT):
            del self._minutes[oldest]


@dataclass(slots=True)
class Statistics:
    """One account's. ``Datas`` has a row for each stretch of time, also where nothing happened. [inference]"""

    _durations: _Tally[tuple[str, str]] = field(default_factory=_Tally)
    _pictures: _Tally[str] = field(default_factory=_Tally)
    _calls: _Tally[str] = field(default_factory=_Tally)

    def note_call(self, action: str, now: float) -> None:
        """An action was called."""
        self._calls.add(now, action, 1)

    def note_output(
        self, job_type: str, now: float, *, duration: float, codec: str, width: int, height: int, pictures: int
    ) -> None:
        """A job has yielded something. Of transcoding, begun seconds count; of the other types, pictures do.

        Args:
            job_type: the preset's type.
            now: when.
            duration: seconds of output.
            codec: of the picture; empty if there is none.
            width: of the picture; 0 if there is none.
            height: likewise.
            pictures: how many pictures were taken.

        """
        if job_type in _TRANSCODING:
            if duration > 0:
                self._durations.add(now, (codec or SOUND, resolution(width, height)), math.ceil(duration))
        elif pictures > 0:
            self._pictures.add(now, job_type, pictures)

    def durations(self, start: float, end: float, granularity: int) -> list[JsonObject]:
        """Seconds of output by codec and resolution; ``granularity`` is the minutes of a row."""
        return [
            {"TimeStamp": stamp, "Duration": sum(row.values()), "VCodecs": _by_codec(row)}
            for stamp, row in self._durations.rows(start, end, granularity)
        ]

    def screenshots(self, start: float, end: float, granularity: int) -> list[JsonObject]:
        """Pictures by the preset's type."""
        return _numbers(self._pictures.rows(start, end, granularity))

    def calls(self, start: float, end: float, granularity: int) -> list[JsonObject]:
        """Calls by action."""
        return _numbers(self._calls.rows(start, end, granularity))


def _by_codec(row: dict[tuple[str, str], int]) -> list[JsonObject]:
    codecs: dict[str, list[JsonObject]] = {}
    for (codec, size), seconds in sorted(row.items()):
        codecs.setdefault(codec, []).append({"ResolutionType": size, "Duration": seconds})
    return [
        {"VCodec": codec, "Duration": sum(entry["Duration"] for entry in sizes), "Resolutions": sizes}
        for codec, sizes in codecs.items()
    ]


def _numbers(rows: Iterator[tuple[str, dict[str, int]]]) -> list[JsonObject]:
    return [
        {
            "TimeStamp": stamp,
            "Number": sum(row.values()),
            "Types": [{"Type": name, "Number": number} for name, number in sorted(row.items())],
        }
        for stamp, row in rows
    ]
