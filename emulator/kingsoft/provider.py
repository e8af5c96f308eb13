"""Kingsoft's transcoding API as a cloud of the emulator."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, field
from typing import Any, ClassVar, cast

from emulator.core.accounts import Account
from emulator.core.callbacks import CallbackOrder
from emulator.core.errors import ApiError, Code, ConfigurationError, ErrorTable, Problem
from emulator.core.exchange import Call, Credential, Draft, JsonObject, RawRequest, Reply
from emulator.core.fixtures import Fixtures
from emulator.core.forms import read_query
from emulator.core.ids import Draw
from emulator.core.operations import Operation
from emulator.core.provider import Auth
from emulator.core.schemas import SchemaRegistry
from emulator.core.tasks import Step, Task
from emulator.core.triggers import MARK
from emulator.core.values import value_type
from emulator.kingsoft import callbacks, envelope, requests
from emulator.kingsoft.authentication import verify
from emulator.kingsoft.dialects import Dialect
from emulator.kingsoft.handlers.presets import PresetHandlers
from emulator.kingsoft.handlers.queues import QueueHandlers
from emulator.kingsoft.handlers.statistics import StatisticsHandlers
from emulator.kingsoft.handlers.tasks import TaskHandlers, TaskOptions
from emulator.kingsoft.operations import NAME, table
from emulator.kingsoft.presets import PresetBook, ready
from emulator.kingsoft.queues import Queues
from emulator.kingsoft.signing import CredentialScope, read_scope
from emulator.kingsoft.state import KingsoftState
from emulator.kingsoft.work import Work
from emulator.kingsoft.world import World

VERSION = "2017-01-01"
ACCESS_KEY = "access_key"
WORLD = "kingsoft/world.json"


@value_type
class KingsoftOptions:
    """How Kingsoft is emulated.

    Attributes:
        auth: whether signatures are verified.
        skew: seconds by which a signing time may be off; 0 does not look.
        services: names of services that a credential's scope may have.
        limits: whether the documented rates are enforced.
        concurrency: how many tasks of an account run at a time; 0: any number.
        dialect: which of the documented variants answers and callbacks follow.
        tasks: how tasks are read and run.

    """

    auth: Auth = "lenient"
    skew: float = 900.0
    services: tuple[str, ...] = ("kvs",)
    limits: bool = False
    concurrency: int = 10
    dialect: Dialect = field(default_factory=Dialect)
    tasks: TaskOptions = field(default_factory=TaskOptions)


class Kingsoft:
    """Implements ``Provider`` by joining the modules of this package."""

    fixtures_read: ClassVar[tuple[str, ...]] = (
        "kingsoft/errors.json",
        "kingsoft/media.json",
        "kingsoft/presets.json",
        WORLD,
    )

    name = NAME
    hosts: tuple[str, ...] = (
        "kvs.api.ksyun.com",
        "kvs.*.api.ksyun.com",
        "offline.api.ksyun.com",
        "offline.*.api.ksyun.com",
        "ket.api.ksyun.com",
        "ket.*.api.ksyun.com",
    )
    reply_lists: tuple[str, ...] = ("api", "gateway")
    task_lists: tuple[str, ...] = ("callback",)
    violations: dict[str, Code] = {"required": 1000, "default": 1001}  # noqa: RUF012  never changed

    def __init__(self, schemas: SchemaRegistry, fixtures: Fixtures, options: KingsoftOptions) -> None:
        self.errors = ErrorTable(NAME, fixtures.get("kingsoft/errors.json"))
        self.operations = table(
            TaskHandlers(schemas, fixtures, self.errors, options.tasks),
            PresetHandlers(schemas, legacy_types=options.tasks.legacy_types),
            QueueHandlers(),
            StatisticsHandlers(),
        )
        self._options = options
        self._schemas = schemas
        self._ready = PresetBook(ready(fixtures.get("kingsoft/presets.json")))
        self._world = World.of(fixtures.get(WORLD)) if WORLD in fixtures.resources else None
        self._requests = {row.wire: schemas.get(f"{NAME}/{row.name}.request.json") for row in self.operations}

    def claims(self, path: str) -> bool:
        """The API lives at ``/``: what is called stands in a parameter. [seed]"""
        return path == "/"

    def identify(self, request: RawRequest) -> Call:
        """Read action, version, credential and parameters."""
        found = requests.read(request, lenient_json=self._options.tasks.lenient_json)
        scope = found.scope
        credential = Credential(NAME, ACCESS_KEY, scope.access_key) if scope is not None else None
        operation, refusal = self.operations.find(found.action), found.refusal
        if request.path not in ("/", ""):
            operation = None
            refusal = ApiError("InvalidActionOrVesion", f"the path is {request.path}; this API lives at /")
        elif operation is None:
            refusal = found.refusal if found.refusal is not None and not found.action else self._unknown(found.action)
        elif found.version != VERSION:
            refusal = ApiError("InvalidActionOrVesion", f"Version is {found.version!r}; {VERSION} is the one emulated")
            operation = None
        elif request.method not in operation.methods:
            refusal = ApiError("InvalidActionOrVesion", f"{found.action} is called by {' or '.join(operation.methods)}")
            operation = None
        parameters = None
        if operation is not None and refusal is None:
            parameters = found.document
            if found.texts:
                parameters = {**self._requests[operation.wire].coerced(found.texts), **parameters}
        return Call(request, NAME, operation, found.action or "no Action", credential, parameters, refusal)

    def triggers(self, call: Call) -> Sequence[str]:
        """Segments of the keys of objects, wherever the parameters name one; the last without the file's ending."""
        given = call.parameters
        if given is None:
            return ()
        source = given.get("SrcInfo")
        if type(source) is list and len(source) == 1:
            source = source[0]
        if type(source) is dict and "DstDir" not in given:  # asked of every request: the usual ones are told at once
            path, target = source.get("path"), given.get("DstObjectKey")
            if type(path) is str and type(target) is str and MARK not in path and MARK not in target:
                return ()
        elif _NAMING.isdisjoint(given):
            return ()
        segments = (segment for key in _keys(given) for segment in _ENDING.sub("", key).split("/"))
        return [segment.removeprefix(MARK) for segment in segments if segment.startswith(MARK)]

    def stranger(self, call: Call) -> ApiError:
        """The access key is of nobody."""
        key = call.credential.id if call.credential is not None else ""
        return ApiError(
            "InvalidClientTokenId", f"no account has the access key {key}, and none is opened for it (--accounts)"
        )

    def authenticate(self, call: Call, account: Account) -> str:
        """Verify the signature, where the mode says so and the secret is known; then the rate. [docs 2386]"""
        found = self._verified(call, account)
        state: KingsoftState = account.state(NAME)
        now = account.clock.now()
        assert call.operation is not None  # noqa: S101  without one nothing is authenticated
        if self._options.limits:
            state.limits.check(now, call.operation.starts_task)
        state.statistics.note_call(call.operation.name, now)
        return found

    def _verified(self, call: Call, account: Account) -> str:
        auth = self._options.auth
        if auth == "off":
            return "not checked (--auth off)"
        if call.credential is None:
            if auth == "strict":
                raise ApiError("MissingAuthenticationToken", "neither the query nor Authorization has a credential")
            return "no credential"
        secret = account.secret(call.credential)
        if secret is None:
            if auth == "strict":
                raise ApiError("InvalidClientTokenId", f"the secret of access key {call.credential.id} is not known")
            return f"the secret of access key {call.credential.id} is not known, so its signature was not verified"
        request, state = call.request, account.state(NAME)
        scope = read_scope(dict(read_query(request.query)), request.headers.get("Authorization"))
        options = self._options
        return verify(
            request,
            cast("CredentialScope", scope),
            secret,
            state.signed,
            skew=options.skew,
            services=options.services,
        )

    def succeed(self, call: Call, payload: JsonObject, account: Account) -> Reply:
        """The payload in Kingsoft's envelope."""
        return envelope.success(payload, camel=account.state(NAME).dialect.camel_answers)

    def refuse(self, call: Call, error: ApiError, account: Account) -> Reply:
        """The error in Kingsoft's words."""
        meaning = (account.seed, account.name, account.journal.created)
        camel = account.state(NAME).dialect.camel_answers
        return envelope.failure(self.errors.row(error.code, *self.reply_lists), error, meaning, camel=camel)

    def credentials(self, given: JsonObject, draw: Draw) -> Mapping[Credential, str | None]:
        """Access key pairs, one drawn if none is given; a key given without its secret is not verified."""
        key = given.get("access_key") or "AKLT" + draw.digits("????????????????####")
        drawn = None if "access_key" in given else draw.digits("?#??#?#???#" * 4)
        pairs = given.get("keys", ())
        more = {Credential(NAME, ACCESS_KEY, pair["access_key"]): pair.get("secret_key") for pair in pairs}
        return {Credential(NAME, ACCESS_KEY, key): given.get("secret_key", drawn), **more}

    def signed(self, operation: Operation, parameters: JsonObject, account: Account, host: str, at: float) -> Draft:
        """The call with its signature in the query, by the account's own secret where that is known."""
        from emulator.kingsoft.calls import draft

        credential = account.credential(NAME, ACCESS_KEY)
        secret = account.secret(credential) if credential is not None else None
        service = self._options.services[0]
        return draft(operation, VERSION, parameters, credential, secret, service, host, at)

    def check_plan(self, plan: JsonObject) -> None:
        """A plan may name a dialect for its task's callbacks, and say what the task yields."""
        if "dialect" in plan:
            self._options.dialect.revised(plan["dialect"])
        if "result" in plan:
            try:
                self._schemas.check("kingsoft/result.json", plan["result"], "rule")
            except ConfigurationError as error:
                place = "/then/plan/result"
                found = [Problem(row.where, place + row.pointer, row.message) for row in error.problems]
                raise ConfigurationError(found) from None

    def reached(self, account: Account, task: Task, step: Step) -> None:
        """Count what was made, and let the next task begin."""
        if step.phase.status not in ("running", "uploading"):
            state: KingsoftState = account.state(NAME)
            if step.phase.status == "succeeded":
                self._count(account, task, state, step.at)
            state.queues.leave(account, task.id, step.at)

    def owed(self, account: Account, task: Task, step: Step) -> Sequence[CallbackOrder]:
        """The callback of that step, if the client asked for it."""
        return callbacks.owed(task, step, self.errors, account.seed)

    def woken(self, account: Account, now: float) -> None:
        """The daily window of a queue opens."""
        account.state(NAME).queues.woken(account, now)

    def check_options(self, options: JsonObject) -> None:
        """What an account's ``kingsoft`` says beside credentials."""
        try:
            self._options.dialect.revised(options.get("dialect", {}))
        except ValueError as error:
            raise ConfigurationError([Problem("account", "/kingsoft/dialect", str(error))]) from None

    def options(self, account: Account) -> JsonObject:
        """What is in force in ``account``."""
        state: KingsoftState = account.state(NAME)
        world = {"buckets": _buckets(state.world)} if state.world is not None else None
        return {"concurrency": state.queues.concurrency, "dialect": asdict(state.dialect), "world": world}

    def set_options(self, account: Account, options: JsonObject) -> None:
        """Change what ``options`` names (checked before), for what comes from now on."""
        state: KingsoftState = account.state(NAME)
        if "dialect" in options:
            state.dialect = state.dialect.revised(options["dialect"])
        if "world" in options:
            state.world = World.of(options["world"]) if options["world"] is not None else None
        if "concurrency" in options:
            state.queues.concurrency = options["concurrency"]
            state.queues.turn(account, account.clock.now())

    def new_state(self, options: JsonObject) -> KingsoftState:
        """The ready templates, nothing that happened."""
        world: Any = options.get("world")
        return KingsoftState(
            presets=PresetBook(self._ready),
            queues=Queues(options.get("concurrency", self._options.concurrency)),
            dialect=self._options.dialect.revised(options.get("dialect", {})),
            world=World.of(world) if world is not None else self._world,
        )

    def save_state(self, account: Account) -> JsonObject:
        """Templates, queues, statistics, rates, dialect, world."""
        from emulator.kingsoft.snapshot import save_state

        return save_state(account.state(NAME))

    def load_state(self, document: JsonObject, tasks: Collection[str]) -> KingsoftState:
        """The same back."""
        from emulator.kingsoft.snapshot import load_state

        return load_state(document, tasks, self._ready, self._schemas)

    def save_result(self, result: Work) -> JsonObject:
        """The jobs of a task."""
        from emulator.kingsoft.snapshot import save_result

        return save_result(result)

    def load_result(self, document: Any) -> Work:
        """The same back."""
        from emulator.kingsoft.snapshot import load_result

        return load_result(document)

    @staticmethod
    def _count(account: Account, task: Task, state: KingsoftState, now: float) -> None:
        """What the statistics say of a task that has succeeded."""
        work: Work = task.result
        for job, made in zip(work.jobs, callbacks.outputs_of(task, account.seed), strict=True):
            video = (made.media or {}).get("video") or {}
            state.statistics.note_output(
                job.type,
                now,
                duration=made.duration,
                codec=video.get("codec", ""),
                width=video.get("width", 0),
                height=video.get("height", 0),
                pictures=made.snapshots or 0,
            )

    def _unknown(self, action: str) -> ApiError:
        if not action:
            return ApiError("MissingParameter", "no Action: not in the query, not in X-Action, not in the body")
        hint = self.operations.nearest(action)
        return ApiError("InvalidActionOrVesion", f"there is no Action {action!r}{hint}")


