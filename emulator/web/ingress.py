"""Requests of the emulated clouds: read, decided, answered. All that takes time happens here."""

from __future__ import annotations

import asyncio
import functools
import logging
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from aiohttp import StreamReader, web
from multidict import CIMultiDict

from emulator.core import faults
from emulator.core.clock import Machine
from emulator.core.driver import Driver
from emulator.core.exchange import BodyFault, Outcome, RawRequest, Reply
from emulator.core.pipeline import Pipeline
from emulator.web.cors import Cors
from emulator.web.faults import perform

INFLATED_LIMIT_FACTOR = 4
"""A compressed body may unpack to so many times the limit of a plain one; beyond that it is a bomb."""

_OWN = "the emulator itself failed here; its log has the traceback, please report it"
OWN_FAULT = Reply(500, {"Content-Type": "text/plain; charset=utf-8", "X-Emulator-Reason": _OWN}, _OWN.encode())

_log = logging.getLogger("emulator")

Fetch = Callable[[RawRequest], Awaitable[RawRequest]]


class Ingress:
    """The handler of every path that is not the emulator's own."""

    def __init__(
        self,
        pipeline: Pipeline,
        driver: Driver,
        machine: Machine,
        body_limit: int,
        fetch: Fetch | None = None,
        cors: Cors | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._driver = driver
        self._fetch = fetch
        self._machine = machine
        self._body_limit = body_limit
        self._cors = cors

    async def handle(self, request: web.BaseRequest, target: str) -> web.StreamResponse:
        """Answer one request for ``target``, its path and query as sent."""
        if self._cors is not None and (permission := self._cors.preflight(request)) is not None:
            return permission
        raw = await self._read(request, target)
        if self._fetch is not None:
            raw = await self._fetch(raw)
        try:
            outcome = self._pipeline.decide(raw)
        except Exception as error:
            _log.exception("a fault of the emulator's own, in %s %s", raw.method, raw.path)
            self._pipeline.note_failure(raw, OWN_FAULT, f"{type(error).__name__}: {error}")
            return _response(self._readable_by_pages(OWN_FAULT, request))
        if outcome.early is not None:
            await self._driver.hasten(outcome.early)
        if outcome.latency:
            await asyncio.sleep(outcome.latency)
        reply = outcome.reply
        if outcome.reason:
            reply = replace(reply, headers=_explained(reply.headers, outcome))
        reply = self._readable_by_pages(reply, request)
        if outcome.fault is not None and outcome.fault.kind not in faults.IN_BYTES:
            return await perform(outcome.fault, reply, request)
        return _response(reply)

    def _readable_by_pages(self, reply: Reply, request: web.BaseRequest) -> Reply:
        """``reply`` with what lets the page that asked read it, where pages may call."""
        if self._cors is None:
            return reply
        return replace(reply, headers=self._cors.headers(request.headers, reply.headers))

    async def _read(self, request: web.BaseRequest, target: str) -> RawRequest:
        """The request with its body; what is wrong with that is in ``fault``."""
        headers: Mapping[str, str] = request.headers
        body, content = b"", b""
        fault: BodyFault | None = None
        reason = ""
        try:
            if request.body_exists:
                body = content = await _body(request.content, self._body_limit)
                coding = headers.get("Content-Encoding")
                if coding is not None:
                    content, fault, reason = _decoded(body, coding.strip().lower(), self._body_limit)
        except web.HTTPRequestEntityTooLarge:
            fault, reason = "too large", f"the body is over {self._body_limit} bytes (--max-body)"
        except web.RequestPayloadError as error:
            fault, reason = "not decodable", f"the body broke off or is malformed: {error}"
        path, _, query = target.partition("?")
        if not "".join(headers.values()).isascii():
            headers = CIMultiDict((name, _readable(value)) for name, value in headers.items())
        return RawRequest(
            request.method,
            path,
            query,
            headers,
            body,
            content,
            _host_name(request.host),
            request.remote or "",
            self._machine.wall(),
            fault,
            reason,
        )


async def _body(stream: StreamReader, limit: int) -> bytes:
    """The whole body, put together once: it may be a picture of megabytes.

    Raises:
        HTTPRequestEntityTooLarge: it has more than ``limit`` bytes.
        RequestPayloadError: it broke off or is malformed.

    """
    parts: list[bytes] = []
    size = 0
    while part := await stream.readany():
        size += len(part)
        if size > limit:
            raise web.HTTPRequestEntityTooLarge(limit)
        if not parts and stream.at_eof():
            return part
        parts.append(part)
    return b"".join(parts)


def _response(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, headers=reply.headers, body=reply.body)


@functools.lru_cache(maxsize=256)
def _host_name(text: str) -> str:
    """The name in a ``Host`` header, lower case, without its port."""
    named = _readable(text).lower()
    host, _, port = named.rpartition(":")
    return host if port.isdigit() else named


def _readable(text: str) -> str:
    """``text`` as sent in a header, with U+FFFD for what is no UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _explained(headers: Mapping[str, str], outcome: Outcome) -> dict[str, str]:
    """The headers, with the reason in plain ASCII and the number of the request in the journal."""
    reason = outcome.reason.encode("ascii", "backslashreplace").decode().replace("\r", " ").replace("\n", " ")
    return {**headers, "X-Emulator-Reason": reason[:1000], "X-Emulator-Request": str(outcome.entry)}


def _decoded(body: bytes, coding: str, limit: int) -> tuple[bytes, BodyFault | None, str]:
    """The body without its content coding. A name that is none (a client sends ``UTF-8``) changes nothing."""
    if coding not in ("gzip", "x-gzip", "deflate"):
        return body, None, ""
    limit *= INFLATED_LIMIT_FACTOR
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16 if "gzip" in coding else zlib.MAX_WBITS)
    try:
        content = unpacker.decompress(body, limit)
    except zlib.error as error:
        return b"", "not decodable", f"Content-Encoding is {coding}, but the body is not: {error}"
    if unpacker.unconsumed_tail:
        return b"", "too large", f"the body unpacks to more than {limit} bytes"
    if not unpacker.eof:
        return b"", "not decodable", f"Content-Encoding is {coding}, but the body breaks off"
    return content, None, ""
