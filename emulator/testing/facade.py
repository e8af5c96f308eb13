"""An account of an emulator, as a test sees it. Whatever it does goes through the admin API."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from emulator.client import AdminError, account_path
from emulator.core.errors import EmulatorError
from emulator.core.exchange import JsonObject
from emulator.testing.expectation import Expectation, WrongExpectation
from emulator.testing.inbox import Inbox
from emulator.testing.later import Moves, Rows, Verdict
from emulator.testing.seen import Delivery, Request, Task, instant

if TYPE_CHECKING:
    from emulator.testing.server import EmulatorServer

T = TypeVar("T")
What = Literal["requests", "tasks", "deliveries"]
_KINDS: dict[What, Callable[[JsonObject], Any]] = {"requests": Request.of, "tasks": Task.of, "deliveries": Delivery.of}
MANY = 10_000
"""Rows that a list has at most."""


class VerificationFailed(AssertionError):
    """What happened is not what was expected."""


class Emulator:
    """One account of an emulator: state, clock, rules, journal and credentials of its own.

    Verbs that wait (:meth:`advance`, :meth:`next`, :meth:`run_until_idle`, :meth:`wait_for`, :meth:`verify`,
    ``inbox.wait``) are complete when they return; in an asynchronous test they are to be awaited.

    Attributes:
        server: the emulator that it is an account of.
        account: its name in the admin API.
        seed: what everything random is drawn from.
        began: where its clock stood at first, in ISO 8601.
        frozen: whether it stood still at first.
        open: whether the account is still there.
        kingsoft, baidu: the two clouds.
        expectations: what the test expects so far.

    """

    def __init__(self, server: EmulatorServer, made: JsonObject) -> None:
        self.server = server
        self.account: str = made["name"]
        self.seed: int = made["seed"]
        self.began: str = made["clock"]["iso"]
        self.frozen = made["clock"]["mode"] == "frozen"
        self.kingsoft = Cloud(self, "kingsoft", made["credentials"]["kingsoft"])
        self.baidu = Cloud(self, "baidu", made["credentials"]["baidu"])
        self.expectations: list[Expectation] = []
        self.open = True
        self._said: JsonObject = {}

    def __repr__(self) -> str:
        return f"<emulator account {self.account} at {self.url}, seed {self.seed}>"

    @property
    def url(self) -> str:
        """The base URL of the emulator."""
        return self.server.url

    @cached_property
    def inbox(self) -> Inbox:
        """A receiver of callbacks."""
        return Inbox(self.account, self.server.receiver, self._now_if_known, self._hint)

    # What there is

    @property
    def requests(self) -> list[Request]:
        """What came in, in order."""
        return self._list("requests", Request.of)

    @property
    def tasks(self) -> list[Task]:
        """The tasks as they are now, in the order in which they were made."""
        return self._list("tasks", Task.of)

    @property
    def deliveries(self) -> list[Delivery]:
        """The callbacks that went out, or are about to."""
        return self._list("deliveries", Delivery.of)

    @overload
    def wait_for(
        self, what: Literal["requests"], *, count: int = 1, timeout: float = 10.0, **filters: Any
    ) -> Rows[Request]: ...
    @overload
    def wait_for(
        self, what: Literal["tasks"], *, count: int = 1, timeout: float = 10.0, **filters: Any
    ) -> Rows[Task]: ...
    @overload
    def wait_for(
        self, what: Literal["deliveries"], *, count: int = 1, timeout: float = 10.0, **filters: Any
    ) -> Rows[Delivery]: ...
    def wait_for(self, what: What, *, count: int = 1, timeout: float = 10.0, **filters: Any) -> Rows[Any]:
        """Wait until there are so many, for ``timeout`` machine seconds (120 at most).

        ``filters`` are those of the admin API: ``wait_for("deliveries", task=ID, status="delivered")``.

        Raises:
            AssertionError: there are not.

        """
        __tracebackhide__ = True
        shown = ", ".join([repr(what), *(f"{name}={value!r}" for name, value in filters.items())])

        def work() -> list[Any]:
            __tracebackhide__ = True
            said = self.ask("GET", what, wait=f"{timeout:.3f}s", count=count, limit=MANY, **filters)
            rows = [_KINDS[what](row) for row in said[what]]
            if said["satisfied"]:
                return rows
            there = self.ask("GET", what, limit=MANY)[what]
            told = "; ".join(_brief(row) for row in there[-5:]) or "none"
            raise AssertionError(
                f"waited {timeout:g} s for {count} of {shown}; {len(rows)} came. All there are: {told}{self._hint()}"
            )

        return Rows(f"emulator.wait_for({shown})", work)

    # Time

    @property
    def now(self) -> datetime:
        """What the account's clock shows."""
        return instant(self.ask("GET", "clock")["now"])

    def advance(
        self, by: float | str | timedelta | None = None, /, *, to: datetime | float | str | None = None, **units: float
    ) -> Moves:
        """Move the frozen clock, and come back when everything that fell due has happened.

        ``advance(90)``, ``advance("10m")``, ``advance(minutes=10)`` (all that ``timedelta`` takes), ``to`` an instant.
        """
        __tracebackhide__ = True
        given = [*([] if by is None else [repr(by)]), *([] if to is None else [f"to={to!r}"])]
        shown = ", ".join([*given, *(f"{name}={value!r}" for name, value in units.items())])
        if sum((by is not None, to is not None, bool(units))) != 1:
            raise TypeError(f"advance({shown}): say how far: advance(minutes=10), advance('10m') or advance(to=…)")
        if to is not None:
            document: JsonObject = {"to": to.timestamp() if isinstance(to, datetime) else to}
        else:
            span = timedelta(**units) if units else by
            document = {"seconds": span.total_seconds() if isinstance(span, timedelta) else span}
        return self._move(f"emulator.advance({shown})", document)

    def next(self) -> Moves:
        """Move the frozen clock to what is due next."""
        __tracebackhide__ = True
        return self._move("emulator.next()", {"until": "next"})

    def run_until_idle(self) -> Moves:
        """Move the frozen clock until nothing is due any more."""
        __tracebackhide__ = True
        return self._move("emulator.run_until_idle()", {"until": "idle"})

    def freeze(self, at: datetime | float | str | None = None) -> None:
        """Stop the clock, where it is or at an instant."""
        __tracebackhide__ = True
        self._clock("frozen", {} if at is None else {"now": at.timestamp() if isinstance(at, datetime) else at})

    def run(self) -> None:
        """Let the clock run as fast as the machine's."""
        __tracebackhide__ = True
        self._clock("real", {})

    def scale(self, speed: float) -> None:
        """Let the clock run ``speed`` times as fast as the machine's."""
        __tracebackhide__ = True
        self._clock("scaled", {"speed": speed})

    # What is to be

    def rule(self, document: Mapping[str, Any]) -> str:
        """Set a rule as a document (``docs/rules.md``): its id."""
        __tracebackhide__ = True
        made: str = self.ask("POST", "rules", document=document)["id"]
        return made

    def reset(self) -> None:
        """A fresh state, nothing expected, an empty inbox."""
        self.ask("POST", "reset")
        self.expectations.clear()
        self._said = {}
        self.inbox.clear()

    # What came of it

    def explain(self, request: int | Request) -> str:
        """Why a request was answered as it was."""
        number = request.number if isinstance(request, Request) else request
        told: str = self.ask("POST", "explain", document={"request": number})["text"]
        return told

    def verify(
        self,
        *,
        requests: Sequence[Mapping[str, Any]] = (),
        callbacks: Sequence[Mapping[str, Any]] = (),
        order: Sequence[Mapping[str, Any]] = (),
        unexpected: Mapping[str, bool] | None = None,
        wait: float | str | None = None,
    ) -> Verdict:
        """Hold what happened against what was expected: the chains of this test, and ``docs/verdict.md`` for the rest.

        The end of the test does so again, with what the last call said.

        Raises:
            VerificationFailed: it was not so.

        """
        __tracebackhide__ = True
        self._said = {
            "requests": [*requests],
            "callbacks": [*callbacks],
            "order": [*order],
            "unexpected": dict(unexpected or {}),
        }

        def work() -> str:
            __tracebackhide__ = True
            text, wrong = self._judged(wait)
            if wrong:
                raise VerificationFailed(text)
            return text

        return Verdict("emulator.verify()", work)

    def complaints(self) -> str:
        """What :meth:`verify` would complain of, told again what it was told last; empty if nothing."""
        text, wrong = self._judged(None)
        return text if wrong else ""

    def _judged(self, wait: float | str | None) -> tuple[str, bool]:
        """The verdict for people, and whether there is anything wrong."""
        __tracebackhide__ = True
        chains = [each.entry() for each in self.expectations]
        said = {**self._said, "requests": [*chains, *self._said.get("requests", ())]}
        failed: set[str] = set()
        try:
            text = str(self.ask("POST", "verify", document=said, wait=wait)["text"])
        except AdminError as error:
            if error.status != 406:
                raise
            text = error.detail
            failed = {finding["check"] for finding in error.document["findings"] if not finding["ok"]}
        told = []
        if any(each.rule_id for each in self.expectations):
            taken = {rule["id"]: rule["taken"] for rule in self.ask("GET", "rules")["rules"]}
            for place, each in enumerate(self.expectations):
                why = each.shortfall(taken.get(each.rule_id, 0)) if each.rule_id else ""
                if why and f"/requests/{place}" not in failed:
                    told.append(f"  FAIL {why}")
        return "\n".join([text, *told]), bool(failed or told)

    # The admin API

    def ask(self, method: str, *path: str, document: Any = None, **query: object) -> Any:
        """Ask the admin API, below this account.

        Raises:
            AdminError: it said no.
            Unreachable: nobody answers.

        """
        __tracebackhide__ = True
        return self.server.client.request(method, account_path(self.account, *path), document, query)[1]

    def close(self) -> None:
        """Remove the account."""
        if self.open:
            self.open = False
            self.inbox.close()
            self.server.client.delete(account_path(self.account))

    def _list(self, what: What, read: Callable[[JsonObject], T]) -> list[T]:
        __tracebackhide__ = True
        return [read(row) for row in self.ask("GET", what, limit=MANY)[what]]

    def _move(self, call: str, document: JsonObject) -> Moves:
        __tracebackhide__ = True
        return Moves(call, lambda: self.ask("POST", "clock", "advance", document=document))

    def _clock(self, mode: str, document: JsonObject) -> None:
        __tracebackhide__ = True
        self.ask("PUT", "clock", document={"mode": mode, **document})

    def _now_if_known(self) -> datetime | None:
        try:
            return self.now
        except EmulatorError:
            return None

    def _hint(self) -> str:
        """What may be forgotten when nothing comes."""
        try:
            clock = self.ask("GET", "clock")
            lost = [row for row in self.ask("GET", "deliveries", status="failed")["deliveries"] if row["attempts"]]
        except EmulatorError as error:
            return f"; {error}"
        if lost:
            last = lost[-1]["attempts"][-1]
            why = last["error"] or f"it answered {last['status']}"
            return f"; a callback to {lost[-1]['request']['url']} failed: {why}"
        if clock["mode"] == "frozen" and clock["pending"]:
            due = clock["next"] - clock["now"]
            return f"; the clock stands still and the next event is due in {due:g} s: emulator.advance(…) moves it"
        return ""


