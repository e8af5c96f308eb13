"""Kingsoft's transcoding API as a cloud of the emulator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, cast

from emulator.core.accounts import Account
from emulator.core.callbacks import CallbackOrder
from emulator.core.errors import ApiError, Code, ErrorTable
from emulator.core.exchange import Call, Credential, JsonObject, RawRequest, Reply
from emulator.core.fixtures import Fixtures
from emulator.core.forms import read_query
from emulator.core.ids import Draw
from emulator.core.provider import Auth
from emulator.core.schemas import SchemaRegistry
from emulator.core.tasks import Step, Task
from emulator.kingsoft import callbacks, envelope, requests
from emulator.kingsoft.authentication import verify
from emulator.kingsoft.handlers.tasks import TaskHandlers
from emulator.kingsoft.operations import NAME, table
from emulator.kingsoft.signing import CredentialScope, Memory, read_scope

VERSION = "2017-01-01"
ACCESS_KEY = "access_key"


@dataclass(slots=True)
class KingsoftState:
    """What Kingsoft remembers of an account beside its tasks."""

    signed: Memory = field(default_factory=Memory)


class Kingsoft:
    """Implements ``Provider`` by joining the modules of this package."""

    fixtures_read: ClassVar[tuple[str, ...]] = ("kingsoft/errors.json", "kingsoft/media.json")

    name = NAME
    hosts: tuple[str, ...] = (
        "kvs.api.ksyun.com",
        "kvs.*.api.ksyun.com",
        "offline.api.ksyun.com",
        "offline.*.api.ksyun.com",
    )
    reply_lists: tuple[str, ...] = ("api", "gateway")
    task_lists: tuple[str, ...] = ("callback",)
    violations: dict[str, Code] = {"required": 1000, "default": 1001}  # noqa: RUF012  never changed

    def __init__(
        self,
        schemas: SchemaRegistry,
        fixtures: Fixtures,
        *,
        auth: Auth,
        skew: float,
        lenient_json: bool,
        wave_type: str,
    ) -> None:
        self.errors = ErrorTable(NAME, fixtures.get("kingsoft/errors.json"))
        tasks = TaskHandlers(schemas, fixtures, self.errors, lenient_json=lenient_json, wave_type=wave_type)
        self.operations = table(tasks)
        self._auth = auth
        self._skew = skew
        self._lenient = lenient_json
        self._requests = {row.wire: schemas.get(f"{NAME}/{row.name}.request.json") for row in self.operations}

    def claims(self, path: str) -> bool:
        """The API lives at ``/``: what is called stands in a parameter. [seed]"""
        return path == "/"

    def identify(self, request: RawRequest) -> Call:
        """Read action, version, credential and parameters."""
        found = requests.read(request, lenient_json=self._lenient)
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

    def stranger(self, call: Call) -> ApiError:
        """The access key is of nobody."""
        key = call.credential.id if call.credential is not None else ""
        return ApiError(
            "InvalidClientTokenId", f"no account has the access key {key}, and none is opened for it (--accounts)"
        )

    def authenticate(self, call: Call, account: Account) -> str:
        """Verify the signature, where the mode says so and the secret is known."""
        if self._auth == "off":
            return "not checked (--auth off)"
        if call.credential is None:
            if self._auth == "strict":
                raise ApiError("MissingAuthenticationToken", "neither the query nor Authorization has a credential")
            return "no credential"
        secret = account.secret(call.credential)
        if secret is None:
            if self._auth == "strict":
                raise ApiError("InvalidClientTokenId", f"the secret of access key {call.credential.id} is not known")
            return f"the secret of access key {call.credential.id} is not known, so its signature was not verified"
        request, state = call.request, account.state(NAME)
        scope = read_scope(dict(read_query(request.query)), request.headers.get("Authorization"))
        return verify(request, cast("CredentialScope", scope), secret, state.signed, skew=self._skew)

    def succeed(self, call: Call, payload: JsonObject, account: Account) -> Reply:
        """The payload in Kingsoft's envelope."""
        return envelope.success(payload)

    def refuse(self, call: Call, error: ApiError, account: Account) -> Reply:
        """The error in Kingsoft's words."""
        meaning = (account.seed, account.name, account.journal.created)
        return envelope.failure(self.errors.row(error.code, *self.reply_lists), error, meaning)

    def credentials(self, given: JsonObject, draw: Draw) -> Mapping[Credential, str | None]:
        """An access key pair, drawn if none is given; a key given without its secret is not verified."""
        key = given.get("access_key") or "AKLT" + draw.digits("????????????????####")
        drawn = None if "access_key" in given else draw.digits("?#??#?#???#" * 4)
        return {Credential(NAME, ACCESS_KEY, key): given.get("secret_key", drawn)}

    def callbacks(self, task: Task, step: Step) -> Sequence[CallbackOrder]:
        """What the client is owed at ``step``."""
        return callbacks.owed(task, step, self.errors)

    def new_state(self) -> KingsoftState:
        """Nothing signed yet; tasks are kept by core."""
        return KingsoftState()

    def _unknown(self, action: str) -> ApiError:
        if not action:
            return ApiError("MissingParameter", "no Action: not in the query, not in X-Action, not in the body")
        hint = self.operations.nearest(action)
        return ApiError("InvalidActionOrVesion", f"there is no Action {action!r}{hint}")
