"""Snapshots: an account as one JSON document, from which it goes on as it would have.

What is kept: seed, clock, rules with their counts, tasks, the ledger, everything that is still to happen, and what each
cloud remembers. What is not: credentials, and the requests of the journal (of which only the number goes on).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import chain
from operator import attrgetter
from typing import Any, TypeVar, cast

from emulator import __version__
from emulator.core.accounts import Account, AccountBook, AccountSpec
from emulator.core.callbacks import AttemptDue, Delivery
from emulator.core.clock import ClockSpec
from emulator.core.driver import Driver
from emulator.core.errors import ConfigurationError, Problem, nearest
from emulator.core.exchange import JsonObject
from emulator.core.provider import Provider, Responses
from emulator.core.rule_reader import RuleReader
from emulator.core.rules import Count, Rule
from emulator.core.schemas import SchemaRegistry
from emulator.core.structure import LISTED, dump, load
from emulator.core.tasks import Ending, Retry, Task, TaskStep, Timeline, Wakeup
from emulator.core.values import value_type

T = TypeVar("T")

FORMAT = 1
"""The one version of the document that is written and read."""
WHERE = "snapshot"
_SCHEMA = "emulator/snapshot.json"


@value_type
class SavedRule:
    """A rule, to be read again under its id."""

    id: str
    document: JsonObject
    origin: str


@value_type
class SavedRules:
    """The account's own rules, and how often each rule, shared ones too, was met."""

    created: int
    own: tuple[SavedRule, ...]
    counts: dict[str, Count]


@value_type
class SavedTasks:
    """The task book; ``result`` of each task as its cloud writes it."""

    created: int
    evicted: int
    kept: tuple[Task, ...]


@value_type
class SavedLedger:
    """The ledger."""

    created: int
    evicted: int
    kept: tuple[Delivery, ...]


@value_type
class SavedEvent:
    """Something that falls due: a task's step, a delivery's next attempt, or a cloud's wake-up.

    One of none of these is what is left of a task that was given another timeline: a clock that is moved to the next
    event stops there all the same.
    """

    at: float
    task: str | None = None
    step: int = 0
    delivery: int | None = None
    cloud: str | None = None


@value_type
class SavedAccount:
    """An account.

    Attributes:
        clock: as it stands.
        starts: how it starts after a reset.
        options: for each cloud, what was asked for it when the account was made.
        requests: how many entries its journal ever had.
        agenda: in the order in which it happens.
        clouds: what each cloud remembers.

    """

    name: str
    seed: int
    responses: Responses
    clock: ClockSpec
    starts: ClockSpec
    options: dict[str, JsonObject]
    requests: int
    rules: SavedRules
    tasks: SavedTasks
    ledger: SavedLedger
    agenda: tuple[SavedEvent, ...]
    clouds: dict[str, JsonObject]


