"""Triggers: magic values inside a request that select an effect with no set-up, like a sandbox's test cards.

``TABLE`` is all there is to know of them: what each does, and how it is told. A cloud says where in its requests they
stand, and may have some of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, runtime_checkable

from emulator.core.errors import nearest
from emulator.core.exchange import JsonObject
from emulator.core.faults import FAULTS, LONGEST
from emulator.core.tasks import seconds
from emulator.core.values import value_type

MARK = "emu-"
ADVICE = "emulator operations --triggers lists all; --triggers off turns them off"

Effect = Callable[[str], JsonObject]


@value_type
class Trigger:
    """One of the magic values.

    Attributes:
        word: what stands behind ``emu-``; a name in capitals stands for a value.
        summary: what it does, for people.
        example: one that works.
        of_task: the ``then`` of a rule, given the value, where the operation starts a task; ``None``: nothing.
        of_reply: the same for any other operation.

    """

    word: str
    summary: str
    example: str
    of_task: Effect | None = None
    of_reply: Effect | None = None

    @property
    def stem(self) -> str:
        """The word without its value: ``slow-`` of ``slow-DURATION``."""
        return self.word.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

    def effect(self, *, starts_task: bool) -> Effect | None:
        """What it does to an operation."""
        return self.of_task if starts_task else self.of_reply

    def means(self, word: str) -> bool:
        """Whether ``word`` is this one, with whatever value."""
        stem = self.stem
        return word == stem if stem == self.word else word.startswith(stem) and word != stem


@runtime_checkable
class Triggering(Protocol):
    """A cloud with triggers of its own, which it obeys itself."""

    own_triggers: tuple[Trigger, ...]


def _always(word: str, summary: str, example: str, effect: Effect) -> Trigger:
    """One that does the same to every operation."""
    return Trigger(word, summary, example, of_task=effect, of_reply=effect)


def _outcome(kind: str) -> Effect:
    return lambda value: {"plan": {"outcome": {kind: value or True}}}


def _slow(value: str) -> JsonObject:
    seconds(value)
    return {"plan": {"run": value}}


def _latency(value: str) -> JsonObject:
    if seconds(value) > LONGEST:
        raise ValueError(f"{value} is more than an hour")
    return {"latency": value}


def _fault(value: str) -> JsonObject:
    if _STATUS.fullmatch(value):
        return {"fault": int(value)}
    if value not in _KINDS:
        hint = nearest(value, _KINDS) or f"; there are {', '.join(_KINDS)}, and the statuses 400 to 599"
        raise ValueError(f"{value!r} is no fault{hint}")
    return {"fault": value}


_STATUS = re.compile("[45][0-9][0-9]")
_KINDS = [kind for kind in FAULTS if kind != "status"]

TABLE = (
    _always(
        "error-CODE",
        "the request is refused with that code, by number or name",
        "emu-error-1011",
        lambda value: {"error": value},
    ),
    Trigger("fail-CODE", "the task fails with that code, by number or name", "emu-fail-2032", _outcome("fail")),
    Trigger(
        "plan-NAME",
        "the task follows the plan of that name",
        "emu-plan-slow",
        lambda value: {"plan": {"base": value}},
    ),
    Trigger(
        "slow-DURATION",
        "the task runs so long; where none begins, the answer is held back so long",
        "emu-slow-30s",
        _slow,
        _latency,
    ),
    Trigger("hang", "the task stops moving and never ends", "emu-hang", _outcome("hang")),
    Trigger("vanish", "the task ends as one that nobody knows", "emu-vanish", _outcome("vanish")),
    _always("latency-DURATION", "the answer is held back so long (machine time)", "emu-latency-2s", _latency),
    _always(
        "fault-KIND",
        f"what happens to the answer on its way: {', '.join(_KINDS)}, or a status from 400 to 599",
        "emu-fault-reset",
        _fault,
    ),
    _always("random", "what is answered, or made, is drawn", "emu-random", lambda _: {"responses": "random"}),
    _always(
        "canned",
        "what is answered, or made, is the fixture as it is",
        "emu-canned",
        lambda _: {"responses": "canned"},
    ),
)
"""Every trigger that any cloud knows."""


def find(word: str, *, starts_task: bool) -> Trigger | None:
    """The trigger that ``word`` (without ``emu-``) is for an operation, whatever its value; ``None`` if it is none."""
    return next((row for row in TABLE if row.means(word) and row.effect(starts_task=starts_task) is not None), None)


def effects(words: Iterable[str], *, starts_task: bool) -> Iterator[tuple[str, JsonObject]]:
    """What the triggers among ``words`` do: the ``then`` of a rule for each, with what says so.

    Those that say something of the task's plan are one rule together; the first goes first.

    Raises:
        ValueError: one has a value that makes no sense.

    """
    plan: JsonObject = {}
    planners: list[str] = []
    for word in dict.fromkeys(words):
        row = find(word, starts_task=starts_task)
        effect = row.effect(starts_task=starts_task) if row is not None else None
        if row is None or effect is None:
            continue
        try:
            then = effect(word.removeprefix(row.stem))
        except ValueError as error:
            raise ValueError(f"trigger {MARK}{word}: {error}") from None
        if "plan" in then:
            planners.append(MARK + word)
            plan = {**then["plan"], **plan}
        else:
            yield MARK + word, then
    if planners:
        yield " ".join(planners), {"plan": plan}
