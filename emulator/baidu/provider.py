"""Baidu iOCR as a cloud of the emulator."""

from __future__ import annotations

import hmac
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from emulator.baidu import bce_auth, envelope, limits, tokens
from emulator.baidu.behaviour import Behaviour
from emulator.baidu.catalogue import READ, Library
from emulator.baidu.operations import FINANCE, NAME, RECOGNITIONS, TOKEN, table
from emulator.baidu.recognise import (
    BODY_LIMIT,
    FETCH_LIMIT,
    UNSTRUCTURED,
    Edition,
    Recognition,
    check_url,
    chosen,
    log_id,
    long_log_id,
)
from emulator.baidu.tokens import BaiduState, Mint
from emulator.core.accounts import Account
from emulator.core.callbacks import CallbackOrder
from emulator.core.errors import ApiError, Code, ErrorTable
from emulator.core.exchange import Call, Credential, Draft, JsonObject, RawRequest, Reply
from emulator.core.fetching import Wish
from emulator.core.fixtures import Fixtures
from emulator.core.forms import read_form, read_query
from emulator.core.ids import Draw
from emulator.core.operations import Operation
from emulator.core.provider import Context
from emulator.core.schemas import SchemaRegistry
from emulator.core.tasks import Step, Task
from emulator.core.triggers import MARK, Trigger

API_KEY, ACCESS_TOKEN = "api_key", "access_token"
_FORM = "application/x-www-form-urlencoded"
_BEARER = "bearer "
_IAM_KEY = "bce-v3/"
_SOURCES = ("image", "url", "pdf_file")


