"""Ten thousand live tasks: memory, lateness, and how long things take beside them. See README.md in this folder.

python benchmarks/tasks.py [--tasks N] [--only memory,lateness,latencies] [--json FILE]
"""

import argparse
import json
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import messages
from processes import LOAD_CORE, ROOT, SERVER_CORE, Broken, Desk, Line, launched

sys.path.insert(0, str(ROOT))

PARTS = ("memory", "lateness", "latencies")
CREATE = messages.WAVE_PATH
OPERATION = "kingsoft.CreateWaveTask"
START = 1_767_225_600.0
SOON = (30, 70)
"""Seconds from the creation of a task to its callback, where lateness is measured: least and most."""
TURNS = 200
"""How often each latency is measured."""
WAKING_AIM = 20.0
"""Milliseconds from an event to the answer of who waits for it."""

now = time.perf_counter
Table = dict[str, Any]


def wave(number: int, url: str = "") -> bytes:
    """The body of CreateWaveTask."""
    document = {
        "Preset": "wave",
        "SrcInfo": {"path": f"/source-bucket/benchmark/sound-{number:06}.mp3"},
        "DstBucket": "target-bucket",
        "DstObjectKey": f"benchmark/output/wave-{number:06}.json",
        "points": 1000,
    }
    return json.dumps({**document, "CbUrl": url} if url else document).encode()


def rule(**plan: Any) -> Table:
    return {"when": {"operation": OPERATION}, "then": {"plan": {"queue": 0, "upload": 0, **plan}}}


def create(desk: Desk, count: int, url: str = "") -> list[str]:
    return [desk.create(CREATE, wave(number, url)) for number in range(count)]


