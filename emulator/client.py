"""A client of the admin API of a running emulator, with the standard library only; and the same for asynchronous code.

::

    client = AdminClient("http://127.0.0.1:8640")
    client.post("/accounts/default/clock/advance", {"seconds": "10m"})
    client.get("/accounts/default/deliveries", status="delivered", wait="5s")
"""

from __future__ import annotations

import contextlib
import json
import socket
import weakref
from collections import deque
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from emulator.core.errors import EmulatorError

PREFIX = "/_emulator"
TIMEOUT = 30.0
"""Seconds that an answer may take."""


class Unreachable(EmulatorError):
    """Nobody answers there, or somebody who is no emulator."""

    exit_code = 3


class AdminError(EmulatorError):
    """The admin API said no.

    Attributes:
        status: the HTTP status.
        detail: what is wrong, for people.
        document: all that it said (``application/problem+json``).

    """

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.document = document
        self.detail = str(document.get("detail") or f"HTTP {status}")
        super().__init__(self.detail)


class AdminClient:
    """Talks to the admin API at ``url``; no proxy comes in between. Connections are kept; threads may share a client.

    Args:
        url: the emulator's base URL.
        token: what ``--admin-token`` demands, if anything.
        timeout: seconds that an answer may take.

    """

    def __init__(self, url: str, token: str | None = None, timeout: float = TIMEOUT) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self._timeout = timeout
        self._idle: deque[HTTPConnection] = deque()
        self._finish = weakref.finalize(self, _close_all, self._idle)

    def close(self) -> None:
        """Close the connections that are kept; the next request opens one anew."""
        _close_all(self._idle)

    def get(self, path: str, **query: object) -> tuple[int, Any]:
        """Ask for ``path``, which is below ``/_emulator/api``: the status and the JSON. See :meth:`request`."""
        return self.request("GET", path, query=query)

    def post(self, path: str, document: Any = None, **query: object) -> tuple[int, Any]:
        """Post ``document`` to ``path``. See :meth:`request`."""
        return self.request("POST", path, document, query)

    def put(self, path: str, document: Any = None, **query: object) -> tuple[int, Any]:
        """Put ``document`` at ``path``. See :meth:`request`."""
        return self.request("PUT", path, document, query)

    def delete(self, path: str, **query: object) -> tuple[int, Any]:
        """Delete what is at ``path``. See :meth:`request`."""
        return self.request("DELETE", path, query=query)

    def patch(self, path: str, document: Any = None, **query: object) -> tuple[int, Any]:
        """Change what is at ``path``. See :meth:`request`."""
        return self.request("PATCH", path, document, query)

    def raw(self, path: str) -> bytes:
        """What is at ``path``, which is below ``/_emulator``, as it comes.

        Raises:
            AdminError: it was refused.
            Unreachable: nobody answers.

        """
        status, content = self._send("GET", path)
        if status >= 400:
            raise AdminError(status, {"detail": f"{self.url}{PREFIX}{path}: HTTP {status}"})
        return content

    def request(
        self, method: str, path: str, document: Any = None, query: Mapping[str, object] | None = None
    ) -> tuple[int, Any]:
        """The status, and the JSON (``None`` where there is none), of a request that was granted.

        Raises:
            AdminError: it was refused.
            Unreachable: nobody answers, or no emulator does.

        """
        given = {name: value for name, value in (query or {}).items() if value is not None}
        body = None if document is None else json.dumps(document).encode()
        status, content = self._send(method, f"/api{path}" + (f"?{urlencode(given)}" if given else ""), body)
        said = self._read(content)
        if status < 400:
            return status, said
        raise AdminError(status, said if isinstance(said, dict) else {})

    def _send(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """The status and the body of the answer."""
        headers = {} if body is None else {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        connection: HTTPConnection | None = None
        try:
            connection = self._connection()
            connection.request(method, f"{urlsplit(self.url).path}{PREFIX}{path}", body, headers)
            with connection.getresponse() as answer:
                content = answer.read()
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, (OSError, HTTPException, ValueError)):
                raise Unreachable(f"no answer from {self.url}: {str(error) or type(error).__name__}") from None
            raise
        if answer.will_close or isinstance(
            connection, HTTPSConnection
        ):  # nobody can look whether a TLS one still stands
            connection.close()
        else:
            self._idle.append(connection)
        return answer.status, content

    def _connection(self) -> HTTPConnection:
        """A connection that was kept and still stands, or a new one."""
        with contextlib.suppress(IndexError):
            while True:
                kept = self._idle.pop()
                if _stands(kept.sock):
                    return kept
                kept.close()
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("that is no URL; write http://HOST:PORT")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        return kind(parts.hostname, parts.port, timeout=self._timeout)

    def _read(self, content: bytes) -> Any:
        try:
            return json.loads(content) if content else None
        except ValueError:
            raise Unreachable(f"{self.url} answers, but not with JSON; is it an emulator?") from None


class AsyncAdminClient:
    """The same for asynchronous code: each request waits in a thread, so that the loop goes on.

    Args:
        client: what really asks.

    """

    def __init__(self, client: AdminClient) -> None:
        self._client = client

    async def get(self, path: str, **query: object) -> tuple[int, Any]:
        """See :meth:`AdminClient.get`."""
        return await self.request("GET", path, query=query)

    async def post(self, path: str, document: Any = None, **query: object) -> tuple[int, Any]:
        """See :meth:`AdminClient.post`."""
        return await self.request("POST", path, document, query)

    async def put(self, path: str, document: Any = None, **query: object) -> tuple[int, Any]:
        """See :meth:`AdminClient.put`."""
        return await self.request("PUT", path, document, query)

    async def delete(self, path: str, **query: object) -> tuple[int, Any]:
        """See :meth:`AdminClient.delete`."""
        return await self.request("DELETE", path, query=query)

    async def request(
        self, method: str, path: str, document: Any = None, query: Mapping[str, object] | None = None
    ) -> tuple[int, Any]:
        """See :meth:`AdminClient.request`."""
        import asyncio

        return await asyncio.to_thread(self._client.request, method, path, document, query)


def _close_all(connections: deque[HTTPConnection]) -> None:
    with contextlib.suppress(IndexError):
        while True:
            connections.pop().close()


def _stands(kept: socket.socket | None) -> bool:
    """Whether the other side has neither closed an idle connection nor said anything on it."""
    if kept is None:
        return False
    before = kept.gettimeout()
    try:
        kept.settimeout(0)
        kept.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        kept.settimeout(before)
        return True
    except OSError:
        return False
    return False


def account_path(name: str, *parts: str) -> str:
    """The path of an account, or of something in it."""
    return "/".join(["/accounts", *(quote(part, safe="") for part in (name, *parts))])
