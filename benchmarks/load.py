"""The load generator, a process of its own: one request over and over on each of a few kept-alive connections.

No pipelining: a connection sends when its answer is in. The request is bytes made beforehand, of the answer only
the status, the length and a marker are looked at. Prints what it counted as JSON.
"""

import argparse
import asyncio
import json
import time
from pathlib import Path

from processes import cpu_seconds

try:
    from uvloop import new_event_loop
except ImportError:
    new_event_loop = asyncio.new_event_loop

now = time.perf_counter


class Load:
    """What all connections share: the request, and the counters of the window that is measured."""

    def __init__(self, request: bytes, marker: bytes) -> None:
        self.request = request
        self.marker = marker
        self.latencies: list[float] = []
        self.bad = 0
        self.lost = 0
        self.ended = False


class Connection(asyncio.Protocol):
    """One connection with one request on its way."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.held = b""
        self.began = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.began = now()
        transport.write(self.load.request)

    def data_received(self, data: bytes) -> None:
        if self.held:
            data = self.held + data
        load = self.load
        start = data.find(b"\r\n\r\n") + 4
        if start == 3:
            self.held = data
            return
        at = data.find(b"Content-Length:", 0, start) + 15
        length = int(data[at : data.index(b"\r", at)]) if at > 14 else -1
        if len(data) - start < length:
            self.held = data
            return
        if length < 0 or len(data) - start > length or data[9:12] != b"200" or load.marker not in data:
            load.bad += 1
        self.held = b""
        moment = now()
        load.latencies.append(moment - self.began)
        if not load.ended:
            self.began = moment
            self.transport.write(load.request)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.load.ended:
            self.load.lost += 1


def core_busy(core: int | None) -> float:
    """Seconds for which a core was not idle (or was taken by the hypervisor), by /proc/stat."""
    try:
        lines = Path("/proc/stat").read_text("ascii").splitlines()
        fields = next(line.split() for line in lines if line.startswith(f"cpu{core} "))
    except (OSError, StopIteration):
        return float("nan")
    return sum(int(ticks) for at, ticks in enumerate(fields[1:9]) if at not in (3, 4)) / 100


def spent(given: argparse.Namespace) -> tuple[float, float, float, float]:
    """Seconds so far: the server's CPU, this process's, and all that was done on the core of each."""
    busy = (core_busy(core) for core in (given.server_core, given.load_core))
    return (cpu_seconds(given.pid), time.process_time(), *busy)


async def measure(given: argparse.Namespace) -> dict[str, float]:
    load = Load(given.request.read_bytes(), given.marker.encode())
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Connection(load), given.host, given.port) for _ in range(given.connections)
    ]
    await asyncio.sleep(given.warm)
    load.latencies = []
    began, before = now(), spent(given)
    await asyncio.sleep(given.seconds)
    window, latencies = now() - began, sorted(load.latencies)
    load.ended = True
    server, own, server_core, load_core = (after - first for after, first in zip(spent(given), before, strict=True))
    for transport, _ in made:
        transport.abort()
    answers = len(latencies)
    if not answers:
        raise SystemExit(f"no answer within {window:.1f} s")
    return {
        "answers": answers,
        "per_second": answers / window,
        "server_us": server / answers * 1e6,
        "server_share": server / window,
        "generator_share": own / window,
        "others_share": max(0.0, server_core - server, load_core - own) / window,
        "p50_ms": latencies[answers // 2] * 1e3,
        "p99_ms": latencies[answers * 99 // 100] * 1e3,
        "bad": load.bad,
        "lost_connections": load.lost,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("request", type=Path, help="file with the bytes of the request")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pid", type=int, required=True, help="process of the server")
    parser.add_argument("--server-core", type=int, help="core that only the server should use")
    parser.add_argument("--load-core", type=int, help="core that only this program should use")
    parser.add_argument("--marker", required=True, help="text that is in every good answer")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--warm", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=3.0)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        print(json.dumps(runner.run(measure(given))))


if __name__ == "__main__":
    main()
