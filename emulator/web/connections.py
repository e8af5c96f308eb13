"""Connections to the receivers of callbacks: kept alive, opened only to addresses that the outbound policy permits.

A client library's request takes four to five times as long as this one does, and a virtual day has thousands: what
comes back is parsed by httptools, and no more of HTTP is needed to post a body and read a status.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, cast

import httptools
from aiohttp import BasicAuth
from aiohttp.abc import AbstractResolver
from yarl import URL

from emulator import __version__
from emulator.core.callbacks import CallbackOrder
from emulator.core.clock import Machine
from emulator.core.values import value_type

KEPT_ALIVE = 15.0
"""Machine seconds for which an idle connection is used again."""
MOST_IDLE = 256
"""Idle connections that are kept."""
LONGEST_HEAD = 64 * 2**10
"""Bytes of headers that a receiver's answer may have."""
PIECES = 20
"""Pieces in which a body is sent slowly."""
_OWN = {"Accept": "*/*", "User-Agent": f"ksyun-baidu-emulator/{__version__}"}
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


class NoAnswer(OSError):
    """What came from the receiver is no answer. Its text says why."""


@value_type
class Received:
    """A receiver's answer: its status, its headers by lower-case name, and the first bytes of its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """The connections that are open.

    Args:
        resolver: finds the addresses of a host, those that may be called.
        machine: says how long a connection has been idle.
        kept: how many bytes of a body are kept.

    """

    def __init__(self, resolver: AbstractResolver, machine: Machine, kept: int) -> None:
        self._resolver = resolver
        self._machine = machine
        self._kept = kept
        self._idle: OrderedDict[_Connection, tuple[str, float]] = OrderedDict()
        self._secure: ssl.SSLContext | None = None

    async def exchange(self, order: CallbackOrder, url: URL, host: str | None) -> Received:
        """Send ``order`` to ``url``, with another ``Host`` header if ``host`` is one, and read the answer.

        Raises:
            OSError: there is none.
            ValueError: a header of the order cannot be sent.

        """
        head = _head(order, url, host)
        target = f"{url.scheme}://{url.host}:{url.port}"
        connection = self._take(target) or await self._open(url)
        try:
            answered = connection.ask()
            await _write(connection, head, order)
            received = await answered
        except BaseException:
            connection.abort()
            raise
        if connection.reusable:
            self._keep(connection, target)
        else:
            connection.abort()
        return received

    async def close(self) -> None:
        """Close every connection that is idle."""
        for connection in self._idle:
            connection.abort()
        self._idle.clear()
        await self._resolver.close()

    def _take(self, target: str) -> _Connection | None:
        """The idle connection to ``target`` that was used last; old and dead ones are dropped on the way."""
        now = self._machine.monotonic()
        for connection in [*reversed(self._idle)]:
            whose, since = self._idle[connection]
            if connection.lost or now - since > KEPT_ALIVE:
                del self._idle[connection]
                connection.abort()
            elif whose == target:
                del self._idle[connection]
                return connection
        return None

    def _keep(self, connection: _Connection, target: str) -> None:
        self._idle[connection] = target, self._machine.monotonic()
        if len(self._idle) > MOST_IDLE:
            self._idle.popitem(last=False)[0].abort()

    async def _open(self, url: URL) -> _Connection:
        """A connection to the first address of the host that answers."""
        loop = asyncio.get_running_loop()
        port = url.port or 0
        secure: dict[str, Any] = {}
        if url.scheme == "https":
            self._secure = self._secure or await asyncio.to_thread(ssl.create_default_context)
            secure = {"ssl": self._secure, "server_hostname": url.raw_host}
        refused: OSError = NoAnswer(f"{url.host} has no address")
        for found in await self._resolver.resolve(str(url.raw_host), port, socket.AF_UNSPEC):
            try:
                _, connection = await loop.create_connection(
                    lambda: _Connection(self._kept), found["host"], port, **secure
                )
            except OSError as error:
                refused = error
            else:
                return connection
        raise refused


class _Connection(asyncio.Protocol):
    """One connection: a request at a time."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answered: asyncio.Future[Received] | None = None
        self._may_write: asyncio.Future[None] | None = None
        self._status = 0
        self._size = 0
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self.lost = False
        self.reusable = False

    def ask(self) -> asyncio.Future[Received]:
        """The answer to what is written next."""
        self._status, self._size, self._headers, self._body = 0, 0, {}, bytearray()
        self.reusable = False
        self._answered = self._loop.create_future()
        return self._answered

    async def write(self, data: bytes) -> None:
        """Send ``data``, no faster than it is taken."""
        if self._may_write is not None:
            await self._may_write
        if self._transport is not None and not self.lost:
            self._transport.write(data)

    def abort(self) -> None:
        """Close at once."""
        if self._answered is not None:
            self._answered.cancel()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if self._answered is None:
            self.abort()  # nobody asked
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(NoAnswer(f"the receiver's answer is no HTTP: {error}"))

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone. An answer without a length ends so."""
        self.lost, self.reusable = True, False
        if self._may_write is not None:
            self._may_write.cancel()
        if self._status >= 200:
            self._answer()
        else:
            self._fail(error if isinstance(error, OSError) else ConnectionResetError())

    def pause_writing(self) -> None:
        """The receiver does not keep up."""
        self._may_write = self._loop.create_future()

    def resume_writing(self) -> None:
        """It does again."""
        if self._may_write is not None and not self._may_write.done():
            self._may_write.set_result(None)
        self._may_write = None

    # What the parser tells.

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        self._size += len(name) + len(value)
        if self._size > LONGEST_HEAD:
            self._fail(NoAnswer("the receiver's answer has too many headers"))
        self._headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace")

    def on_headers_complete(self) -> None:
        """All headers."""
        self._status = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        """A piece of the body. What is beyond the first bytes is not waited for."""
        self._body += data[: self._kept - len(self._body)]
        if len(self._body) >= self._kept:
            self._answer()

    def on_message_complete(self) -> None:
        """The end of an answer, or of an interim one."""
        if self._status < 200:
            self._headers = {}
            return
        self.reusable = self._parser.should_keep_alive() and not self.lost
        self._answer()

    def _answer(self) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(Received(self._status, self._headers, bytes(self._body)))

    def _fail(self, error: OSError) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error)


async def _write(connection: _Connection, head: bytes, order: CallbackOrder) -> None:
    """Send a request, its body at once or over as many seconds as it is to take."""
    if not order.pace:
        await connection.write(head + order.body)
        return
    await connection.write(head)
    size = -(-len(order.body) // PIECES) or 1
    starts = range(0, len(order.body), size)
    for start in starts:
        await connection.write(order.body[start : start + size])
        await asyncio.sleep(order.pace / len(starts))


def _head(order: CallbackOrder, url: URL, host: str | None) -> bytes:
    """The request line and the headers.

    Raises:
        ValueError: one cannot be sent.

    """
    given = {name.lower() for name in order.headers}
    lines = [f"{order.method} {url.raw_path_qs} HTTP/1.1"]
    if host is not None or "host" not in given:
        lines.append(f"Host: {host or url.host_port_subcomponent}")
    if url.user and "authorization" not in given:
        lines.append(f"Authorization: {BasicAuth(url.user, url.password or '').encode()}")
    lines += [f"{name}: {value}" for name, value in _OWN.items() if name.lower() not in given]
    for name, value in order.headers.items():
        if name.lower() in _FRAMING or (host is not None and name.lower() == "host"):
            continue
        lines.append(f"{name}: {value}")
    lines.append(f"Content-Length: {len(order.body)}")
    if any(sign in line for line in lines for sign in "\r\n\0"):
        raise ValueError("a header has a line break or a zero in it")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
