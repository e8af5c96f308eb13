"""Client and receiver of callbacks in one process, by one clock. Prints what arrived, and how late, as JSON.

Every task is due a second after it was accepted (a rule sees to that), so lateness is the arrival of its callback
minus the arrival of its TaskID minus one second. It may be slightly negative: the server's second begins earlier.
"""

import argparse
import asyncio
import contextlib
import json
import time
from collections import deque

import messages

try:
    from uvloop import new_event_loop
except ImportError:
    new_event_loop = asyncio.new_event_loop

CONNECTIONS = 16
DUE = 1.0
ARRIVAL_LIMIT = 20.0
SETTLING = 0.5
RECEIVED = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
now = time.perf_counter


class Messages(asyncio.Protocol):
    """Cuts what comes in into messages with a Content-Length."""

    def __init__(self) -> None:
        self.held = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        data = self.held + data
        while (start := data.find(b"\r\n\r\n") + 4) > 3:
            at = data[:start].lower().find(b"content-length:") + 15
            end = start + (int(data[at : data.index(b"\r", at)]) if at > 14 else 0)
            if len(data) < end:
                break
            self.taken(data[:start], data[start:end])
            data = data[end:]
        self.held = data

    def taken(self, head: bytes, body: bytes) -> None:
        raise NotImplementedError


class Inbox:
    """When the callbacks of each task arrived."""

    def __init__(self) -> None:
        self.arrivals: dict[str, list[float]] = {}
        self.expected = 0
        self.full = asyncio.Event()

    def expect(self, count: int) -> None:
        self.expected = count
        self.look()

    def note(self, task: str, moment: float) -> None:
        self.arrivals.setdefault(task, []).append(moment)
        self.look()

    def look(self) -> None:
        if 0 < self.expected <= len(self.arrivals):
            self.full.set()

    def empty(self) -> None:
        self.arrivals, self.expected = {}, 0
        self.full.clear()


class Sink(Messages):
    """One connection of the receiver."""

    def __init__(self, inbox: Inbox) -> None:
        super().__init__()
        self.inbox = inbox

    def taken(self, head: bytes, body: bytes) -> None:
        moment = now()
        self.transport.write(RECEIVED)
        self.inbox.note(json.loads(body)["TaskID"], moment)


class Caller(Messages):
    """One connection of the client; it goes back to ``free`` when its answer is in."""

    def __init__(self, client: "Client") -> None:
        super().__init__()
        self.client = client

    def taken(self, head: bytes, body: bytes) -> None:
        moment = now()
        document = json.loads(body)
        if document.get("ErrNum") == 0:
            self.client.accepted[document["TaskID"]] = moment
        else:
            self.client.refused += 1
        self.client.free.append(self)
        self.client.go_on()


class Client:
    """Sends ``total`` requests, ``rate`` a second (0: as fast as its connections allow)."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.free: deque[Caller] = deque()
        self.accepted: dict[str, float] = {}
        self.refused = 0
        self.owed = 0
        self.left = 0
        self.done = asyncio.Event()

    async def send(self, total: int, rate: float) -> None:
        self.accepted, self.refused, self.left = {}, 0, total
        self.done.clear()
        if rate:
            began = now()
            for count in range(total):
                await asyncio.sleep(max(0.0, began + count / rate - now()))
                self.owed += 1
                self.go_on()
        else:
            self.owed += total
            self.go_on()
        await asyncio.wait_for(self.done.wait(), ARRIVAL_LIMIT)

    def go_on(self) -> None:
        while self.owed and self.free:
            self.owed -= 1
            self.free.popleft().transport.write(self.request)
        if len(self.accepted) + self.refused >= self.left:
            self.done.set()


async def run(client: Client, inbox: Inbox, total: int, rate: float) -> dict[str, float]:
    """One series, to its last callback."""
    inbox.empty()
    began = now()
    await client.send(total, rate)
    sent = now() - began
    inbox.expect(len(client.accepted))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(inbox.full.wait(), DUE + ARRIVAL_LIMIT)
    await asyncio.sleep(SETTLING)
    arrived = [(task, times) for task, times in inbox.arrivals.items() if task in client.accepted]
    late = sorted((times[0] - client.accepted[task] - DUE) * 1e3 for task, times in arrived)
    if not late:
        raise SystemExit("no callback arrived")
    firsts = [times[0] for _, times in arrived]
    return {
        "accepted": len(client.accepted),
        "refused": client.refused,
        "accepted_per_second": len(client.accepted) / sent,
        "p50_ms": late[len(late) // 2],
        "p99_ms": late[len(late) * 99 // 100],
        "max_ms": late[-1],
        "lost": len(client.accepted) - len(arrived),
        "doubled": sum(len(times) - 1 for times in inbox.arrivals.values()),
        "callbacks_per_second": (len(firsts) - 1) / max(1e-9, max(firsts) - min(firsts)),
    }


async def measure(given: argparse.Namespace) -> dict[str, dict[str, float]]:
    loop = asyncio.get_running_loop()
    inbox = Inbox()
    server = await loop.create_server(lambda: Sink(inbox), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = Client(messages.wave(callback=f"http://127.0.0.1:{port}/callback"))
    for _ in range(CONNECTIONS):
        _, caller = await loop.create_connection(lambda: Caller(client), "127.0.0.1", given.port)
        client.free.append(caller)
    await run(client, inbox, max(CONNECTIONS, given.count // 4), 0)
    paced = await run(client, inbox, given.count, given.rate)
    burst = await run(client, inbox, given.count, 0)
    server.close()
    return {"paced": paced, "burst": burst}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=200.0)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        print(json.dumps(runner.run(measure(given))))


if __name__ == "__main__":
    main()
