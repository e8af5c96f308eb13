"""A receiver of callbacks, a process of its own: the least that speaks HTTP, so that it is not what is measured.

Writes its port down and answers every POST with 200. GET answers with what has arrived since the last GET, as JSON:
the task of each callback, and the instant of its arrival (unix seconds).
"""

import asyncio
import contextlib
import json
import signal
import sys
import time
from pathlib import Path

from callbacks import RECEIVED, Messages

try:
    from uvloop import new_event_loop
except ImportError:
    new_event_loop = asyncio.new_event_loop

arrived: list[tuple[bytes, float]] = []


class Sink(Messages):
    """One connection."""

    def taken(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"POST"):
            arrived.append((body, time.time()))
            self.transport.write(RECEIVED)
            return
        text = json.dumps([(json.loads(body)["TaskID"], moment) for body, moment in arrived]).encode()
        arrived.clear()
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))


async def serve(port_file: Path) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sink, "127.0.0.1", 0)
    stop = asyncio.Event()
    with contextlib.suppress(NotImplementedError):
        loop.add_signal_handler(signal.SIGTERM, stop.set)
    part = port_file.with_suffix(".part")
    part.write_text(f"{server.sockets[0].getsockname()[1]}\n", "ascii")
    part.replace(port_file)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as loop:
        loop.run(serve(Path(sys.argv[1])))
