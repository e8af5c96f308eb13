"""One port that speaks HTTP, HTTPS and both ways of a proxy; the first bytes of a connection tell which.

They are looked at, not taken: the socket is then handed to the HTTP or the TLS protocol as if nothing had been in
between, and nothing is relayed. Behind a ``CONNECT`` they are looked at again.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import re
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

from emulator.core.values import value_type

TLS_HANDSHAKE = b"\x16"
"""The first byte of a TLS connection."""
_CONNECT = b"CONNECT "
_TUNNEL = re.compile(r"CONNECT (\[[0-9A-Fa-f:.]+\]|[!-9;-~]+):\d{1,5} (HTTP/1\.[01])")
_HEAD_END = re.compile(rb"\n\r?\n")
BACKLOG = 1024
_TRIES = 10
_log = logging.getLogger("emulator")
Address = tuple[int, int, tuple[Any, ...]]
"""Family, protocol and address of a socket."""


@value_type
class Patience:
    """How long is waited, in machine seconds.

    Attributes:
        first: for the first byte of a connection; for the whole of a ``CONNECT``.
        handshake: for a TLS handshake.
        refused: for a client to take notice of its refusal.
        exhausted: until connections are accepted again, if they could not be.

    """

    first: float = 60.0
    handshake: float = 20.0
    refused: float = 1.0
    exhausted: float = 1.0


PATIENCE = Patience()
LONGEST_HEAD = 16 * 2**10
"""Bytes that a ``CONNECT`` with its headers may have."""


class Door:
    """Accepts connections, and hands each to whom it is for.

    Args:
        http: makes the protocol that answers HTTP.
        secured: makes the context of TLS, when it is first needed.
        serves: whether a ``CONNECT`` to a host is granted.
        refusal: what a refused one is told.
        only_tls: whether nothing but TLS is spoken.
        patience: how long clients are waited for.

    """

    def __init__(
        self,
        http: Callable[[], asyncio.BaseProtocol],
        secured: Callable[[], ssl.SSLContext],
        serves: Callable[[str], bool],
        refusal: Callable[[str], str],
        *,
        only_tls: bool = False,
        patience: Patience = PATIENCE,
    ) -> None:
        self._http = http
        self._secured = secured
        self._serves = serves
        self._refusal = refusal
        self._only_tls = only_tls
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._listeners: list[socket.socket] = []
        self._silent: dict[socket.socket, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, host: str, port: int) -> int:
        """Listen on every address of ``host``, and return the port.

        Raises:
            OSError: it cannot be listened on.

        """
        found = await self._loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        addresses = dict.fromkeys((family, protocol, address) for family, _, protocol, _, address in found)
        for attempt in range(_TRIES):
            try:
                self._listeners = _listening(addresses, port)
                break
            except OSError as error:  # a free port of one address may be taken at another
                if port or error.errno != errno.EADDRINUSE or attempt == _TRIES - 1:
                    raise
        for listener in self._listeners:
            self._listen(listener)
        chosen: int = self._listeners[0].getsockname()[1]
        return chosen

    async def close(self) -> None:
        """Stop listening; connections that nobody has taken yet are closed."""
        for listener in self._listeners:
            self._loop.remove_reader(listener)
            listener.close()
        self._listeners.clear()
        for connection in tuple(self._silent):
            self._give_up(connection)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _listen(self, listener: socket.socket) -> None:
        if listener in self._listeners:
            self._loop.add_reader(listener, self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(BACKLOG):
            try:
                connection, _ = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # too many open files, most likely: those that come now wait
                _log.error("a connection could not be accepted: %s", error)
                self._loop.remove_reader(listener)
                self._loop.call_later(self._patience.exhausted, self._listen, listener)
                return
            connection.setblocking(False)
            self._look(connection, inside=False)

    def _look(self, connection: socket.socket, *, inside: bool) -> None:
        """Look at the first bytes, now or when they come; ``inside``: of what is behind a ``CONNECT``."""
        try:
            first = connection.recv(len(_CONNECT), socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            if connection not in self._silent:
                timer = self._loop.call_later(self._patience.first, self._give_up, connection)
                self._silent[connection] = timer
                self._loop.add_reader(connection, partial(self._look, connection, inside=inside))
            return
        except OSError:
            first = b""
        self._spoken(connection)
        if not first:
            connection.close()
        elif first.startswith(TLS_HANDSHAKE):
            self._begin(connection, self._secure(connection))
        elif self._only_tls:
            self._begin(connection, self._refuse(connection, 400, "this port speaks TLS only: use https://"))
        elif _CONNECT.startswith(first):
            self._begin(connection, self._connect(connection, inside=inside))
        else:
            self._begin(connection, self._hand_over(connection, None))

    def _spoken(self, connection: socket.socket) -> None:
        """A client has said something, or gone."""
        timer = self._silent.pop(connection, None)
        if timer is not None:
            timer.cancel()
            self._loop.remove_reader(connection)

    def _give_up(self, connection: socket.socket) -> None:
        self._spoken(connection)
        connection.close()

    def _begin(self, connection: socket.socket, work: Coroutine[Any, Any, None]) -> None:
        """Do what a connection needs; if that fails, it is closed."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, connection))

    def _ended(self, connection: socket.socket, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            connection.close()
        elif (error := task.exception()) is not None:
            connection.close()
            if not isinstance(error, OSError):
                _log.error("a connection could not be served", exc_info=error)

    async def _hand_over(self, connection: socket.socket, context: ssl.SSLContext | None) -> None:
        """Let the HTTP protocol have the connection, inside TLS if there is a context."""
        limit = None if context is None else self._patience.handshake
        await self._loop.connect_accepted_socket(self._http, connection, ssl=context, ssl_handshake_timeout=limit)

    async def _secure(self, connection: socket.socket) -> None:
        try:
            await self._hand_over(connection, self._secured())
        except ssl.SSLError as error:
            if (error.reason or "").endswith(_DISTRUST):
                _log.warning(
                    "a TLS client does not trust the emulator's certificate authority; "
                    "give it /_emulator/ca.pem (`emulator env` prints how)"
                )
            raise

    async def _connect(self, connection: socket.socket, *, inside: bool) -> None:
        """Answer a ``CONNECT``, and look at what comes behind it."""
        async with asyncio.timeout(self._patience.first):
            head = await _head(self._loop, connection)
        line = head.partition(b"\n")[0].rstrip().decode("latin-1")
        tunnel = _TUNNEL.fullmatch(line)
        if not _HEAD_END.search(head):
            await self._refuse(connection, 400, f"a CONNECT may have {LONGEST_HEAD} bytes with its headers")
        elif tunnel is None:
            await self._refuse(connection, 400, f"{line[:100]!r} is no CONNECT host:port")
        elif inside:
            await self._refuse(connection, 400, "a CONNECT inside another one is not served")
        elif not self._serves(host := tunnel[1].strip("[]").lower()):
            _log.warning("a CONNECT was refused: %s", reason := self._refusal(host))
            await self._refuse(connection, 403, reason, f"Forbidden: the emulator does not serve {host}")
        else:
            await self._loop.sock_sendall(connection, f"{tunnel[2]} 200 Connection established\r\n\r\n".encode())
            self._look(connection, inside=True)

    async def _refuse(self, connection: socket.socket, status: int, text: str, phrase: str = "Bad Request") -> None:
        """Answer in plain words and close. Some clients show nobody but the ``phrase``."""
        body = f"{text}\n".encode()
        await self._loop.sock_sendall(
            connection,
            f"HTTP/1.1 {status} {phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            + body,
        )
        connection.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(self._patience.refused):  # what the client still sends is read, lest it see a reset
            while await self._loop.sock_recv(connection, 65536):
                pass
        connection.close()


_DISTRUST = ("ALERT_UNKNOWN_CA", "ALERT_CERTIFICATE_UNKNOWN", "ALERT_BAD_CERTIFICATE")
"""How the reasons end that a client gives for turning a certificate down."""


async def _head(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> bytes:
    """The first line of a request and its headers, or what is too long for that; nothing behind it is taken.

    Raises:
        ConnectionError: the client is gone.

    """
    head = bytearray()
    while len(head) < LONGEST_HEAD:
        byte = await loop.sock_recv(connection, 1)  # waits; what has come with it is only looked at
        if not byte:
            raise ConnectionError("the client is gone")
        head += byte
        taken = len(head)
        with contextlib.suppress(BlockingIOError, InterruptedError):
            head += connection.recv(LONGEST_HEAD - taken, socket.MSG_PEEK)
        end = _HEAD_END.search(head, max(0, taken - 3))
        if end is not None:
            del head[end.end() :]
        if len(head) > taken:
            connection.recv(len(head) - taken)
        if end is not None:
            break
    return bytes(head)


def _listening(addresses: Iterable[Address], port: int) -> list[socket.socket]:
    """Sockets that listen on the same port of each address; those that this machine does not have are left out.

    Raises:
        OSError: one cannot be listened on, or there is none.

    """
    found: list[socket.socket] = []
    missing: OSError = OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    try:
        for family, protocol, (host, _, *rest) in addresses:
            try:
                listener = _listener(family, protocol, (host, port, *rest))
            except OSError as error:
                if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                    raise
                missing = error
                continue
            found.append(listener)
            port = listener.getsockname()[1]
        if not found:
            raise missing
    except OSError:
        for listener in found:
            listener.close()
        raise
    return found


def _listener(family: int, protocol: int, address: tuple[Any, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM, protocol)
    try:
        if os.name == "posix":  # elsewhere it would let two listen on one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
