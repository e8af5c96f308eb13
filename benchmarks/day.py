"""One virtual day: a thousand tasks with ten progress callbacks and an end each. See README.md in this folder.

python benchmarks/day.py [--rounds N] [--runs N] [--tasks N] [--json FILE]
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from hashlib import blake2b
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import messages
from processes import LOAD_CORE, ROOT, SERVER_CORE, Broken, Desk, Line, Running, launched

sys.path.insert(0, str(ROOT))

SEED = 7
START, DAY = 1_767_225_600.0, 86_400.0
AIM = 5.0
"""Seconds that a day may take, one task after the other."""
PROGRESS = {"transcoding": [5, 15, 25, 35, 45, 55, 65, 75, 85], "uploading": [50]}
PER_TASK = 11
PLAN = {"queue": ["1s", "5m"], "run": ["1m", "2h"], "upload": ["1s", "10m"], "progress": PROGRESS}
SPREAD = {**PLAN, "queue": ["1s", "21h"]}
"""For tasks that are all made in the morning."""
CREATE = "/?Action=CreateTask&Version=2017-01-01"


def morning(tasks: int) -> list[float]:
    """When each task is made."""
    random = Random(SEED)
    return sorted(START + random.random() * (DAY - 9000) for _ in range(tasks))


def task(number: int, url: str) -> bytes:
    """The body of CreateTask."""
    wish = {"Callback": {"progress_cburl": url, "progress_interval": 60}}
    return json.dumps(
        {
            "Preset": "hd_mp4",
            "SrcInfo": [{"path": f"/source-bucket/{number}.mp4"}],
            "DstBucket": "target-bucket",
            "DstObjectKey": f"out/{number}.mp4",
            "CbUrl": url,
            "ExtParam": json.dumps(wish),
        }
    ).encode()


def rule(plan: dict[str, Any]) -> dict[str, Any]:
    return {"when": {"operation": "kingsoft.CreateTask"}, "then": {"plan": plan}}


def digest(rows: Iterable[tuple[Any, ...]]) -> str:
    """One value for a whole ledger: what was sent, about what, when it was due and tried, and what came of it."""
    found = blake2b(digest_size=16)
    for row in rows:
        found.update(repr(row).encode())
    return found.hexdigest()


# With sockets


def on_the_wire(tasks: int, *, at_once: bool) -> dict[str, Any]:
    """A day against a fresh emulator, with a receiver in a process of its own."""
    with (
        launched("receiver", LOAD_CORE) as receiver,
        launched("emulator", SERVER_CORE, "--seed", str(SEED)) as server,
        Line(server.port) as line,
        Line(receiver.port) as counter,
    ):
        desk, url = Desk(line), f"http://127.0.0.1:{receiver.port}/callback"
        desk.admin("PUT", "/clock", {"mode": "frozen", "now": START})
        desk.admin("POST", "/rules", rule(SPREAD if at_once else PLAN))
        began, before = time.perf_counter(), spent(server, receiver)
        for number, instant in enumerate(morning(tasks)):
            if not at_once:
                desk.admin("POST", "/clock/advance", {"to": instant})
            desk.create(CREATE, task(number, url))
        made = time.perf_counter() - began
        desk.admin("POST", "/clock/advance", {"to": START + DAY})
        wall = time.perf_counter() - began
        cpu = [after - first for after, first in zip(spent(server, receiver), before, strict=True)]
        arrived = len(counter.good(messages.http("/", method="GET")))
        ledger = desk.admin("GET", f"/deliveries?limit={2 * PER_TASK * tasks}")["deliveries"]
        left = desk.admin("GET", "/clock")["pending"]
        peak = server.rss()
    owed = PER_TASK * tasks
    if (arrived, len(ledger), left) != (owed, owed, 0):
        raise Broken(f"{owed} callbacks were owed, {arrived} arrived, {len(ledger)} are known, {left} are pending")
    rows = (
        (
            row["number"],
            row["due"],
            row["event"],
            row["task"],
            row["status"],
            [attempt["at"] for attempt in row["attempts"]],
            row["request"]["body"],
        )
        for row in ledger
    )
    return {
        "wall_s": wall,
        "until_made_s": made,
        "server_cpu_s": cpu[0],
        "receiver_cpu_s": cpu[1],
        "server_us_per_callback": cpu[0] / owed * 1e6,
        "rss_mb": peak,
        "ledger": digest(rows),
    }


def spent(*processes: Running) -> list[float]:
    return [process.cpu() for process in processes]


# In one process


def in_process(tasks: int) -> tuple[str, float]:
    """The same day without sockets: its ledger, and how long it took."""
    began = time.perf_counter()
    return asyncio.run(_lived(tasks)), time.perf_counter() - began


async def _lived(tasks: int) -> str:
    from multidict import CIMultiDict

    from emulator.assembly import assemble
    from emulator.core.callbacks import Answer, CallbackOrder
    from emulator.core.clock import ClockSpec
    from emulator.core.driver import Driver
    from emulator.core.exchange import RawRequest
    from emulator.settings import Settings

    class Taker:
        """Takes every callback."""

        async def send(self, order: CallbackOrder, timeout: float | None, account: str) -> Answer:
            return Answer(200, "")

        def target(self, order: CallbackOrder) -> str:
            return ""

    emulation, _ = assemble(Settings(seed=SEED, concurrency=0))
    account = emulation.accounts.default
    driver = Driver(emulation.accounts, emulation.providers, Taker())
    driver.set_clock(account, ClockSpec("frozen", now=START))
    account.rules.add(emulation.rules.later(rule(PLAN)))
    headers = CIMultiDict({"Content-Type": messages.JSON})
    path, _, query = CREATE.partition("?")
    for number, instant in enumerate(morning(tasks)):
        await driver.advance_to(account, instant)
        body = task(number, "http://127.0.0.1:9/callback")
        request = RawRequest("POST", path, query, headers, body, body, "127.0.0.1", "127.0.0.1", START)
        if b'"ErrNum":0' not in emulation.pipeline.decide(request).reply.body:
            raise Broken("a task was refused")
    await driver.advance_to(account, START + DAY)
    if account.ledger.created != PER_TASK * tasks:
        raise Broken(f"{account.ledger.created} callbacks")
    return digest(
        (
            row.number,
            row.due,
            row.order.event,
            row.task_id,
            row.status,
            [attempt.at for attempt in row.attempts],
            row.order.body.decode(),
        )
        for row in account.ledger
    )


def many(tasks: int, runs: int) -> list[tuple[str, float]]:
    """So many days, on every core, in processes that hash texts differently."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONHASHSEED"}
    os.environ.clear()
    os.environ.update(environment)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return list(pool.map(in_process, [tasks] * runs))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3, help="days with sockets, of each kind")
    parser.add_argument("--runs", type=int, default=100, help="days in one process, of one seed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the raw numbers")
    given = parser.parse_args()
    report: dict[str, Any] = {}
    try:
        for _ in range(given.rounds):
            for name in ("one_by_one", "at_once"):
                found = on_the_wire(given.tasks, at_once=name == "at_once")
                report.setdefault(name, []).append(found)
                print(
                    f"{name}: {found['wall_s']:.2f} s (all made after {found['until_made_s']:.2f} s), CPU of the server"
                    f" {found['server_cpu_s']:.2f} s = {found['server_us_per_callback']:,.0f} µs a callback,"
                    f" of the receiver {found['receiver_cpu_s']:.2f} s, {found['rss_mb']:.0f} MB",
                    flush=True,
                )
        runs = many(given.tasks, given.runs) if given.runs else []
    except Broken as error:
        print(f"nothing measured: {error}", file=sys.stderr)
        return 1
    for name in ("one_by_one", "at_once"):
        if name in report:
            wall = median(found["wall_s"] for found in report[name])
            verdict = "" if name == "at_once" else f" (aim: {AIM:g} s, {'met' if wall <= AIM else 'MISSED'})"
            print(
                f"{name}: a day of {given.tasks:,} tasks, {PER_TASK * given.tasks:,} callbacks: {wall:.2f} s{verdict}"
            )
    ledgers = Counter(ledger for ledger, _ in runs)
    over_sockets = {found["ledger"] for found in report.get("one_by_one", ())}
    if runs:
        report["runs"] = {"ledgers": ledgers, "seconds": [seconds for _, seconds in runs]}
        taken = median(seconds for _, seconds in runs)
        print(f"{len(runs)} days without sockets ({taken:.2f} s each): {len(ledgers)} ledger(s)")
    if over_sockets:
        print(f"{len(report['one_by_one'])} days with sockets: {len(over_sockets)} ledger(s)")
    everything = over_sockets | ledgers.keys()
    print(f"all in all {len(everything)} ledger(s): {', '.join(sorted(everything))}")
    if given.json:
        given.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    return 0 if len(everything) <= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