class Snapshots:
    """Saves and loads accounts."""

    def __init__(
        self,
        accounts: AccountBook,
        providers: Mapping[str, Provider],
        schemas: SchemaRegistry,
        rules: RuleReader,
        driver: Driver,
    ) -> None:
        self._accounts = accounts
        self._providers = providers
        self._schemas = schemas
        self._rules = rules
        self._driver = driver

    def save(self, account: Account) -> JsonObject:
        """``account`` as it is now. What is on its way to a receiver at this moment will be sent again."""
        clock, spec, rules, tasks, ledger = account.clock, account.spec, account.rules, account.tasks, account.ledger
        saved = SavedAccount(
            name=account.name,
            seed=account.seed,
            responses=account.responses,
            clock=ClockSpec(clock.mode, clock.speed, clock.now()),
            starts=spec.clock,
            options={cloud: self._open(cloud, given) for cloud, given in spec.options.items()},
            requests=account.journal.created,
            rules=SavedRules(
                rules.created, tuple(SavedRule(rule.id, rule.document, rule.origin) for rule in rules), rules.counts
            ),
            tasks=SavedTasks(tasks.created, tasks.evicted, tuple(map(self._with_plain_result, tasks))),
            ledger=SavedLedger(ledger.created, ledger.evicted, tuple(map(_unsent, ledger))),
            agenda=_agenda(account),
            clouds={name: provider.save_state(account) for name, provider in self._providers.items()},
        )
        return {"emulator_snapshot": FORMAT, "version": __version__, "account": dump(SavedAccount, saved)}

    async def load(self, snapshot: Restorable, name: str | None = None) -> Account:
        """Make the account ``name``, by default the one that was saved, what ``snapshot`` says.

        An account that exists is reset first, and nothing of before happens; else one is made, which the first request
        with a credential of that name finds.

        Raises:
            ConfigurationError: the name is none, or there is no room for another account.

        """
        name = name or snapshot.saved.name
        self._schemas.check("emulator/account.json", {"name": name}, "account")
        account = self._accounts.named(name)
        await self._driver.reset(account)
        snapshot.install(account)
        return account

    def read(self, document: Any) -> Restorable:
        """What ``document`` holds. All of it is looked at, so that loading cannot fail half-way.

        Raises:
            ConfigurationError: it is no snapshot of this format, is broken or contradicts itself.

        """
        if isinstance(document, dict) and document.get("emulator_snapshot", FORMAT) != FORMAT:
            message = f"is {document['emulator_snapshot']!r}; this emulator ({__version__}) reads {FORMAT}"
            raise _wrong("/emulator_snapshot", message)
        self._schemas.check(_SCHEMA, document, WHERE)
        saved = load(SavedAccount, document["account"], WHERE, "/account")
        look = _Look()
        tasks = {
            task.id: replace(task, result=look.at(f"/account/tasks/kept/{number}", self._result, task))
            for number, task in enumerate(saved.tasks.kept)
        }
        deliveries = {delivery.number: delivery for delivery in saved.ledger.kept}
        rules = [
            look.at(f"/account/rules/own/{number}/document", self._rule, rule)
            for number, rule in enumerate(saved.rules.own)
        ]
        events = [
            look.at(f"/account/agenda/{number}", self._event, event, tasks, deliveries)
            for number, event in enumerate(saved.agenda)
        ]
        for cloud, options in saved.options.items():
            look.at(f"/account/options/{cloud}", self._check, cloud, options)
        states = {
            cloud: look.at(f"/account/clouds/{cloud}", self._state, cloud, state, tasks)
            for cloud, state in saved.clouds.items()
        }
        look.done()
        return Restorable(saved, tasks, deliveries, rules, events, states)

    def _provider(self, cloud: str, pointer: str = "") -> Provider:
        found = self._providers.get(cloud)
        if found is None:
            raise _wrong(pointer, f"there is no cloud {cloud!r}{nearest(cloud, self._providers)}")
        return found

    def _with_plain_result(self, task: Task) -> Task:
        return replace(task, result=self._providers[task.cloud].save_result(task.result))

    def _result(self, task: Task) -> Any:
        provider = self._provider(task.cloud, "/cloud")
        try:
            return provider.load_result(task.result)
        except ConfigurationError as error:
            raise ConfigurationError(_moved(error, "/result")) from None

    def _rule(self, rule: SavedRule) -> Rule:
        return self._rules.read(rule.id, rule.document, origin=rule.origin)

    def _state(self, cloud: str, state: JsonObject, tasks: Mapping[str, Task]) -> object:
        return self._provider(cloud).load_state(state, tasks.keys())

    def _event(self, event: SavedEvent, tasks: Mapping[str, Task], deliveries: Mapping[int, Delivery]) -> object:
        if event.task is not None:
            return _step(event.task, event.step, tasks)
        if event.delivery is not None:
            if event.delivery not in deliveries:
                raise _wrong("/delivery", f"there is no delivery {event.delivery}")
            return AttemptDue(deliveries[event.delivery])
        if event.cloud is not None:
            return Wakeup(self._provider(event.cloud, "/cloud").name)
        return TaskStep(_GONE, event.at, None, iter(()))

    def _open(self, cloud: str, given: JsonObject) -> JsonObject:
        """What was asked for ``cloud`` without its credentials."""
        known = self._options(cloud)
        return {name: value for name, value in given.items() if name in known}

    def _check(self, cloud: str, options: JsonObject) -> None:
        provider = self._provider(cloud)
        if unknown := next((name for name in options if name not in self._options(cloud)), None):
            raise _wrong(f"/{unknown}", "is no option of an account")
        if options:
            self._schemas.check(f"{cloud}/options.json", options, WHERE)
        provider.check_options(options)

    def _options(self, cloud: str) -> Mapping[str, Any]:
        path = f"{cloud}/options.json"
        found: Mapping[str, Any] = self._schemas.get(path).document["properties"] if self._schemas.has(path) else {}
        return found


