"""Rules: when (matcher), how often (times), then what (effects). How a user changes behaviour.

An account's own rules, those for every account, and those that a single request brings along (its headers, a magic
value in it) are tried in one order: the request's first, then by ``priority``, then the account's before the shared
ones, then as they were set. Each effect is taken from the first rule that matches, has turns left and offers it, so
that "everything is slow" and "the second one fails" can be two rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from emulator.core.errors import ApiError, Code, Stage
from emulator.core.exchange import Call, JsonObject, Reply
from emulator.core.faults import Fault, Latency
from emulator.core.ids import Draw
from emulator.core.provider import Responses
from emulator.core.values import value_type

EFFECTS = ("error", "reply", "plan", "latency", "fault", "responses")
"""What a rule may do, in the order in which it is told."""

BROUGHT = "request"
"""The origin and the id of a rule that a single request brings along."""


@value_type
class Times:
    """How often a rule acts, over the calls that match it."""

    skip: int = 0
    first: int | None = None
    every: int = 1
    probability: float = 1.0

    def turn(self, match: int, taken: int, draw: Callable[[], Draw]) -> str:
        """Why the ``match``-th match (from 1) is not taken, ``taken`` having been taken before; empty if it is."""
        if match <= self.skip:
            return f"the first {self.skip} are left alone" if self.skip > 1 else "the first is left alone"
        if self.exhausted(taken):
            return f"it has acted {taken} times, which is all" if taken > 1 else "it has acted once, which is all"
        if (match - self.skip) % self.every:
            return f"only one in {self.every} is taken"
        if self.probability < 1.0 and draw().fraction() >= self.probability:
            return f"by chance ({self.probability:g})"
        return ""

    def exhausted(self, taken: int) -> bool:
        """Whether the rule never acts again."""
        return self.first is not None and taken >= self.first


@value_type
class Refusal:
    """The effect ``error``: a code, said at its stage, perhaps with a message of the user's."""

    code: Code
    message: str | None
    stage: Stage


class Matcher(Protocol):
    """A rule's ``params``."""

    def why_not(self, parameters: JsonObject) -> str:
        """Where ``parameters`` do not fit; empty if they do."""


@value_type
class Rule:
    """One rule, read and checked.

    Attributes:
        document: as it was written.
        origin: where it is from: ``admin``, :data:`BROUGHT`, or file and line.
        operation: the pattern of the operations that it means.
        stage: when it is tried.

    """

    id: str
    name: str
    document: JsonObject
    origin: str
    operation: str
    params: Matcher | None
    priority: int
    times: Times
    stage: Stage
    refusal: Refusal | None = None
    reply: Reply | None = None
    plan: JsonObject | None = None
    latency: Latency | None = None
    fault: Fault | None = None
    responses: Responses | None = None

    def mismatch(self, call: Call) -> str:
        """Why ``call`` is not meant; empty if it is."""
        named = call.operation.qualified if call.operation is not None else f"{call.cloud}.{call.named}"
        if not fnmatchcase(named, self.operation):
            return f"it is for {self.operation}"
        if self.params is None:
            return ""
        if call.parameters is None:
            return "the parameters do not fit its params: they could not be read"
        why = self.params.why_not(call.parameters)
        return f"the parameters do not fit its params: {why}" if why else ""


@dataclass(slots=True)
class Count:
    """How often a rule was met in one account.

    Attributes:
        matched: calls that its matcher let through.
        taken: calls on which it acted.

    """

    matched: int = 0
    taken: int = 0


@dataclass(slots=True)
class Effects:
    """What the rules decided for one call, and what each rule tried had to say.

    Attributes:
        taken: the rules that acted.

    """

    error: ApiError | None = None
    reply: Reply | None = None
    plan: JsonObject | None = None
    latency: float = 0.0
    fault: Fault | None = None
    responses: Responses | None = None
    notes: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def wanted(self, rule: Rule) -> list[str]:
        """Which effects ``rule`` has that no rule before it had."""
        decided = self.error is not None or self.reply is not None
        offers = (
            rule.refusal is not None and not decided,
            rule.reply is not None and not decided,
            rule.plan is not None and self.plan is None and not decided,
            rule.latency is not None and not self.latency,
            rule.fault is not None and self.fault is None,
            rule.responses is not None and self.responses is None and not decided,
        )
        return [name for name, offered in zip(EFFECTS, offers, strict=True) if offered]


class SharedRules:
    """The rules for every account: those of files, and those that the admin API set.

    Attributes:
        version: changes whenever they do.

    """

    def __init__(self) -> None:
        self._of_files: tuple[Rule, ...] = ()
        self._set: dict[str, Rule] = {}
        self._created = 0
        self.version = 0

    def __iter__(self) -> Iterator[Rule]:
        yield from self._set.values()
        yield from self._of_files

    def __len__(self) -> int:
        return len(self._set) + len(self._of_files)

    def get(self, rule_id: str) -> Rule | None:
        """The rule of that id."""
        return next((rule for rule in self if rule.id == rule_id), None)

    def add(self, read: Callable[[str], Rule]) -> Rule:
        """Set the rule that ``read`` makes, given its id.

        Raises:
            ConfigurationError: by ``read``: it is no rule, or names something that does not exist.

        """
        rule = read(f"g{self._created + 1}")
        self._created += 1
        self._set[rule.id] = rule
        self.version += 1
        return rule

    def remove(self, rule_id: str) -> bool:
        """Take away a rule that was set; whether there was one. Those of files stay while the files have them."""
        found = self._set.pop(rule_id, None) is not None
        self.version += found
        return found

    def clear(self) -> None:
        """Take away all rules that were set."""
        self._set.clear()
        self.version += 1

    def replace(self, rules: Sequence[Rule]) -> None:
        """Put ``rules`` in the place of all those of files, at once."""
        self._of_files = tuple(rules)
        self.version += 1


