"""The console with 10,000 rows, and with 200 events a second: measured in headless Chromium.

    python benchmarks/console.py
    python benchmarks/console.py --rows 2000 --rate 100 --seconds 5

It needs playwright and a Chromium (CHROMIUM says where, if it is not on the path).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from aiohttp import ClientSession
from playwright.async_api import Page, async_playwright

ACCOUNT = "AKBENCH"
CALL = f"/?Action=GetTaskList&Version=2017-01-01&X-Amz-Credential={ACCOUNT}/20260101/cn-beijing-6/kvs/aws4_request"
WAVE = json.dumps(
    {
        "Preset": "wave",
        "SrcInfo": {"path": "/src/in/a.mp3"},
        "DstBucket": "dst",
        "DstObjectKey": "a.json",
        "points": 100,
    }
)
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking")
WATCH = """
window.__frames = []; window.__long = [];
new PerformanceObserver((list) => { for (const each of list.getEntries()) window.__long.push(each.duration); })
  .observe({entryTypes: ['longtask']});
let before = performance.now();
const frame = (now) => { window.__frames.push(now - before); before = now; requestAnimationFrame(frame); };
requestAnimationFrame(frame);
"""
SCROLL = """
async (steps) => {
  const list = document.querySelector('.virtual');
  window.__frames.length = 0; window.__long.length = 0;
  for (let step = 0; step < steps; step++) {
    list.scrollTop += list.scrollHeight / steps;
    await new Promise(requestAnimationFrame);
  }
  list.scrollTop = 0;
}
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=200, help="events a second")
    parser.add_argument("--seconds", type=float, default=15)
    return parser.parse_args()


async def call(session: ClientSession, url: str, number: int) -> None:
    """One request: every fourth one begins a task."""
    if number % 4:
        async with session.get(url + CALL) as answer:
            await answer.read()
    else:
        async with session.post(url + CALL.replace("GetTaskList", "CreateWaveTask"), data=WAVE) as answer:
            await answer.read()


async def fill(session: ClientSession, url: str, rows: int) -> None:
    async def some(first: int) -> None:
        for number in range(first, rows, 16):
            await call(session, url, 1 + number % 3)  # no tasks: as many rows as requests

    await asyncio.gather(*(some(first) for first in range(16)))


async def frames(page: Page) -> str:
    """How even the frames came since the last look, and what held the page up."""
    found = await page.evaluate("({frames: window.__frames.splice(0), long: window.__long.splice(0)})")
    times = sorted(found["frames"]) or [0.0]
    percentile = times[min(len(times) - 1, int(0.95 * len(times)))]
    held = f"{len(found['long'])} tasks over 50 ms" + (f", worst {max(found['long']):.0f} ms" if found["long"] else "")
    return f"frames: median {statistics.median(times):.0f}, 95 % {percentile:.0f}, worst {times[-1]:.0f} ms; {held}"


async def tally(page: Page) -> int:
    text = await page.locator(".tally").inner_text()
    return int(text.split(" of ")[-1].split()[0])


async def until(page: Page, rows: int) -> None:
    script = "(rows) => Number(document.querySelector('.tally').textContent.split(' of ').pop().split(' ')[0]) >= rows"
    await page.wait_for_function(script, arg=rows, timeout=120_000)


async def flow(session: ClientSession, url: str, page: Page, rate: int, seconds: float) -> int:
    """``rate`` events a second: a request, a task, and the task's end are one each. How many requests there were."""
    made, began = 0, time.perf_counter()
    calls_a_second = rate / 1.5  # each fourth call is three events, the others are one
    going: set[asyncio.Task[None]] = set()
    while (passed := time.perf_counter() - began) < seconds:
        while made < passed * calls_a_second:
            task = asyncio.create_task(call(session, url, made))
            going.add(task)
            task.add_done_callback(going.discard)
            made += 1
        await asyncio.sleep(0.01)
    await asyncio.gather(*going)
    return made


async def look(page: Page, session: ClientSession, url: str, options: argparse.Namespace) -> None:
    began = time.perf_counter()
    await page.goto(f"{url}/_emulator/#/{ACCOUNT}/flow")
    await page.wait_for_selector(".virtual .row")
    print(f"first rows           {1000 * (time.perf_counter() - began):6.0f} ms")
    await until(page, options.rows)
    print(f"all {options.rows} rows      {1000 * (time.perf_counter() - began):6.0f} ms   {await frames(page)}")
    await page.evaluate(SCROLL, 200)
    print(f"scrolled through them            {await frames(page)}")
    began = time.perf_counter()
    await page.get_by_role("searchbox").fill("createwave")
    await page.wait_for_function("document.querySelector('.tally').textContent.includes(' of ')")
    print(f"searched             {1000 * (time.perf_counter() - began):6.0f} ms   {await frames(page)}")
    await page.get_by_role("searchbox").fill("")
    before = await tally(page)
    await frames(page)
    made = await flow(session, url, page, options.rate, options.seconds)
    began = time.perf_counter()
    await until(page, before + made)
    late = 1000 * (time.perf_counter() - began)
    print(f"{options.rate} events/s, {options.seconds:g} s   last row {late:.0f} ms late; {await frames(page)}")
    heap = await page.evaluate("performance.memory ? performance.memory.usedJSHeapSize : 0")
    drawn = await page.locator(".virtual .row").count()
    print(f"then: {await tally(page)} rows, {drawn} of them drawn, {heap / 1e6:.0f} MB of heap")
    began = time.perf_counter()
    await page.locator(".tab[data-view=tasks]").click()
    await page.wait_for_selector(".row.lane")
    print(f"lanes                {1000 * (time.perf_counter() - began):6.0f} ms")
    await flow(session, url, page, options.rate, options.seconds / 3)
    print(f"lanes under the same load        {await frames(page)}")


async def main(options: argparse.Namespace) -> None:
    place = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if place is None:
        sys.exit("no Chromium; say with CHROMIUM where it is")
    with tempfile.TemporaryDirectory() as folder:
        port = Path(folder) / "port"
        command = [sys.executable, "-m", "emulator", "serve", "--port", "0", "--port-file", str(port)]
        server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        try:
            while not port.exists():  # noqa: ASYNC110 - a file is all that tells it
                await asyncio.sleep(0.05)
            url = f"http://127.0.0.1:{port.read_text().strip()}"
            async with ClientSession() as session, async_playwright() as playwright:
                await fill(session, url, options.rows)
                browser = await playwright.chromium.launch(executable_path=place, args=list(FLAGS))
                page = await browser.new_page(viewport={"width": 1360, "height": 820}, locale="en-US")
                await page.add_init_script(WATCH)
                await look(page, session, url, options)
                await browser.close()
        finally:
            with contextlib.suppress(ProcessLookupError):
                server.terminate()
            await server.wait()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
