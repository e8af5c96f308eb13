"""An invented third cloud, on which core is tested: it brews tea.

``Brew`` starts a task that owes a callback for each of its steps; ``Ask`` says how it is doing. A caller is told by
the header ``X-Toy-Key``, which may open an account, or ``X-Toy-Pass``, which the cloud must have issued.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.core import resources
from emulator.core.accounts import DEFAULT, Account, AccountBook, AccountLimits, AccountSpec, Openness
from emulator.core.brought import Brought
from emulator.core.callbacks import CallbackOrder
from emulator.core.clock import ClockSpec
from emulator.core.driver import Driver
from emulator.core.errors import ApiError, Code, ConfigurationError, ErrorTable, Problem
from emulator.core.exchange import Call, Credential, Draft, JsonObject, Outcome, RawRequest, Reply
from emulator.core.forms import read_query
from emulator.core.ids import Draw, digest
from emulator.core.operations import Operation, OperationTable
from emulator.core.pipeline import Pipeline
from emulator.core.provider import Context
from emulator.core.resources import Resource
from emulator.core.rule_reader import RuleReader
from emulator.core.schemas import BASE, DIALECT, SchemaRegistry
from emulator.core.tasks import Plan, Span, Step, Task, Timeline
from tests.support.machine import START, FakeMachine
from tests.support.sender import RecordingSender

SEED = 7
CALLBACK = "http://cup.test/done"
PLAN = Plan(queue=Span(1, 1), run=Span(10, 10), upload=Span(2, 2), progress=(50.0,), uploading=())

ERRORS: JsonObject = {
    "lists": {
        "api": [
            {"code": 0, "text": "", "gloss": "success"},
            {"code": 7, "text": "no such leaf", "gloss": "a parameter is wrong"},
            {"code": 8, "text": "say more", "gloss": "a parameter is missing", "variants": {"leaf": "which leaf?"}},
            {"code": 9, "text": "closed today", "gloss": "nobody is served", "stage": "gate", "status": 403},
        ],
        "task": [{"code": 70, "text": "boiled over", "gloss": "the pot was too full"}],
    }
}

BREW: JsonObject = {
    "type": "object",
    "required": ["leaf"],
    "properties": {
        "leaf": {"type": "string", "enum": ["green", "black"], "x-empty": "absent", "x-source": "the tea book"},
        "cups": {"type": "integer", "minimum": 1, "maximum": 9},
        "callback": {"type": "string", "x-empty": "absent"},
    },
}
ASK: JsonObject = {
    "type": "object",
    "required": ["brew"],
    "properties": {"brew": {"type": "string", "minLength": 1}},
}


class Toy:
    """Implements ``Provider``, under any name, so that there may be two of its kind."""

    reply_lists: tuple[str, ...] = ("api",)
    task_lists: tuple[str, ...] = ("task",)

    def __init__(self, name: str, schemas: SchemaRegistry) -> None:
        self.name = name
        self.hosts: tuple[str, ...] = (f"{name}.test", f"*.{name}.test")
        self.violations: dict[str, Code] = {"required": 8, "default": 7}
        self.errors = ErrorTable(name, ERRORS)
        self.operations = OperationTable(
            [
                Operation(name, "Brew", f"/{name}/Brew", ("POST",), _brew, "make tea", "the tea book", True),
                Operation(name, "Ask", f"/{name}/Ask", ("GET", "POST"), _ask, "is it ready?", "the tea book"),
            ]
        )
        self._schemas = {row.wire: schemas.get(f"{name}/{row.name}.request.json") for row in self.operations}

    def claims(self, path: str) -> bool:
        """Everything below the cloud's name."""
        return path.startswith(f"/{self.name}/")

    def identify(self, request: RawRequest) -> Call:
        """The operation is the path; parameters are the query's and a JSON body's."""
        operation, refusal = self.operations.find(request.path), None
        parameters: JsonObject | None = None
        if operation is None:
            refusal = ApiError(7, f"nothing is called {request.path}{self.operations.nearest(request.path)}")
        else:
            try:
                parameters = {
                    **self._schemas[operation.wire].coerced(dict(read_query(request.query))),
                    **(json.loads(request.content) if request.content else {}),
                }
            except ValueError as error:
                refusal = ApiError(7, f"the body is not JSON: {error}")
        named = operation.name if operation is not None else request.path
        return Call(request, self.name, operation, named, self._credential(request), parameters, refusal)

    def triggers(self, call: Call) -> Sequence[str]:
        """The words of the query."""
        return dict(read_query(call.request.query)).get("emu", "").split()

    def stranger(self, call: Call) -> ApiError:
        """Nobody is served who is not known."""
        return ApiError(9, f"nobody knows {call.credential.id if call.credential else 'you'}")

    def authenticate(self, call: Call, account: Account) -> str:
        """Whoever says a word must say the right one."""
        word, secret = call.request.headers.get("X-Toy-Word"), None
        if call.credential is not None:
            secret = account.secret(call.credential)
        if word is not None and word != secret:
            raise ApiError(9, "that is not the word")
        return "a guest" if call.credential is None else f"the {call.credential.kind} {call.credential.id}"

    def succeed(self, call: Call, payload: JsonObject, account: Account) -> Reply:
        """The payload with a zero."""
        return _reply(200, {"error": 0, **payload})

    def refuse(self, call: Call, error: ApiError, account: Account) -> Reply:
        """The code and its text."""
        row = self.errors.row(error.code, *self.reply_lists)
        return _reply(row.status, {"error": row.code, "message": row.says(error)})

    def credentials(self, given: JsonObject, draw: Draw) -> Mapping[Credential, str | None]:
        """A key and its word."""
        return {self.key(given.get("key") or draw.digits("K####")): given.get("word") or draw.digits("????")}

    def signed(self, operation: Operation, parameters: JsonObject, account: Account, host: str, at: float) -> Draft:
        """The key of the account, and what is wanted as JSON."""
        key = account.credential(self.name, "key")
        headers = {"X-Toy-Key": key.id} if key is not None else {}
        return Draft("POST", operation.wire, headers, json.dumps(parameters).encode())

    def check_plan(self, plan: JsonObject) -> None:
        """Anything goes."""

    def woken(self, account: Account, now: float) -> None:
        """Remember it."""
        account.state(self.name).append(now)

    def check_options(self, options: JsonObject) -> None:
        """Anything goes."""

    def reached(self, account: Account, task: Task, step: Step) -> None:
        """Nothing depends on it."""

    def owed(self, account: Account, task: Task, step: Step) -> Sequence[CallbackOrder]:
        """One message a step, for those who want any."""
        url = task.parameters.get("callback", "")
        body = {"brew": task.id, "status": step.phase.status, "percent": step.phase.percent}
        return (CallbackOrder(step.phase.status, "POST", url, {}, json.dumps(body).encode()),) if url else ()

    def options(self, account: Account) -> JsonObject:
        """None."""
        return {}

    def set_options(self, account: Account, options: JsonObject) -> None:
        """There are none."""

    def new_state(self, options: JsonObject) -> object:
        """Nothing to remember at first."""
        return []

    def save_state(self, account: Account) -> JsonObject:
        """When it was woken."""
        return {"woken": account.state(self.name)}

    def load_state(self, document: JsonObject, tasks: Collection[str]) -> object:
        """The same back."""
        if document.keys() != {"woken"}:
            raise ConfigurationError([Problem(self.name, "/woken", "is all that there is")])
        return list(document["woken"])

    def save_result(self, result: Any) -> Any:
        """It is plain."""
        return result

    def load_result(self, document: Any) -> Any:
        """It is plain."""
        return document

    def key(self, text: str) -> Credential:
        """A key, which may open an account."""
        return Credential(self.name, "key", text)

    def ticket(self, text: str) -> Credential:
        """A pass, which must have been issued."""
        return Credential(self.name, "pass", text, opens=False)

    def _credential(self, request: RawRequest) -> Credential | None:
        if key := request.headers.get("X-Toy-Key"):
            return self.key(key)
        if ticket := request.headers.get("X-Toy-Pass"):
            return self.ticket(ticket)
        return None


