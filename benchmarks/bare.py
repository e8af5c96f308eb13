"""The yardstick: the least that an aiohttp server can do. It reads the body and gives a constant answer."""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from aiohttp import web

try:
    from uvloop import new_event_loop
except ImportError:
    new_event_loop = asyncio.new_event_loop

ANSWER = b'{"TaskID":"0123456789abcdef0123456789abcdef20260101","ErrNum":0,"ErrMsg":"success"}'


async def answer(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=ANSWER, content_type="application/json")


async def serve(port_file: Path) -> None:
    app = web.Application(client_max_size=16 * 2**20)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stop = asyncio.Event()
    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    part = port_file.with_suffix(".part")
    part.write_text(f"{runner.addresses[0][1]}\n", "ascii")
    part.replace(port_file)
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as loop:
        loop.run(serve(Path(sys.argv[1])))
