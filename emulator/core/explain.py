"""Why a request was answered as it was, or what would become of one: each rule that is tried, and what it says.

Foreseeing changes nothing: no account opens, nothing is counted, nothing is written down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from emulator.core.accounts import Account, AccountBook
from emulator.core.brought import NotUnderstood
from emulator.core.documents import write_json
from emulator.core.errors import ApiError, Stage
from emulator.core.exchange import Call, JsonObject, RawRequest
from emulator.core.journal import RequestEntry, TraceLine
from emulator.core.pipeline import Pipeline
from emulator.core.provider import Provider
from emulator.core.rules import Effects, Rule
from emulator.core.values import value_type

STAGES: tuple[Stage, ...] = ("gate", "business")


@value_type
class Tried:
    """A rule and what it said: at which stage, whether it acts, why or why not."""

    id: str
    stage: Stage
    acts: bool
    found: str


@value_type
class Explanation:
    """What becomes of a request.

    Attributes:
        number: its place in the account's journal; 0: it was never made.
        subject: what is explained, in a few words.
        account: whose it is.
        operation: what is called; ``None`` if that cannot be told.
        trace: what each step finds, in order.
        rules: every rule in force and each that the request brings along.
        effects: what the rules make of it, by the name of the effect.
        outcome: how it ends, in a sentence.

    """

    number: int
    subject: str
    account: str
    operation: str | None
    trace: tuple[TraceLine, ...]
    rules: tuple[Tried, ...]
    effects: JsonObject
    outcome: str

    def __str__(self) -> str:
        """All of it, for people."""
        width = max(len(step) for step, _ in self.trace)
        lines = [f"  {step:{width}}  {' '.join(found.split())}" for step, found in self.trace]
        return "\n".join([self.subject, *lines, self.outcome])


def recall(entry: RequestEntry, account: Account) -> Explanation:
    """Why the request of a journal was answered as it was."""
    tried = [
        Tried(rule_id, stage, rule_id in entry.rules, note)
        for stage in STAGES
        for step, note in entry.trace
        if step == f"{stage} rules" and (rule_id := note.partition(" ")[0])
    ]
    effects: JsonObject = {}
    if entry.latency:
        effects["latency"] = entry.latency
    if fault := next((found for step, found in entry.trace if step == "fault"), ""):
        effects["fault"] = fault
    what = f"it was refused with {entry.code}: {entry.reason}" if entry.code is not None else "it was done"
    return Explanation(
        number=entry.number,
        subject=f"request {entry.number}: {_subject(entry.request, entry.operation, account.name)}",
        account=account.name,
        operation=entry.operation,
        trace=entry.trace,
        rules=tuple(tried),
        effects=effects,
        outcome=f"So {what}; the answer had status {entry.status}{_way(effects)}.",
    )


def foresee(pipeline: Pipeline, accounts: AccountBook, request: RawRequest, asked: Account) -> Explanation:
    """What would become of ``request``, were it made now; if it has no credential, were it made by ``asked``."""
    provider = pipeline.claim(request)
    if provider is None:
        reason = f"no cloud is emulated at {request.path} on host {request.host}"
        subject = f"if asked: {_subject(request, None, asked.name)}"
        outcome = f"So nobody would answer it: {reason}."
        return Explanation(0, subject, asked.name, None, (("claim", reason),), (), {}, outcome)
    call = provider.identify(request)
    account = asked if call.credential is None else accounts.foresee(call.credential)
    return _Foreseen(pipeline, provider, call, account, asked, accounts).explanation()


class _Foreseen:
    """A request on its way through the pipeline, had it been made. The way is that of ``Pipeline.decide``."""

    def __init__(
        self,
        pipeline: Pipeline,
        provider: Provider,
        call: Call,
        account: Account | None,
        asked: Account,
        accounts: AccountBook,
    ) -> None:
        self._pipeline = pipeline
        self._provider = provider
        self._call = call
        self._account = account or accounts.default
        self._stranger = account is None
        self._effects = Effects()
        self._rules: list[Tried] = []
        self._left = set(STAGES)
        whose = self._account.name
        if call.credential is None and asked is not accounts.default:
            whose += f", since it is asked for; without a credential it would be {accounts.default.name}"
        elif accounts.get(whose) is None:
            whose += ", which would open"
        self._trace: list[TraceLine] = [("claim", provider.name), ("identify", call.named), ("account", whose)]

    def explanation(self) -> Explanation:
        call = self._call
        operation = call.operation.qualified if call.operation is not None else None
        try:
            self._go()
        except ApiError as error:
            self._trace.append(("refuse", f"{error.code}: {error.reason}"))
            outcome = f"it would be refused with {error.code}: {error.reason}"
        except NotUnderstood as error:
            self._trace.append(("refuse", str(error)))
            outcome = f"it would be refused in the emulator's own name: {error}"
        else:
            outcome = "a rule would answer it" if self._effects.reply is not None else f"{operation} would be done"
        effects = dict(_shown(self._effects))
        for rule in self._account.rules.in_force:
            if rule.stage in self._left:
                found = f"{rule.id} ({rule.name}): the request is refused before its turn"
                self._rules.append(Tried(rule.id, rule.stage, False, found))
                self._trace.append(("not tried", found))
        return Explanation(
            number=0,
            subject=f"if asked: {_subject(call.request, operation, self._account.name)}",
            account=self._account.name,
            operation=operation,
            trace=tuple(self._trace),
            rules=tuple(self._rules),
            effects=effects,
            outcome=f"So {outcome}{_way(effects)}.",
        )

    def _go(self) -> None:
        call, provider = self._call, self._provider
        brought = self._pipeline.brought(call, provider)
        self._ask("gate", call, brought)
        if call.operation is None:
            raise cast("ApiError", call.refusal)
        if self._stranger and call.credential is not None and call.credential.opens:
            raise provider.stranger(call)
        self._trace.append(("authenticate", provider.authenticate(call, self._account.double())))
        call = self._pipeline.validate(call, call.operation, provider)
        self._trace.append(("validate", "fits the schema"))
        self._ask("business", call, brought)

    def _ask(self, stage: Stage, call: Call, brought: Sequence[Rule]) -> None:
        """Try the rules of ``stage``.

        Raises:
            ApiError: one refuses.

        """
        self._left.remove(stage)
        effects, told = self._effects, len(self._effects.notes)
        rules = self._account.rules
        rules.foresee(call, stage, effects, brought)
        asked = [rule for rule in (*brought, *rules.in_force) if rule.stage == stage]
        for rule, note in zip(asked, effects.notes[told:], strict=True):
            why = note.removeprefix(f"{rule.id} ({rule.name}): ")
            self._rules.append(Tried(rule.id, stage, ", applies: " in why, note))
            self._trace.append((f"{stage} rules", note))
        if effects.error is not None:
            raise effects.error


def _subject(request: RawRequest, operation: str | None, account: str) -> str:
    return f"{request.method} {request.path} on {request.host}, {operation or 'no operation'}, account {account}"


def _shown(effects: Effects) -> Iterator[tuple[str, Any]]:
    """What the rules decided, by the name of the effect, as JSON."""
    if effects.error is not None:
        yield "error", {"code": effects.error.code, "message": effects.error.message}
    if effects.reply is not None:
        yield "reply", {"status": effects.reply.status, "body": effects.reply.body.decode("utf-8", "replace")}
    if effects.plan is not None:
        yield "plan", effects.plan
    if effects.latency:
        yield "latency", effects.latency
    if effects.fault is not None:
        yield "fault", str(effects.fault)
    if effects.responses is not None:
        yield "responses", effects.responses


def _way(effects: JsonObject) -> str:
    """What becomes of the answer on its way, and how its task goes."""
    said = ""
    if "plan" in effects:
        said += f"; its task follows the plan {write_json(effects['plan']).decode()}"
    if "responses" in effects:
        said += f"; what it answers is {effects['responses']}"
    if "latency" in effects:
        said += f"; the answer is held back for {effects['latency']:g} s"
    if "fault" in effects:
        said += f"; a fault on its way: {effects['fault']}"
    return said