def _brew(call: Call, context: Context) -> JsonObject:
    parameters, account = call.parameters or {}, context.account
    plan = PLAN if context.plan is None else PLAN.revised(context.plan)
    task_id = digest(account.seed, account.name, account.tasks.created, size=4)
    start_task(account, plan, task_id, at=context.now, parameters=parameters, cloud=call.cloud)
    return {"brew": task_id}


def _ask(call: Call, context: Context) -> JsonObject:
    wanted = (call.parameters or {})["brew"]
    task = context.account.tasks.get(wanted)
    if task is None:
        raise ApiError(7, f"nobody brews {wanted}")
    phase = task.timeline.at(context.now)
    return {"status": phase.status, "percent": phase.percent}


def _reply(status: int, document: JsonObject) -> Reply:
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(document).encode())


def start_task(
    account: Account,
    plan: Plan = PLAN,
    task_id: str = "t1",
    *,
    at: float | None = None,
    parameters: JsonObject | None = None,
    cloud: str = "toy",
) -> Task:
    """A task of ``account`` that follows ``plan`` from its clock's instant, or from ``at``."""
    start = account.clock.now() if at is None else at
    given = {"leaf": "green", "callback": CALLBACK} if parameters is None else parameters
    timeline = Timeline.of(plan, start, account.seed, task_id)
    task = Task(task_id, cloud, f"{cloud}.Brew", "tea", given, timeline, plan.retry, {}, plan.chaos)
    account.begin(task, account.clock.now())
    return task


