"""Accounts: who calls, and everything that can change on their behalf.

An account is found from the credential that every client sends anyway. Two accounts share nothing: not tasks,
rules, clock, journal or deliveries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from copy import copy, deepcopy
from dataclasses import field, replace
from itertools import count
from typing import Any, Literal

from emulator.core.callbacks import Changes, Ledger
from emulator.core.clock import Clock, ClockSpec, Machine
from emulator.core.errors import ConfigurationError, EmulatorError, Problem
from emulator.core.exchange import Credential, JsonObject
from emulator.core.feed import Feed, Tally
from emulator.core.ids import digest
from emulator.core.journal import Journal, JournalLimits
from emulator.core.provider import Responses
from emulator.core.rules import RuleBook, SharedRules
from emulator.core.tasks import ENDED, Agenda, Phase, Task, TaskBook, TaskStep, Timeline, Wakeup
from emulator.core.values import value_type

Openness = Literal["open", "closed"]

DEFAULT = "default"
"""The account of requests that carry no credential, or one that means nothing."""


@value_type
class AccountLimits:
    """What one account keeps, and how many accounts there may be."""

    accounts: int = 10_000
    tasks: int = 20_000
    deliveries: int = 50_000
    journal: JournalLimits = field(default_factory=JournalLimits)


@value_type
class AccountSpec:
    """How an account is made.

    Attributes:
        name: its name in the admin API.
        configured: whether somebody made it on purpose (else it opened by itself).
        seed: what everything random in it is drawn from.
        clock: how its clock starts; also after a reset.
        responses: canned or random answers.
        credentials: what finds it, each with its secret (``None``: not known, so not verified).
        options: for each cloud, what was asked for it beside credentials; also after a reset.

    """

    name: str
    configured: bool
    seed: int
    clock: ClockSpec
    responses: Responses
    credentials: Mapping[Credential, str | None] = field(default_factory=dict)
    options: Mapping[str, JsonObject] = field(default_factory=dict)


class Account:
    """One account. ``reset`` swaps everything that can change for something fresh; who waits for a change goes on.

    Attributes:
        early: tasks just begun of which what is due happens before the request is answered (``Driver.hasten``).

    """

    def __init__(
        self,
        spec: AccountSpec,
        machine: Machine,
        limits: AccountLimits,
        states: Mapping[str, Callable[[JsonObject], object]],
        book: AccountBook,
    ) -> None:
        self.spec = spec
        self.name = spec.name
        self.seed = spec.seed
        self.responses: Responses = spec.responses
        self._machine = machine
        self._limits = limits
        self._states = states
        self._book = book
        self._journal_changes = Changes()
        self._ledger_changes = Changes()
        self.feed = Feed(book.tally)
        self.agenda = Agenda()
        self._renew()

    def reset(self) -> None:
        """Forget everything that happened. Events of before the reset stay in the old agenda, which nobody reads."""
        self.ledger.abandon()
        self._renew()
        self.feed.note("reset", self.clock.now())

    def restore(self, spec: AccountSpec, states: Mapping[str, Any]) -> None:
        """Start anew as ``spec`` says; what the clouds named in ``states`` remember is put in its place."""
        self.spec, self.seed, self.responses = spec, spec.seed, spec.responses
        self.reset()
        self._state.update(states)

    def _renew(self) -> None:
        listener = self.agenda.listener
        self.clock = Clock(self._machine, self.spec.clock)
        self.rules = RuleBook(self.seed, self._book.rules)
        self.journal = Journal(self._limits.journal, self._journal_changes, self.feed)
        self.ledger = Ledger(self._limits.deliveries, self._ledger_changes, self.feed)
        self.tasks = TaskBook(self._limits.tasks)
        self.agenda = Agenda()
        self.agenda.listener = listener
        self.early: list[Task] = []
        options = self.spec.options
        self._state: dict[str, Any] = {cloud: fresh(options.get(cloud, {})) for cloud, fresh in self._states.items()}

    def begin(self, task: Task, now: float) -> None:
        """Take ``task`` on at ``now``: keep it and note down what happens to it first.

        If its first callbacks are to go out before the request is answered, that is left to who looks at ``early``.
        """
        self.tasks.add(task, now)
        self.feed.tally.begun[task.operation] += 1
        self._tell_of(task, now)
        if (first := TaskStep.first(task)) is None:
            return
        if task.chaos is not None and first.at <= now and task.chaos.hastens(self.seed, task.id):
            self.early.append(task)
        else:
            self.agenda.add(first.at, first)

    def retime(self, task: Task, timeline: Timeline) -> None:
        """Give ``task``, which was taken on before, another timeline; of the old one nothing more happens."""
        task = replace(task, timeline=timeline)
        self.tasks.replace(task)
        self._tell_of(task, self.clock.now())
        if (first := TaskStep.first(task)) is not None:
            self.agenda.add(first.at, first)

    def moved(self, task: Task, phase: Phase, at: float) -> None:
        """Tell that ``task`` has reached ``phase`` at the instant ``at``."""
        if phase.status in ENDED:
            self.feed.tally.ended[task.operation, phase.status] += 1
        self.feed.note("task", at, task.id, task.operation, phase.status, phase.percent)

    def _tell_of(self, task: Task, now: float) -> None:
        phase = task.timeline.at(now) if now >= task.timeline.run else _QUEUED
        self.feed.note("task", now, task.id, task.operation, phase.status, phase.percent)

    def double(self) -> Account:
        """A copy to try something on: what the clouds remember is its own, all else is the account's."""
        double = copy(self)
        double._state = deepcopy(self._state)
        return double

    def wake(self, cloud: str, at: float) -> None:
        """Have ``cloud`` look at this account again at the instant ``at``."""
        self.agenda.add(at, Wakeup(cloud))

    def bind(self, credential: Credential) -> None:
        """From now on ``credential``, which the emulator issued, finds this account."""
        self._book.bind(credential, self)

    def state(self, cloud: str) -> Any:
        """What ``cloud`` remembers of this account."""
        return self._state[cloud]

    def credential(self, cloud: str, kind: str) -> Credential | None:
        """What a client of this account calls ``cloud`` with; ``None`` if it calls without."""
        known = [found for found in self.spec.credentials if (found.cloud, found.kind) == (cloud, kind)]
        if known or self.name == DEFAULT:
            return known[0] if known else None
        opened = next(iter(self.spec.credentials), None)
        return Credential(cloud, kind, self.name if opened is None else opened.id)

    def secret(self, credential: Credential) -> str | None:
        """The secret of a credential, if it is known."""
        return self.spec.credentials.get(credential)


