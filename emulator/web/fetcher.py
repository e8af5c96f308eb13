"""Fetches what a request needs before it is decided: the picture behind a URL. Within the policy for callbacks."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import replace

import aiohttp
from aiohttp import ClientSession, ClientTimeout, TCPConnector
from yarl import URL

from emulator.core.exchange import RawRequest
from emulator.core.fetching import Fetched, Wish, Wishing
from emulator.web.sender import Forbidden, GuardedResolver, OutboundPolicy

AT_ONCE = 32
"""Downloads at a time."""


class Fetcher:
    """Fetches for those clouds that want it. Redirects are not followed.

    Args:
        clouds: whom to ask what they want.
        policy: where may be fetched from.
        timeout: the limit of one download, in machine seconds.

    """

    def __init__(self, clouds: Sequence[Wishing], policy: OutboundPolicy, timeout: float) -> None:
        self._clouds = clouds
        self._policy = policy
        self._timeout = timeout
        self._session: ClientSession | None = None
        self._room = asyncio.Semaphore(AT_ONCE)

    async def complete(self, request: RawRequest) -> RawRequest:
        """``request`` with what was fetched for it, if it needs anything."""
        for cloud in self._clouds:
            if (wish := cloud.wants(request)) is not None:
                async with self._room:
                    return replace(request, fetched=await self.fetch(wish))
        return request

    async def fetch(self, wish: Wish) -> Fetched:
        """What is behind the URL; whatever goes wrong comes back as a fault."""
        try:
            return await asyncio.wait_for(self._exchange(wish), self._timeout)
        except TimeoutError:
            return Fetched(None, b"", "slow", f"the picture did not come within {self._timeout:g} s (--url-timeout)")
        except (aiohttp.InvalidURL, ValueError) as problem:
            return Fetched(None, b"", "unreachable", f"{wish.url!r} cannot be called: {problem}")
        except (aiohttp.ClientError, OSError) as problem:
            return Fetched(None, b"", "unreachable", _plain(problem))

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def _exchange(self, wish: Wish) -> Fetched:
        url, host = self._policy.route(URL(wish.url))
        headers = {} if host is None else {"Host": host}
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(resolver=GuardedResolver(self._policy), use_dns_cache=False, force_close=True),
                timeout=ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        async with self._session.get(url, headers=headers, allow_redirects=False) as answer:
            content = bytearray()
            async for part in answer.content.iter_any():
                content += part
                if len(content) > wish.limit:
                    reason = f"the picture has more than {wish.limit} bytes"
                    return Fetched(answer.status, b"", "too large", reason)
            return Fetched(answer.status, bytes(content))


def _plain(problem: Exception) -> str:
    cause = problem.os_error if isinstance(problem, aiohttp.ClientConnectorError) else problem
    if isinstance(cause, Forbidden):
        return str(cause)
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused: no server of pictures listens there"
    if isinstance(cause, socket.gaierror):
        return f"the name cannot be resolved: {cause.strerror}"
    return f"the picture could not be fetched: {type(cause).__name__}: {cause}"
