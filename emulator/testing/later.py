"""What a verb that waits comes back with: complete in plain code; where an event loop runs, to be awaited.

One object serves both kinds of tests that way. What is awaited is done in a thread, so that receivers in the test's own
loop can answer meanwhile.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import datetime
from typing import Any, Generic, Self, TypeVar, overload

from emulator.core.exchange import JsonObject
from emulator.testing.seen import Fired, instant

T = TypeVar("T")


class NotAwaited(RuntimeError):
    """What an asynchronous test wants to look at has not been awaited."""


class Later(Generic[T]):
    """The outcome of ``work``, now or when it is awaited.

    Args:
        call: what was called, as a person would write it.
        work: may block.

    """

    def __init__(self, call: str, work: Callable[[], T]) -> None:
        __tracebackhide__ = True
        self._call = call
        self._work: Callable[[], T] | None = None
        if _in_a_loop():
            self._work = work
        else:
            self._outcome = work()

    def __await__(self) -> Generator[Any, None, Self]:
        __tracebackhide__ = True
        work, self._work = self._work, None
        if work is not None:
            self._outcome = yield from asyncio.to_thread(work).__await__()
        return self

    def __del__(self) -> None:
        if self._work is not None:
            warnings.warn(f"{self._call} was never awaited", RuntimeWarning, stacklevel=2, source=self)

    def __repr__(self) -> str:
        return f"<{self._call}: not awaited>" if self._work is not None else f"<{self._call}: {self._outcome!r}>"

    @property
    def value(self) -> T:
        """The outcome.

        Raises:
            NotAwaited: there is none yet.

        """
        __tracebackhide__ = True
        if self._work is not None:
            self._work = None
            raise NotAwaited(f"an event loop runs here, so {self._call} has to be awaited: await {self._call}")
        return self._outcome


class Moves(Later[JsonObject]):
    """What happened while a clock was moved, as far as it was."""

    @property
    def fired(self) -> list[Fired]:
        """What happened, in order."""
        return [Fired.of(row) for row in self.value["fired"]]

    @property
    def now(self) -> datetime:
        """Where the clock stands."""
        return instant(self.value["now"])


class Rows(Later[list[T]], Sequence[T]):
    """What was waited for."""

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> list[T]: ...
    def __getitem__(self, place: int | slice) -> T | list[T]:
        return self.value[place]

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[T]:
        return iter(self.value)


class Verdict(Later[str]):
    """All is as expected: its text says what was looked at."""

    @property
    def text(self) -> str:
        """For people."""
        return self.value


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
