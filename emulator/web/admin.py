"""The admin API: ``/_emulator/`` on the same port (or on one of its own).

Errors are ``application/problem+json``. It guards itself, since it sits on developers' machines beside a
browser: names that a stranger's page could be made to resolve are refused, foreign origins are refused,
changes must be JSON, and a token is demanded where one is set.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from math import isfinite
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

import orjson
from aiohttp import web

from emulator import __version__
from emulator.core.accounts import Account
from emulator.core.callbacks import Changes, Delivery
from emulator.core.clock import ClockSpec, iso, parse_instant
from emulator.core.documents import read_json
from emulator.core.driver import Fired
from emulator.core.emulation import Emulation
from emulator.core.errors import ConfigurationError, EmulatorError, ErrorRow, Problem
from emulator.core.exchange import Credential, JsonObject
from emulator.core.ids import Draw
from emulator.core.journal import HIDDEN, RequestEntry, redact, redact_headers
from emulator.core.operations import Operation
from emulator.core.provider import Provider
from emulator.core.rules import Rule
from emulator.core.tasks import Task, seconds

PREFIX = "/_emulator"
LISTED = 500
"""How many rows a list has unless ``limit`` says otherwise."""
LONGEST_WAIT = 120.0
"""Machine seconds that a long poll waits at most."""
_log = logging.getLogger("emulator")
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
NAMED = web.RequestKey("named", Mapping)
"""The parts of a path that have names: which account, which task."""
_PROBES = frozenset({PREFIX + "/livez", PREFIX + "/readyz", PREFIX + "/health"})


@dataclass(slots=True)
class AdminSettings:
    """Who may use the admin API: ``token`` (``None``: anybody who reaches it) and further host names."""

    token: str | None = None
    hosts: Sequence[str] = ()


@dataclass(slots=True)
class Readiness:
    """What the emulator still waits for before it is ready."""

    pending: list[str] = field(default_factory=list)


class Admin:
    """The handlers. Each answers with JSON or raises :class:`Refused`."""

    def __init__(self, emulation: Emulation, readiness: Readiness) -> None:
        self._emulation = emulation
        self._readiness = readiness

    def routes(self) -> list[web.RouteDef]:
        """Every route, below :data:`PREFIX`."""
        one = "/api/accounts/{account}"
        return [
            web.get("/livez", self.livez),
            web.get("/readyz", self.readyz),
            web.get("/health", self.health),
            web.get("/api/operations", self.operations),
            web.get("/api/errors", self.errors),
            web.get("/api/resources", self.resources),
            web.get("/api/accounts", self.list_accounts),
            web.post("/api/accounts", self.create_account),
            web.get(one, self.show_account),
            web.delete(one, self.delete_account),
            web.post(one + "/reset", self.reset),
            web.get(one + "/clock", self.show_clock),
            web.put(one + "/clock", self.set_clock),
            web.post(one + "/clock/advance", self.advance),
            web.get(one + "/clouds/{cloud}", self.show_options),
            web.patch(one + "/clouds/{cloud}", self.set_options),
            web.get(one + "/rules", self.list_rules),
            web.post(one + "/rules", self.add_rule),
            web.delete(one + "/rules", self.clear_rules),
            web.get(one + "/rules/{rule}", self.show_rule),
            web.delete(one + "/rules/{rule}", self.delete_rule),
            web.get(one + "/tasks", self.list_tasks),
            web.get(one + "/tasks/{task}", self.show_task),
            web.get(one + "/deliveries", self.list_deliveries),
            web.get(one + "/deliveries/{number}", self.show_delivery),
            web.get(one + "/requests", self.list_requests),
            web.get(one + "/requests/{number}", self.show_request),
        ]

    async def livez(self, request: web.BaseRequest) -> web.Response:
        """The process answers."""
        return _json({"status": "alive"})

    async def readyz(self, request: web.BaseRequest) -> web.Response:
        """Ready to serve, or 503 with what is pending."""
        pending = self._readiness.pending
        return _json({"status": "starting" if pending else "ready", "pending": pending}, 503 if pending else 200)

    async def health(self, request: web.BaseRequest) -> web.Response:
        """Version, seed, uptime."""
        emulation = self._emulation
        return _json(
            {
                "status": "starting" if self._readiness.pending else "ready",
                "version": __version__,
                "seed": emulation.seed,
                "uptime": round(emulation.machine.wall() - emulation.started, 3),
                "clouds": list(emulation.providers),
                "accounts": len(emulation.accounts),
            }
        )

    async def operations(self, request: web.BaseRequest) -> web.Response:
        """What can be called."""
        rows = (row for provider in self._emulation.providers.values() for row in provider.operations)
        return _json({"operations": [show_operation(row) for row in rows]})

    async def errors(self, request: web.BaseRequest) -> web.Response:
        """Every documented code; ``?cloud=``, ``?list=`` filter."""
        cloud, listed = request.query.get("cloud"), request.query.get("list")
        rows = (row for provider in self._emulation.providers.values() for row in provider.errors.rows)
        chosen = [row for row in rows if cloud in (None, row.cloud) and listed in (None, row.listed)]
        return _json({"errors": [_show_error(row) for row in chosen]})

    async def resources(self, request: web.BaseRequest) -> web.Response:
        """Which fixture files are in force, and which they hide."""
        files = self._emulation.fixtures.resources.values()
        return _json({"fixtures": [{"path": f.path, "file": f.origin, "hides": list(f.hides)} for f in files]})

    async def list_accounts(self, request: web.BaseRequest) -> web.Response:
        """Every account."""
        return _json({"accounts": [self._show_account(account) for account in self._emulation.accounts]})

    async def create_account(self, request: web.BaseRequest) -> web.Response:
        """Make an account; answers with its credentials, secrets included."""
        document = await self._document(request, "emulator/account.json")
        clock = _clock_spec(document["clock"]) if "clock" in document else None
        providers = self._emulation.providers

        def credentials(name: str, seed: int) -> dict[Credential, str | None]:
            found: dict[Credential, str | None] = {}
            for cloud, provider in providers.items():
                self._check_options(provider, document.get(cloud, {}))
                found.update(provider.credentials(document.get(cloud, {}), Draw(seed, name, cloud, "credentials")))
            return found

        account = self._emulation.accounts.create(document, clock, credentials)
        return _json(self._show_account(account, secrets=True), 201)

    async def show_account(self, request: web.BaseRequest) -> web.Response:
        """One account, without its secrets."""
        return _json(self._show_account(self._account(request)))

    async def delete_account(self, request: web.BaseRequest) -> web.Response:
        """Reset an account and forget it."""
        await self._emulation.driver.remove(self._account(request))
        return web.Response(status=204)

    async def reset(self, request: web.BaseRequest) -> web.Response:
        """Give an account a fresh state; nothing of before happens after this has answered."""
        account = self._account(request)
        await self._emulation.driver.reset(account)
        return _json(self._show_account(account))

    async def show_clock(self, request: web.BaseRequest) -> web.Response:
        """The account's time, and what is pending."""
        return _json(_show_clock(self._account(request)))

    async def set_clock(self, request: web.BaseRequest) -> web.Response:
        """Set mode, speed and instant."""
        account = self._account(request)
        document = await self._document(request, "emulator/clock.json")
        self._emulation.driver.set_clock(account, _clock_spec(document, account.clock.now()))
        return _json(_show_clock(account))

    async def advance(self, request: web.BaseRequest) -> web.Response:
        """Move a frozen clock; answers when everything due has happened, and says what."""
        account = self._account(request)
        document = await self._document(request, "emulator/advance.json")
        driver = self._emulation.driver
        if document.get("until") == "idle":
            fired = await driver.run_until_idle(account)
        elif "until" in document:
            fired = await driver.next(account)
        elif "to" in document:
            fired = await driver.advance_to(account, _instant(document["to"], "/to"))
        else:
            until = account.clock.now() + seconds(document["seconds"])
            fired = await driver.advance_to(account, _instant(until, "/seconds"))
        return _json({**_show_clock(account), "fired": [_show_fired(event) for event in fired]})

    async def show_options(self, request: web.BaseRequest) -> web.Response:
        """What is in force for one cloud in an account, beside credentials."""
        account = self._account(request)
        return _json(self._provider(request).options(account))

    async def set_options(self, request: web.BaseRequest) -> web.Response:
        """Change what is in force for one cloud in an account, from now on."""
        account, provider = self._account(request), self._provider(request)
        document = await self._document(request, f"{provider.name}/options.json")
        provider.check_options(document)
        provider.set_options(account, document)
        return _json(provider.options(account))

    async def list_rules(self, request: web.BaseRequest) -> web.Response:
        """The account's rules, in the order they are tried."""
        return _json({"rules": [_show_rule(rule) for rule in self._account(request).rules]})

    async def add_rule(self, request: web.BaseRequest) -> web.Response:
        """Set a rule."""
        account = self._account(request)
        document = await self._document(request, "emulator/rule.json")
        rule = account.rules.add(document, self._emulation.schemas, self._emulation.providers)
        return _json(_show_rule(rule), 201)

    async def clear_rules(self, request: web.BaseRequest) -> web.Response:
        """Take all rules away."""
        self._account(request).rules.clear()
        return web.Response(status=204)

    async def show_rule(self, request: web.BaseRequest) -> web.Response:
        """One rule and how often it was met."""
        rule = self._account(request).rules.get(request[NAMED]["rule"])
        if rule is None:
            raise Refused(404, f"no rule {request[NAMED]['rule']!r}")
        return _json(_show_rule(rule))

    async def delete_rule(self, request: web.BaseRequest) -> web.Response:
        """Take a rule away."""
        if not self._account(request).rules.remove(request[NAMED]["rule"]):
            raise Refused(404, f"no rule {request[NAMED]['rule']!r}")
        return web.Response(status=204)

    async def list_tasks(self, request: web.BaseRequest) -> web.Response:
        """The account's tasks, oldest first; ``?status=``, ``?operation=``, ``?limit=`` filter."""
        account = self._account(request)
        wanted = _Filter(request, {"status", "operation"})
        now = account.clock.now()
        shown = (_show_task(task, account, now) for task in account.tasks)
        rows = [row for row in shown if wanted.fits(row)]
        return _json({"tasks": rows[-wanted.limit :], "count": len(rows), "evicted": account.tasks.evicted})

    async def show_task(self, request: web.BaseRequest) -> web.Response:
        """One task with its deliveries."""
        account = self._account(request)
        task = account.tasks.get(request[NAMED]["task"])
        if task is None:
            raise Refused(404, f"account {account.name} has no task {request[NAMED]['task']!r}")
        deliveries = [_show_delivery(delivery) for delivery in account.ledger if delivery.task_id == task.id]
        return _json({**_show_task(task, account, account.clock.now()), "deliveries": deliveries})

    async def list_deliveries(self, request: web.BaseRequest) -> web.Response:
        """The ledger; ``?task=``, ``?status=``, ``?operation=``, ``?event=`` filter, ``?wait=&count=`` long-polls."""
        account = self._account(request)
        wanted = _Filter(request, {"task", "status", "operation", "event"})

        def matching() -> list[Delivery]:
            return [row for row in account.ledger if row.number > wanted.after and wanted.fits(_delivery_keys(row))]

        found = await wanted.satisfied(account.ledger.changes, matching)
        shown = [_show_delivery(row) for row in found[-wanted.limit :]]
        return _json({"deliveries": shown, **wanted.verdict(found), "evicted": account.ledger.evicted})

    async def show_delivery(self, request: web.BaseRequest) -> web.Response:
        """One delivery."""
        number = request[NAMED]["number"]
        for delivery in self._account(request).ledger:
            if str(delivery.number) == number:
                return _json(_show_delivery(delivery))
        raise Refused(404, f"no delivery {number!r}")

    async def list_requests(self, request: web.BaseRequest) -> web.Response:
        """The journal; ``?operation=``, ``?status=``, ``?code=`` filter, ``?wait=&count=`` long-polls."""
        account = self._account(request)
        wanted = _Filter(request, {"operation", "status", "code"})

        def matching() -> list[RequestEntry]:
            rows = account.journal.requests
            return [row for row in rows if row.number > wanted.after and wanted.fits(_request_keys(row))]

        found = await wanted.satisfied(account.journal.changes, matching)
        shown = [_show_request(row) for row in found[-wanted.limit :]]
        return _json({"requests": shown, **wanted.verdict(found), "evicted": account.journal.evicted})

    async def show_request(self, request: web.BaseRequest) -> web.Response:
        """One request with its trace."""
        number = request[NAMED]["number"]
        for entry in self._account(request).journal.requests:
            if str(entry.number) == number:
                return _json(_show_request(entry))
        raise Refused(404, f"no request {number!r}")

    def _account(self, request: web.BaseRequest) -> Account:
        name = request[NAMED]["account"]
        account = self._emulation.accounts.get(name)
        if account is None:
            raise Refused(404, f"no account {name!r}; POST {PREFIX}/api/accounts makes one, a first request opens one")
        return account

    def _check_options(self, provider: Provider, document: JsonObject) -> None:
        """What is asked of a cloud in a new account, beside its credentials."""
        path = f"{provider.name}/options.json"
        if self._emulation.schemas.has(path):
            known = self._emulation.schemas.get(path).document["properties"]
            options = {name: value for name, value in document.items() if name in known}
            self._emulation.schemas.check(path, options, provider.name)
            provider.check_options(options)

    def _provider(self, request: web.BaseRequest) -> Provider:
        name = request[NAMED]["cloud"]
        found = self._emulation.providers.get(name)
        if found is None or not self._emulation.schemas.has(f"{name}/options.json"):
            raise Refused(404, f"no cloud {name!r} with options of an account")
        return found

    async def _document(self, request: web.BaseRequest, schema: str) -> JsonObject:
        try:
            document = read_json(await request.read() or b"{}")
        except ValueError as error:
            raise Refused(400, f"the body is not JSON: {error}") from None
        where = schema.rpartition("/")[2].removesuffix(".json")
        self._emulation.schemas.check(schema, document, where)
        result: JsonObject = document
        return result

    def _show_account(self, account: Account, *, secrets: bool = False) -> JsonObject:
        credentials: dict[str, dict[str, str]] = {}
        for credential, secret in account.spec.credentials.items():
            shown = credentials.setdefault(credential.cloud, {})
            shown[credential.kind] = credential.id
            if secret is not None:
                shown["secret_key"] = secret if secrets else HIDDEN
        return {
            "name": account.name,
            "configured": account.spec.configured,
            "seed": account.seed,
            "responses": account.responses,
            "clock": _show_clock(account),
            "credentials": credentials,
            "rules": len(account.rules),
            "tasks": len(account.tasks),
            "requests": len(account.journal),
            "deliveries": len(account.ledger),
        }


