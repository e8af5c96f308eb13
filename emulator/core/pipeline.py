"""The life of a request, as one list: read :meth:`Pipeline.decide` from top to bottom.

claim → identify → account → gate rules → authenticate → validate → business rules → handler → render → fault on the
reply → journal. One plain function call with no waiting in it; what takes time comes back as a value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import translate
from typing import cast

from emulator.core.accounts import AccountBook
from emulator.core.brought import Brought, NotUnderstood
from emulator.core.errors import ApiError, Code, Stage
from emulator.core.exchange import Call, Outcome, RawRequest, Reply
from emulator.core.ids import Draw
from emulator.core.journal import OWN, UNCLAIMED, TraceLine
from emulator.core.operations import Operation
from emulator.core.provider import Context, Provider
from emulator.core.rules import Effects, Rule, RuleBook
from emulator.core.schemas import Schema, SchemaRegistry


class Pipeline:
    """Decides every request of every cloud."""

    def __init__(
        self,
        providers: Sequence[Provider],
        accounts: AccountBook,
        schemas: SchemaRegistry,
        brought: Brought | None = None,
    ) -> None:
        self._brought = brought
        self._providers = tuple(providers)
        self._accounts = accounts
        self._hosts = [(re.compile("|".join(map(translate, provider.hosts))), provider) for provider in self._providers]
        owners = "\n".join(f"{provider.name}: {', '.join(provider.hosts)}" for provider in self._providers)
        text = f"No cloud is emulated at this address. Hosts that are, beside the paths of their APIs:\n{owners}\n"
        self._no_cloud = Reply(404, _PLAIN, text.encode())
        self._by_host: dict[str, Provider | None] = {}
        self._request_schemas: dict[str, Schema] = {
            operation.qualified: schemas.get(f"{operation.cloud}/{operation.name}.request.json")
            for provider in self._providers
            for operation in provider.operations
        }

    def decide(self, request: RawRequest) -> Outcome:
        """Decide one request and write it down."""
        provider = self.claim(request)
        if provider is None:
            return self._unclaimed(request)
        call = provider.identify(request)
        operation = call.operation
        account = self._accounts.of(call.credential)
        stranger = account is None
        account = account or self._accounts.default
        now = account.clock.now()
        trace: list[TraceLine] = [("claim", provider.name), ("identify", call.named), ("account", account.name)]
        code: Code | None = None
        reason = ""
        effects, brought = NOTHING, NO_RULES
        try:
            if self._brought is not None:
                brought = self._brought.rules(call, provider)
            rules = account.rules
            if brought or rules.in_force:
                effects = Effects()
                _apply("gate", call, rules, effects, brought, trace)
                if effects.error is not None:
                    raise effects.error
            if operation is None:
                raise cast("ApiError", call.refusal)
            if stranger and call.credential is not None and call.credential.opens:
                raise provider.stranger(call)
            trace.append(("authenticate", provider.authenticate(call, account)))
            call = self.validate(call, operation, provider)
            trace.append(("validate", "fits the schema"))
            if effects is not NOTHING:
                _apply("business", call, rules, effects, brought, trace)
                if effects.error is not None:
                    raise effects.error
            if effects.reply is None:
                context = Context(account, now, effects.plan, effects.responses or account.responses)
                payload = operation.handler(call, context)
                reply = provider.succeed(call, payload, account)
            else:
                reply = effects.reply
        except ApiError as error:
            code, reason = error.code, error.reason
            trace.append(("refuse", f"{code}: {reason}"))
            reply = provider.refuse(call, error, account)
        except NotUnderstood as error:
            code, reason = OWN, str(error)
            trace.append(("refuse", reason))
            reply = Reply(400, _PLAIN, f"{reason}\n".encode())
        fault = effects.fault
        if fault is not None:
            trace.append(("fault", str(fault)))
            reply = fault.applied(reply, Draw(account.seed, account.name, "fault", account.journal.created))
        called = operation.qualified if operation is not None else None
        entry = account.journal.note_request(
            now, called, code, reason, tuple(trace), request, reply, effects.latency, tuple(effects.taken)
        )
        early = account if account.early else None
        return Outcome(reply, effects.latency, reason, entry.number, fault, early)

    def brought(self, call: Call, provider: Provider) -> Sequence[Rule]:
        """The rules that ``call`` brings along.

        Raises:
            NotUnderstood: one makes no sense.

        """
        return NO_RULES if self._brought is None else self._brought.rules(call, provider)

    def note_failure(self, request: RawRequest, reply: Reply, reason: str) -> None:
        """Write down a request at which the emulator itself failed."""
        account = self._accounts.default
        trace: tuple[TraceLine, ...] = (("fail", reason),)
        account.journal.note_request(account.clock.now(), None, OWN, reason, trace, request, reply, 0.0)

    def claim(self, request: RawRequest) -> Provider | None:
        """The cloud whose host is asked; else the one whose path it is."""
        host = request.host
        if host not in self._by_host:
            if len(self._by_host) > 1000:
                self._by_host.clear()
            self._by_host[host] = next((provider for pattern, provider in self._hosts if pattern.match(host)), None)
        owner = self._by_host[host]
        if owner is None:
            for provider in self._providers:
                if provider.claims(request.path):
                    return provider
        return owner

    def _unclaimed(self, request: RawRequest) -> Outcome:
        account = self._accounts.default
        reason = f"no cloud is emulated at {request.path} on host {request.host}"
        trace: tuple[TraceLine, ...] = (("claim", reason),)
        entry = account.journal.note_request(
            account.clock.now(), None, UNCLAIMED, reason, trace, request, self._no_cloud, 0.0
        )
        return Outcome(self._no_cloud, 0.0, reason, entry.number)

    def validate(self, call: Call, operation: Operation, provider: Provider) -> Call:
        """The call with its parameters checked, and without those whose empty text means "not sent".

        Raises:
            ApiError: they are wrong.

        """
        if call.refusal is not None:
            raise call.refusal
        given = call.parameters or {}
        schema = self._request_schemas[operation.qualified]
        parameters = schema.without_empty(given)
        if not schema.is_valid(parameters):
            violation = schema.explain(parameters)
            codes = provider.violations
            code = violation.code if violation.code is not None else codes.get(violation.keyword, codes["default"])
            raise ApiError(code, str(violation))
        return call if parameters is call.parameters else replace(call, parameters=parameters)


NOTHING = Effects()
NO_RULES: Sequence[Rule] = ()
_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


def _apply(
    stage: Stage, call: Call, rules: RuleBook, effects: Effects, brought: Sequence[Rule], trace: list[TraceLine]
) -> None:
    told = len(effects.notes)
    rules.apply(call, stage, effects, brought)
    trace.extend((f"{stage} rules", note) for note in effects.notes[told:])