def spread(values: list[float]) -> Table:
    """Seconds as milliseconds."""
    ordered = sorted(value * 1e3 for value in values)
    return {"p50": ordered[len(ordered) // 2], "p99": ordered[len(ordered) * 99 // 100], "max": ordered[-1]}


# Memory


def memory(count: int) -> Table:
    """What a live task takes: of the process, with and without its request in the journal; and as Python counts it."""
    found: Table = {}
    for name, options in (("with its request", ()), ("alone", ("--journal-entries", "1"))):
        with launched("emulator", SERVER_CORE, *options) as server, Line(server.port) as line:
            desk = Desk(line)
            desk.admin("POST", "/rules", rule(run="1d"))
            create(desk, 100)  # what is only made once
            before = server.rss()
            create(desk, count)
            found[name] = (server.rss() - before) * 1e6 / count
    found["by tracemalloc"] = _traced(count)
    return found


def _traced(count: int) -> float:
    """Bytes of a task alone, in a process with nothing else."""
    from multidict import CIMultiDict

    from emulator.assembly import assemble
    from emulator.core.exchange import RawRequest
    from emulator.settings import Settings

    emulation, _ = assemble(Settings(seed=7, concurrency=0, journal_entries=1))
    emulation.accounts.default.rules.add(emulation.rules.later(rule(run="1d")))
    headers = CIMultiDict({"Content-Type": messages.JSON})
    path, _, query = CREATE.partition("?")

    def begin(numbers: range) -> None:
        for number in numbers:
            body = wave(number)
            request = RawRequest("POST", path, query, headers, body, body, "127.0.0.1", "127.0.0.1", START)
            if b'"ErrNum":0' not in emulation.pipeline.decide(request).reply.body:
                raise Broken("a task was refused")

    begin(range(100))
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    begin(range(100, count + 100))
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / count


# Lateness


def lateness(count: int) -> Table:
    """How long after they were due the callbacks of tasks arrive that are all alive at first, on a real clock."""
    with (
        launched("receiver", LOAD_CORE) as receiver,
        launched("emulator", SERVER_CORE) as server,
        Line(server.port) as line,
        Line(receiver.port) as inbox,
    ):
        desk, url = Desk(line), f"http://127.0.0.1:{receiver.port}/callback"
        desk.admin("POST", "/rules", rule(run=list(SOON)))
        began = now()
        create(desk, count, url)
        made = now() - began
        alive = len(desk.admin("GET", f"/tasks?status=running&limit={count}")["tasks"])
        done = desk.admin("GET", "/clock")["pending"]
        while done:
            time.sleep(1)
            done = desk.admin("GET", "/clock")["pending"]
        time.sleep(1)
        rows = desk.admin("GET", f"/deliveries?status=delivered&limit={count}")["deliveries"]
        due = {row["task"]: row["due"] for row in rows}
        arrived = inbox.good(messages.http("/", method="GET"))
    late = [moment - due[task] for task, moment in arrived if task in due]
    if not late:
        raise Broken("no callback arrived")
    return {
        "made_per_second": count / made,
        "alive": alive,
        "callbacks": len(arrived),
        "lost": count - len({task for task, _ in arrived}),
        "per_second": count / (SOON[1] - SOON[0]),
        "late_ms": spread(late),
    }


# Latencies


class Waiter:
    """Asks on a connection of its own for what has yet to happen, and notes down when the answer came."""

    def __init__(self, port: int) -> None:
        self._line = Line(port)

    def wait(self, path: str, cause: Callable[[], None]) -> float:
        """The instant (unix seconds) of the answer to ``path``, which waits for what ``cause`` makes happen."""
        answers: list[tuple[Any, float]] = []

        def ask() -> None:
            document = self._line.good(messages.http(f"{messages.ACCOUNT}{path}", method="GET"))
            answers.append((document, time.time()))

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.02)  # it waits now
        cause()
        thread.join()
        document, moment = answers[0]
        if not document["satisfied"]:
            raise Broken(f"{path} waited in vain")
        return moment

    def close(self) -> None:
        self._line.__exit__()


def latencies(count: int) -> Table:
    """On a frozen clock, beside nothing and beside so many tasks: advance, waiting, reset."""
    found: Table = {}
    with (
        launched("receiver", LOAD_CORE) as receiver,
        launched("emulator", SERVER_CORE) as server,
        Line(server.port) as line,
        Line(receiver.port) as inbox,
    ):
        desk, url = Desk(line), f"http://127.0.0.1:{receiver.port}/callback"
        waiter = Waiter(server.port)

        def timed(doing: Callable[[], Any], turns: int = TURNS) -> Table:
            taken = []
            for _ in range(turns):
                began = now()
                doing()
                taken.append(now() - began)
            return spread(taken)

        def fresh() -> None:
            desk.admin("POST", "/reset", {})
            desk.admin("PUT", "/clock", {"mode": "frozen", "now": START})
            desk.admin("POST", "/rules", rule(run=["1d", "2d"]))

        def next_event() -> None:
            if not any(
                event["what"] == "attempt" for event in desk.admin("POST", "/clock/advance", {"until": "next"})["fired"]
            ):
                raise Broken("nothing was sent")

        def woken() -> Table:
            """From the arrival of a callback to the answer that says that it was delivered."""
            taken = []
            for _ in range(TURNS // 2):
                inbox.good(messages.http("/", method="GET"))
                last = desk.admin("GET", "/deliveries?limit=1")["deliveries"][-1]["number"]
                answered = waiter.wait(f"/deliveries?status=delivered&after={last}&wait=20s", next_event)
                ((_, moment), *_) = inbox.good(messages.http("/", method="GET"))
                taken.append(answered - moment)
            return spread(taken)

        fresh()
        found["reset, nothing there"] = timed(lambda: desk.admin("POST", "/reset", {}))
        fresh()
        found["advance, nothing due, no tasks"] = timed(
            lambda: desk.admin("POST", "/clock/advance", {"seconds": 0.001})
        )
        create(desk, 2 * TURNS, url)
        found["advance by 1 event, few tasks"] = timed(next_event)
        found["waiting → answer, few rows"] = woken()
        fresh()
        create(desk, count, url)
        found[f"advance, nothing due, {count:,} tasks"] = timed(
            lambda: desk.admin("POST", "/clock/advance", {"seconds": 0.001})
        )
        found[f"advance by 1 event, {count:,} tasks"] = timed(next_event)
        found[f"waiting → answer, {count:,} tasks"] = woken()
        desk.admin("POST", "/clock/advance", {"until": "idle"})
        create(desk, TURNS, url)
        found[f"waiting → answer, {count:,} rows"] = woken()
        resets = []
        for _ in range(3):
            fresh()
            create(desk, count, url)
            began = now()
            desk.admin("POST", "/reset", {})
            resets.append(now() - began)
        found[f"reset, {count:,} tasks"] = spread(resets)
        waiter.close()
    return found


def show(report: Table) -> str:
    lines = []
    if "memory" in report:
        table = report["memory"]
        lines += ["Memory of a live task: " + ", ".join(f"{name} {size:,.0f} bytes" for name, size in table.items())]
    if "lateness" in report:
        table = report["lateness"]
        late = ", ".join(f"{name} {value:,.1f}" for name, value in table["late_ms"].items())
        lines += [
            f"Callbacks of {table['alive']:,} live tasks, {table['per_second']:,.0f} a second: late by ms: {late};"
            f" {table['lost']} lost, {table['callbacks']:,} arrived"
        ]
    if "latencies" in report:
        lines += ["Latencies over HTTP, ms"]
        for name, row in report["latencies"].items():
            numbers = "".join(f"  {key} {value:8.2f}" for key, value in row.items())
            aim = f"  (aim: {WAKING_AIM:g})" if name.startswith("waiting") else ""
            lines.append(f"  {name:<40}{numbers}{aim}")
    return "\n".join(lines)


def _parts(text: str) -> list[str]:
    given = [part.strip() for part in text.split(",") if part.strip()]
    if unknown := [part for part in given if part not in PARTS]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(PARTS)}")
    return given


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=_parts, default=list(PARTS), metavar="PARTS", help="of " + ",".join(PARTS))
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--json", type=Path, metavar="FILE", help="the raw numbers")
    given = parser.parse_args()
    report: Table = {}
    try:
        for name, part in (("memory", memory), ("lateness", lateness), ("latencies", latencies)):
            if name in given.only:
                report[name] = part(given.tasks)
                print(show({name: report[name]}), flush=True)
    except Broken as error:
        print(f"nothing measured: {error}", file=sys.stderr)
        return 1
    if given.json:
        given.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
