"""Measures the emulator beside the least that aiohttp can do. See README.md in this folder.

python benchmarks/run.py [--quick] [--only cold,warm,w1,w2,w3,callbacks,memory] [--json FILE]
"""

import argparse
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import messages
from processes import (
    LOAD_CORE,
    SERVER_CORE,
    SERVERS,
    Broken,
    Running,
    ask,
    launched,
    program,
)

PARTS = ("cold", "warm", "w1", "w2", "w3", "callbacks", "memory")
RULE = json.dumps({"then": {"plan": {"queue": 0, "run": 1, "upload": 0}}}).encode()
LATENESS_RATE = 200

Table = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """A bound on one number of the report."""

    text: str
    path: tuple[str, ...]
    bound: float
    at_least: bool = False

    def met(self, report: Table) -> tuple[float, bool] | None:
        """The number and whether it keeps to the bound; ``None`` if it was not measured."""
        found: Any = report
        for step in self.path:
            found = found.get(step) if isinstance(found, dict) else None
        if found is None:
            return None
        return found, found >= self.bound if self.at_least else found <= self.bound


GOALS = (
    Goal("cold start, median, × bare", ("cold", "ratio", "median"), 1.4),
    Goal("warm start, median, ms", ("warm", "median_ms"), 50),
    Goal("w1 requests/s, × bare", ("w1", "ratio", "per_second", "median"), 0.5, at_least=True),
    Goal("w2 requests/s, × bare", ("w2", "ratio", "per_second", "median"), 0.4, at_least=True),
    Goal("w3 requests/s, × bare", ("w3", "ratio", "per_second", "median"), 0.25, at_least=True),
    Goal("callbacks at 200/s: lateness p99, ms", ("callbacks", "paced", "p99_ms"), 20),
    Goal("callbacks lost, paced", ("callbacks", "paced", "lost"), 0),
    Goal("callbacks lost, burst", ("callbacks", "burst", "lost"), 0),
    Goal("callbacks doubled, paced", ("callbacks", "paced", "doubled"), 0),
    Goal("callbacks doubled, burst", ("callbacks", "burst", "doubled"), 0),
)


@dataclass(frozen=True)
class Effort:
    """How long everything is measured."""

    launches: int = 10
    starts: int = 20
    rounds: int = 3
    seconds: float = 3.0
    warm: float = 1.0
    callbacks: int = 2000
    tries: int = 3


QUICK = Effort(launches=4, starts=5, rounds=1, seconds=1.0, warm=0.5, callbacks=400, tries=1)
DISTURBED = 0.05
"""Share of either core that others may take before a measurement is repeated."""


@dataclass(frozen=True)
class Work:
    """One kind of request, sent to both servers."""

    title: str
    connections: int
    good: Callable[[str], bytes]
    bad: Callable[[str], bytes]
    succeeded: Callable[[Any], bool]
    marker: str


