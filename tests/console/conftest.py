"""The tests of the console share a loop, and in it one browser: starting one takes longer than most tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest_asyncio

from tests.conftest import starting
from tests.support.browser import Visitor, browsing, looking
from tests.support.client import Client
from tests.support.inbox import Inbox


@pytest_asyncio.fixture(name="browser", scope="session", loop_scope="session")
async def _browser() -> AsyncIterator[Any]:
    """A Chromium."""
    async with browsing() as browser:
        yield browser


@pytest_asyncio.fixture(name="start", loop_scope="session")
async def _start() -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    """Starts emulators."""
    async with starting() as start:
        yield start


@pytest_asyncio.fixture(name="client", loop_scope="session")
async def _client(start: Callable[..., Awaitable[Client]]) -> Client:
    """A client of an emulator with default settings; its account's clock stands at START."""
    return await start()


@pytest_asyncio.fixture(name="inbox", loop_scope="session")
async def _inbox() -> AsyncIterator[Inbox]:
    """A receiver of callbacks."""
    inbox = Inbox()
    await inbox.start()
    yield inbox
    await inbox.stop()


@pytest_asyncio.fixture(name="visitor", loop_scope="session")
async def _visitor(browser: Any, client: Client) -> AsyncIterator[Visitor]:
    """Somebody who looks at an emulator whose clock stands at START; at the end, nothing may have gone wrong."""
    async with looking(browser, client) as visitor:
        yield visitor
        assert visitor.faults == []
