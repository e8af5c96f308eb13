"""A sender of callbacks that puts nothing on the wire: it records the orders and answers as told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from emulator.core.callbacks import Answer, CallbackOrder, Changes

ACCEPTED = Answer(200, "")
REFUSED = Answer(None, "connection refused: nobody listens there")


class RecordingSender:
    """Implements ``Sender``.

    Attributes:
        orders: what was to be sent, in the order in which sending began.
        timeouts: the limit of each.
        answers: used up one by one; after that every sending is accepted. An exception is raised.
        during: called while a callback is on its way, as a receiver that calls back in would be.
        held: as long as it is not set, nothing arrives.
        in_flight, most: how many are on their way to each target, and how many ever were.
        changes: tells when a sending begins or is over.

    """

    def __init__(self) -> None:
        self.orders: list[CallbackOrder] = []
        self.timeouts: list[float | None] = []
        self.answers: list[Answer | Exception] = []
        self.during: Callable[[CallbackOrder], Awaitable[None] | None] | None = None
        self.held = asyncio.Event()
        self.held.set()
        self.in_flight: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self.changes = Changes()

    async def send(self, order: CallbackOrder, timeout: float | None, account: str) -> Answer:
        """Record ``order`` and answer."""
        target = self.target(order)
        self.orders.append(order)
        self.timeouts.append(timeout)
        self.in_flight[target] = self.in_flight.get(target, 0) + 1
        self.most[target] = max(self.most.get(target, 0), self.in_flight[target])
        self.changes.tell()
        try:
            if self.during is not None and (pending := self.during(order)) is not None:
                await pending
            await self.held.wait()
        finally:
            self.in_flight[target] -= 1
            self.changes.tell()
        answer = self.answers.pop(0) if self.answers else ACCEPTED
        if isinstance(answer, Exception):
            raise answer
        return answer

    def target(self, order: CallbackOrder) -> str:
        """Scheme, host and port."""
        return "/".join(order.url.split("/", 3)[:3])

    @property
    def bodies(self) -> list[Any]:
        """The JSON of everything sent."""
        return [json.loads(order.body) for order in self.orders]


async def until(changes: Changes, holds: Callable[[], bool], limit: float | None = 10.0) -> None:
    """Return as soon as ``holds``, which is asked again at every change; after ``limit`` seconds that is a failure."""
    changed = asyncio.Event()
    unsubscribe = changes.subscribe(changed.set)
    try:
        async with asyncio.timeout(limit):
            while not holds():
                changed.clear()
                await changed.wait()
    finally:
        unsubscribe()
