"""Measures what the pytest plugin costs. See README.md in this folder.

python benchmarks/plugin.py [--tests 500] [--json FILE]
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
PLUGIN = ("-p", "emulator.pytest_plugin")
EMPTY = "def test_it():\n    pass\n"
WITH = "def test_it(emulator):\n    pass\n"
AIM_MS = 5.0
ORDER = {
    "Preset": "wave",
    "SrcInfo": {"path": "/media/a.mp3"},
    "DstBucket": "media",
    "DstObjectKey": "a.json",
    "points": 1000,
}


def session(folder: Path, source: str, plugins: tuple[str, ...]) -> float:
    """Seconds that a run of pytest takes from launch to end."""
    (folder / "test_it.py").write_text(source)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugins]
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began


def timed(count: int, work: Callable[[], object]) -> dict[str, float]:
    """Milliseconds of ``work``."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) * 1000)
    return {"median_ms": round(median(found), 3), "p95_ms": round(quantiles(found, n=20)[-1], 3)}


def make_wave(endpoint: str, key: str, callback: str) -> None:
    """Create a task that calls back."""
    url = f"{endpoint}/?Action=CreateWaveTask&Version=2017-01-01&X-Amz-Credential={key}/x/x/kvs/x"
    body = json.dumps({**ORDER, "CbUrl": callback}).encode()
    with urlopen(Request(url, body, {"Content-Type": "application/json"})) as answer:
        answer.read()


def in_session(tests: int) -> dict[str, dict[str, float]]:
    """What a session that runs already adds to each test, by the verb."""
    from emulator.testing import started

    found: dict[str, dict[str, float]] = {}
    with started({"port": 0, "seed": 1}) as server:

        def fixture() -> None:
            emulator = server.open("bench", {"clock": {"mode": "frozen"}})
            emulator.complaints()
            emulator.close()

        fixture()
        found["fixture: account, verdict, removal"] = timed(tests, fixture)
        emulator = server.open("verbs", {"clock": {"mode": "frozen"}}, verified=False)
        found["advance, nothing due"] = timed(tests, lambda: emulator.advance(seconds=1))
        found["now"] = timed(tests, lambda: emulator.now)
        found["expect(…).fails(…).once()"] = timed(
            tests, lambda: emulator.kingsoft.expect("GetTaskList").fails(1011).once()
        )
        emulator.reset()

        def callback() -> None:
            make_wave(emulator.url, emulator.kingsoft.credentials["access_key"], emulator.inbox.url)
            emulator.advance(minutes=1)

        found["a task created, advance with its callback"] = timed(tests, callback)
        emulator.close()
    return found


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tests", type=int, default=500)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    ways = {"pytest alone": (EMPTY, ()), "plugin loaded": (EMPTY, PLUGIN), "one test with emulator": (WITH, PLUGIN)}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with TemporaryDirectory() as folder:
        for _ in range(given.runs + 1):
            for name, (source, plugins) in ways.items():
                seconds[name].append(session(Path(folder), source, plugins))
    report = {
        "session_ms": {name: round(median(found[1:]) * 1000, 1) for name, found in seconds.items()},
        "verbs": in_session(given.tests),
    }
    for name, number in report["session_ms"].items():
        print(f"{name:45} {number:9.1f} ms")
    for name, row in report["verbs"].items():
        print(f"{name:45} {row['median_ms']:9.3f} ms   p95 {row['p95_ms']:.3f}")
    cost = report["verbs"]["fixture: account, verdict, removal"]["median_ms"]
    print(f"goal: an emulator fixture in {AIM_MS:g} ms: {'met' if cost <= AIM_MS else 'MISSED'} ({cost:g})")
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