class Baidu:
    """Implements ``Provider`` by joining the modules of this package.

    Args:
        seed: what access tokens are signed with.
        behaviour: the switches.

    """

    fixtures_read: ClassVar[tuple[str, ...]] = ("baidu/errors.json", *READ)

    name = NAME
    hosts: tuple[str, ...] = ("aip.baidubce.com",)
    reply_lists: tuple[str, ...] = ("api", "oauth")
    task_lists: tuple[str, ...] = ()
    violations: dict[str, Code] = {"default": 216100}  # noqa: RUF012  never changed
    own_triggers: tuple[Trigger, ...] = (UNSTRUCTURED,)

    def __init__(self, schemas: SchemaRegistry, fixtures: Fixtures, *, seed: int, behaviour: Behaviour) -> None:
        self.errors = ErrorTable(NAME, fixtures.get("baidu/errors.json"))
        library = Library(fixtures, schemas, self.errors)
        self.operations = table(self._issue, Recognition(library))
        self._behaviour = behaviour
        self._checks = behaviour.auth != "off"
        self._mint = Mint(seed)

    def claims(self, path: str) -> bool:
        """``/oauth/…`` and ``/rest/…``. [seed, docs]"""
        return path.startswith(("/oauth/", "/rest/"))

    def identify(self, request: RawRequest) -> Call:
        """Read what is called by its path, the credential, and the parameters of query and form together."""
        operation = self.operations.find(request.path.rstrip("/") or "/")
        issues = operation is not None and operation.name == TOKEN
        query = dict(read_query(request.query))
        form, refusal = self._form(request, any_type=issues)
        if operation is None:
            refusal = ApiError(3, f"nothing is called {request.path}{self.operations.nearest(request.path)}")
        elif request.method not in operation.methods:
            refusal = ApiError(3, f"{request.path} is called by {' or '.join(operation.methods)}, not {request.method}")
            operation = None
        parameters = {**form, **query}
        if refusal is None and operation is not None and operation.name in RECOGNITIONS:
            refusal = self._unseen(request, parameters)
        if issues:
            key = parameters.get("client_id")
            credential = Credential(NAME, API_KEY, key) if key else None
        else:
            # The Node SDK appends ?aipSdk=node to the query twice, so it ends up behind the token.
            token = parameters.get(ACCESS_TOKEN, "").partition("?")[0]
            credential = self._caller(request, token)
        named = operation.name if operation is not None else request.path
        return Call(request, NAME, operation, named, credential, None if refusal is not None else parameters, refusal)

    def wants(self, request: RawRequest) -> Wish | None:
        """The picture behind ``url``, where it is the one that is read."""
        operation = self.operations.find(request.path.rstrip("/"))
        if operation is None or operation.name not in RECOGNITIONS or b"url" not in request.content:
            return None
        parameters = {**self._form(request)[0], **dict(read_query(request.query))}
        url = parameters.get("url", "")
        if "image" in parameters or not url:
            return None
        try:
            check_url(url)
        except ApiError:
            return None
        return Wish(url, FETCH_LIMIT)

    def triggers(self, call: Call) -> Sequence[str]:
        """Parts of ``templateSign``."""
        sign = call.parameters.get("templateSign", "") if call.parameters is not None else ""
        if MARK not in sign:
            return ()
        return [part.removeprefix(MARK) for part in sign.split("/") if part.startswith(MARK)]

    def stranger(self, call: Call) -> ApiError:
        """The API key is of nobody."""
        key = call.credential.id if call.credential is not None else ""
        reason = f"no account has the API key {key}, and none is opened for it (--accounts)"
        if call.operation is not None and call.operation.name == TOKEN:
            return ApiError("invalid_client", reason)
        return ApiError(14 if "Authorization" in call.request.headers else 110, reason)

    def authenticate(self, call: Call, account: Account) -> str:
        """A right signature, an API key, or a live token; then the account's rights and limits.

        That a template or a classifier is named is checked here too: it comes before all other parameters, and which
        code it is depends on the account.
        """
        if call.operation is None or call.operation.name not in RECOGNITIONS:
            return "not needed"
        state: BaiduState = account.state(NAME)
        now = account.clock.now()
        found = self._verified(call, account, state, now) if self._checks else "not checked (--auth off)"
        if tokens.IOCR_SCOPE not in state.scope:
            raise ApiError(6, f"the application of this account has no right to iOCR ({tokens.IOCR_SCOPE})")
        limits.count(state, now)
        if call.refusal is None:
            edition: Edition = "finance" if call.operation.name == FINANCE else "general"
            chosen(call.parameters or {}, edition, state.behaviour)
        return found

    def succeed(self, call: Call, payload: JsonObject, account: Account) -> Reply:
        """The payload as it is."""
        issued = call.operation is not None and call.operation.name == TOKEN
        return envelope.token(payload) if issued else envelope.answer(payload)

    def refuse(self, call: Call, error: ApiError, account: Account) -> Reply:
        """The error in Baidu's words."""
        row = self.errors.row(error.code, *self.reply_lists)
        now, count = account.clock.now(), account.journal.created
        state: BaiduState = account.state(NAME)
        long = long_log_id(now, count) if state.behaviour.errors == "newer" else None
        return envelope.failure(row, error, log_id(now, count), long)

    def credentials(self, given: JsonObject, draw: Draw) -> Mapping[Credential, str | None]:
        """An API key and its secret; drawn where not given."""
        key = given.get("api_key") or draw.digits("?#??#?#???#?" * 2)
        return {Credential(NAME, API_KEY, key): given.get("secret_key") or draw.digits("?#??#?#?" * 4)}

    def signed(self, operation: Operation, parameters: JsonObject, account: Account, host: str, at: float) -> Draft:
        """The call with an access token that is issued for it, or, of the token itself, with the account's secret."""
        from emulator.baidu.calls import draft

        credential = account.credential(NAME, API_KEY)
        if credential is None:
            return draft(operation, parameters, None, None, "")
        token = ""
        if operation.name != TOKEN and ACCESS_TOKEN not in parameters and tokens.carries(credential.id):
            state: BaiduState = account.state(NAME)
            now = account.clock.now()
            draw = Draw(account.seed, account.name, "access_token", int(now), state.issued)
            token = self._mint.issue(state, credential.id, now, draw)[ACCESS_TOKEN]
        return draft(operation, parameters, credential, account.secret(credential), token)

    def check_plan(self, plan: JsonObject) -> None:
        """There are no tasks."""

    def reached(self, account: Account, task: Task, step: Step) -> None:
        """Recognition is immediate: there are no tasks."""

    def owed(self, account: Account, task: Task, step: Step) -> Sequence[CallbackOrder]:
        """Nothing, ever."""
        return ()

    def woken(self, account: Account, now: float) -> None:
        """Nothing is waited for."""

    def check_options(self, options: JsonObject) -> None:
        """The schema has said everything."""

    def options(self, account: Account) -> JsonObject:
        """The switches and rights in force in ``account``, and whether tokens were revoked."""
        state: BaiduState = account.state(NAME)
        return {**state.behaviour.options(), "scope": list(state.scope), "revoked": math.isfinite(state.revoked)}

    def set_options(self, account: Account, options: JsonObject) -> None:
        """Change what ``options`` names (checked before), for what comes from now on; perhaps revoke every token."""
        state: BaiduState = account.state(NAME)
        state.behaviour = state.behaviour.revised(options)
        state.scope = tuple(options.get("scope", state.scope))
        if options.get("revoked"):
            tokens.revoke(state, account.clock.now())

    def new_state(self, options: JsonObject) -> BaiduState:
        """No calls yet; the switches and rights that were asked for."""
        scope = tuple(options.get("scope", tokens.SCOPE))
        return BaiduState(behaviour=self._behaviour.revised(options), scope=scope)

    def save_state(self, account: Account) -> JsonObject:
        """Switches, rights, counts, what was revoked."""
        from emulator.baidu.snapshot import save_state

        return save_state(account.state(NAME))

    def load_state(self, document: JsonObject, tasks: Collection[str]) -> BaiduState:
        """The same back."""
        from emulator.baidu.snapshot import load_state

        return load_state(document, self._behaviour)

    def save_result(self, result: None) -> None:
        """There are no tasks."""

    def load_result(self, document: Any) -> None:
        """There are no tasks."""

    def _issue(self, call: Call, context: Context) -> JsonObject:
        """``oauth.token``: check the secret, where it is known, and issue a token."""
        parameters, account = call.parameters or {}, context.account
        known = account.secret(call.credential) if call.credential is not None else None
        given = parameters["client_secret"]
        if self._checks and known is not None and not hmac.compare_digest(known.encode(), given.encode()):
            raise ApiError("invalid_client", "client_secret is not the account's", variant="secret")
        if self._behaviour.auth == "strict" and known is None:
            reason = "the secret of this account is not known here (--auth strict); make the account with one"
            raise ApiError("invalid_client", reason, variant="secret")
        key = parameters["client_id"]
        if not tokens.carries(key):
            raise ApiError("invalid_client", f"the API key has {len(key)} characters, more than any real one")
        state: BaiduState = account.state(NAME)
        return self._mint.issue(state, key, context.now, context.draw("access_token", int(context.now), state.issued))

    def _caller(self, request: RawRequest, token: str) -> Credential | None:
        """Who calls, as the signature, the API key or the access token says."""
        header = request.headers.get("Authorization")
        if header is not None:
            signed = bce_auth.read(header)
            key = signed.access_key if signed is not None else (_bearer(header) or ("", ""))[0]
            if key:
                return Credential(NAME, API_KEY, key)
        if not token:
            return None
        said = self._mint.read(token)
        if said is not None and (said.genuine or not self._checks):
            return Credential(NAME, API_KEY, said.api_key)
        return Credential(NAME, ACCESS_TOKEN, token, opens=False)

    def _verified(self, call: Call, account: Account, state: BaiduState, now: float) -> str:
        """What was found about the caller, in a few words.

        Raises:
            ApiError: 14, signature or API key are wrong; 100, there is nothing; 110 and 111, the token is no good.

        """
        request = call.request
        header = request.headers.get("Authorization", "")
        if header.startswith(bce_auth.SCHEME):
            return self._signed(request, header, call.credential, account)
        if (bearer := _bearer(header)) is not None:
            return self._bearer(bearer, call.credential, account)
        parameters = call.parameters
        if parameters is None:
            parameters = {**self._form(request)[0], **dict(read_query(request.query))}
        text = parameters.get(ACCESS_TOKEN, "").partition("?")[0]
        if not text:
            raise ApiError(100, "no access_token: not in the query, not in the form")
        tokens.check(state, text, self._mint.read(text), now)
        return "the access_token lives"

    def _signed(self, request: RawRequest, header: str, credential: Credential | None, account: Account) -> str:
        signed = bce_auth.read(header)
        if signed is None or credential is None:
            form = "bce-auth-v1/KEY/TIME/SECONDS/HEADERS/SIGNATURE"
            raise ApiError(14, f"the Authorization header has not the six parts of {form}; or use an access_token")
        secret = account.secret(credential)
        if secret is not None:
            skew = bce_auth.WIDEST_SKEW if self._behaviour.skew else 0.0
            return bce_auth.verify(request, signed, secret, skew=skew)
        if self._behaviour.auth == "strict":
            raise ApiError(14, f"the secret of {signed.access_key} is not known here (--auth strict)")
        return "the secret is not known, so the signature bce-auth-v1 is not verified"

    def _bearer(self, bearer: tuple[str, str], credential: Credential | None, account: Account) -> str:
        key, given = bearer
        secret = account.secret(credential) if credential is not None else None
        if secret is not None and not hmac.compare_digest(secret.encode(), given.encode()):
            raise ApiError(14, f"the API key bce-v3/{key}/… does not end in the account's secret")
        if secret is None and self._behaviour.auth == "strict":
            raise ApiError(14, f"the secret of {key} is not known here (--auth strict)")
        return "the API key is right" if secret is not None else "the secret is not known, so it is not checked"

    def _form(self, request: RawRequest, *, any_type: bool = False) -> tuple[dict[str, str], ApiError | None]:
        """The form in the body, and why it could not be read."""
        if request.fault == "too large":
            return {}, ApiError(216202, request.fault_reason, variant="oversize")
        if request.fault is not None:
            return {}, ApiError(216100, request.fault_reason)
        if len(request.body) > BODY_LIMIT:
            reason = f"the body has {len(request.body)} bytes; {BODY_LIMIT} (10M) are allowed"
            return {}, ApiError(216202, reason, variant="oversize")
        if not request.content or not (any_type or self._is_form(request)):
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
        return None if parameters.keys() & set(_SOURCES) else ApiError(216101, reason)

    @staticmethod
    def _is_form(request: RawRequest) -> bool:
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return kind in ("", _FORM)


def _bearer(header: str) -> tuple[str, str] | None:
    """Key and secret of an API key: ``Bearer bce-v3/ALTAK-…/…``. [docs Lkru0zoz4]"""
    if not header.lower().startswith(_BEARER + _IAM_KEY):
        return None
    key, _, secret = header[len(_BEARER + _IAM_KEY) :].strip().partition("/")
    return (key, secret) if key else None
