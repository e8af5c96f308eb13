from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession

from emulator.server import Server, ThreadedServer
from emulator.settings import Settings
from tests.support.client import Client
from tests.support.inbox import Inbox

pytest_plugins = ["pytester", "emulator.pytest_plugin"]

START = 1_767_225_600.0
"""2026-01-01T00:00:00Z: where a frozen clock of the tests stands at first."""


@pytest.fixture(autouse=True, scope="session")
def _data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Certificates are not kept where this user keeps theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@asynccontextmanager
async def starting() -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    """What starts emulators on free ports with the settings given, each with a client whose account stands still."""
    servers: list[Server] = []
    async with ClientSession() as session:

        async def start(*, frozen: bool = True, **settings: object) -> Client:
            server = Server(Settings(**{"port": 0, "seed": 7, **settings}))  # type: ignore[arg-type]
            await server.start()
            servers.append(server)
            client = Client(server, session)
            document = {
                "name": client.name,
                "kingsoft": {"access_key": client.name},
                "baidu": {"api_key": client.name, "secret_key": "any"},
            }
            if frozen:
                document["clock"] = {"mode": "frozen", "now": START}
            if settings.get("accounts") != "closed":
                headers = {"Authorization": f"Bearer {server.admin_token}"} if server.admin_token else {}
                made = await client.request("POST", "/_emulator/api/accounts", json=document, headers=headers)
                assert made.status == 201, made.body
            return client

        yield start
        for server in servers:
            await server.stop()


@pytest.fixture(name="start")
async def _start() -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    """Starts emulators: see :func:`starting`."""
    async with starting() as start:
        yield start


@pytest.fixture(name="client")
async def _client(start: Callable[..., Awaitable[Client]]) -> Client:
    """A client of an emulator with default settings; its account's clock stands at START."""
    return await start()


@pytest.fixture(name="inbox")
async def _inbox() -> AsyncIterator[Inbox]:
    """A receiver of callbacks."""
    inbox = Inbox()
    await inbox.start()
    yield inbox
    await inbox.stop()


@pytest.fixture(name="live", scope="session")
def _live() -> Iterator[ThreadedServer]:
    """An emulator in a thread, for clients that are not asynchronous."""
    with ThreadedServer(Settings(port=0, seed=7)) as server:
        yield server