class Cloud:
    """One of the clouds, seen from one account.

    Attributes:
        name: ``kingsoft`` or ``baidu``.
        credentials: as its SDKs call them: ``access_key`` and ``secret_key``, or ``api_key`` and ``secret_key``.

    """

    def __init__(self, emulator: Emulator, name: str, credentials: Mapping[str, str]) -> None:
        self.name = name
        self.credentials = {"secret_key": "any", **credentials}
        self._emulator = emulator

    def __repr__(self) -> str:
        return f"<{self.name} at {self.url}>"

    @property
    def url(self) -> str:
        """What to give to a client as its endpoint."""
        return self._emulator.url

    def expect(self, operation: str) -> Expectation:
        """Requests of ``operation`` (or of a pattern, ``Create*``) are to come; what follows says which and how often.

        Raises:
            WrongExpectation: no such operation; names the nearest.

        """
        __tracebackhide__ = True
        return self._expectation("expect", operation, 1)

    def when(self, operation: str) -> Expectation:
        """The same for requests that need not come."""
        __tracebackhide__ = True
        return self._expectation("when", operation, 0)

    def options(self, **changes: Any) -> JsonObject:
        """How the cloud behaves in this account; what is named is changed: ``options(concurrency=1)``."""
        __tracebackhide__ = True
        path = ("clouds", self.name)
        asked = self._emulator.ask
        found: JsonObject = asked("PATCH", *path, document=changes) if changes else asked("GET", *path)
        return found

    @property
    def requests(self) -> list[Request]:
        """What came in for this cloud, in order."""
        return [row for row in self._emulator.requests if (row.operation or "").startswith(f"{self.name}.")]

    @property
    def tasks(self) -> list[Task]:
        """The tasks of this cloud."""
        return [row for row in self._emulator.tasks if row.operation.startswith(f"{self.name}.")]

    @property
    def deliveries(self) -> list[Delivery]:
        """The callbacks of this cloud."""
        return [row for row in self._emulator.deliveries if row.operation.startswith(f"{self.name}.")]

    def _expectation(self, verb: str, operation: str, least: int) -> Expectation:
        __tracebackhide__ = True
        said = f"emulator.{self.name}.{verb}({operation!r})"
        qualified = operation if operation.startswith(f"{self.name}.") else f"{self.name}.{operation}"
        if why := self._emulator.server.unknown(qualified):
            raise WrongExpectation(f"{said}: {why}")
        expectation = Expectation(self._emulator, qualified, said, least)
        self._emulator.expectations.append(expectation)
        return expectation


def _brief(row: JsonObject) -> str:
    shown = ("number", "id", "task", "operation", "event", "status", "code")
    return json.dumps({name: row[name] for name in shown if row.get(name) is not None}, ensure_ascii=False)
