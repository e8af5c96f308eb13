"""Pull mode: callbacks are handed to listeners, which reach receivers that the emulator cannot.

A listener attaches from wherever the receiver can be reached, forwards what it is handed, and says what came of it;
for the driver that is an answer like any other.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from emulator.core.callbacks import Answer, CallbackOrder, Changes
from emulator.core.clock import Machine
from emulator.core.ids import fresh_token
from emulator.core.values import value_type
from emulator.web.sender import HttpSender

SPARE = 2.0
"""Machine seconds that a listener has to say what came of it, beyond what the receiver has."""
GONE = "the listener went away before it said what the receiver answered"


@value_type
class Offer:
    """A callback for a listener.

    Attributes:
        id: known to nobody but the listener: by it, it says what came of it.
        timeout: machine seconds that the receiver has.

    """

    id: str
    account: str
    order: CallbackOrder
    timeout: float


@dataclass(slots=True, eq=False)
class Listener:
    """Somebody who forwards callbacks.

    Attributes:
        number: from 1, never used twice.
        account: whose callbacks it takes; ``None``: those of every account for which there is no other.
        since: unix seconds.
        taken: how many callbacks it was handed so far.
        changed: set when there is something to hand over.

    """

    number: int
    account: str | None
    since: float
    taken: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: deque[Offer] = field(default_factory=deque)
    pending: dict[str, asyncio.Future[Answer | None]] = field(default_factory=dict)

    def take(self) -> list[Offer]:
        """What is to be handed over now."""
        offers = list(self.waiting)
        self.waiting.clear()
        self.changed.clear()
        self.taken += len(offers)
        return offers


class Relay:
    """A ``Sender`` that prefers listeners.

    Args:
        direct: sends where there is no listener.
        timeout: the limit of one attempt, in machine seconds.
        machine: its time.
        pull: whether listeners are the only way out.

    """

    def __init__(self, direct: HttpSender, timeout: float, machine: Machine, *, pull: bool = False) -> None:
        self.direct = direct
        self.pull = pull
        self.changes = Changes()
        self.closed = False
        self._timeout = timeout
        self._machine = machine
        self._listeners: list[Listener] = []
        self._numbers = 0

    @property
    def listeners(self) -> Sequence[Listener]:
        """Those who are attached, the oldest first."""
        return self._listeners

    def attach(self, account: str | None) -> Listener:
        """A new listener, which gets callbacks from now on."""
        self._numbers += 1
        listener = Listener(self._numbers, account, self._machine.wall())
        self._listeners.append(listener)
        self.changes.tell()
        return listener

    def detach(self, listener: Listener) -> None:
        """The listener is gone: what it was not handed yet goes another way, what it has not answered has failed."""
        self._listeners.remove(listener)
        untouched = {offer.id for offer in listener.waiting}
        for offer, answered in listener.pending.items():
            if not answered.done():
                answered.set_result(None if offer in untouched else Answer(None, GONE))
        self.changes.tell()

    def answered(self, offer: str, answer: Answer) -> bool:
        """A listener says what came of ``offer``; whether anybody still waited for that."""
        for listener in self._listeners:
            waiting = listener.pending.get(offer)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)
                return True
        return False

    def listener(self, account: str) -> Listener | None:
        """Who takes the callbacks of ``account``: of its own listeners, else of those for all, the least busy one."""
        for wanted in (account, None):
            fitting = [listener for listener in self._listeners if listener.account == wanted]
            if fitting:
                return min(fitting, key=lambda listener: len(listener.pending))
        return None

    def target(self, order: CallbackOrder) -> str:
        """Scheme, host and port of the callback."""
        return self.direct.target(order)

    async def send(self, order: CallbackOrder, timeout: float | None, account: str) -> Answer:
        """Have a listener forward ``order``; without one, send it directly, or wait for one if that is the only way."""
        limit = self._timeout if timeout is None else timeout
        while True:
            listener = self.listener(account)
            if listener is None and not self.pull:
                return await self.direct.send(order, timeout, account)
            listener = listener or await self._coming(account, limit)
            if listener is None:
                return Answer(
                    None,
                    f"no listener is attached for {account}, and --callbacks pull sends no other way; "
                    f"start one: emulator listen --forward-to URL --account {account}",
                )
            began = self._machine.wall()
            answer = await self._handed(listener, Offer(fresh_token(), account, order, limit))
            if answer is not None:
                return replace(answer, began=began)

    async def close(self) -> None:
        """Let the listeners go, and close every connection."""
        self.closed = True
        for listener in self._listeners:
            listener.changed.set()
        await self.direct.close()

    async def _coming(self, account: str, limit: float) -> Listener | None:
        """The listener of ``account`` as soon as it is attached."""
        changed = asyncio.Event()
        unsubscribe = self.changes.subscribe(changed.set)
        try:
            async with asyncio.timeout(limit):
                while (listener := self.listener(account)) is None:
                    changed.clear()
                    await changed.wait()
                return listener
        except TimeoutError:
            return None
        finally:
            unsubscribe()

    async def _handed(self, listener: Listener, offer: Offer) -> Answer | None:
        """What came of ``offer``; nothing if the listener was gone before it was handed over."""
        answered: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        listener.pending[offer.id] = answered
        listener.waiting.append(offer)
        listener.changed.set()
        try:
            async with asyncio.timeout(offer.timeout + SPARE):
                return await answered
        except TimeoutError:
            return Answer(None, f"the listener did not say within {offer.timeout + SPARE:g} s what came of it")
        finally:
            del listener.pending[offer.id]
            if offer in listener.waiting:
                listener.waiting.remove(offer)
