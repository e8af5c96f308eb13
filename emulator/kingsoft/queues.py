"""Queues: which task runs when. Tasks wait while the account's concurrency is used up, or their queue is closed.

A task that waits has no place in time yet; when its turn comes, it is given its timeline. So moving a task forward,
closing a queue or ending a task changes only who comes next, never what has been said of a task that runs.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field

from emulator.core.accounts import Account
from emulator.core.clock import BEIJING_OFFSET, DAY
from emulator.core.tasks import Plan, Task, Timeline
from emulator.core.values import value_type

NORMAL = ""
"""The queue of tasks that name none."""
USUAL = "usual"
"""The one named queue of every sample; it is there from the start. [sdk-php, sdk-java]"""
ACTIVE, PAUSED = "Active", "Paused"
STATES = (ACTIVE, PAUSED)
"""Only ``Active`` is documented; the other value is the emulator's. [inference]"""


@dataclass(slots=True)
class Queue:
    """A named queue. [sdk-php]

    Attributes:
        state: tasks of one that is not active wait.
        starts: second of the Beijing day at which its daily window opens.
        lasts: length of that window in seconds; 0: it is always open.

    """

    name: str
    description: str = ""
    state: str = ACTIVE
    starts: int = 0
    lasts: int = 0

    def opens(self, now: float) -> float:
        """When it is open next: ``now`` if it is, infinity if nobody knows."""
        if self.state != ACTIVE:
            return math.inf
        if not 0 < self.lasts < DAY:
            return now
        since = (now + BEIJING_OFFSET - self.starts) % DAY
        return now if since < self.lasts else now + DAY - since


@value_type
class Waiting:
    """A task that waits for its turn: what is needed to give it its place in time, and where it stands in line.

    Attributes:
        place: the lowest comes first; those that were put on top have negative ones.
        every: seconds between progress reports, where the client asked for them.

    """

    task_id: str
    queue: str
    plan: Plan
    every: float | None
    place: int


@dataclass(slots=True)
class Queues:
    """An account's queues, and who waits in them.

    Attributes:
        concurrency: how many tasks may be under way at a time; 0: any number.

    """

    concurrency: int
    named: dict[str, Queue] = field(
        default_factory=lambda: {NORMAL: Queue(NORMAL), USUAL: Queue(USUAL, "low-priority queue")}
    )
    _waiting: dict[str, Waiting] = field(default_factory=dict)
    _lines: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    _running: set[str] = field(default_factory=set)
    _serial: int = 0
    _wake_at: float = math.inf

    def entry(self, queue: str, now: float) -> float:
        """The turn of a task that comes now: at once, or infinity if it has to stand in line first."""
        return now if self._free() and not self._waiting and self.named[queue].opens(now) <= now else math.inf

    def submit(
        self, account: Account, task: Task, plan: Plan, queue: str, *, every: float | None, top: bool, now: float
    ) -> None:
        """Take ``task`` on, whose timeline was made for its :meth:`entry`."""
        self._serial += 1
        account.begin(task, now)
        if task.timeline.run < math.inf:
            self._running.add(task.id)
            return
        place = -self._serial if top else self._serial
        self._waiting[task.id] = Waiting(task.id, queue, plan, every, place)
        heapq.heappush(self._lines.setdefault(queue, []), (place, task.id))
        self.turn(account, now)

    def top(self, account: Account, task_id: str, now: float) -> None:
        """Put a task that waits first; one that is under way stays where it is."""
        waiting = self._waiting.get(task_id)
        if waiting is None:
            return
        self._serial += 1
        moved = Waiting(task_id, waiting.queue, waiting.plan, waiting.every, -self._serial)
        self._waiting[task_id] = moved
        heapq.heappush(self._lines[waiting.queue], (moved.place, task_id))
        self.turn(account, now)

    def leave(self, account: Account, task_id: str, now: float) -> None:
        """A task has ended, or was ended: the next one may begin."""
        self._waiting.pop(task_id, None)
        self._running.discard(task_id)
        if self._waiting:
            self.turn(account, now)

    def woken(self, account: Account, now: float) -> None:
        """A window has opened."""
        self._wake_at = math.inf
        self.turn(account, now)

    def turn(self, account: Account, now: float) -> None:
        """Let as many begin as may."""
        while self._waiting and self._free() and (found := self._next(now)) is not None:
            heapq.heappop(self._lines[found.queue])
            del self._waiting[found.task_id]
            self._begin(account, found, now)
        if self._waiting and self._free():
            opens = min(self.named[name].opens(now) for name, line in self._lines.items() if line)
            if opens < self._wake_at:
                self._wake_at = opens
                account.wake("kingsoft", opens)

    def waits(self, task_id: str) -> bool:
        """Whether a task still waits for its turn."""
        return task_id in self._waiting

    def _free(self) -> bool:
        return not self.concurrency or len(self._running) < self.concurrency

    def _next(self, now: float) -> Waiting | None:
        """Who comes first in the queues that are open."""
        first: Waiting | None = None
        for name, line in self._lines.items():
            while line and not self._stands(*line[0]):
                heapq.heappop(line)  # it was moved forward, or left
            if line and (first is None or line[0][0] < first.place) and self.named[name].opens(now) <= now:
                first = self._waiting[line[0][1]]
        return first

    def _stands(self, place: int, task_id: str) -> bool:
        waiting = self._waiting.get(task_id)
        return waiting is not None and waiting.place == place

    def _begin(self, account: Account, waiting: Waiting, now: float) -> None:
        task = account.tasks.get(waiting.task_id)
        assert task is not None  # noqa: S101  a task that has not ended is never forgotten
        if task.timeline.end < math.inf:  # somebody ended it while it stood in line
            return
        start = task.timeline.start
        meaning = (account.seed, task.id)
        self._running.add(task.id)
        account.retime(task, Timeline.of(waiting.plan, start, *meaning, every=waiting.every, turn=now))
