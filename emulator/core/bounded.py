"""A collection that forgets its oldest finished entries and counts them, so that a count never lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")


class Bounded(Generic[K, T]):
    """Entries by key, oldest first. Beyond ``limit``, finished ones are forgotten; live ones never are.

    Forgetting looks through all entries, so it is put off until a quarter more have come: what is kept may be
    that much over the limit.

    Attributes:
        created: how many entries there ever were.
        evicted: how many of them were forgotten.

    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: dict[K, T] = {}
        self._next_look = limit + limit // 4
        self.created = 0
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[T]:
        return iter(self._entries.values())

    def get(self, key: K) -> T | None:
        """The entry of that key."""
        return self._entries.get(key)

    def keep(self, key: K, entry: T, finished: Callable[[T], bool]) -> None:
        """Keep ``entry``, if need be in the place of the oldest others that are ``finished``."""
        self.created += 1
        self._entries[key] = entry
        if len(self._entries) > self._next_look:
            self._forget(key, finished)

    def restore(self, entries: dict[K, T], created: int, evicted: int) -> None:
        """Put ``entries`` and the counts in the place of what there is."""
        self._entries = entries
        self.created = created
        self.evicted = evicted

    def _forget(self, newest: K, finished: Callable[[T], bool]) -> None:
        excess = len(self._entries) - self._limit
        candidates = (key for key, entry in self._entries.items() if key != newest and finished(entry))
        for key in list(islice(candidates, excess)):
            del self._entries[key]
            self.evicted += 1
        kept = len(self._entries)
        # Where all are live there is nothing to forget: the more there are, the longer until the next look.
        self._next_look = max(self._limit, kept) + (self._limit if kept <= self._limit else kept) // 4
