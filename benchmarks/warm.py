"""How long a start takes inside a process, as in a test suite: the first one and those after it. Prints JSON."""

import asyncio
import json
import sys
import time

now = time.perf_counter
began = now()

from emulator.server import Server  # noqa: E402  the import is what is timed
from emulator.settings import Settings  # noqa: E402

imported = now() - began

try:
    from uvloop import new_event_loop
except ImportError:
    new_event_loop = asyncio.new_event_loop


async def start_once() -> float:
    """Milliseconds that a start takes."""
    began = now()
    server = Server(Settings(port=0))
    await server.start()
    taken = now() - began
    await server.stop()
    return taken * 1e3


async def starts(count: int) -> list[float]:
    return [await start_once() for _ in range(count)]


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        first, *rest = runner.run(starts(int(sys.argv[1]) + 1))
    print(json.dumps({"import_ms": imported * 1e3, "first_ms": first, "later_ms": rest}))