def schema_resources(*clouds: str) -> dict[str, Resource]:
    """The schemas of toy clouds, in memory, beside the emulator's own, but for the one that names real clouds."""
    own = {path: entry for path, entry in resources.load("schemas").items() if path.startswith("emulator/")}
    found = {path: entry for path, entry in own.items() if path != "emulator/answers.json"}
    for cloud in clouds:
        for name, document in (("Brew", BREW), ("Ask", ASK)):
            path = f"{cloud}/{name}.request.json"
            found[path] = resource(path, document)
    return found


def resource(path: str, document: JsonObject) -> Resource:
    """A schema in memory, with the two members that every one begins with."""
    return Resource(path, f"memory/{path}", {"$schema": DIALECT, "$id": BASE + path, **document})


def request(
    path: str,
    document: Any = None,
    *,
    method: str = "POST",
    query: str = "",
    host: str = "localhost",
    body: bytes | None = None,
    **headers: str,
) -> RawRequest:
    """A request as the edge hands it over; ``x_toy_key="K1"`` is the header ``X-Toy-Key``."""
    content = body if body is not None else b"" if document is None else json.dumps(document).encode()
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return RawRequest(method, path, query, named, content, content, host, "127.0.0.1", START)


@dataclass(frozen=True)
class ToyWorld:
    """An emulation of toy clouds, without a server."""

    machine: FakeMachine
    schemas: SchemaRegistry
    clouds: dict[str, Toy]
    accounts: AccountBook
    reader: RuleReader
    pipeline: Pipeline
    sender: RecordingSender
    driver: Driver

    @property
    def toy(self) -> Toy:
        """The first of the clouds."""
        return next(iter(self.clouds.values()))

    @property
    def account(self) -> Account:
        """The default account."""
        return self.accounts.default

    def ask(self, path: str, document: Any = None, **options: Any) -> Outcome:
        """Have a request decided."""
        return self.pipeline.decide(request(path, document, **options))

    def rule(self, document: JsonObject, account: Account | None = None) -> str:
        """Set a rule and say its id."""
        return (account or self.account).rules.add(self.reader.later(document)).id


def toy_world(
    *,
    clouds: tuple[str, ...] = ("toy",),
    openness: Openness = "open",
    clock: ClockSpec | None = None,
    limits: AccountLimits | None = None,
    senders: int = 32,
    seed: int = SEED,
    machine: FakeMachine | None = None,
) -> ToyWorld:
    """Toy clouds with everything core puts around them; clocks are frozen at ``START`` unless ``clock`` is given."""
    machine = machine or FakeMachine()
    schemas = SchemaRegistry(schema_resources(*clouds))
    providers = {name: Toy(name, schemas) for name in clouds}
    accounts = AccountBook(
        machine,
        limits or AccountLimits(),
        AccountSpec(DEFAULT, True, seed, clock or ClockSpec("frozen", now=START), "canned"),
        openness,
        {name: provider.new_state for name, provider in providers.items()},
    )
    reader = RuleReader(schemas, providers, None)
    brought = Brought(reader, triggers=True, headers=True)
    pipeline = Pipeline(tuple(providers.values()), accounts, schemas, brought)
    sender = RecordingSender()
    driver = Driver(accounts, providers, sender, senders)
    return ToyWorld(machine, schemas, providers, accounts, reader, pipeline, sender, driver)


def reply_of(outcome: Outcome) -> Any:
    """The JSON that goes back."""
    return json.loads(outcome.reply.body)
