"""Delivery chaos: what goes wrong on purpose between a task that reaches a step and its client.

Only messages suffer. The task itself stays what it is, and so does every poll. What happens to a callback is drawn
from the account's seed, the task and the step: the same seed makes the same trouble.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

from emulator.core.callbacks import DROP, CallbackOrder
from emulator.core.errors import Code
from emulator.core.exchange import JsonObject
from emulator.core.ids import Draw
from emulator.core.tasks import Ending, Phase, Span, Step, Task, TaskStep
from emulator.core.values import value_type

GAP = 0.05
"""Machine seconds left between two callbacks that are to arrive one after the other."""

Only = Literal["progress", "final"]
Owed = Callable[[Task, Step], Sequence[CallbackOrder]]

_WAITS = ("by", "after", "every", "over")
"""How the kinds call their duration; no kind has two."""


@value_type
class Trouble:
    """One kind of trouble: how often, with which callbacks, and how bad.

    Attributes:
        probability: the chance of each callback to meet it.
        only: which callbacks it is meant for; ``None``: all.
        copies: how many more are sent.
        wait: seconds: how late, how long apart, how long it takes.
        code: with which code a success is contradicted; where a plan names none, the cloud's first is filled in.

    """

    probability: float = 1.0
    only: Only | None = None
    copies: int = 1
    wait: Span = Span(0, 0)
    code: Code = 0

    def revised(self, document: Any) -> Trouble | None:
        """This kind as ``document`` wants it: yes or no, a probability, its duration, or members.

        Raises:
            ValueError: a duration makes no sense.

        """
        if document is True:
            return self
        if not document and not isinstance(document, dict):
            return None
        if isinstance(document, (str, list)):
            return replace(self, wait=Span.of(document))
        if not isinstance(document, dict):
            return replace(self, probability=document)
        wait = next((document[name] for name in _WAITS if name in document), None)
        return Trouble(
            document.get("probability", self.probability),
            document.get("only", self.only),
            int(document.get("copies", self.copies)),
            self.wait if wait is None else Span.of(wait),
            document.get("code", self.code),
        )


KINDS = {
    DROP: Trouble(),
    "duplicate": Trouble(),
    "reorder": Trouble(),
    "early": Trouble(),
    "late": Trouble(wait=Span(30, 30)),
    "regress": Trouble(only="progress"),
    "double-final": Trouble(only="final", wait=Span(1, 1)),
    "contradict": Trouble(only="final", wait=Span(1, 1)),
    "corrupt": Trouble(),
    "slow-body": Trouble(wait=Span(2, 2)),
    "storm": Trouble(copies=10, wait=Span(0.1, 0.1)),
}
"""Every kind by its name in a plan, which is its label in the ledger; and what it is if nothing more is said."""


@value_type
class Chaos:
    """What goes wrong with the callbacks of a task: each kind, or ``None``. They compose."""

    drop: Trouble | None = None
    duplicate: Trouble | None = None
    reorder: Trouble | None = None
    early: Trouble | None = None
    late: Trouble | None = None
    regress: Trouble | None = None
    double_final: Trouble | None = None
    contradict: Trouble | None = None
    corrupt: Trouble | None = None
    slow_body: Trouble | None = None
    storm: Trouble | None = None

    def revised(self, deliver: JsonObject) -> Chaos:
        """This, with what a plan's ``deliver`` says put in its place.

        Raises:
            ValueError: a duration makes no sense.

        """
        named = {name: kind.revised(deliver[name]) for name, kind in KINDS.items() if name in deliver}
        return replace(self, **{name.replace("-", "_"): trouble for name, trouble in named.items()})

    def hastens(self, seed: int, task_id: str) -> bool:
        """Whether what is due when that task is created is sent before the request is answered."""
        return self.early is not None and _Place(seed, task_id, 0, final=True).meets("early", self.early)


@value_type
class Planned:
    """A sending that comes of a step.

    Attributes:
        delay: seconds (account time) after the step.
        labels: what happens to it, as the ledger shows it; with ``drop`` it is never sent.
        copy_of: the place among the plans of the one that it repeats.

    """

    order: CallbackOrder
    delay: float = 0.0
    labels: tuple[str, ...] = ()
    copy_of: int | None = None


def planned(
    event: TaskStep, following: Step | None, owed: Owed, *, seed: int, gap: float, early: bool
) -> list[Planned]:
    """What is sent of the step ``event`` of a task with chaos, in order.

    Args:
        event: the step.
        following: the step after it, if there is one.
        owed: what the client is owed at a step of a task; asked too for what is not true.
        seed: the account's.
        gap: seconds (account time) between two callbacks that are to arrive one after the other.
        early: whether the creation of the task has not been answered yet.

    """
    task, step = event.task, event.step
    chaos, status = task.chaos, step.phase.status
    assert chaos is not None  # noqa: S101  who calls has looked
    orders = owed(task, step)
    place = _Place(seed, task.id, event.index, _is_final(step))
    if place.meets(DROP, chaos.drop):
        return [Planned(order, 0.0, (DROP,)) for order in orders]
    delay, labels = _hold(chaos, place, step, following, gap)
    if early and not delay:
        labels = ("early",)
    corrupt, slow = place.meets("corrupt", chaos.corrupt), place.meets("slow-body", chaos.slow_body)
    pace = chaos.slow_body.wait.length(*place.meaning("slow-body")) if slow and chaos.slow_body is not None else 0.0
    labels += ("corrupt",) * corrupt + ("slow-body",) * slow

    def suffering(order: CallbackOrder) -> CallbackOrder:
        body = _garbled(order.body, Draw(*place.meaning("garble"))) if corrupt else order.body
        return replace(order, body=body, pace=pace)

    found: list[Planned] = []
    for order in map(suffering, orders):
        original = len(found)
        found.append(Planned(order, delay, labels))
        for name, repeated in (
            ("duplicate", chaos.duplicate),
            ("storm", chaos.storm),
            ("double-final", chaos.double_final),
        ):
            if repeated is not None and place.meets(name, repeated):
                wait = repeated.wait.length(*place.meaning(name, "wait"))
                found += [
                    Planned(order, delay + count * wait, (*labels, name), original)
                    for count in range(1, repeated.copies + 1)
                ]
    if step.phase.percent and place.meets("regress", chaos.regress):
        back = Step(step.at, Phase(status, step.phase.percent // 2))
        found += [Planned(suffering(order), delay + gap, (*labels, "regress")) for order in owed(task, back)]
    if (
        chaos.contradict is not None
        and status in ("succeeded", "failed")
        and place.meets("contradict", chaos.contradict)
    ):
        wait = max(gap, chaos.contradict.wait.length(*place.meaning("contradict", "wait")))
        other = Ending("fail", chaos.contradict.code) if status == "succeeded" else Ending()
        liar = replace(task, timeline=task.timeline.ended(step.at, other))
        lies = owed(liar, liar.timeline.last())
        found += [Planned(suffering(order), delay + wait, (*labels, "contradict")) for order in lies]
    return found


@value_type
class _Place:
    """One step of a task, for which trouble is drawn."""

    seed: int
    task_id: str
    index: int
    final: bool

    def meaning(self, *kind: str) -> tuple[object, ...]:
        return (self.seed, self.task_id, "chaos", self.index, *kind)

    def meets(self, name: str, trouble: Trouble | None) -> bool:
        if trouble is None or (trouble.only is not None and (trouble.only == "final") != self.final):
            return False
        return trouble.probability >= 1.0 or Draw(*self.meaning(name)).fraction() < trouble.probability

    def lateness(self, chaos: Chaos) -> float:
        if chaos.late is None or not self.meets("late", chaos.late):
            return 0.0
        return chaos.late.wait.length(*self.meaning("late", "wait"))


def _hold(chaos: Chaos, place: _Place, step: Step, following: Step | None, gap: float) -> tuple[float, tuple[str, ...]]:
    """How long the callbacks of ``step`` are held back, and why.

    Reports change places in pairs: the first of two waits until the second has been sent.
    """
    delay = place.lateness(chaos)
    labels = ("late",) * (delay > 0)
    if (
        place.index % 2 == 0
        and following is not None
        and following.phase.status != "vanished"
        and place.meets("reorder", chaos.reorder)
    ):
        behind = _Place(place.seed, place.task_id, place.index + 1, _is_final(following))
        delay = max(delay, following.at - step.at + behind.lateness(chaos) + gap)
        labels = (*labels, "reorder")
    return delay, labels


def _is_final(step: Step) -> bool:
    return step.phase.status not in ("running", "uploading")


def _garbled(body: bytes, draw: Draw) -> bytes:
    """``body``, cut off somewhere or with some bytes that occur in no text: no JSON either way."""
    if len(body) < 2:
        return b"\xff"
    if draw.fraction() < 0.5:
        return body[: draw.integer(1, len(body) - 1)]
    spoiled = bytearray(body)
    for _ in range(1 + len(body) // 50):
        spoiled[draw.integer(0, len(body) - 1)] = draw.integer(0xF8, 0xFF)
    return bytes(spoiled)
