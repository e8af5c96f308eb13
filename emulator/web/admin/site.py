"""The admin API: ``/_emulator/`` on the same port (or on one of its own).

Errors are ``application/problem+json``. It guards itself, since it sits on developers' machines beside a
browser: names that a stranger's page could be made to resolve are refused, foreign origins are refused,
changes must be JSON, and a token is demanded where one is set.
"""

from __future__ import annotations

import hmac
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, Literal, cast
from urllib.parse import SplitResult, urlsplit

import orjson
from aiohttp import web

from emulator.core.accounts import Account
from emulator.core.documents import read_json
from emulator.core.emulation import Emulation
from emulator.core.errors import ConfigurationError, EmulatorError, Problem
from emulator.core.exchange import JsonObject
from emulator.core.values import value_type

PREFIX = "/_emulator"
ONE = "/api/accounts/{account}"
"""Where everything of one account is."""
_log = logging.getLogger("emulator")
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
NAMED = web.RequestKey("named", Mapping)
"""The parts of a path that have names: which account, which task."""
PROBES = frozenset({PREFIX + "/livez", PREFIX + "/readyz", PREFIX + "/health"})

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class AdminSettings:
    """Who may use the admin API.

    Attributes:
        token: what it demands; ``None``: anybody who reaches it may use it.
        hosts: further host names that it answers to.
        public: whether what is at a path is shown without the token.

    """

    token: str | None = None
    hosts: Sequence[str] = ()
    public: Callable[[str], bool] = PROBES.__contains__


@value_type
class Parameter:
    """Something that a request may say beside path and body: its name, what it means, its JSON Schema, and where."""

    name: str
    meaning: str
    schema: JsonObject
    place: Literal["query", "header"] = "query"


@value_type
class Route:
    """One thing that the admin API can be asked.

    Attributes:
        path: below :data:`PREFIX`.
        handler: what answers it, and says in the first line of its docstring what it is.
        answers: each status with what comes with it: a name in ``schemas/emulator/answers.json``; empty: nothing.
        query: the parameters that it may have.
        body: the schema of the body that it takes: a file, or a name in ``answers.json``; empty: it takes none.
        refusals: statuses of refusals that do not follow from the rest.

    """

    method: str
    path: str
    handler: Handler
    answers: Mapping[int, str] = field(default_factory=dict)
    query: Sequence[Parameter] = ()
    body: str = ""
    refusals: Sequence[int] = ()


class Refused(Exception):
    """The admin API cannot do what was asked: an HTTP status and a sentence, perhaps with single problems."""

    def __init__(self, status: int, detail: str, problems: Iterable[Problem] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.problems = tuple(problems)


class Section(ABC):
    """Handlers of one subject. Each answers, or raises :class:`Refused` or an ``EmulatorError``."""

    def __init__(self, emulation: Emulation) -> None:
        self.emulation = emulation

    @abstractmethod
    def routes(self) -> list[Route]:
        """What can be asked."""

    def account(self, request: web.BaseRequest) -> Account:
        """The account that the path names."""
        name = request[NAMED]["account"]
        account = self.emulation.accounts.get(name)
        if account is None:
            raise Refused(404, f"no account {name!r}; POST {PREFIX}/api/accounts makes one, a first request opens one")
        return account

    async def document(self, request: web.BaseRequest, schema: str) -> JsonObject:
        """The body, held against ``schema``."""
        try:
            document = read_json(await request.read() or b"{}")
        except ValueError as error:
            raise Refused(400, f"the body is not JSON: {error}") from None
        where = schema.rpartition("/")[2].removesuffix(".json")
        self.emulation.schemas.check(schema, document, where)
        result: JsonObject = document
        return result


class AdminSite:
    """The admin API: answers every path below :data:`PREFIX`, and says what is wrong as a problem document."""

    def __init__(self, routes: Iterable[Route], settings: AdminSettings) -> None:
        self._settings = settings
        self._router = web.UrlDispatcher()
        for route in routes:
            self._router.add_route(route.method, PREFIX + route.path, route.handler)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        try:
            _guard(request, self._settings)
            found = await self._router.resolve(cast("web.Request", request))
            if found.http_exception is not None:
                raise found.http_exception
            request[NAMED] = found
            return await found.handler(cast("web.Request", request))
        except Refused as error:
            return problem(error.status, error.detail, error.problems)
        except ConfigurationError as error:
            listed = "; ".join(f"{found.pointer or found.where}: {found.message}" for found in error.problems)
            return problem(422, listed, error.problems)
        except EmulatorError as error:
            return problem(409, str(error))
        except web.HTTPException as error:
            refusal = problem(error.status, f"{request.method} {request.path}: {error.reason}")
            if "Allow" in error.headers:
                refusal.headers["Allow"] = error.headers["Allow"]
            return refusal
        except Exception:
            _log.exception("a fault of the emulator's own, in %s %s", request.method, request.path)
            return problem(500, "the emulator itself failed here; its log has the traceback, please report it")


def _guard(request: web.BaseRequest, settings: AdminSettings) -> None:
    """Refuse what a browser could be tricked into, and who has no token where one is needed.

    Raises:
        Refused: with the reason and the setting that would allow it.

    """
    host = _parts(f"//{request.host}").hostname
    if host is None or not _own_name(host.lower(), settings.hosts):
        raise Refused(
            403, f"the admin API does not answer to the host name {host!r}; allow it with --admin-host {host}"
        )
    origin = request.headers.get("Origin")
    if origin is not None and _parts(origin).netloc.lower() != request.host.lower():
        raise Refused(403, f"the admin API does not answer pages of {origin}")
    if request.method in _CHANGING and request.body_exists and request.content_type != "application/json":
        raise Refused(415, f"the body must be application/json, not {request.content_type}")
    if settings.token is not None and not settings.public(request.path):
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), settings.token.encode()):
            raise Refused(401, "the admin API wants its token: Authorization: Bearer … (see --admin-token)")


def _parts(url: str) -> SplitResult:
    """``url`` taken apart; nothing of one that is malformed."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _own_name(host: str, allowed: Sequence[str]) -> bool:
    """Whether ``host`` is a name that a stranger's DNS cannot point here: an address, a name without a dot, ours."""
    try:
        ip_address(host)
    except ValueError:
        plain = "." not in host or host.endswith(".localhost") or host == "host.docker.internal"
        return plain or host in (name.lower() for name in allowed)
    return True


def answer(document: Any, status: int = 200) -> web.Response:
    """``document`` as JSON."""
    body = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    return web.Response(status=status, body=body, content_type="application/json")


def listed(problems: Iterable[Problem]) -> list[JsonObject]:
    """Single problems, each with where it is."""
    return [{"in": each.where, "pointer": each.pointer, "message": each.message} for each in problems]


def problem(status: int, detail: str, problems: Iterable[Problem] = ()) -> web.Response:
    """What is wrong, as a problem document."""
    title = HTTPStatus(status).phrase
    document: JsonObject = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if told := listed(problems):
        document["problems"] = told
    body = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return web.Response(status=status, body=body, content_type="application/problem+json", headers=headers)
