"""Time for tests: a machine whose readings are moved by hand, and an event loop that lives by them."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

START = 1_767_225_600.0
"""2026-01-01T00:00:00Z: where the machine stands at first."""

T = TypeVar("T")


class FakeMachine:
    """The machine's time, which stands still unless it is moved."""

    def __init__(self, wall: float = START, monotonic: float = 100.0) -> None:
        self._wall = wall
        self._monotonic = monotonic

    def wall(self) -> float:
        """Unix seconds now."""
        return self._wall

    def monotonic(self) -> float:
        """Seconds since an arbitrary point."""
        return self._monotonic

    def move(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self._wall += seconds
        self._monotonic += seconds

    def step(self, seconds: float) -> None:
        """Put the wall clock right by ``seconds``, as a time server does: no time passes."""
        self._wall += seconds


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits: where it would, the machine is moved to the next timer instead."""

    def __init__(self, machine: FakeMachine) -> None:
        super().__init__(_JumpingSelector(machine))
        self._machine = machine

    def time(self) -> float:
        """The machine's time."""
        return self._machine.monotonic()

    @property
    def timers(self) -> int:
        """How many timers are set."""
        return sum(1 for timer in self._scheduled if not timer.cancelled())  # type: ignore[attr-defined]


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, machine: FakeMachine) -> None:
        super().__init__()
        self._machine = machine

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; if nothing is, time has jumped."""
        if timeout is None:
            raise AssertionError("everything waits and no timer is set: this would hang for ever")
        if timeout > 0:
            self._machine.move(timeout)
        return super().select(0)


def in_virtual_time(machine: FakeMachine, scenario: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run ``scenario`` in a loop that jumps from timer to timer."""
    with asyncio.Runner(loop_factory=lambda: JumpingLoop(machine)) as runner:
        return runner.run(scenario())