class AccountBook:
    """Every account, found by name or by credential.

    Attributes:
        rules: those that hold for every account.

    """

    def __init__(
        self,
        machine: Machine,
        limits: AccountLimits,
        defaults: AccountSpec,
        openness: Openness,
        states: Mapping[str, Callable[[JsonObject], object]],
    ) -> None:
        self._machine = machine
        self._limits = limits
        self._defaults = defaults
        self._openness = openness
        self._states = states
        self.rules = SharedRules()
        self._accounts: dict[str, Account] = {}
        self._by_credential: dict[Credential, Account] = {}
        self.listener: Callable[[Account], None] | None = None
        self.tally = Tally()
        self.default = self._add(defaults)

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def __len__(self) -> int:
        return len(self._accounts)

    def get(self, name: str) -> Account | None:
        """The account of that name."""
        return self._accounts.get(name)

    def named(self, name: str) -> Account:
        """The account of that name; made like the default if there is none, for a credential of that name to find.

        Raises:
            ConfigurationError: there are as many accounts as there may be.

        """
        found = self._accounts.get(name)
        if found is not None:
            return found
        if len(self._accounts) >= self._limits.accounts:
            message = f"there are {len(self._accounts)} accounts, which is the limit"
            raise ConfigurationError([Problem("account", "", message)])
        defaults = self._defaults
        return self._add(AccountSpec(name, False, defaults.seed, defaults.clock, defaults.responses))

    def of(self, credential: Credential | None) -> Account | None:
        """Whose ``credential`` is; ``None`` if nobody's. One that may open an account does so now."""
        if credential is None:
            return self.default
        found = self._by_credential.get(credential)
        if found is not None:
            return found
        return self._open(credential) if self._may_open(credential) else None

    def foresee(self, credential: Credential | None) -> Account | None:
        """Like :meth:`of`, but an account that would open is not kept, and whose it is does not change."""
        found = self.default if credential is None else self._by_credential.get(credential)
        if found is not None or credential is None or not self._may_open(credential):
            return found
        name, namesake = self._place(credential)
        return namesake or Account(self._opened(name, credential), self._machine, self._limits, self._states, self)

    def create(
        self,
        document: Mapping[str, Any],
        clock: ClockSpec | None,
        credentials_of: Callable[[str, int], Mapping[Credential, str | None]],
    ) -> Account:
        """Make an account on purpose.

        Args:
            document: what was asked for (``schemas/emulator/account.json``); what it leaves out is the default's.
            clock: how its clock starts; ``None``: as the default's.
            credentials_of: the account's credentials, given its name and seed.

        Raises:
            ConfigurationError: its name or a credential is taken.

        """
        seed = document.get("seed", self._defaults.seed)
        name = document.get("name") or next(
            free for number in count(1) if (free := f"account-{number}") not in self._accounts
        )
        credentials = credentials_of(name, seed)
        problems = [Problem("account", "/name", f"there is an account {name!r}")] if name in self._accounts else []
        for credential in credentials:
            owner = self._by_credential.get(credential)
            if owner is not None:
                message = f"{credential.id!r} belongs to account {owner.name!r}"
                problems.append(Problem("account", f"/{credential.cloud}/{credential.kind}", message))
        if len(self._accounts) >= self._limits.accounts:
            problems.append(Problem("account", "", f"there are {len(self._accounts)} accounts, which is the limit"))
        if problems:
            raise ConfigurationError(problems)
        responses = document.get("responses", self._defaults.responses)
        options = {cloud: document[cloud] for cloud in self._states if cloud in document}
        return self._add(AccountSpec(name, True, seed, clock or self._defaults.clock, responses, credentials, options))

    def remove(self, account: Account) -> None:
        """Forget an account and its credentials.

        Raises:
            EmulatorError: it is the default account.

        """
        if account is self.default:
            raise EmulatorError("the default account cannot be removed; reset it instead")
        account.reset()
        del self._accounts[account.name]
        self._by_credential = {found: owner for found, owner in self._by_credential.items() if owner is not account}

    def bind(self, credential: Credential, account: Account) -> None:
        """From now on ``credential``, which the emulator issued, finds ``account``."""
        self._by_credential[credential] = account

    def release(self, account: Account) -> None:
        """Undo every :meth:`bind` of ``account``; its own credentials stay."""
        kept = account.spec.credentials
        self._by_credential = {
            found: owner for found, owner in self._by_credential.items() if owner is not account or found in kept
        }

    def _open(self, credential: Credential) -> Account:
        name, namesake = self._place(credential)
        if namesake is None:
            return self._add(self._opened(name, credential))
        self._by_credential[credential] = namesake
        return namesake

    def _may_open(self, credential: Credential) -> bool:
        return credential.opens and self._openness == "open" and len(self._accounts) < self._limits.accounts

    def _place(self, credential: Credential) -> tuple[str, Account | None]:
        """The name of the account that ``credential`` opens, and the one that has it already."""
        name = _safe_name(credential.id)
        namesake = self._accounts.get(name)
        if namesake is not None and (namesake is self.default or namesake.spec.configured):
            name = f"{name}@{credential.cloud}"
            namesake = self._accounts.get(name)
        return name, namesake

    def _opened(self, name: str, credential: Credential) -> AccountSpec:
        defaults = self._defaults
        return AccountSpec(name, False, defaults.seed, defaults.clock, defaults.responses, {credential: None})

    def _add(self, spec: AccountSpec) -> Account:
        account = Account(spec, self._machine, self._limits, self._states, self)
        self._accounts[spec.name] = account
        for credential in spec.credentials:
            self._by_credential[credential] = account
        if self.listener is not None:
            self.listener(account)
        return account


_QUEUED = Phase("queued")


def _safe_name(text: str) -> str:
    """``text`` as a name that fits a URL and a screen; one that had to be changed gets a digest, to stay unique."""
    safe = re.sub(r"[^A-Za-z0-9._@=+-]", "_", text)[:80]
    return safe if safe == text and safe[:1].isalnum() else f"x{safe}-{digest(text, size=4)}"
