"""Baidu iOCR as a cloud of the emulator."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import ClassVar

from emulator.baidu import envelope, tokens
from emulator.baidu.operations import NAME, RECOGNISE, TOKEN, table
from emulator.baidu.recognise import FOLDER, Recognition, log_id
from emulator.baidu.tokens import BaiduState
from emulator.core.accounts import Account
from emulator.core.callbacks import CallbackOrder
from emulator.core.errors import ApiError, Code, ErrorTable
from emulator.core.exchange import Call, Credential, JsonObject, RawRequest, Reply
from emulator.core.fixtures import Fixtures
from emulator.core.forms import read_form, read_query
from emulator.core.ids import Draw
from emulator.core.provider import Context
from emulator.core.schemas import SchemaRegistry
from emulator.core.tasks import Step, Task

API_KEY, ACCESS_TOKEN = "api_key", "access_token"
_FORM = "application/x-www-form-urlencoded"
_SIGNED = "bce-auth-v1/"


class Baidu:
    """Implements ``Provider`` by joining the modules of this package.

    Args:
        checks: whether tokens and secrets are checked at all.

    """

    fixtures_read: ClassVar[tuple[str, ...]] = ("baidu/errors.json", f"{FOLDER}*.json")

    name = NAME
    hosts: tuple[str, ...] = ("aip.baidubce.com",)
    reply_lists: tuple[str, ...] = ("api", "oauth")
    task_lists: tuple[str, ...] = ()
    violations: dict[str, Code] = {"default": 216100}  # noqa: RUF012  never changed

    def __init__(self, schemas: SchemaRegistry, fixtures: Fixtures, *, checks: bool) -> None:
        self.errors = ErrorTable(NAME, fixtures.get("baidu/errors.json"))
        self.operations = table(self._issue, Recognition(fixtures))
        self._checks = checks

    def claims(self, path: str) -> bool:
        """``/oauth/…`` and ``/rest/…``. [seed, docs]"""
        return path.startswith(("/oauth/", "/rest/"))

    def identify(self, request: RawRequest) -> Call:
        """Read what is called by its path, the credential, and the parameters of query and form together."""
        query = dict(read_query(request.query))
        form, refusal = self._form(request)
        operation = self.operations.find(request.path.rstrip("/") or "/")
        if operation is None:
            refusal = ApiError(3, f"nothing is called {request.path}{self.operations.nearest(request.path)}")
        elif request.method not in operation.methods:
            refusal = ApiError(3, f"{request.path} is called by {' or '.join(operation.methods)}, not {request.method}")
            operation = None
        parameters = {**form, **query}
        if refusal is None and operation is not None and operation.name == RECOGNISE:
            refusal = self._unseen(request, parameters)
        if operation is not None and operation.name == TOKEN:
            key = parameters.get("client_id")
            credential = Credential(NAME, API_KEY, key) if key else None
        else:
            # The Node SDK appends ?aipSdk=node to the query twice, so it ends up behind the token.
            token = parameters.pop(ACCESS_TOKEN, "").partition("?")[0]
            credential = Credential(NAME, ACCESS_TOKEN, token, opens=False) if token else None
        named = operation.name if operation is not None else request.path
        return Call(request, NAME, operation, named, credential, None if refusal is not None else parameters, refusal)

    def stranger(self, call: Call) -> ApiError:
        """The API key is of nobody."""
        key = call.credential.id if call.credential is not None else ""
        return ApiError("invalid_client", f"no account has the API key {key}, and none is opened for it (--accounts)")

    def authenticate(self, call: Call, account: Account) -> str:
        """A live token, where one is needed."""
        if call.operation is None or call.operation.name != RECOGNISE:
            return "not needed"
        if not self._checks:
            return "not checked (--auth off)"
        if call.credential is None:
            if call.request.headers.get("Authorization", "").startswith(_SIGNED):
                raise ApiError(
                    14, "signed with bce-auth-v1, which is not verified in this version; use an access_token"
                )
            raise ApiError(100, "no access_token: not in the query, not in the form")
        tokens.check(account.state(NAME), call.credential.id, account.clock.now())
        return "the access_token lives"

    def succeed(self, call: Call, payload: JsonObject, account: Account) -> Reply:
        """The payload as it is."""
        issued = call.operation is not None and call.operation.name == TOKEN
        return envelope.token(payload) if issued else envelope.answer(payload)

    def refuse(self, call: Call, error: ApiError, account: Account) -> Reply:
        """The error in Baidu's words."""
        row = self.errors.row(error.code, *self.reply_lists)
        return envelope.failure(row, error, log_id(account.clock.now(), account.journal.created))

    def credentials(self, given: JsonObject, draw: Draw) -> Mapping[Credential, str | None]:
        """An API key and its secret; drawn where not given."""
        key = given.get("api_key") or draw.digits("?#??#?#???#?" * 2)
        return {Credential(NAME, API_KEY, key): given.get("secret_key") or draw.digits("?#??#?#?" * 4)}

    def callbacks(self, task: Task, step: Step) -> Sequence[CallbackOrder]:
        """Recognition is immediate: nothing is ever owed."""
        return ()

    def new_state(self) -> BaiduState:
        """No tokens."""
        return BaiduState()

    def _issue(self, call: Call, context: Context) -> JsonObject:
        """``oauth.token``: check the secret, where it is known, and issue a token."""
        parameters, account = call.parameters or {}, context.account
        known = account.secret(call.credential) if call.credential is not None else None
        given = parameters["client_secret"]
        if self._checks and known is not None and not hmac.compare_digest(known.encode(), given.encode()):
            raise ApiError("invalid_client", "client_secret is not the account's", variant="secret")
        state: BaiduState = account.state(NAME)
        payload = tokens.issue(state, context.now, context.draw("access_token", state.issued))
        account.bind(Credential(NAME, ACCESS_TOKEN, payload["access_token"], opens=False))
        return payload

    def _form(self, request: RawRequest) -> tuple[dict[str, str], ApiError | None]:
        """The form in the body, and why it could not be read."""
        if request.fault == "too large":
            return {}, ApiError(216202, request.fault_reason, variant="oversize")
        if request.fault is not None:
            return {}, ApiError(216100, request.fault_reason)
        if not request.content or not self._is_form(request):
            return {}, None
        return dict(read_form(request.content)), None

    def _unseen(self, request: RawRequest, parameters: JsonObject) -> ApiError | None:
        """The refusal of a body whose members are not seen because it is no form."""
        if not request.content or self._is_form(request):
            return None
        kind = request.headers.get("Content-Type")
        reason = f"the body is {kind}, so its members were not seen; send it as {_FORM}"
        if not parameters.keys() & {"templateSign", "classifierId"}:
            return ApiError(282004, reason)
        return None if parameters.keys() & {"image", "url", "pdf_file"} else ApiError(216101, reason)

    @staticmethod
    def _is_form(request: RawRequest) -> bool:
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return kind in ("", _FORM)
