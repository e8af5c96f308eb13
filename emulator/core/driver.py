"""The driver: moves tasks as clocks move, and has callbacks sent. The one asynchronous part of core.

A real or scaled clock is followed with one timer per account and a bounded number of senders per target. A
frozen clock stands still at each due instant until what fell due there has been delivered or has failed, so
that ``advance`` returns when everything has happened. Nothing is locked while a callback is on its way: the
receiver may call back in, and finds the task exactly as of the due moment.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping

from emulator.core.accounts import Account, AccountBook
from emulator.core.callbacks import Answer, Delivery, Sender
from emulator.core.clock import ClockSpec, iso
from emulator.core.errors import EmulatorError
from emulator.core.provider import Provider
from emulator.core.tasks import TaskStep, Wakeup
from emulator.core.values import value_type

IDLE_SPAN = 366 * 86400.0
"""How far ``run_until_idle`` moves a clock at most."""


MOST_EVENTS = 1_000_000
"""Events that one move of a clock sets off at most, so that it always returns."""
LONGEST_TIMER = 86400.0
"""Machine seconds that a timer is set for at most; what is due later is looked at again then."""


class ClockBusy(EmulatorError):
    """The clock of that account is being moved already, or does not move by hand."""


@value_type
class Fired:
    """One thing that happened while a clock was moved.

    Attributes:
        at: when (account time).
        what: ``progress``, ``end`` or ``attempt``.
        task_id: of which task.
        delivery: the number of the delivery that came of it, if any.
        status: the task's status, or the outcome of the attempt.

    """

    at: float
    what: str
    task_id: str
    delivery: int | None
    status: str


@value_type
class _Retry:
    delivery: Delivery


class _Hand:
    """What the driver holds of one account: its timer, what is being sent, and whether its clock is being moved."""

    def __init__(self) -> None:
        self.timer: asyncio.TimerHandle | None = None
        self.sending: set[asyncio.Task[None]] = set()
        self.still = asyncio.Event()
        self.still.set()


class Driver:
    """Drives every account.

    Args:
        accounts: whose tasks are moved.
        providers: asked for the callbacks that a step causes.
        sender: puts them on the wire.
        senders_per_target: how many callbacks may be on their way to one target at a time.

    """

    def __init__(
        self,
        accounts: AccountBook,
        providers: Mapping[str, Provider],
        sender: Sender,
        senders_per_target: int = 32,
    ) -> None:
        self._accounts = accounts
        self._providers = providers
        self._sender = sender
        self._limit = senders_per_target
        self._hands: dict[Account, _Hand] = {}
        self._waiting: dict[str, deque[tuple[Account, Delivery]]] = {}
        self._active: dict[str, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Follow the clocks from now on, in the running loop."""
        self._loop = asyncio.get_running_loop()
        self._accounts.listener = self._follow
        for account in self._accounts:
            self._follow(account)

    async def stop(self, grace: float) -> None:
        """Stop following, let what is due arrive for up to ``grace`` machine seconds, then drop it."""
        self._loop = None
        for hand in self._hands.values():
            self._disarm(hand)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while sending := self._sending():  # each that ends lets one that waits for its target begin
                    await asyncio.wait(sending)
        self._waiting.clear()
        late = self._sending()
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def reset(self, account: Account) -> None:
        """Give ``account`` a fresh state. After this returns, nothing of before it happens."""
        hand = self._hand(account)
        self._disarm(hand)
        account.reset()
        self._accounts.release(account)
        for queue in self._waiting.values():
            for entry in [entry for entry in queue if entry[0] is account]:
                queue.remove(entry)
        sending = tuple(hand.sending)
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        await hand.still.wait()
        self._follow(account)

    async def remove(self, account: Account) -> None:
        """Reset ``account`` and forget it."""
        self._accounts.remove(account)
        await self.reset(account)
        account.agenda.listener = None
        self._disarm(self._hands.pop(account))

    def set_clock(self, account: Account, spec: ClockSpec) -> None:
        """Set the clock of ``account``, and arrange for its next event anew.

        Raises:
            ClockBusy: the clock is being moved.

        """
        self._refuse_while_moving(account)
        account.clock.set(spec)
        self._arm(account)

    async def advance_to(self, account: Account, instant: float) -> list[Fired]:
        """Move a frozen clock to ``instant``; everything due by then has happened when this returns.

        Raises:
            ClockBusy: the clock is not frozen, or is being moved already.

        """
        with self._moving(account):
            return await self._run(account, instant)

    async def next(self, account: Account) -> list[Fired]:
        """Move a frozen clock to the next event, if there is one.

        Raises:
            ClockBusy: as for :meth:`advance_to`.

        """
        with self._moving(account):
            first = account.agenda.first()
            return await self._run(account, account.clock.now() if first is None else first)

    async def run_until_idle(self, account: Account) -> list[Fired]:
        """Move a frozen clock until nothing is pending (a year at most).

        Raises:
            ClockBusy: as for :meth:`advance_to`.

        """
        with self._moving(account):
            limit = account.clock.now() + IDLE_SPAN
            fired: list[Fired] = []
            agenda = account.agenda
            while account.agenda is agenda and (first := agenda.first()) is not None and first <= limit:
                fired += await self._run(account, first)
            return fired

    def _moving(self, account: Account) -> _Moving:
        if account.clock.mode != "frozen":
            raise ClockBusy(f"the clock of {account.name} is {account.clock.mode}; only a frozen clock moves by hand")
        self._refuse_while_moving(account)
        return _Moving(self._hand(account))

    def _refuse_while_moving(self, account: Account) -> None:
        if not self._hand(account).still.is_set():
            raise ClockBusy(
                f"the clock of {account.name} is being moved already; a receiver that is called back meanwhile, "
                "and a second client, have to wait until that returns"
            )

    async def _run(self, account: Account, until: float) -> list[Fired]:
        """Let everything happen that is due by ``until``, one instant after the other."""
        agenda, clock, journal = account.agenda, account.clock, account.journal
        came_from = clock.now()
        fired: list[Fired] = []
        while account.agenda is agenda and (entry := agenda.take(until)) is not None:
            due, event = entry
            if len(fired) >= MOST_EVENTS:
                agenda.add(due, event)
                raise ClockBusy(f"more than {MOST_EVENTS:,} events by {iso(due)}; does each callback cause another?")
            clock.move_to(due)
            for delivery in self._happen(account, due, event, fired):
                await self._settle(account, delivery, fired)
        if account.agenda is agenda:
            clock.move_to(until)
            if clock.now() > came_from or fired:
                journal.note_clock(came_from, clock.now(), len(fired))
        return fired

    async def _settle(self, account: Account, delivery: Delivery, fired: list[Fired]) -> None:
        """Send one attempt, as a task that a reset can cancel, and wait for it."""
        sending = self._send(account, delivery)
        await asyncio.wait([sending])
        fired.append(Fired(account.clock.now(), "attempt", delivery.task_id, delivery.number, delivery.status))

    def _happen(self, account: Account, due: float, event: object, fired: list[Fired] | None) -> list[Delivery]:
        """Let one event happen; what is to be sent now comes back."""
        if isinstance(event, _Retry):
            return [event.delivery]
        if isinstance(event, Wakeup):
            self._providers[event.cloud].woken(account, due)
            return []
        assert isinstance(event, TaskStep)  # noqa: S101  there are three kinds of events
        task = event.task
        if account.tasks.get(task.id) is not task:  # it was given another timeline since
            return []
        step = event.step
        if (following := event.following()) is not None:
            account.agenda.add(following.at, following)
        deliveries = [
            account.ledger.open(task.id, task.operation, order, task.retry, due)
            for order in self._providers[task.cloud].reached(account, task, step)
        ]
        if fired is not None:
            status = step.phase.status
            what = "progress" if status in ("running", "uploading") else "end"
            fired.append(Fired(due, what, task.id, deliveries[0].number if deliveries else None, status))
        return deliveries

    def _follow(self, account: Account) -> None:
        """Be told when something earlier is noted down in the account's agenda."""
        account.agenda.listener = lambda due: self._arm(account)
        self._arm(account)

    def _arm(self, account: Account) -> None:
        """Set the account's one timer for its first event."""
        hand = self._hand(account)
        self._disarm(hand)
        first = account.agenda.first()
        if first is None or self._loop is None:
            return
        wait = account.clock.real_seconds_until(first)
        if wait is not None:
            hand.timer = self._loop.call_later(min(wait, LONGEST_TIMER), self._due, account)

    def _due(self, account: Account) -> None:
        """The account's timer went off."""
        self._hand(account).timer = None
        now = account.clock.now()
        while (entry := account.agenda.take(now)) is not None:
            due, event = entry
            for delivery in self._happen(account, due, event, None):
                self._dispatch(account, delivery)
        self._arm(account)

    def _dispatch(self, account: Account, delivery: Delivery) -> None:
        """Send now, or when one of the target's senders is free."""
        target = self._sender.target(delivery.order)
        if self._active.get(target, 0) >= self._limit:
            self._waiting.setdefault(target, deque()).append((account, delivery))
            return
        self._active[target] = self._active.get(target, 0) + 1
        self._send(account, delivery).add_done_callback(lambda _: self._freed(target))

    def _freed(self, target: str) -> None:
        self._active[target] -= 1
        if not self._active[target]:
            del self._active[target]
        queue = self._waiting.get(target)
        if queue:
            account, delivery = queue.popleft()
            if not queue:
                del self._waiting[target]
            self._dispatch(account, delivery)

    def _send(self, account: Account, delivery: Delivery) -> asyncio.Task[None]:
        hand = self._hand(account)
        sending = asyncio.get_running_loop().create_task(self._attempt(account, delivery))
        hand.sending.add(sending)
        sending.add_done_callback(hand.sending.discard)
        return sending

    async def _attempt(self, account: Account, delivery: Delivery) -> None:
        """One attempt, and the note about the next one if there is to be one."""
        agenda, ledger = account.agenda, account.ledger
        began = account.clock.now()
        delivery.status = "sending"
        try:
            answer = await self._sender.send(delivery.order, delivery.retry.timeout)
        except asyncio.CancelledError:
            delivery.status = "cancelled"
            raise
        except Exception as error:  # a fault of ours must not lose the callback without a trace
            answer = Answer(None, f"the emulator failed to send it: {type(error).__name__}: {error}")
        following = delivery.record(began, answer)
        if following is not None:
            agenda.add(following, _Retry(delivery))
        ledger.changes.tell()

    def _sending(self) -> list[asyncio.Task[None]]:
        return [task for hand in self._hands.values() for task in hand.sending]

    def _hand(self, account: Account) -> _Hand:
        hand = self._hands.get(account)
        if hand is None:
            hand = self._hands[account] = _Hand()
        return hand

    @staticmethod
    def _disarm(hand: _Hand) -> None:
        if hand.timer is not None:
            hand.timer.cancel()
            hand.timer = None


class _Moving:
    """While it is entered, the clock is being moved."""

    def __init__(self, hand: _Hand) -> None:
        self._hand = hand

    def __enter__(self) -> None:
        self._hand.still.clear()

    def __exit__(self, *_: object) -> None:
        self._hand.still.set()