class Refused(Exception):
    """The admin API cannot do what was asked: an HTTP status and a sentence, perhaps with single problems."""

    def __init__(self, status: int, detail: str, problems: Iterable[Problem] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.problems = tuple(problems)


class _Filter:
    """What a list was asked for: equal members, rows after a number, a limit, a wait."""

    def __init__(self, request: web.BaseRequest, names: set[str]) -> None:
        query = request.query
        known = names | {"after", "limit", "wait", "count"}
        if unknown := next((name for name in query if name not in known), None):
            raise Refused(400, f"no filter {unknown!r}; there are {', '.join(sorted(known))}")
        self._wanted = {name: query[name] for name in names if name in query}
        try:
            self.after = int(query.get("after", 0))
            self.limit = int(query.get("limit", LISTED))
            self.count = int(query.get("count", 1 if "wait" in query else 0))
            wait = seconds(_number_or_text(query.get("wait", "0")))
        except ValueError as error:
            raise Refused(400, f"after, limit and count are whole numbers, wait a duration: {error}") from None
        if min(self.after, self.count) < 0 or self.limit < 1 or not isfinite(wait) or wait < 0:
            raise Refused(400, "after, count and wait are 0 at least, limit is 1 at least")
        self._wait = min(LONGEST_WAIT, wait)

    def fits(self, row: JsonObject) -> bool:
        """Whether ``row`` has what was asked for."""
        return all(str(row[name]) == value for name, value in self._wanted.items())

    def verdict(self, found: list[Any]) -> JsonObject:
        """How many rows match, and whether they are as many as were waited for."""
        return {"count": len(found), "satisfied": len(found) >= self.count}

    async def satisfied(self, changes: Changes, matching: Callable[[], list[Any]]) -> list[Any]:
        """The matching rows, as soon as there are enough of them or the wait is over."""
        found = matching()
        if len(found) >= self.count or not self._wait:
            return found
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        unsubscribe = changes.subscribe(changed.set)
        try:
            async with asyncio.timeout(self._wait):
                while len(found) < self.count:
                    await changed.wait()
                    changed.clear()
                    began = loop.time()
                    found = matching()
                    # A long ledger that changes often is not looked through all the time.
                    await asyncio.sleep(min(0.015, 4 * (loop.time() - began)) if len(found) < self.count else 0)
        except TimeoutError:
            pass
        finally:
            unsubscribe()
        return found


class AdminSite:
    """The admin API: answers every path below :data:`PREFIX`, and says what is wrong as a problem document."""

    def __init__(self, admin: Admin, settings: AdminSettings) -> None:
        self._settings = settings
        self._router = web.UrlDispatcher()
        for route in admin.routes():
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
            return _problem(error.status, error.detail, error.problems)
        except ConfigurationError as error:
            listed = "; ".join(f"{problem.pointer or problem.where}: {problem.message}" for problem in error.problems)
            return _problem(422, listed, error.problems)
        except EmulatorError as error:
            return _problem(409, str(error))
        except web.HTTPException as error:
            return _problem(error.status, f"{request.method} {request.path}: {error.reason}")
        except Exception:
            _log.exception("a fault of the emulator's own, in %s %s", request.method, request.path)
            return _problem(500, "the emulator itself failed here; its log has the traceback, please report it")


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
    if settings.token is not None and request.path not in _PROBES:
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


def _json(document: Any, status: int = 200) -> web.Response:
    body = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    return web.Response(status=status, body=body, content_type="application/json")


def _problem(status: int, detail: str, problems: Iterable[Problem] = ()) -> web.Response:
    title = HTTPStatus(status).phrase
    document: JsonObject = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    listed = [{"in": problem.where, "pointer": problem.pointer, "message": problem.message} for problem in problems]
    if listed:
        document["problems"] = listed
    body = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return web.Response(status=status, body=body, content_type="application/problem+json", headers=headers)


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _instant(value: float | str, pointer: str) -> float:
    try:
        return parse_instant(value)
    except ValueError as error:
        raise ConfigurationError([Problem("body", pointer, str(error))]) from None


def _clock_spec(document: JsonObject, now: float | None = None) -> ClockSpec:
    start = _instant(document["now"], "/now") if "now" in document else now
    return ClockSpec(document["mode"], float(document.get("speed", 1.0)), start)


def _show_clock(account: Account) -> JsonObject:
    clock, agenda = account.clock, account.agenda
    now, first = clock.now(), agenda.first()
    return {
        "mode": clock.mode,
        "speed": clock.speed,
        "now": now,
        "iso": iso(now),
        "pending": len(agenda),
        "next": first,
    }


def show_operation(row: Operation) -> JsonObject:
    """An operation as the admin API and the command line show it."""
    return {
        "name": row.qualified,
        "methods": list(row.methods),
        "wire": row.wire,
        "summary": row.summary,
        "emulated": row.emulated,
        "starts_task": row.starts_task,
        "source": row.source,
    }


def _show_error(row: ErrorRow) -> JsonObject:
    return {
        "cloud": row.cloud,
        "list": row.listed,
        "code": row.code,
        "text": row.text,
        "gloss": row.gloss,
        "status": row.status,
        "stage": row.stage,
        "source": row.source,
    }


def _show_rule(rule: Rule) -> JsonObject:
    return {
        "id": rule.id,
        "name": rule.name,
        "rule": rule.document,
        "matched": rule.matched,
        "taken": rule.taken,
        "exhausted": rule.times.exhausted(rule.taken),
    }


def _show_task(task: Task, account: Account, now: float) -> JsonObject:
    timeline, phase = task.timeline, task.timeline.at(now)
    return {
        "id": task.id,
        "operation": task.operation,
        "kind": task.kind,
        "status": phase.status,
        "percent": phase.percent,
        "timeline": {
            "start": timeline.start,
            "run": timeline.run,
            "upload": timeline.upload,
            "end": timeline.end,
            "outcome": timeline.ending.kind,
            "code": timeline.ending.code,
        },
        "parameters": task.parameters,
    }


def _delivery_keys(delivery: Delivery) -> JsonObject:
    return {
        "task": delivery.task_id,
        "status": delivery.status,
        "operation": delivery.operation,
        "event": delivery.order.event,
    }


def _show_delivery(delivery: Delivery) -> JsonObject:
    order = delivery.order
    return {
        "number": delivery.number,
        **_delivery_keys(delivery),
        "due": delivery.due,
        "next_attempt": delivery.next_attempt,
        "request": {
            "method": order.method,
            "url": order.url,
            "headers": dict(order.headers),
            "body": order.body.decode("utf-8", "replace"),
        },
        "attempts": [
            {
                "number": attempt.number,
                "at": attempt.at,
                "status": attempt.answer.status,
                "error": attempt.answer.error,
                "elapsed_ms": round(attempt.answer.elapsed * 1000, 3),
                "answer": attempt.answer.body.decode("utf-8", "replace"),
            }
            for attempt in delivery.attempts
        ],
    }


def _request_keys(entry: RequestEntry) -> JsonObject:
    return {"operation": entry.operation, "status": entry.status, "code": entry.code}


def _show_request(entry: RequestEntry) -> JsonObject:
    request = entry.request
    return {
        "number": entry.number,
        "at": entry.at,
        **_request_keys(entry),
        "reason": entry.reason,
        "method": request.method,
        "path": request.path,
        "query": redact(request.query),
        "host": request.host,
        "peer": request.peer,
        "headers": redact_headers(request.headers),
        "body": redact(entry.body.decode("utf-8", "replace")),
        "reply": {"headers": dict(entry.reply.headers), "body": redact(entry.reply.body.decode("utf-8", "replace"))},
        "latency": entry.latency,
        "trace": [{"step": step, "found": found} for step, found in entry.trace],
    }


def _show_fired(event: Fired) -> JsonObject:
    return {
        "at": event.at,
        "what": event.what,
        "task": event.task_id,
        "delivery": event.delivery,
        "status": event.status,
    }
