"""What a test says about requests to come: what becomes of them (a rule), and how often there are to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from emulator.client import AdminError
from emulator.core.errors import Code, EmulatorError
from emulator.core.exchange import JsonObject

if TYPE_CHECKING:
    from emulator.testing.facade import Emulator

LONGEST_NAME = 200
"""Characters that the name of a rule may have."""


class Expectation:
    """A chain: ``expect("CreateTask").with_params(Preset="hd").fails(3150, at="80%").once()``.

    What becomes of the requests is in force as soon as it is said. Whether there were as many as expected is what
    :meth:`~emulator.testing.facade.Emulator.verify` and the end of the test look at; without a count, one at least.

    With an effect, the requests that count are those that met it, and :meth:`once` and :meth:`times` also end it: what
    comes afterwards is treated as usual.
    """

    def __init__(self, emulator: Emulator, operation: str, said: str, least: int) -> None:
        self.operation = operation
        self._emulator = emulator
        self._said = said
        self._least = least
        self._most: int | None = None
        self._at_least = 0
        self._skip = 0
        self._limited = False
        self._code: Code | None = None
        self._params: JsonObject | None = None
        self._then: JsonObject = {}
        self.rule_id: str | None = None

    def __str__(self) -> str:
        return self._said

    def __repr__(self) -> str:
        return f"<{self._said}>"

    # Which requests

    def with_params(self, schema: Mapping[str, Any] | None = None, /, **values: Any) -> Self:
        """Only those whose parameters have these values, or fit this JSON Schema."""
        __tracebackhide__ = True
        constants = {name: {"const": value} for name, value in values.items()}
        given: JsonObject = {"properties": constants, "required": list(values)} if values else {}
        self._params = {"allOf": [schema, given]} if schema and given else dict(schema or given)
        return self._changed(_written("with_params", *(() if schema is None else (schema,)), **values))

    def after(self, count: int) -> Self:
        """Leave the first so many alone."""
        __tracebackhide__ = True
        self._skip = count
        return self._changed(_written("after", count))

    # What becomes of them

    def fails(self, code: Code, at: str | None = None, *, message: str | None = None) -> Self:
        """Fail with a documented code, by number, name or text.

        A code that tasks end with lets the request through, and its task fail: at the end of the run, or ``at`` a
        percentage of it, or at the end of a stage (``"queue"``, ``"run"``, ``"upload"``). Any other code refuses the
        request itself, with ``message`` in the place of the vendor's text.

        Raises:
            WrongExpectation: no such code; names the nearest.

        """
        __tracebackhide__ = True
        outcome = {"fail": code} if at is None else {"fail": code, "at": at}
        as_task = {**self._then, "plan": {**self._then.get("plan", {}), "outcome": outcome}}
        as_reply = {**self._then, "error": code if message is None else {"code": code, "message": message}}
        ways = [as_task] if at is not None else [as_task, as_reply] if message is None else [as_reply]
        if not self._emulator.server.starts_task(self.operation):
            ways = [as_reply] if at is None else ways
        call = _written("fails", code, **({} if at is None else {"at": at}))
        told: list[str] = []
        for way in ways:
            try:
                self._put(way, call)
            except AdminError as error:
                told.extend(found for found in _told(error) if found not in told)
            else:
                return self._chained(call)
        raise WrongExpectation(f"{self._said}.{call}: {'; '.join(told)}")

    def answers(
        self, body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None, unchecked: bool = False
    ) -> Self:
        """Answer with ``body``, a document or a text; it has to fit the schema of the answer unless ``unchecked``."""
        __tracebackhide__ = True
        reply = {"status": status, "headers": dict(headers or {}), "body": body, "unchecked": unchecked}
        return self._with(f"answers({body!r})", reply=reply)

    def takes(self, *, queue: Any = None, run: Any = None, upload: Any = None) -> Self:
        """How long the stages of the task take: each a duration (``"20s"``), or a list of two for a range."""
        __tracebackhide__ = True
        stages = {"queue": queue, "run": run, "upload": upload}
        given = {name: value for name, value in stages.items() if value is not None}
        return self._planned(_written("takes", **given), given)

    def progresses(self, *percents: float) -> Self:
        """At which per cents of the run the task reports progress."""
        __tracebackhide__ = True
        return self._planned(_written("progresses", *percents), {"progress": list(percents)})

    def delivers(self, **deliver: Any) -> Self:
        """How callbacks are delivered, and what goes wrong: ``attempts=3``, ``duplicate=True``, ``late="5s"``.

        Names have ``_`` for ``-``: ``double_final=True``.
        """
        __tracebackhide__ = True
        named = {name.replace("_", "-"): value for name, value in deliver.items()}
        before = self._then.get("plan", {}).get("deliver", {})
        return self._planned(_written("delivers", **deliver), {"deliver": {**before, **named}})

    def hangs(self, at: str | None = None) -> Self:
        """The task stops moving and never ends."""
        __tracebackhide__ = True
        where = {} if at is None else {"at": at}
        return self._planned(_written("hangs", **where), {"outcome": {"hang": True, **where}})

    def vanishes(self, at: str | None = None) -> Self:
        """The task is no longer known."""
        __tracebackhide__ = True
        where = {} if at is None else {"at": at}
        return self._planned(_written("vanishes", **where), {"outcome": {"vanish": True, **where}})

    def plan(self, plan: str | Mapping[str, Any]) -> Self:
        """The task's script: the name of a plan, or a plan."""
        __tracebackhide__ = True
        return self._planned(_written("plan", plan), {"base": plan} if isinstance(plan, str) else dict(plan))

    def slow(self, latency: Any) -> Self:
        """Hold the answer back: a duration of the machine's time, two for a range, or a distribution."""
        __tracebackhide__ = True
        return self._with(f"slow({latency!r})", latency=latency)

    def breaks(self, fault: Any) -> Self:
        """Damage the answer: ``"reset"``, ``"empty"``, ``"truncate"``, ``"garble"``, ``"hang"``, a status (502), …."""
        __tracebackhide__ = True
        return self._with(f"breaks({fault!r})", fault=fault)

    # How often

    def once(self) -> Self:
        """Exactly one."""
        __tracebackhide__ = True
        return self._counted("once()", 1, 1)

    def times(self, count: int) -> Self:
        """Exactly so many."""
        __tracebackhide__ = True
        return self._counted(f"times({count})", count, count)

    def never(self) -> Self:
        """None."""
        __tracebackhide__ = True
        return self._counted("never()", 0, 0)

    def at_least(self, count: int) -> Self:
        """So many or more."""
        __tracebackhide__ = True
        self._at_least = count
        return self._counted(f"at_least({count})", count, self._most)

    def at_most(self, count: int) -> Self:
        """So many or fewer."""
        __tracebackhide__ = True
        return self._counted(f"at_most({count})", self._at_least, count)

    def refused(self, code: Code) -> Self:
        """Those that the emulator refuses by itself with ``code``: the test does what is wrong on purpose."""
        self._code = code
        self._said += f".refused({code!r})"
        return self

    # Looked at later

    def entry(self) -> JsonObject:
        """What must be found in the journal (``schemas/emulator/verify.json``)."""
        entry: JsonObject = {"name": self._said[:LONGEST_NAME], "operation": self.operation}
        if self._params is not None:
            entry["params"] = self._params
        if self._code is not None:
            entry["code"] = self._code
        least, most = self._skip + self._least, None if self._most is None else self._skip + self._most
        if most is None or self._limited:
            return {**entry, "at_least": least}
        return {**entry, "times": least} if least == most else {**entry, "at_least": least, "at_most": most}

    def shortfall(self, taken: int) -> str:
        """Why an effect that was met ``taken`` times was not met as often as it had to be; empty if it was."""
        if taken >= self._least and (self._most is None or taken <= self._most):
            return ""
        bounds = [f"at least {self._least}"] if self._most is None else [f"{self._least} to {self._most}"]
        wanted = str(self._least) if self._least == self._most else bounds[0]
        return f"{self._said}: to be met {wanted} times, met {taken} times"

    def _counted(self, call: str, least: int, most: int | None) -> Self:
        __tracebackhide__ = True
        self._least, self._most = least, most
        self._limited = bool(self._then) and least == most and least > 0
        return self._changed(call)

    def _planned(self, call: str, members: JsonObject) -> Self:
        __tracebackhide__ = True
        return self._with(call, plan={**self._then.get("plan", {}), **members})

    def _with(self, call: str, **effects: Any) -> Self:
        """Add ``effects`` to what becomes of the requests."""
        __tracebackhide__ = True
        then = {**self._then, **effects}
        try:
            self._put(then, call)
        except AdminError as error:
            raise WrongExpectation(f"{self._said}.{call}: {'; '.join(_told(error))}") from None
        return self._chained(call)

    def _changed(self, call: str) -> Self:
        """Say it again if there is an effect already."""
        __tracebackhide__ = True
        return self._with(call) if self._then else self._chained(call)

    def _chained(self, call: str) -> Self:
        self._said += f".{call}"
        return self

    def _put(self, then: JsonObject, call: str) -> None:
        """Have the emulator do ``then``.

        Raises:
            AdminError: it makes no sense.

        """
        least, most = self._least, self._most
        self._limited = least == most and least > 0
        document: JsonObject = {
            "name": f"{self._said}.{call}"[:LONGEST_NAME],
            "when": {"operation": self.operation, **({} if self._params is None else {"params": self._params})},
            "times": {"skip": self._skip, **({"first": most} if self._limited else {})},
            "then": then,
        }
        if self.rule_id is None:
            self.rule_id = self._emulator.rule(document)
        else:
            self._emulator.ask("PUT", "rules", self.rule_id, document=document)
        self._then = then


class WrongExpectation(EmulatorError):
    """What a test expects does not exist, or makes no sense."""


def _written(name: str, *given: Any, **named: Any) -> str:
    """A call as a person would write it."""
    return f"{name}({', '.join([*map(repr, given), *(f'{member}={value!r}' for member, value in named.items())])})"


def _told(error: AdminError) -> list[str]:
    """What is wrong, without where in a document that the test never saw."""
    problems = error.document.get("problems") or ()
    return [problem["message"] for problem in problems] or [error.detail]
