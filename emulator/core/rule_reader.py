"""Reads rules: from what a person wrote to a :class:`Rule`, everything that it names looked up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from emulator.core.errors import Code, ConfigurationError, ErrorRow, Problem, Stage, nearest
from emulator.core.exchange import JsonObject, Reply
from emulator.core.faults import Fault, Latency, content, typed
from emulator.core.fixtures import Fixtures
from emulator.core.operations import Operation
from emulator.core.rules import Refusal, Rule, Times
from emulator.core.schemas import SchemaRegistry
from emulator.core.tasks import Plan

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator as Validator

    from emulator.core.provider import Provider

T = TypeVar("T")
PLANS = "rules/"
"""The folder of the fixtures in which the plans are that have a name."""


class Reader(Protocol):
    """Reads a rule from a document, under an id."""

    def __call__(self, rule_id: str) -> Rule:
        """The rule."""


class RuleReader:
    """Knows everything that a rule may name.

    Args:
        schemas: what documents are held against.
        providers: the clouds.
        fixtures: have the plans that have a name.
        trusted: whether those plans are all shipped ones, which the tests have looked at.

    Attributes:
        plans: the plans that have a name, each with its summary.

    """

    def __init__(
        self,
        schemas: SchemaRegistry,
        providers: Mapping[str, Provider],
        fixtures: Fixtures | None,
        *,
        trusted: bool = False,
    ) -> None:
        self._schemas = schemas
        self._providers = providers
        named = fixtures.under(PLANS) if fixtures is not None else ()
        self.plans: dict[str, JsonObject] = {
            resource.path.removeprefix(PLANS).removesuffix(".json"): resource.document for resource in named
        }
        self._origins = {} if fixtures is None else {path: found.origin for path, found in fixtures.resources.items()}
        if not trusted:
            self.recheck()

    def later(self, document: JsonObject, *, origin: str = "admin", where: str = "rule", below: str = "") -> Reader:
        """What reads ``document`` once its id is known; ``where`` and ``below`` say in which file, and where in it."""
        return lambda rule_id: self.read(rule_id, document, origin=origin, where=where, below=below)

    def read(
        self, rule_id: str, document: JsonObject, *, origin: str = "admin", where: str = "rule", below: str = ""
    ) -> Rule:
        """The rule that ``document`` is.

        Raises:
            ConfigurationError: it is none, or names something that does not exist.

        """
        try:
            return self._rule(rule_id, document, origin)
        except ConfigurationError as error:
            moved = [Problem(where, below + problem.pointer, problem.message) for problem in error.problems]
            raise ConfigurationError(moved) from None

    def _rule(self, rule_id: str, document: JsonObject, origin: str) -> Rule:
        self._schemas.check("emulator/rule.json", document, "rule")
        when, then, times = document.get("when", {}), document["then"], document.get("times", {})
        pattern = when.get("operation", "*")
        meant = self._meant(pattern)
        clouds = [self._providers[name] for name in dict.fromkeys(row.cloud for row in meant)]
        problems: list[Problem] = []

        def part(name: str, make: Callable[[Any], T], given: JsonObject = then) -> T | None:
            try:
                return make(given[name]) if name in given else None
            except ConfigurationError as error:
                problems.extend(error.problems)
                return None

        refusal = part("error", lambda said: self._refusal(said, clouds))
        stage: Stage = "business" if then.keys() & {"plan", "reply", "responses"} else "gate"
        rule = Rule(
            id=rule_id,
            name=document.get("name", f"{' and '.join(then)} for {pattern}"),
            document=document,
            origin=origin,
            operation=pattern,
            params=part("params", self._params, when),
            priority=document.get("priority", 0),
            times=Times(times.get("skip", 0), times.get("first"), times.get("every", 1), times.get("probability", 1.0)),
            stage=refusal.stage if refusal is not None else stage,
            refusal=refusal,
            reply=part("reply", lambda said: self._reply(said, meant)),
            plan=part("plan", lambda said: self._task_plan(said, pattern, meant, clouds)),
            latency=part("latency", lambda said: _made("/then/latency", lambda: Latency.of(said))),
            fault=part("fault", lambda said: _made("/then/fault", lambda: Fault.of(said))),
            responses=then.get("responses"),
        )
        if "error" in then and "reply" in then:
            problems.append(Problem("rule", "/then", "error and reply exclude each other: both are the whole answer"))
        if problems:
            raise ConfigurationError(problems)
        return rule

    def _meant(self, pattern: str) -> list[Operation]:
        """The operations that ``pattern`` means."""
        rows = [row for provider in self._providers.values() for row in provider.operations]
        meant = [row for row in rows if fnmatchcase(row.qualified, pattern)]
        if not meant:
            hint = nearest(pattern, [row.qualified for row in rows])
            raise _problem("/when/operation", f"no operation is called {pattern}{hint}")
        return meant

    def _params(self, document: Any) -> _Params:
        try:
            return _Params(self._schemas.compiled(document))
        except ValueError as error:
            message = str(error).strip().partition("\n")[0]
            raise _problem("/when/params", f"no valid JSON Schema: {message}") from None

    def _refusal(self, document: Any, clouds: list[Provider]) -> Refusal:
        code, message = (document["code"], document.get("message")) if isinstance(document, dict) else (document, None)
        row = _lookup(code, clouds, "/then/error", lambda cloud: cloud.reply_lists)
        return Refusal(row.code, message, row.stage)

    def _reply(self, document: JsonObject, meant: list[Operation]) -> Reply:
        """The answer as it goes out, held against the schema of each operation that may be answered with it."""
        body = document["body"]
        if not document.get("unchecked", False):
            for row in meant:
                path = f"{row.cloud}/{row.name}.response.json"
                if self._schemas.has(path):
                    self._check_body(path, body, row)
        headers = _made("/then/reply/headers", lambda: typed(body, document.get("headers", {})))
        return Reply(int(document.get("status", 200)), headers, content(body))

    def _check_body(self, path: str, body: Any, row: Operation) -> None:
        try:
            self._schemas.check(path, body, "rule")
        except ConfigurationError as error:
            hint = f" (an answer of {row.qualified}; unchecked: true lets it pass)"
            problems = [Problem("rule", f"/then/reply/body{p.pointer}", p.message + hint) for p in error.problems]
            raise ConfigurationError(problems) from None

    # Plans

    def _task_plan(self, document: Any, pattern: str, meant: list[Operation], clouds: list[Provider]) -> JsonObject:
        if not any(row.starts_task for row in meant):
            raise _problem("/then/plan", f"{pattern} starts no task, so no plan applies to it")
        return self._plan(document, clouds)

    def recheck(self) -> None:
        """Look at the plans that have a name.

        Raises:
            ConfigurationError: one makes no sense to any cloud.

        """
        problems: list[Problem] = []
        clouds = [cloud for cloud in self._providers.values() if any(row.starts_task for row in cloud.operations)]
        for name, document in self.plans.items():
            for cloud in clouds[:1]:
                try:
                    self._plan(document["plan"], [cloud])
                except ConfigurationError as error:
                    origin = self._origins.get(f"{PLANS}{name}.json", name)
                    pointers = [(p.pointer.replace("/then/plan", "/plan", 1), p.message) for p in error.problems]
                    problems += [Problem(origin, pointer, message) for pointer, message in pointers]
        if problems:
            raise ConfigurationError(problems)

    def _plan(self, document: Any, clouds: list[Provider]) -> JsonObject:
        """The plan with its names looked up: the plan that it is based on, the codes of failures."""
        plan = self._based(document)
        read = _made("/then/plan", lambda: Plan().revised(plan))
        for cloud in clouds:
            _made("/then/plan", lambda cloud=cloud: cloud.check_plan(plan))  # type: ignore[misc]
        outcome = plan.get("outcome")
        if isinstance(outcome, dict):
            if len(outcome.keys() & {"fail", "hang", "vanish"}) != 1:
                raise _problem("/then/plan/outcome", "exactly one of fail, hang, vanish")
            if read.ending.kind == "fail":
                code = self._task_code(read.ending.code, clouds, "/then/plan/outcome/fail")
                plan = {**plan, "outcome": {**outcome, "fail": code}}
        deliver = plan.get("deliver", {})
        if contradict := deliver.get("contradict"):
            said: JsonObject = contradict if isinstance(contradict, dict) else {"probability": float(contradict)}
            place = "/then/plan/deliver/contradict/code"
            if "code" in said:
                code = self._task_code(said["code"], clouds, place)
            else:
                code = next(
                    row.code for row in clouds[0].errors.rows if row.listed in clouds[0].task_lists and row.code
                )
            plan = {**plan, "deliver": {**deliver, "contradict": {**said, "code": code}}}
        return plan

    def _based(self, document: Any, seen: tuple[str, ...] = ()) -> JsonObject:
        """``document`` put over the plan that it names."""
        name = document if isinstance(document, str) else document.get("base")
        if name is None:
            found: JsonObject = document
            return found
        if name in seen:
            raise _problem("/then/plan", f"the plan {name} is based on itself: {' → '.join((*seen, name))}")
        if name not in self.plans:
            known = nearest(name, self.plans) or f"; there are {', '.join(self.plans) or 'none'}"
            raise _problem("/then/plan", f"no plan is called {name!r}{known}")
        base = self._based(self.plans[name]["plan"], (*seen, name))
        if isinstance(document, str):
            return base
        merged = {**base, **{member: value for member, value in document.items() if member != "base"}}
        if "deliver" in base and "deliver" in document:
            merged["deliver"] = {**base["deliver"], **document["deliver"]}
        return merged

    @staticmethod
    def _task_code(code: Code, clouds: list[Provider], pointer: str) -> Code:
        return _lookup(code, clouds, pointer, lambda cloud: cloud.task_lists).code


class _Params:
    """A rule's ``params``, compiled."""

    def __init__(self, validator: Validator) -> None:
        self._validator = validator

    def why_not(self, parameters: JsonObject) -> str:
        """Where ``parameters`` do not fit; empty if they do."""
        if self._validator.is_valid(parameters):
            return ""
        error = next(iter(self._validator.iter_errors(parameters)))
        pointer = "".join(f"/{part}" for part in error.instance_path)
        return f"{pointer}: {error.message[:200]}" if pointer else error.message[:200]


def _lookup(code: Code, clouds: list[Provider], pointer: str, lists: Callable[[Provider], tuple[str, ...]]) -> ErrorRow:
    if len(clouds) > 1:
        names = " or ".join(f"{cloud.name}.*" for cloud in clouds)
        raise _problem(pointer, f"whose code {code}? Say when.operation: {names}")
    try:
        return clouds[0].errors.row(code, *lists(clouds[0]))
    except LookupError as error:
        raise _problem(pointer, str(error)) from None


def _made(pointer: str, make: Callable[[], T]) -> T:
    """What ``make`` makes; what it has against the document is said of ``pointer``."""
    try:
        return make()
    except ValueError as error:
        raise _problem(pointer, str(error)) from None


def _problem(pointer: str, message: str) -> ConfigurationError:
    return ConfigurationError([Problem("rule", pointer, message)])