@value_type
class Restorable:
    """A snapshot that was read and found to be in order."""

    saved: SavedAccount
    tasks: dict[str, Task]
    deliveries: dict[int, Delivery]
    rules: list[Rule]
    events: list[object]
    states: dict[str, Any]

    def install(self, account: Account) -> None:
        """Put it in the place of everything that can change in ``account``."""
        saved = self.saved
        spec: AccountSpec = replace(
            account.spec, seed=saved.seed, clock=saved.starts, responses=saved.responses, options=saved.options
        )
        account.restore(spec, self.states)
        account.clock.set(saved.clock)
        account.rules.restore(self.rules, saved.rules.counts, saved.rules.created)
        account.tasks.restore(self.tasks, saved.tasks.created, saved.tasks.evicted)
        account.ledger.restore(self.deliveries, saved.ledger.created, saved.ledger.evicted)
        account.journal.created = account.journal.evicted = saved.requests
        for entry, event in zip(saved.agenda, self.events, strict=True):
            account.agenda.add(entry.at, event)
        account.ledger.changes.tell()
        account.journal.changes.tell()


class _Look:
    """Looks at the parts of a document, and keeps what is wrong with any until all were looked at."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def at(self, pointer: str, read: Callable[..., T], *given: Any) -> T:
        """What ``read`` makes of ``given``; if it finds problems, they are kept, with their place below ``pointer``."""
        try:
            return read(*given)
        except ConfigurationError as error:
            self._problems += _moved(error, pointer)
            return cast("T", None)  # of what has problems, nothing is used

    def done(self) -> None:
        """Nothing more is to be looked at.

        Raises:
            ConfigurationError: something was wrong.

        """
        if self._problems:
            raise ConfigurationError(self._problems[:LISTED])


def _wrong(pointer: str, message: str) -> ConfigurationError:
    return ConfigurationError([Problem(WHERE, pointer, message)])


def _moved(error: ConfigurationError, pointer: str) -> list[Problem]:
    return [Problem(WHERE, pointer + found.pointer, found.message) for found in error.problems]


_GONE = Task("", "", "", "", {}, Timeline(0, 0, 0, 0, 0, Ending(), None, (), None), Retry(), None)
"""Stands for every task that was given another timeline: nothing happens to it."""


def _agenda(account: Account) -> tuple[SavedEvent, ...]:
    """What falls due, in order; what is being sent, or waits for a sender, comes first."""
    now = account.clock.now()
    planned = [_saved(due, event, account) for due, event in account.agenda.pending()]
    noted = {event.delivery for event in planned}
    unsent = [
        SavedEvent(min(now, delivery.next_attempt or delivery.due), delivery=delivery.number)
        for delivery in account.ledger
        if not delivery.settled and delivery.number not in noted
    ]
    early = [SavedEvent(now, task=task.id) for task in account.early]
    return tuple(sorted(chain(unsent, early, planned), key=attrgetter("at")))


def _saved(due: float, event: object, account: Account) -> SavedEvent:
    match event:
        case AttemptDue():
            return SavedEvent(due, delivery=event.delivery.number)
        case Wakeup():
            return SavedEvent(due, cloud=event.cloud)
        case TaskStep() if account.tasks.get(event.task.id) is event.task:
            return SavedEvent(due, task=event.task.id, step=event.index)
    return SavedEvent(due)


def _unsent(delivery: Delivery) -> Delivery:
    return replace(delivery, status="pending") if delivery.status == "sending" else delivery


def _step(task_id: str, index: int, tasks: Mapping[str, Task]) -> TaskStep:
    if task_id not in tasks:
        raise _wrong("/task", f"there is no task {task_id}{nearest(task_id, tasks)}")
    event = TaskStep.first(tasks[task_id])
    for _ in range(index):
        event = event.following() if event is not None else None
    if event is None:
        raise _wrong("/step", f"task {task_id} has no step {index}")
    return event
