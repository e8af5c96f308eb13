"""What happens in an account, told while it happens: the feed that live views follow; and counted for the process.

An event is a small reference (a number, an id, a status): whoever wants to know more asks for the thing itself.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Literal, get_args

from emulator.core.errors import Code
from emulator.core.exchange import JsonObject
from emulator.core.values import value_type

Kind = Literal["request", "task", "delivery", "clock", "rule", "reset"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MEMBERS: dict[Kind, tuple[str, ...]] = {
    "request": ("number", "operation", "status", "code"),
    "task": ("id", "operation", "status", "percent"),
    "delivery": ("number", "task", "event", "status", "attempts"),
    "clock": ("mode", "from", "events"),
    "rule": ("id", "change"),
    "reset": (),
}
"""What an event of each kind says beside its time."""
KEPT = 10_000
"""How many events a feed remembers."""


@value_type
class Event:
    """Something that happened: its number in the feed, its kind, the account's time, and what it is about."""

    number: int
    kind: Kind
    at: float
    about: JsonObject


@dataclass(slots=True)
class Tally:
    """What happened in the process since it began. Nothing here is ever counted down, whatever is forgotten.

    Attributes:
        accepted: requests that were not refused, by operation.
        refused: the others, by operation (or the cloud, if it has no such operation; or nothing) and code.
        begun: tasks, by operation.
        ended: tasks, by operation and how they ended.
        opened: deliveries.
        attempts: attempts that began.
        settled: deliveries, by how they ended.
        evicted: entries that journals forgot.

    """

    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, Code]] = field(default_factory=Counter)
    begun: Counter[str] = field(default_factory=Counter)
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    opened: int = 0
    attempts: int = 0
    settled: Counter[str] = field(default_factory=Counter)
    evicted: int = 0


class Feed:
    """The events of one account, numbered from 1. Numbers go on over a reset; the oldest events are forgotten.

    Nobody has a queue of his own in it: whoever is too slow finds that what he has not read yet is forgotten.

    Attributes:
        tally: where the same things are counted for the whole process.
        created: how many events there ever were, which is also the number of the last.
        closed: whether nothing will ever happen any more: the account is gone, or the emulator stops.

    """

    def __init__(self, tally: Tally | None = None, limit: int = KEPT) -> None:
        self.tally = tally if tally is not None else Tally()
        self.created = 0
        self.closed = False
        self._events: deque[tuple[Kind, float, tuple[object, ...]]] = deque(maxlen=limit)
        self._listeners: dict[Kind, tuple[Callable[[], None], ...]] = dict.fromkeys(KINDS, ())

    @property
    def forgotten(self) -> int:
        """How many events were forgotten, which is also the number of the last of them."""
        return self.created - len(self._events)

    def note(self, kind: Kind, at: float, *about: object) -> None:
        """Something happened at ``at`` (account time); ``about`` are the values of :data:`MEMBERS` of that kind."""
        self.created += 1
        self._events.append((kind, at, about))
        for tell in self._listeners[kind]:
            tell()

    def since(self, number: int, kinds: Collection[Kind] = KINDS, most: int = KEPT) -> tuple[int, list[Event]]:
        """Those of the ``most`` events after ``number`` that are of ``kinds``, and the number that was looked at last.

        What is forgotten is passed over: see :attr:`forgotten` first.
        """
        forgotten, events = self.forgotten, self._events
        first = max(number, forgotten)
        last = min(self.created, first + most)
        found = []
        for place in range(first, last):
            kind, at, about = events[place - forgotten]
            if kind in kinds:
                found.append(Event(place + 1, kind, at, dict(zip(MEMBERS[kind], about, strict=True))))
        return last, found

    def subscribe(self, tell: Callable[[], None], kinds: Collection[Kind] = KINDS) -> Callable[[], None]:
        """Call ``tell`` at every event of ``kinds`` and at the end, until the returned function is called."""
        listeners = self._listeners
        for kind in kinds:
            listeners[kind] = (*listeners[kind], tell)

        def unsubscribe() -> None:
            for kind in kinds:
                listeners[kind] = tuple(listener for listener in listeners[kind] if listener is not tell)

        return unsubscribe

    def close(self) -> None:
        """Nothing will ever happen any more: whoever follows may go."""
        self.closed = True
        for tell in {tell for listeners in self._listeners.values() for tell in listeners}:
            tell()