class RuleBook:
    """An account's rules, and how often each rule, shared ones too, was met in it."""

    def __init__(self, seed: int, shared: SharedRules) -> None:
        self._seed = seed
        self._shared = shared
        self._own: dict[str, Rule] = {}
        self._counts: dict[str, Count] = {}
        self._order: tuple[Rule, ...] = ()
        self._version = -1
        self.created = 0

    def __iter__(self) -> Iterator[Rule]:
        """The account's own, as they were set."""
        return iter(self._own.values())

    def __len__(self) -> int:
        return len(self._own)

    def add(self, read: Callable[[str], Rule]) -> Rule:
        """Set the rule that ``read`` makes, given its id.

        Raises:
            ConfigurationError: by ``read``: it is no rule, or names something that does not exist.

        """
        rule = read(f"r{self.created + 1}")
        self.created += 1
        self._own[rule.id] = rule
        self._version = -1
        return rule

    def get(self, rule_id: str) -> Rule | None:
        """The account's rule of that id."""
        return self._own.get(rule_id)

    def remove(self, rule_id: str) -> bool:
        """Take a rule away; whether there was one."""
        self._version = -1
        self._counts.pop(rule_id, None)
        return self._own.pop(rule_id, None) is not None

    def clear(self) -> None:
        """Take all of the account's rules away."""
        for rule_id in tuple(self._own):
            self.remove(rule_id)

    def count(self, rule_id: str) -> Count:
        """How often a rule was met."""
        return self._counts.get(rule_id) or Count()

    def restore(self, rules: Sequence[Rule], counts: dict[str, Count], created: int) -> None:
        """Put rules, their counts and the number of rules ever set in the place of what there is."""
        self._own = {rule.id: rule for rule in rules}
        self._counts = counts
        self.created = created
        self._version = -1

    @property
    def counts(self) -> dict[str, Count]:
        """How often each rule was met that was met at all. A copy."""
        return {rule_id: Count(count.matched, count.taken) for rule_id, count in self._counts.items()}

    @property
    def in_force(self) -> tuple[Rule, ...]:
        """The account's rules and the shared ones, in the order in which they are tried."""
        if self._version != self._shared.version:
            rules = [*self._own.values(), *self._shared]
            self._order = tuple(sorted(rules, key=lambda rule: -rule.priority))
            self._version = self._shared.version
        return self._order

    def apply(self, call: Call, stage: Stage, effects: Effects, brought: Sequence[Rule] = ()) -> None:
        """Add to ``effects`` those of the rules that are tried at ``stage``, first those that the call brought."""
        for rule in brought:
            if rule.stage == stage:
                effects.notes.append(f"{rule.id} ({rule.name}): {self._take(rule, call, effects, Count())}")
        for rule in self.in_force:
            if rule.stage == stage:
                count = self._counts.get(rule.id) or Count()
                effects.notes.append(f"{rule.id} ({rule.name}): {self._take(rule, call, effects, count)}")
                if count.matched:
                    self._counts[rule.id] = count

    def foresee(self, call: Call, stage: Stage, effects: Effects, brought: Sequence[Rule] = ()) -> None:
        """What :meth:`apply` would add, without counting it."""
        counts = self._counts
        self._counts = self.counts
        try:
            self.apply(call, stage, effects, brought)
        finally:
            self._counts = counts

    def _take(self, rule: Rule, call: Call, effects: Effects, count: Count) -> str:
        """Have ``rule`` act on ``call`` if it does, and say so or why not."""
        if why := rule.mismatch(call):
            return why
        wanted = effects.wanted(rule)
        if not wanted:
            return "an earlier rule decided what it would"
        count.matched += 1
        if why := rule.times.turn(count.matched, count.taken, lambda: Draw(self._seed, rule.id, count.matched)):
            return f"match {count.matched}, not its turn: {why}"
        count.taken += 1
        effects.taken.append(rule.id)
        if rule.refusal is not None and "error" in wanted:
            who = rule.name if rule.origin == BROUGHT else f"rule {rule.id} ({rule.name})"
            reason = f"{who} says so"
            effects.error = ApiError(rule.refusal.code, reason, message=rule.refusal.message)
        elif "reply" in wanted:
            effects.reply = rule.reply
        if "plan" in wanted:
            effects.plan = rule.plan
        if rule.latency is not None and "latency" in wanted:
            effects.latency = rule.latency.length(self._seed, rule.id, count.taken)
        if "fault" in wanted:
            effects.fault = rule.fault
        if "responses" in wanted:
            effects.responses = rule.responses
        return f"match {count.matched}, applies: {', '.join(wanted)}"
