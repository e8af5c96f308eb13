"""An aiohttp service that orders wave forms and takes the callbacks, tested in one loop with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from emulator.testing import Emulator
from tests.examples.kvs import Kvs

# The application


def create_app(kvs: Kvs) -> web.Application:
    """``POST /songs`` orders a wave form, KVS calls ``/done``, ``GET /songs/{task}`` says how far it is."""
    songs: dict[str, str] = {}

    async def order(request: web.Request) -> web.Response:
        callback = str(request.url.with_path("/done"))
        task = await asyncio.to_thread(kvs.make_wave, (await request.json())["path"], callback)
        songs[task] = "ordered"
        return web.json_response({"task": task}, status=202)

    async def done(request: web.Request) -> web.Response:
        said = await request.json()
        songs[said["TaskID"]] = "ready" if said["Status"] == 3 else f"failed: {said['Details']['errmsg']}"
        return web.Response(text="Ok")

    async def show(request: web.Request) -> web.Response:
        return web.json_response({"state": songs[request.match_info["task"]]})

    app = web.Application()
    app.add_routes([web.post("/songs", order), web.post("/done", done), web.get("/songs/{task}", show)])
    return app


# Its tests

Service = TestClient[web.Request, web.Application]


@pytest.fixture(name="service")
async def _service(emulator: Emulator, aiohttp_client: Callable[..., Awaitable[Service]]) -> Service:
    kvs = Kvs(emulator.kingsoft.url, **emulator.kingsoft.credentials)
    return await aiohttp_client(TestServer(create_app(kvs), host="127.0.0.1"))


async def ordered(service: Service) -> str:
    task: str = (await (await service.post("/songs", json={"path": "/media/a.mp3"})).json())["task"]
    return task


async def state(service: Service, task: str) -> Any:
    return (await (await service.get(f"/songs/{task}")).json())["state"]


async def test_a_wave_form_is_ready_when_the_callback_has_come(service: Service, emulator: Emulator) -> None:
    task = await ordered(service)
    before = await state(service, task)
    await emulator.advance(minutes=10)

    assert (before, await state(service, task)) == ("ordered", "ready")


async def test_a_wave_form_that_cannot_be_drawn_says_why(service: Service, emulator: Emulator) -> None:
    emulator.kingsoft.expect("CreateWaveTask").fails(3150, at="80%")
    task = await ordered(service)
    await emulator.run_until_idle()

    assert (await state(service, task)).startswith("failed: Trans Internal Error")


async def test_each_order_is_a_task_of_its_own(service: Service, emulator: Emulator) -> None:
    emulator.kingsoft.expect("CreateWaveTask").times(3)
    tasks = await asyncio.gather(*(ordered(service) for _ in range(3)))
    await emulator.run_until_idle()

    assert [await state(service, task) for task in tasks] == ["ready"] * 3
