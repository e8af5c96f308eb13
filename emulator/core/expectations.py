"""What a user expects to have happened in an account: which requests and callbacks, how often, in which order.

Read from a document (``schemas/emulator/verify.json``); an operation or a code that does not exist is refused, since
a check that names one would pass or fail for the wrong reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal

from emulator.core.callbacks import Delivery
from emulator.core.documents import read_json
from emulator.core.errors import SUCCESS, Code, ConfigurationError, Problem, nearest
from emulator.core.exchange import JsonObject
from emulator.core.journal import OWN, UNCLAIMED, RequestEntry
from emulator.core.provider import Provider
from emulator.core.schemas import SchemaRegistry
from emulator.core.values import value_type

SWITCHES = {"unmatched": True, "refused": True, "undelivered": True, "unused_rules": False, "pending_tasks": False}
"""What must not have happened, and whether that is looked at unless the user says otherwise."""
Kind = Literal["request", "callback"]
Happened = RequestEntry | Delivery
Criterion = Callable[[Any], str]
"""Says why an entry is not meant, in a few words; an empty text if it may be."""


class Unknown(Exception):
    """What a criterion looks at was not kept."""


@value_type
class Count:
    """How often something must have happened."""

    least: int = 1
    most: float = math.inf

    @classmethod
    def of(cls, document: JsonObject) -> Count:
        """From ``times``, ``never``, or ``at_least`` and ``at_most``.

        Raises:
            ValueError: they contradict each other.

        """
        given = [name for name in ("times", "never", "at_least", "at_most") if name in document]
        if len(given) > 1 and given != ["at_least", "at_most"]:
            raise ValueError(f"{given[0]} says how often; leave {' and '.join(given[1:])} out")
        if "never" in document:
            return cls(0, 0)
        if "times" in document:
            return cls(document["times"], document["times"])
        most = document.get("at_most", math.inf)
        least = document.get("at_least", 1 if most == math.inf else 0)
        if least > most:
            raise ValueError(f"at_least {least} is more than at_most {most}")
        return cls(least, most)

    def __str__(self) -> str:
        if self.most == 0:
            return "never"
        if self.most == math.inf:
            return f"at least {_times(self.least)}"
        if self.most == self.least:
            return f"exactly {_times(self.least)}"
        return f"{self.least} to {self.most} times" if self.least else f"at most {_times(int(self.most))}"

    def holds(self, found: int, doubtful: int) -> bool:
        """Whether ``found`` is right, however many of the ``doubtful`` ones would have counted."""
        return self.least <= found and found + doubtful <= self.most


@value_type
class Matcher:
    """Which requests, or which callbacks.

    Attributes:
        words: the same for people.
        operation: a pattern of names with their cloud.
        criteria: what is looked at first.
        schemas: what is looked at if nothing speaks against the entry so far.
        excuses: whether whoever wrote it knew that the request is refused, or the callback not delivered.

    """

    kind: Kind
    words: str
    operation: str
    criteria: tuple[Criterion, ...]
    schemas: tuple[Criterion, ...]
    excuses: bool

    def near(self, entry: Happened) -> bool:
        """Whether the operation is meant at least, so that a person wants to know what else is not."""
        return fnmatchcase(entry.operation or "", self.operation)

    def misfits(self, entry: Happened) -> list[str]:
        """Why ``entry`` is not meant; empty if it is.

        Raises:
            Unknown: that cannot be told any more.

        """
        found = [] if self.near(entry) else [f"it is of {entry.operation or 'no operation'}"]
        found += [why for criterion in self.criteria if (why := criterion(entry))]
        return found or [why for criterion in self.schemas if (why := criterion(entry))]


@value_type
class Expected:
    """Something that must have happened so often.

    Attributes:
        pointer: where the user wrote it.
        name: what the user calls it.

    """

    pointer: str
    name: str
    matcher: Matcher
    count: Count

    def __str__(self) -> str:
        return f"{self.name + ': ' if self.name else ''}{self.matcher.words}, {self.count}"


@value_type
class Expectations:
    """Everything that a verdict is about; ``switches`` as in :data:`SWITCHES`."""

    requests: tuple[Expected, ...]
    callbacks: tuple[Expected, ...]
    order: tuple[Matcher, ...]
    switches: Mapping[str, bool]

    @classmethod
    def of(
        cls, document: Any, schemas: SchemaRegistry, providers: Mapping[str, Provider], where: str = "verify"
    ) -> Expectations:
        """From a document; ``where`` names it in what is wrong with it.

        Raises:
            ConfigurationError: it makes no sense; every problem is listed.

        """
        schemas.check("emulator/verify.json", document, where)
        reader = _Reader(schemas, providers, where)
        found = cls(
            reader.counted(document, "request"),
            reader.counted(document, "callback"),
            tuple(
                reader.matcher(kind, part, f"/order/{index}/{kind}")
                for index, step in enumerate(document.get("order", ()))
                for kind, part in step.items()
            ),
            {**SWITCHES, **document.get("unexpected", {})},
        )
        if reader.problems:
            raise ConfigurationError(reader.problems)
        return found


class _Reader:
    """Turns documents into matchers, and collects what is wrong with them."""

    def __init__(self, schemas: SchemaRegistry, providers: Mapping[str, Provider], where: str) -> None:
        self._schemas = schemas
        self._providers = providers
        self._where = where
        self.problems: list[Problem] = []

    def counted(self, document: JsonObject, kind: Kind) -> tuple[Expected, ...]:
        """The list of what is counted."""
        found = []
        for index, part in enumerate(document.get(f"{kind}s", ())):
            pointer = f"/{kind}s/{index}"
            try:
                count = Count.of(part)
            except ValueError as error:
                self._note(pointer, str(error))
                continue
            found.append(Expected(pointer, part.get("name", ""), self.matcher(kind, part, pointer), count))
        return tuple(found)

    def matcher(self, kind: Kind, document: JsonObject, pointer: str) -> Matcher:
        """What ``document``, found at ``pointer``, means."""
        pattern = document.get("operation", "*")
        clouds = self._clouds(pattern, pointer)
        if kind == "request":
            return self._requests(document, pattern, clouds, pointer)
        return self._callbacks(document, pattern, pointer)

    def _requests(self, document: JsonObject, pattern: str, clouds: Sequence[Provider], pointer: str) -> Matcher:
        words = [pattern if pattern != "*" else "any request"]
        criteria: list[Criterion] = []
        schemas: list[Criterion] = []
        excuses = False
        if "status" in document:
            status = document["status"]
            words.append(f"answered with HTTP {status}")
            criteria.append(_equal("status", status, lambda entry: entry.status))
            excuses = status >= 400
        if "code" in document:
            codes = self._codes(document["code"], clouds, f"{pointer}/code")
            words.append("not refused" if codes == {None} else f"refused with {document['code']}")
            criteria.append(_among(codes))
            excuses = excuses or codes != {None}
        if "params" in document:
            words.append("with fitting params")
            fit = self._fit(document["params"], f"{pointer}/params")
            schemas.append(lambda entry: fit(self._parameters(entry)))
        return Matcher("request", " ".join(words), pattern, tuple(criteria), tuple(schemas), excuses)

    def _callbacks(self, document: JsonObject, pattern: str, pointer: str) -> Matcher:
        words = [f"callback {document['event']}" if "event" in document else "any callback"]
        criteria: list[Criterion] = []
        schemas: list[Criterion] = []
        if pattern != "*":
            words.append(f"of {pattern}")
        if "event" in document:
            criteria.append(_equal("event", document["event"], lambda entry: entry.order.event))
        if "task" in document:
            words.append(f"of task {document['task']}")
            criteria.append(_equal("task", document["task"], lambda entry: entry.task_id))
        if "status" in document:
            words.append(document["status"])
            criteria.append(_equal("status", document["status"], lambda entry: entry.status))
        if "chaos" in document:
            words.append({True: "with chaos", False: "without chaos"}.get(document["chaos"], str(document["chaos"])))
            criteria.append(_disturbed(document["chaos"]))
        if "body" in document:
            words.append("with a fitting body")
            fit = self._fit(document["body"], f"{pointer}/body")
            schemas.append(lambda entry: fit(_body(entry)))
        excuses = document.get("status") in ("failed", "pending", "sending")
        return Matcher("callback", " ".join(words), pattern, tuple(criteria), tuple(schemas), excuses)

    def _clouds(self, pattern: str, pointer: str) -> list[Provider]:
        """The clouds whose operations ``pattern`` means."""
        rows = [row for provider in self._providers.values() for row in provider.operations]
        meant = [row.cloud for row in rows if fnmatchcase(row.qualified, pattern)]
        if not meant:
            hint = nearest(pattern, [row.qualified for row in rows])
            self._note(f"{pointer}/operation", f"no operation is called {pattern}{hint}")
        return [self._providers[name] for name in dict.fromkeys(meant)]

    def _codes(self, code: Code, clouds: Sequence[Provider], pointer: str) -> set[Code | None]:
        """What ``code`` means in each of ``clouds``; ``None`` stands for "not refused"."""
        if code == SUCCESS:
            return {None}
        if code in (UNCLAIMED, OWN):
            return {code}
        found: set[Code | None] = set()
        missing = []
        for cloud in clouds:
            try:
                found.add(cloud.errors.row(code, *cloud.reply_lists).code)
            except LookupError as error:
                missing.append(str(error))
        if missing and not found:
            self._note(pointer, "; ".join(missing))
        return found

    def _fit(self, document: Any, pointer: str) -> Criterion:
        """Why a value does not fit a JSON Schema."""
        try:
            validator = self._schemas.compiled(document)
        except ValueError as error:
            message = str(error).strip().partition("\n")[0]
            self._note(pointer, f"no valid JSON Schema: {message}")
            return lambda _: ""

        def misfit(value: Any) -> str:
            if validator.is_valid(value):
                return ""
            found = next(iter(validator.iter_errors(value)))
            place = "".join(f"/{part}" for part in found.instance_path) or "the whole"
            held = "" if isinstance(found.instance, (dict, list)) else f"; it is {_short(repr(found.instance), 80)}"
            return f"{place}: {_short(found.message, 200)}{held}"

        return misfit

    def _parameters(self, entry: RequestEntry) -> Any:
        """The operation's parameters, read again from what the journal keeps of the request."""
        if entry.body and not entry.request.body:
            raise Unknown(f"whose params are not known, as the journal keeps {len(entry.body):,} bytes of a body")
        provider = self._providers.get((entry.operation or "").partition(".")[0])
        call = provider.identify(entry.request) if provider is not None else None
        if call is None or call.operation is None or call.parameters is None:
            return None
        schema = self._schemas.get(f"{call.cloud}/{call.operation.name}.request.json")
        return schema.without_empty(call.parameters)

    def _note(self, pointer: str, message: str) -> None:
        self.problems.append(Problem(self._where, pointer, message))


def _equal(what: str, wanted: object, held: Callable[[Any], object]) -> Criterion:
    return lambda entry: "" if held(entry) == wanted else f"its {what} is {held(entry)}"


def _among(codes: set[Code | None]) -> Criterion:
    def differs(entry: RequestEntry) -> str:
        if entry.code in codes:
            return ""
        return "it was not refused" if entry.code is None else f"it was refused with {entry.code}"

    return differs


def _disturbed(wanted: bool | str) -> Criterion:
    def differs(entry: Delivery) -> str:
        fits = wanted in entry.chaos if isinstance(wanted, str) else bool(entry.chaos) is wanted
        return "" if fits else f"its chaos is {', '.join(entry.chaos) or 'none'}"

    return differs


def _body(entry: Delivery) -> Any:
    """What was sent, as JSON; as a text if it is none."""
    try:
        return read_json(entry.order.body)
    except ValueError:
        return entry.order.body.decode("utf-8", "replace")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
