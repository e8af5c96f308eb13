"""Rules: when (matcher), how often (times), then what (effects). How a user changes behaviour.

Rules are tried in the order they were set. Each effect is taken from the first rule that matches, has turns
left and offers it, so that "everything is slow" and "the second one fails" can be two rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from emulator.core.errors import ApiError, Code, ConfigurationError, Problem, Stage, nearest
from emulator.core.exchange import Call, JsonObject
from emulator.core.ids import Draw
from emulator.core.provider import Provider, Responses
from emulator.core.schemas import SchemaRegistry
from emulator.core.tasks import Plan, Span
from emulator.core.values import value_type


@value_type
class Times:
    """How often a rule acts, over the calls that match it."""

    skip: int = 0
    first: int | None = None
    every: int = 1
    probability: float = 1.0

    def takes(self, match: int, taken: int, draw: Callable[[], Draw]) -> bool:
        """Whether the ``match``-th match (from 1) is taken, ``taken`` having been taken before."""
        if match <= self.skip or self.exhausted(taken):
            return False
        if (match - self.skip) % self.every:
            return False
        return self.probability >= 1.0 or draw().fraction() < self.probability

    def exhausted(self, taken: int) -> bool:
        """Whether the rule never acts again."""
        return self.first is not None and taken >= self.first


@value_type
class Refusal:
    """The effect ``error``: a code, said at its stage, perhaps with a message of the user's."""

    code: Code
    message: str | None
    stage: Stage


@dataclass(slots=True)
class Rule:
    """One rule and how often it was met.

    Attributes:
        matched: calls that its matcher let through.
        taken: calls on which it acted.

    """

    id: str
    name: str
    document: JsonObject
    operation: str
    fits: Callable[[Any], bool] | None
    times: Times
    refusal: Refusal | None
    plan: JsonObject | None
    latency: Span | None
    responses: Responses | None = None
    matched: int = 0
    taken: int = 0

    @property
    def stage(self) -> Stage:
        """When it is tried."""
        return self.refusal.stage if self.refusal is not None else "business"

    def mismatch(self, call: Call) -> str:
        """Why ``call`` is not meant; empty if it is."""
        named = call.operation.qualified if call.operation is not None else f"{call.cloud}.{call.named}"
        if not fnmatchcase(named, self.operation):
            return f"it is for {self.operation}"
        if self.fits is not None and (call.parameters is None or not self.fits(call.parameters)):
            return "the parameters do not fit its params"
        return ""


@dataclass(slots=True)
class Effects:
    """What the rules decided for one call, and what each rule tried had to say."""

    error: ApiError | None = None
    plan: JsonObject | None = None
    latency: float = 0.0
    responses: Responses | None = None
    notes: list[str] = field(default_factory=list)