def _works() -> dict[str, Work]:
    png, jpeg = messages.small_png(), messages.large_jpeg()

    def recognised(document: Any) -> bool:
        return bool(document.get("error_code") == 0 and document["data"]["ret"])

    def form(title: str, picture: bytes, connections: int) -> Work:
        broken = picture[: len(picture) // 3 * 3 - 3][8:]
        return Work(
            f"{title}: {len(picture):,} bytes of picture, {len(messages.recognise(picture, '')):,} of request",
            connections,
            lambda token: messages.recognise(picture, token),
            lambda token: messages.recognise(broken, token),
            recognised,
            '"error_code":0,',
        )

    return {
        "w1": Work(
            f"CreateWaveTask, validated: {len(messages.wave()):,} bytes of request",
            16,
            lambda token: messages.wave(),
            lambda token: messages.wave(points=5),
            lambda document: document.get("ErrNum") == 0 and len(document.get("TaskID", "")) == 40,
            '"ErrNum":0,',
        ),
        "w2": form("recognise, small form", png, 16),
        "w3": form("recognise, 3 MB form", jpeg, 4),
    }


BARE_MARKER = '"ErrNum":0,'


def cold(effort: Effort) -> Table:
    """Launch → first good answer, both servers in turn; the first launch of each only fills caches."""
    times: dict[str, list[float]] = {name: [] for name in SERVERS}
    cpu: dict[str, list[float]] = {name: [] for name in SERVERS}
    request = messages.wave()
    for count in range(effort.launches + 1):
        for name in SERVERS:
            began = time.perf_counter()
            with launched(name) as server:
                _expect(ask(server.port, request), lambda document: document.get("ErrNum") == 0)
                taken, used = time.perf_counter() - began, server.cpu()
            if count:
                times[name].append(taken * 1e3)
                cpu[name].append(used * 1e3)
    rows: Table = {
        name: {
            "best_ms": min(times[name]),
            "median_ms": median(times[name]),
            "worst_ms": max(times[name]),
            "cpu_ms": median(cpu[name]),
            "all_ms": times[name],
        }
        for name in SERVERS
    }
    bare, ours = (rows[name] for name in SERVERS)
    rows["ratio"] = {
        "best": ours["best_ms"] / bare["best_ms"],
        "median": ours["median_ms"] / bare["median_ms"],
        "cpu": ours["cpu_ms"] / bare["cpu_ms"],
    }
    return rows


def warm(effort: Effort) -> Table:
    """Starts inside one process."""
    found = program("warm.py", effort.starts, core=SERVER_CORE, limit=60 + effort.starts)
    later = found["later_ms"]
    return {**found, "median_ms": median(later), "min_ms": min(later), "max_ms": max(later)}


def rates(names: list[str], effort: Effort, say: Callable[[str], None]) -> Table:
    """Requests per second of every row, in rounds over all rows, a fresh server each time."""
    works = _works()
    runs: dict[tuple[str, str], list[Table]] = {(name, server): [] for name in names for server in SERVERS}
    for turn in range(effort.rounds):
        for (name, server), kept in runs.items():
            found = _undisturbed(works[name], server, effort)
            kept.append(found)
            say(f"round {turn + 1}: {name} {server}: {found['per_second']:,.0f}/s, {found['server_us']:,.1f} µs")
    tables: Table = {}
    for name in names:
        bare, ours = (runs[name, server] for server in SERVERS)
        tables[name] = {
            "title": works[name].title,
            "connections": works[name].connections,
            "bare": _merged(bare),
            "emulator": _merged(ours),
            "ratio": {
                key: _spread(mine[key] / theirs[key] for mine, theirs in zip(ours, bare, strict=True))
                for key in ("per_second", "server_us")
            },
        }
    return tables


def _undisturbed(work: Work, name: str, effort: Effort) -> Table:
    """The first measurement in which others left both cores alone, else the least disturbed one."""
    made: list[Table] = []
    while len(made) < effort.tries:
        made.append(_rate(work, name, effort))
        if not made[-1]["others_share"] > DISTURBED:
            return made[-1]
    return min(made, key=lambda found: found["others_share"])


def _rate(work: Work, name: str, effort: Effort) -> Table:
    """One measurement, with the answers looked at before and after it."""
    with launched(name, SERVER_CORE) as server, TemporaryDirectory(prefix="benchmark-") as folder:
        idle = server.rss()
        token = _token(server) if name == "emulator" else "none"
        request = Path(folder, "request")
        request.write_bytes(work.good(token))
        _verify(work, name, server, token)
        found: Table = program(
            "load.py",
            request,
            *("--port", server.port, "--pid", server.process.pid, "--connections", work.connections),
            *("--marker", work.marker if name == "emulator" else BARE_MARKER),
            *("--warm", effort.warm, "--seconds", effort.seconds),
            *(("--server-core", SERVER_CORE, "--load-core", LOAD_CORE) if SERVER_CORE is not None else ()),
            core=LOAD_CORE,
            limit=effort.warm + effort.seconds + 60,
        )
        after = server.rss()
        _verify(work, name, server, token)
    if found["bad"] or found["lost_connections"]:
        raise Broken(f"{name}: {found['bad']} bad answers, {found['lost_connections']} connections lost")
    return {**found, "idle_mb": idle, "after_mb": after}


def _token(server: Running) -> str:
    status, document = ask(server.port, messages.http(messages.TOKEN_PATH, method="GET"))
    if status != 200:
        raise Broken(f"no access token: {document}")
    return str(document["access_token"])


def _verify(work: Work, name: str, server: Running, token: str) -> None:
    """The success answer is one, and the emulator does look at what it is sent."""
    if name != "emulator":
        _expect(ask(server.port, work.good(token)), lambda document: document.get("ErrNum") == 0)
        return
    _expect(ask(server.port, work.good(token)), work.succeeded)
    _expect(ask(server.port, work.bad(token)), lambda document: not work.succeeded(document))


def _expect(answer: tuple[int, Any], good: Callable[[Any], bool]) -> None:
    status, document = answer
    if status != 200 or not good(document):
        raise Broken(f"not the answer that was expected: {status} {document}")


def callbacks(effort: Effort) -> Table:
    """Tasks that end a second after they began, first at a rate, then as many as possible."""
    with launched("emulator", SERVER_CORE) as server:
        status, document = ask(server.port, messages.http(messages.RULES_PATH, RULE))
        if status != 201:
            raise Broken(f"the rule was not set: {status} {document}")
        arguments = ("--port", server.port, "--count", effort.callbacks, "--rate", LATENESS_RATE)
        limit = 180 + effort.callbacks / LATENESS_RATE
        found: Table = program("callbacks.py", *arguments, core=LOAD_CORE, limit=limit)
    for name, series in found.items():
        if series["refused"]:
            raise Broken(f"callbacks, {name}: {series['refused']} tasks were refused")
    return found


def memory(tables: Table) -> Table:
    """Resident memory, as the rate rows found it."""
    return {
        name: {
            "idle_mb": median(row["idle_mb"]["median"] for row in rows),
            **{f"after_{work}_mb": tables[work][name]["after_mb"]["median"] for work in ("w1", "w3")},
        }
        for name in SERVERS
        for rows in [[tables["w1"][name], tables["w3"][name]]]
    }


def _spread(values: Iterable[float]) -> dict[str, float]:
    kept = list(values)
    return {"median": median(kept), "min": min(kept), "max": max(kept)}


def _merged(runs: list[Table]) -> Table:
    return {key: {**_spread(run[key] for run in runs), "all": [run[key] for run in runs]} for key in runs[0]}


def _versions() -> dict[str, str]:
    found = {}
    for name in ("aiohttp", "uvloop", "yarl", "multidict", "orjson", "jsonschema-rs", "pillow", "pybase64"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def describe(effort: Effort) -> Table:
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": os.cpu_count(),
        "server_core": SERVER_CORE,
        "load_core": LOAD_CORE,
        "versions": _versions(),
        "effort": asdict(effort),
    }


def show(report: Table) -> str:
    """The report as people read it."""
    machine = report["machine"]
    pinned = f"server on core {SERVER_CORE}, load on core {LOAD_CORE}" if SERVER_CORE is not None else "not pinned"
    names = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    lines = [f"Python {machine['python']}, {machine['cores']} cores ({pinned})", names]
    if "cold" in report:
        table = report["cold"]
        rows = [[name, *_numbers(table[name], "best_ms", "median_ms", "worst_ms", "cpu_ms")] for name in SERVERS]
        ratio = table["ratio"]
        rows.append(["× bare", f"{ratio['best']:.2f}", f"{ratio['median']:.2f}", "", f"{ratio['cpu']:.2f}"])
        lines += _table("Cold start: launch to first answer", ["", "best ms", "median ms", "worst ms", "CPU ms"], rows)
    if "warm" in report:
        found = report["warm"]
        row = [f"{found[key]:,.1f}" for key in ("import_ms", "first_ms", "median_ms", "min_ms", "max_ms")]
        head = ["import ms", "first ms", "later: median ms", "min", "max"]
        lines += _table(f"Warm start: {len(found['later_ms'])} more in one process", head, [row])
    for name in ("w1", "w2", "w3"):
        if name in report:
            lines += _show_rate(name, report[name])
    if "callbacks" in report:
        lines += _show_callbacks(report["callbacks"])
    if "memory" in report:
        rows = [[name, *_numbers(report["memory"][name])] for name in SERVERS]
        lines += _table("Resident memory, MB", ["", "idle", "after w1", "after w3"], rows)
    rows = []
    for goal in GOALS:
        if (found := goal.met(report)) is not None:
            bound = f"{'≥' if goal.at_least else '≤'} {goal.bound:g}"
            rows.append([goal.text, bound, f"{found[0]:,.2f}", "met" if found[1] else "MISSED"])
    lines += _table("Goals", ["", "goal", "found", ""], rows)
    return "\n".join(lines)


def _show_rate(name: str, table: Table) -> list[str]:
    rows = []
    for server in SERVERS:
        row = table[server]
        rows.append(
            [
                server,
                _ranged(row["per_second"], ",.0f"),
                _ranged(row["server_us"], ",.1f"),
                f"{row['p50_ms']['median']:.2f}",
                f"{row['p99_ms']['median']:.2f}",
                *(f"{row[key]['max']:.0%}" for key in ("generator_share", "others_share")),
            ]
        )
    ratio = table["ratio"]
    rows.append(["× bare", _ranged(ratio["per_second"], ".2f"), _ranged(ratio["server_us"], ".2f"), "", "", "", ""])
    head = ["", "requests/s", "server CPU µs/request", "p50 ms", "p99 ms", "generator", "others"]
    return _table(f"{name}: {table['title']}, {table['connections']} connections", head, rows)


def _show_callbacks(found: Table) -> list[str]:
    head = ["", "accepted", "accepted/s", "late: p50 ms", "p99", "max", "lost", "doubled", "callbacks/s"]
    keys = ("accepted", "accepted_per_second", "p50_ms", "p99_ms", "max_ms", "lost", "doubled", "callbacks_per_second")
    rows = [[name, *(f"{row[key]:,.{'1' if 'ms' in key else '0'}f}" for key in keys)] for name, row in found.items()]
    return _table("Callbacks, due a second after the TaskID", head, rows)


def _numbers(row: Table, *keys: str) -> list[str]:
    return [f"{row[key]:,.0f}" for key in keys or row]


def _ranged(spread: dict[str, float], form: str) -> str:
    return f"{spread['median']:{form}} ({spread['min']:{form}}–{spread['max']:{form}})"


def _table(title: str, head: list[str], rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    shown = [
        "  ".join(f"{cell:<{width}}" if not at else f"{cell:>{width}}" for at, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in [head, *rows])
    ]
    return ["", title, *(line.rstrip() for line in shown)]


def _parts(text: str) -> list[str]:
    given = [part.strip() for part in text.split(",") if part.strip()]
    if unknown := [part for part in given if part not in PARTS]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(PARTS)}")
    return given


def measure(parts: list[str], effort: Effort, say: Callable[[str], None]) -> Table:
    """Everything that was asked for."""
    report: Table = {"machine": describe(effort)}
    for name, part in (("cold", cold), ("warm", warm), ("callbacks", callbacks)):
        if name in parts:
            say(name)
            report[name] = part(effort)
    needed = [name for name in ("w1", "w2", "w3") if name in parts or ("memory" in parts and name != "w2")]
    if needed:
        report |= rates(needed, effort, say)
    if "memory" in parts:
        report["memory"] = memory(report)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=_parts, default=list(PARTS), metavar="PARTS", help="of " + ",".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="a short run, to see that everything works")
    parser.add_argument("--rounds", type=int, help="rounds over the rows of requests per second")
    parser.add_argument("--seconds", type=float, help="seconds that one row is measured in a round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the raw numbers")
    given = parser.parse_args()
    effort = QUICK if given.quick else Effort()
    wishes = {name: getattr(given, name) for name in ("rounds", "seconds") if getattr(given, name) is not None}
    if any(wish <= 0 for wish in wishes.values()):
        parser.error("--rounds and --seconds are above 0")
    effort = Effort(**{**asdict(effort), **wishes})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exit that stops what was started
    try:
        report = measure(given.only, effort, lambda line: print(line, file=sys.stderr, flush=True))
    except Broken as error:
        print(f"nothing measured: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(show(report))
    if given.json:
        given.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
