"""Receivers that misbehave: answers for an :class:`~tests.support.inbox.Inbox`, and an address where nobody listens."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from tests.support.inbox import Answer


def status(number: int, text: str = "") -> Answer:
    """Answers with that status."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=number, text=text)

    return answer


def redirect(location: str) -> Answer:
    """Sends the caller elsewhere."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": location})

    return answer


async def hang(request: web.Request) -> web.Response:
    """Never answers."""
    await asyncio.Event().wait()
    raise AssertionError("nobody sets that event")


async def hang_up(request: web.Request) -> web.Response:
    """Closes the connection in place of an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


class Gate:
    """Holds its answers back until it is opened."""

    def __init__(self) -> None:
        self._reached = asyncio.Event()
        self._opened = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        """Answers once the gate is open."""
        self._reached.set()
        await self._opened.wait()
        return web.Response(text="Ok")

    async def reached(self) -> None:
        """Wait until somebody stands before the gate."""
        async with asyncio.timeout(60):
            await self._reached.wait()

    def open(self) -> None:
        """Let everybody through."""
        self._opened.set()


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of loopback that is taken, so that nobody else gets it, and on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
