"""The same object in asynchronous tests, of pytest-asyncio and of pytest-aiohttp."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import User

ASYNCIO = (
    "-p",
    "pytest_asyncio.plugin",
    "-o",
    "asyncio_mode=auto",
    "-o",
    "asyncio_default_fixture_loop_scope=function",
)
AIOHTTP = (*ASYNCIO, "-p", "aiohttp.pytest_plugin")


@pytest.mark.parametrize("plugins", [ASYNCIO, AIOHTTP], ids=["asyncio", "aiohttp"])
def test_a_receiver_in_the_loop_of_the_test_is_called_while_the_clock_moves(
    user: User, plugins: tuple[str, ...]
) -> None:
    user.write("""
import asyncio
from aiohttp import web

async def test_it(emulator):
    came = []

    async def callback(request):
        came.append((await request.json())["Status"])
        return web.Response()

    app = web.Application()
    app.router.add_post("/", callback)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    await asyncio.to_thread(make_wave, emulator, CbUrl=f"http://127.0.0.1:{port}/")
    moves = await emulator.advance(minutes=10)
    assert came == [3]
    assert moves.fired[-1].status == "delivered"
    assert (await emulator.verify()).text.startswith("verdict")
    assert len(await emulator.wait_for("deliveries", status="delivered")) == 1
    await runner.cleanup()
""")

    user.run(*plugins).assert_outcomes(passed=1)


def test_verbs_are_awaited_together(user: User) -> None:
    user.write("""
import asyncio

async def test_it(emulator):
    await asyncio.to_thread(make_wave, emulator)
    came, moves = await asyncio.gather(emulator.inbox.wait(timeout=30), emulator.run_until_idle())
    assert (len(came), len(moves.fired)) == (1, 2)
""")

    user.run(*ASYNCIO).assert_outcomes(passed=1)


def test_what_was_not_awaited_says_so_when_it_is_used(user: User) -> None:
    user.write("""
async def test_it(emulator):
    emulator.advance(minutes=10).fired
""")

    user.run(*ASYNCIO).stdout.fnmatch_lines(["E*NotAwaited: *await emulator.advance(minutes=10)"])


def test_what_is_never_awaited_is_warned_of(user: User) -> None:
    user.write("""
async def test_it(emulator):
    emulator.advance(minutes=10)
""")
    result = user.run(*ASYNCIO, "-W", "default")

    result.stdout.fnmatch_lines(["*RuntimeWarning: emulator.advance(minutes=10) was never awaited*"])


def test_an_asynchronous_verdict_fails_where_it_is_awaited(user: User) -> None:
    user.write("""
async def test_it(emulator):
    emulator.kingsoft.expect("CreateTask")
    await emulator.verify()
""")
    result = user.run(*ASYNCIO)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([">       await emulator.verify()", "E*FAIL /requests/0*"])