class RuleBook:
    """An account's rules, in the order they were set."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._rules: dict[str, Rule] = {}
        self._serial = 0

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules.values())

    def __len__(self) -> int:
        return len(self._rules)

    def add(self, document: JsonObject, schemas: SchemaRegistry, providers: Mapping[str, Provider]) -> Rule:
        """Set a rule.

        Raises:
            ConfigurationError: the document is no rule, or names an operation or a code that does not exist.

        """
        rule = _parse(f"r{self._serial + 1}", document, schemas, providers)
        self._serial += 1
        self._rules[rule.id] = rule
        return rule

    def get(self, rule_id: str) -> Rule | None:
        """The rule of that id."""
        return self._rules.get(rule_id)

    def remove(self, rule_id: str) -> bool:
        """Take a rule away; whether there was one."""
        return self._rules.pop(rule_id, None) is not None

    def clear(self) -> None:
        """Take all rules away."""
        self._rules.clear()

    def apply(self, call: Call, stage: Stage) -> Effects | None:
        """The effects on ``call`` of the rules that are tried at ``stage``; ``None`` if there are no rules."""
        if not self._rules:
            return None
        effects = Effects()
        for rule in self._rules.values():
            if rule.stage == stage:
                effects.notes.append(f"{rule.id} ({rule.name}): {self._try(rule, call, effects)}")
        return effects

    def _try(self, rule: Rule, call: Call, effects: Effects) -> str:
        if why := rule.mismatch(call):
            return why
        offered = [
            name
            for name, wanted in (
                ("error", rule.refusal is not None and effects.error is None),
                ("plan", rule.plan is not None and effects.plan is None and effects.error is None),
                ("latency", rule.latency is not None and not effects.latency),
                ("responses", rule.responses is not None and effects.responses is None and effects.error is None),
            )
            if wanted
        ]
        if not offered:
            return "an earlier rule decided what it would"
        rule.matched += 1
        if not rule.times.takes(rule.matched, rule.taken, lambda: Draw(self._seed, rule.id, rule.matched)):
            return f"match {rule.matched}, not its turn"
        rule.taken += 1
        if rule.refusal is not None and "error" in offered:
            reason = f"rule {rule.id} ({rule.name}) says so"
            effects.error = ApiError(rule.refusal.code, reason, message=rule.refusal.message)
        if "plan" in offered:
            effects.plan = rule.plan
        if rule.latency is not None and "latency" in offered:
            effects.latency = rule.latency.length(self._seed, rule.id, rule.taken)
        if "responses" in offered:
            effects.responses = rule.responses
        return f"match {rule.matched}, applies: {', '.join(offered)}"


def _parse(rule_id: str, document: JsonObject, schemas: SchemaRegistry, providers: Mapping[str, Provider]) -> Rule:
    schemas.check("emulator/rule.json", document, "rule")
    when, then = document.get("when", {}), document["then"]
    pattern = when.get("operation", "*")
    clouds = _clouds(pattern, providers, starts_task="plan" in then)
    fits = None
    if "params" in when:
        try:
            fits = schemas.matcher(when["params"])
        except ValueError as error:
            message = str(error).strip().partition("\n")[0]
            raise ConfigurationError([Problem("rule", "/when/params", f"no valid JSON Schema: {message}")]) from None
    times = document.get("times", {})
    return Rule(
        id=rule_id,
        name=document.get("name", f"{' and '.join(then)} for {pattern}"),
        document=document,
        operation=pattern,
        fits=fits,
        times=Times(times.get("skip", 0), times.get("first"), times.get("every", 1), times.get("probability", 1.0)),
        refusal=_refusal(then["error"], clouds) if "error" in then else None,
        plan=_plan(then["plan"], clouds) if "plan" in then else None,
        latency=_span(then["latency"], "/then/latency") if "latency" in then else None,
        responses=then.get("responses"),
    )


def _clouds(pattern: str, providers: Mapping[str, Provider], *, starts_task: bool) -> list[Provider]:
    """The clouds whose operations ``pattern`` means."""
    rows = [row for provider in providers.values() for row in provider.operations]
    meant = [row for row in rows if fnmatchcase(row.qualified, pattern)]
    if not meant:
        hint = nearest(pattern, [row.qualified for row in rows])
        raise ConfigurationError([Problem("rule", "/when/operation", f"no operation is called {pattern}{hint}")])
    if starts_task and not any(row.starts_task for row in meant):
        raise ConfigurationError([Problem("rule", "/then/plan", f"{pattern} starts no task, so no plan applies to it")])
    return [providers[name] for name in dict.fromkeys(row.cloud for row in meant)]


def _refusal(document: Any, clouds: list[Provider]) -> Refusal:
    code, message = (document["code"], document.get("message")) if isinstance(document, dict) else (document, None)
    row = _lookup(code, clouds, "/then/error", lambda cloud: cloud.reply_lists)
    return Refusal(row.code, message, row.stage)


def _plan(document: JsonObject, clouds: list[Provider]) -> JsonObject:
    """The document with the code of a failure turned into its number."""
    try:
        ending = Plan().revised(document).ending
    except ValueError as error:
        raise ConfigurationError([Problem("rule", "/then/plan", str(error))]) from None
    for cloud in clouds:
        try:
            cloud.check_plan(document)
        except ValueError as error:
            raise ConfigurationError([Problem("rule", "/then/plan", str(error))]) from None
    outcome = document.get("outcome")
    if isinstance(outcome, dict):
        if len(outcome.keys() & {"fail", "hang", "vanish"}) != 1:
            problem = Problem("rule", "/then/plan/outcome", "exactly one of fail, hang, vanish")
            raise ConfigurationError([problem])
        if ending.kind == "fail":
            row = _lookup(ending.code, clouds, "/then/plan/outcome/fail", lambda cloud: cloud.task_lists)
            return {**document, "outcome": {**outcome, "fail": row.code}}
    return document


def _lookup(code: Code, clouds: list[Provider], pointer: str, lists: Callable[[Provider], tuple[str, ...]]) -> Any:
    if len(clouds) > 1:
        names = " or ".join(f"{cloud.name}.*" for cloud in clouds)
        raise ConfigurationError([Problem("rule", pointer, f"whose code {code}? Say when.operation: {names}")])
    try:
        return clouds[0].errors.row(code, *lists(clouds[0]))
    except LookupError as error:
        raise ConfigurationError([Problem("rule", pointer, str(error))]) from None


def _span(document: Any, pointer: str) -> Span:
    try:
        return Span.of(document)
    except ValueError as error:
        raise ConfigurationError([Problem("rule", pointer, str(error))]) from None
