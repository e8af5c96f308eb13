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
from collections.abc import Mapping, Sequence
from dataclasses import replace

from emulator.core.accounts import Account, AccountBook
from emulator.core.callbacks import DROP, Answer, AttemptDue, CallbackOrder, Delivery, Sender
from emulator.core.clock import ClockSpec, iso
from emulator.core.errors import EmulatorError
from emulator.core.provider import Provider
from emulator.core.tasks import Retry, Step, Task, TaskStep, Wakeup
from emulator.core.tracing import trace_headers
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
        for account in self._accounts:
            account.feed.close()

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
        account.feed.close()

    def set_clock(self, account: Account, spec: ClockSpec) -> None:
        """Set the clock of ``account``, and arrange for its next event anew.

        Raises:
            ClockBusy: the clock is being moved, or would be frozen behind what has not happened yet.

        """
        self._refuse_while_moving(account)
        first, target = account.agenda.first(), spec.now
        if spec.mode == "frozen" and first is not None and target is not None:
            self._refuse_jump(account, first, target)
        came_from = account.clock.now()
        account.clock.set(spec)
        account.feed.note("clock", account.clock.now(), account.clock.mode, came_from, 0)
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

    async def hasten(self, account: Account) -> None:
        """Let happen, whatever the clock, what is due of the tasks in ``account.early``, and send what it causes."""
        agenda, now = account.agenda, account.clock.now()
        tasks, account.early = account.early, []
        for task in tasks:
            event = TaskStep.first(task)
            while event is not None and account.agenda is agenda and account.tasks.get(task.id) is task:
                if event.at > now:
                    agenda.add(event.at, event)
                    break
                following = event.following()
                for delivery in self._reach(account, event, following, early=True):
                    await asyncio.wait([self._send(account, delivery)])
                event = following

    async def resend(self, account: Account, delivery: Delivery, order: CallbackOrder | None = None) -> Delivery:
        """Send ``delivery`` again, or ``order`` in its place: at once, whatever the clock, in a single attempt."""
        again = account.ledger.open(
            delivery.task_id,
            delivery.operation,
            order or delivery.order,
            Retry(timeout=delivery.retry.timeout),
            account.clock.now(),
            copy_of=delivery.number,
        )
        await asyncio.wait([self._send(account, again)])
        return again

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

    @staticmethod
    def _refuse_jump(account: Account, first: float, target: float) -> None:
        """What is due behind a frozen clock would happen at the wrong time, or not at all."""
        if account.clock.now() < target and first < target:
            raise ClockBusy(
                f"something is due in {account.name} at {iso(first)}, which setting its clock to {iso(target)} "
                "would jump over; advance to it instead"
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
        at = account.clock.now()
        sending = self._send(account, delivery)
        await asyncio.wait([sending])
        fired.append(Fired(at, "attempt", delivery.task_id, delivery.number, delivery.status))

    def _happen(self, account: Account, due: float, event: object, fired: list[Fired] | None) -> list[Delivery]:
        """Let one event happen; what is to be sent now comes back."""
        if isinstance(event, AttemptDue):
            return [event.delivery]
        if isinstance(event, Wakeup):
            self._providers[event.cloud].woken(account, due)
            return []
        assert isinstance(event, TaskStep)  # noqa: S101  there are three kinds of events
        task = event.task
        if account.tasks.get(task.id) is not task:  # it was given another timeline since
            return []
        if (following := event.following()) is not None:
            account.agenda.add(following.at, following)
        opened = account.ledger.created
        deliveries = self._reach(account, event, following)
        if fired is not None:
            status = event.step.phase.status
            what = "progress" if status in ("running", "uploading") else "end"
            number = opened + 1 if account.ledger.created > opened else None
            fired.append(Fired(due, what, task.id, number, status))
        return deliveries

    def _reach(
        self, account: Account, event: TaskStep, following: TaskStep | None, *, early: bool = False
    ) -> list[Delivery]:
        """Let a task reach a step; what is to be sent now comes back."""
        task, step = event.task, event.step
        account.moved(task, step.phase, event.at)
        self._providers[task.cloud].reached(account, task, step)
        if task.chaos is not None:
            return self._disturb(account, event, following, early=early)
        opened = account.ledger.open
        return [
            opened(task.id, task.operation, order, task.retry, event.at) for order in self._owed(account, task, step)
        ]

    def _disturb(self, account: Account, event: TaskStep, following: TaskStep | None, *, early: bool) -> list[Delivery]:
        """The same for a task with chaos; what is to be sent later is noted down."""
        from emulator.core.chaos import GAP, planned

        task = event.task
        opened: list[Delivery] = []
        due_now: list[Delivery] = []
        for plan in planned(
            event,
            following.step if following is not None else None,
            lambda task, step: self._owed(account, task, step),
            seed=account.seed,
            gap=GAP * account.clock.speed,
            early=early,
        ):
            at = event.at + plan.delay
            delivery = account.ledger.open(
                task.id,
                task.operation,
                plan.order,
                task.retry,
                event.at,
                send_at=at if plan.delay else None,
                chaos=plan.labels,
                copy_of=opened[plan.copy_of].number if plan.copy_of is not None else None,
            )
            opened.append(delivery)
            if plan.delay:
                account.agenda.add(at, AttemptDue(delivery))
            elif DROP not in plan.labels:
                due_now.append(delivery)
        return due_now

    def _owed(self, account: Account, task: Task, step: Step) -> Sequence[CallbackOrder]:
        """What the client is owed, in the trace of the request that created the task."""
        orders = self._providers[task.cloud].owed(account, task, step)
        if task.traceparent:
            traced = trace_headers(task.traceparent, task.id, step.at, step.phase.status, step.phase.percent)
            return [replace(order, headers={**order.headers, **traced}) for order in orders]
        return orders

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
        ledger.changed(delivery, began)
        try:
            answer = await self._sender.send(delivery.order, delivery.retry.timeout, account.name)
        except asyncio.CancelledError:
            delivery.status = "cancelled"
            ledger.changed(delivery, account.clock.now())
            raise
        except Exception as error:  # a fault of ours must not lose the callback without a trace
            answer = Answer(None, f"the emulator failed to send it: {type(error).__name__}: {error}")
        following = delivery.record(began, answer)
        if following is not None:
            agenda.add(following, AttemptDue(delivery))
        ledger.changed(delivery, account.clock.now())

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