def _keys(document: Any) -> Iterator[str]:
    """The keys of all objects that ``document`` names, each without its bucket."""
    if isinstance(document, dict):
        for name, value in document.items():
            if not isinstance(value, str):
                yield from _keys(value)
            elif name in _PATHS:
                yield value.lstrip("/").partition("/")[2]
            elif name in _KEYS:
                yield value
    elif isinstance(document, list):
        for entry in document:
            yield from _keys(entry)


_PATHS = frozenset({"path", "SrcPath"})
_KEYS = frozenset({"DstObjectKey", "DstDir"})
_NAMING = frozenset({"SrcInfo", "FlowData", "Tasks", *_PATHS, *_KEYS})
_ENDING = re.compile(r"\.(?![0-9]+(?:ms|[smhd])?$)[0-9A-Za-z]{1,5}$")
"""The ending of a file's name; what is the fraction of a duration (``emu-slow-1.5s``) is none."""


def _buckets(world: World) -> JsonObject:
    """The buckets as ``schemas/kingsoft/world.json`` has them."""
    return {
        bucket.name: {
            "region": bucket.region,
            "accessible": bucket.accessible,
            "policy": bucket.policy,
            "open": bucket.open,
            "objects": dict(bucket.objects),
        }
        for bucket in world.buckets.values()
    }
