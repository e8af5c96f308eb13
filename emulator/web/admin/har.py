"""The journal as an HTTP Archive, which browsers and proxies open: requests, and each attempt of each callback.

HAR 1.2: http://www.softwareishard.com/blog/har-12-spec/. What it has no member for is in ``_emulator``.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from emulator import __version__
from emulator.core.accounts import Account
from emulator.core.callbacks import Attempt, Delivery
from emulator.core.clock import iso
from emulator.core.exchange import JsonObject
from emulator.core.journal import RequestEntry, redact, redact_headers
from emulator.web.admin.site import ONE, Route, Section

FORM = "application/x-www-form-urlencoded"
UNKNOWN_TYPE = "x-unknown"
"""What browsers write for a content whose type nobody said."""
AT_A_TIME = 25
"""Entries that are written before others get their turn."""


class Har(Section):
    """The journal, for other programs."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [Route("GET", ONE + "/journal.har", self.journal, {200: "Har"})]

    async def journal(self, request: web.BaseRequest) -> web.Response:
        """The requests and the attempts of the callbacks, by the machine's time at which they began."""
        account = self.account(request)
        entries = []
        for number, entry in enumerate(_entries(account)):
            entries.append(entry)
            if number % AT_A_TIME == AT_A_TIME - 1:
                await asyncio.sleep(0)
        entries.sort(key=lambda entry: str(entry["startedDateTime"]))
        log = {
            "version": "1.2",
            "creator": {"name": "emulator", "version": __version__},
            "pages": [],
            "entries": entries,
        }
        headers = {"Content-Disposition": f'attachment; filename="{account.name}.har"'}
        return web.Response(body=orjson.dumps({"log": log}), content_type="application/json", headers=headers)


def _entries(account: Account) -> Iterator[JsonObject]:
    for entry in tuple(account.journal.requests):
        yield _of_request(entry)
    for delivery in tuple(account.ledger):
        for attempt in tuple(delivery.attempts):
            yield _of_attempt(delivery, attempt)


def _of_request(entry: RequestEntry) -> JsonObject:
    request, reply = entry.request, entry.reply
    query = f"?{redact(request.query)}" if request.query else ""
    url = f"http://{request.headers.get('Host') or request.host}{request.path}{query}"
    return _entry(
        began=request.arrived,
        seconds=entry.latency,
        request=_request(request.method, url, request.headers, entry.body, _size(entry)),
        response=_response(reply.status, "", reply.headers, reply.body, len(reply.body)),
        more={
            "kind": "request",
            "number": entry.number,
            "at": entry.at,
            "operation": entry.operation,
            "code": entry.code,
            "reason": entry.reason,
        },
    )


def _of_attempt(delivery: Delivery, attempt: Attempt) -> JsonObject:
    order, answer = delivery.order, attempt.answer
    return _entry(
        began=answer.began or attempt.at,
        seconds=answer.elapsed,
        request=_request(order.method, redact(order.url), order.headers, order.body, len(order.body)),
        response=_response(answer.status or 0, answer.error, {}, answer.body, -1),
        more={
            "kind": "callback",
            "number": delivery.number,
            "attempt": attempt.number,
            "at": attempt.at,
            "task": delivery.task_id,
            "event": delivery.order.event,
            "chaos": list(delivery.chaos),
            "error": answer.error,
        },
    )


def _entry(*, began: float, seconds: float, request: JsonObject, response: JsonObject, more: JsonObject) -> JsonObject:
    took = round(seconds * 1000, 3)
    return {
        "startedDateTime": iso(began),
        "time": took,
        "request": request,
        "response": response,
        "cache": {},
        "timings": {"send": 0, "wait": took, "receive": 0},
        "_emulator": more,
    }


def _request(method: str, url: str, headers: Mapping[str, str], body: bytes, size: int) -> JsonObject:
    """A request; ``size`` is that of the body as it was sent, of which ``body`` may be the beginning only."""
    shown: JsonObject = {
        "method": method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(redact_headers(headers)),
        "queryString": _pairs(_fields(url.partition("?")[2])),
        "headersSize": -1,
        "bodySize": size,
    }
    if body:
        kind = headers.get("Content-Type", UNKNOWN_TYPE)
        text, coded = _text(body)
        posted: JsonObject = {"mimeType": kind, "text": text}
        if coded:
            posted["_encoding"] = "base64"
        elif kind.lower().startswith(FORM):
            posted["params"] = _pairs(_fields(text))
        if size != len(body):
            posted["comment"] = f"the first {len(body)} bytes of {size if size >= 0 else 'more'}"
        shown["postData"] = posted
    return shown


def _size(entry: RequestEntry) -> int:
    """The size of the request's body, of which the journal may keep the beginning only; -1 if nobody said."""
    if len(entry.body) == len(entry.request.body):
        return len(entry.body)
    said = entry.request.headers.get("Content-Length", "")
    return int(said) if said.isascii() and said.isdigit() else -1


def _response(status: int, error: str, headers: Mapping[str, str], body: bytes, size: int) -> JsonObject:
    content: JsonObject = {"size": len(body), "mimeType": headers.get("Content-Type", UNKNOWN_TYPE)}
    if body:
        content["text"], coded = _text(body)
        if coded:
            content["encoding"] = "base64"
    shown: JsonObject = {
        "status": status,
        "statusText": _phrase(status),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(redact_headers(headers)),
        "content": content,
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": size,
    }
    if error:
        shown["_error"] = error
    return shown


def _text(body: bytes) -> tuple[str, bool]:
    """``body`` without secrets, and whether that is Base64, since it is no text."""
    try:
        return redact(body.decode()), False
    except UnicodeDecodeError:
        return base64.b64encode(redact(body.decode("latin-1")).encode("latin-1")).decode(), True


def _fields(text: str) -> list[list[str]]:
    return [[name, value] for name, value in parse_qsl(text, keep_blank_values=True)]


def _pairs(rows: list[list[str]]) -> list[JsonObject]:
    return [{"name": name, "value": value} for name, value in rows]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
