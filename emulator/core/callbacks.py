"""Callbacks: what the client is owed, and the ledger of how it was delivered.

task → callback (``CallbackOrder``) → delivery → attempt. All are kept; the ledger is bounded and counts what
it forgot, so that a count never lies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from emulator.core.bounded import Bounded
from emulator.core.feed import Feed
from emulator.core.tasks import Retry
from emulator.core.values import value_type

LONGEST_BACKOFF = 366 * 86400.0
"""Seconds to which the wait between two attempts may double."""

GONE = 410
"""The status with which a receiver says that it wants nothing more of this."""

DROP = "drop"
"""The label of a callback that is never sent."""

DeliveryStatus = Literal["pending", "sending", "delivered", "failed", "cancelled", "dropped"]


@value_type
class CallbackOrder:
    """One message that the client is owed.

    Attributes:
        event: what it reports, in the cloud's words (``progress``, ``succeeded``, ``failed``).
        url: where it goes, as the client gave it.
        body: the exact bytes.
        pace: machine seconds over which the body is sent; 0: at once.

    """

    event: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    pace: float = 0.0


@value_type
class Answer:
    """What came of one sending: an HTTP status, or the reason why there is none.

    Attributes:
        status: the receiver's status; ``None`` if it gave none.
        error: in plain words, why the attempt failed; empty if it succeeded.
        body: the first bytes of the receiver's answer.
        elapsed: machine seconds that it took.
        retry_after: seconds after which the receiver wants to be asked again, if it says so.
        began: when sending began, in unix seconds by the machine's clock; 0 if nothing was put on the wire.

    """

    status: int | None
    error: str
    body: bytes = b""
    elapsed: float = 0.0
    retry_after: float | None = None
    began: float = 0.0


class Sender(Protocol):
    """Puts a callback on the wire. Never raises for anything the receiver does."""

    async def send(self, order: CallbackOrder, timeout: float | None, account: str) -> Answer:
        """Send ``order`` of ``account``, giving it ``timeout`` machine seconds (``None``: the sender's default)."""

    def target(self, order: CallbackOrder) -> str:
        """What is shared by callbacks that go to the same place, so that senders per place can be bounded."""


@value_type
class Attempt:
    """One try of a delivery: its number from 1, when it was due and began (account time), and what came of it."""

    number: int
    at: float
    answer: Answer


@dataclass(slots=True)
class Delivery:
    """The sending of one callback.

    Attributes:
        number: its place in the account's ledger, from 1, never used twice.
        task_id: the task it reports on.
        operation: the operation that created the task, with its cloud.
        due: when the callback fell due (account time).
        next_attempt: when it is tried, or tried again, if that is later.
        chaos: what went wrong on purpose (:mod:`emulator.core.chaos`).
        copy_of: the number of the delivery that it repeats.

    """

    number: int
    task_id: str
    operation: str
    order: CallbackOrder
    retry: Retry
    due: float
    status: DeliveryStatus = "pending"
    attempts: list[Attempt] = field(default_factory=list)
    next_attempt: float | None = None
    chaos: tuple[str, ...] = ()
    copy_of: int | None = None

    def record(self, at: float, answer: Answer) -> float | None:
        """Note an attempt down and return when the next one is due; ``None`` if there is none.

        A receiver's ``Retry-After`` may make the wait longer, never shorter.
        """
        self.attempts.append(Attempt(len(self.attempts) + 1, at, answer))
        made = len(self.attempts)
        if not answer.error:
            self.status, self.next_attempt = "delivered", None
        elif made >= self.retry.attempts or answer.status == GONE:
            self.status, self.next_attempt = "failed", None
        else:
            wait = min(max(self.retry.backoff * 2 ** (made - 1), answer.retry_after or 0.0), LONGEST_BACKOFF)
            self.status, self.next_attempt = "pending", at + wait
        return self.next_attempt

    @property
    def settled(self) -> bool:
        """Whether nothing more will be tried."""
        return self.status not in ("pending", "sending")


@value_type
class AttemptDue:
    """An event: an attempt of ``delivery`` is due."""

    delivery: Delivery


class Changes:
    """Tells subscribers that something they look at has changed."""

    def __init__(self) -> None:
        self._subscribers: list[Callable[[], None]] = []

    def subscribe(self, tell: Callable[[], None]) -> Callable[[], None]:
        """Call ``tell`` at every change until the returned function is called."""
        self._subscribers.append(tell)
        return lambda: self._subscribers.remove(tell)

    def tell(self) -> None:
        """Something changed."""
        for tell in tuple(self._subscribers):
            tell()


class Ledger(Bounded[int, Delivery]):
    """An account's deliveries by number, oldest first; one that is not settled is never forgotten."""

    def __init__(self, limit: int, changes: Changes | None = None, feed: Feed | None = None) -> None:
        super().__init__(limit)
        self.changes = changes or Changes()
        self._feed = feed or Feed()

    def open(
        self,
        task_id: str,
        operation: str,
        order: CallbackOrder,
        retry: Retry,
        due: float,
        *,
        send_at: float | None = None,
        chaos: tuple[str, ...] = (),
        copy_of: int | None = None,
    ) -> Delivery:
        """Start the delivery of ``order``, at ``send_at`` if that is later than now."""
        delivery = Delivery(
            self.created + 1,
            task_id,
            operation,
            order,
            retry,
            due,
            status="dropped" if DROP in chaos else "pending",
            next_attempt=send_at,
            chaos=chaos,
            copy_of=copy_of,
        )
        self.keep(delivery.number, delivery, lambda old: old.settled)
        self._feed.tally.opened += 1
        self.changed(delivery, due)
        return delivery

    def changed(self, delivery: Delivery, at: float) -> None:
        """Tell that ``delivery`` has another status since ``at`` (account time)."""
        tally, status = self._feed.tally, delivery.status
        if delivery.settled:
            tally.settled[status] += 1
        elif status == "sending":
            tally.attempts += 1
        attempts = len(delivery.attempts)
        self._feed.note("delivery", at, delivery.number, delivery.task_id, delivery.order.event, status, attempts)
        self.changes.tell()

    def abandon(self) -> None:
        """From now on what happens to its deliveries is counted, but not told any more."""
        self._feed = Feed(self._feed.tally)
