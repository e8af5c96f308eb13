"""What the look at the first bytes costs: connections and requests a second, by aiohttp's own site and by the door.

python benchmarks/connections.py [--rounds 5] [--seconds 2]
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from statistics import median

from aiohttp import web

from emulator.web.door import Door

try:
    from uvloop import new_event_loop
except ImportError:
    new_event_loop = asyncio.SelectorEventLoop

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
CLIENTS = 4


async def answer(request: web.BaseRequest) -> web.Response:
    return web.Response(body=b"{}", content_type="application/json")


async def serve(kind: str, pipe: Connection) -> None:
    server = web.Server(answer, access_log=None)
    runner = web.ServerRunner(server)
    await runner.setup()
    if kind == "door":
        door = Door(server, lambda: None, lambda host: True, str)
        port = await door.open("127.0.0.1", 0)
    else:
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        port = runner.addresses[0][1]
    pipe.send(port)
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    pipe.send(time.process_time())
    os._exit(0)


def serving(kind: str, pipe: Connection) -> None:
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve(kind, pipe))


def new_connections(port: int, until: float) -> int:
    """A request on each connection."""
    done = 0
    while time.perf_counter() < until:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(LAST)
            while connection.recv(4096):
                pass
        done += 1
    return done


def kept_alive(port: int, until: float) -> int:
    """All requests on one connection."""
    done = 0
    with socket.create_connection(("127.0.0.1", port)) as connection:
        while time.perf_counter() < until:
            connection.sendall(REQUEST)
            connection.recv(4096)
            done += 1
    return done


def measure(kind: str, load: Callable[[int, float], int], seconds: float) -> tuple[float, float]:
    """Answers a second, and microseconds of the server's CPU for each."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=serving, args=(kind, theirs))
    process.start()
    port = ours.recv()
    counts: list[int] = []
    until = time.perf_counter() + seconds
    threads = [threading.Thread(target=lambda: counts.append(load(port, until))) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ours.send("stop")
    used = ours.recv()
    process.join()
    return sum(counts) / seconds, used / sum(counts) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for load in (new_connections, kept_alive):
        rates: dict[str, list[tuple[float, float]]] = {"site": [], "door": []}
        for _ in range(given.rounds):
            for kind, found in rates.items():
                found.append(measure(kind, load, given.seconds))
        for kind, found in rates.items():
            rate, cpu = (median(column) for column in zip(*found, strict=True))
            print(f"{load.__name__:16} {kind}  {rate:8.0f} a second  {cpu:6.1f} µs of CPU each")
        ratio = median(door[1] / site[1] for door, site in zip(rates["door"], rates["site"], strict=True))
        print(f"{load.__name__:16} the door takes {ratio:.2f} times the CPU")


if __name__ == "__main__":
    main()
