"""Requests of the emulated clouds: read, decided, answered. All that takes time happens here."""

from __future__ import annotations

import asyncio
import functools
import logging
import zlib
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import StreamReader, web
from multidict import CIMultiDict

from emulator.core.clock import Machine
from emulator.core.exchange import BodyFault, Outcome, RawRequest

INFLATED_LIMIT_FACTOR = 4
"""A compressed body may unpack to so many times the limit of a plain one; beyond that it is a bomb."""

OWN_FAULT = "the emulator itself failed here; its log has the traceback, please report it"

_log = logging.getLogger("emulator")

Decide = Callable[[RawRequest], Outcome]
Fetch = Callable[[RawRequest], Awaitable[RawRequest]]


class Ingress:
    """The handler of every path that is not the emulator's own."""

    def __init__(self, decide: Decide, machine: Machine, body_limit: int, fetch: Fetch | None = None) -> None:
        self._decide = decide
        self._fetch = fetch
        self._machine = machine
        self._body_limit = body_limit

    async def handle(self, request: web.BaseRequest, target: str) -> web.StreamResponse:
        """Answer one request for ``target``, its path and query as sent."""
        raw = await self._read(request, target)
        if self._fetch is not None:
            raw = await self._fetch(raw)
        try:
            outcome = self._decide(raw)
        except Exception:
            _log.exception("a fault of the emulator's own, in %s %s", raw.method, raw.path)
            return web.Response(status=500, text=OWN_FAULT, headers={"X-Emulator-Reason": OWN_FAULT})
        if outcome.latency:
            await asyncio.sleep(outcome.latency)
        reply = outcome.reply
        headers = _explained(reply.headers, outcome) if outcome.reason else reply.headers
        return web.Response(status=reply.status, headers=headers, body=reply.body)

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
