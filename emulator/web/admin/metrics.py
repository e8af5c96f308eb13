"""What happened in the process, for Prometheus (text format 0.0.4)."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping
from typing import Literal

from aiohttp import web

from emulator import __version__
from emulator.core.errors import Code
from emulator.core.journal import OWN, UNCLAIMED
from emulator.web.admin.site import Route, Section

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UNKNOWN = "unknown"
"""The operation of a request that calls for something the cloud does not have, and the cloud of one nobody owns."""

Labels = tuple[tuple[str, str], ...]


class Metrics(Section):
    """The counters."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [Route("GET", "/metrics", self.metrics, {200: "Metrics"})]

    async def metrics(self, request: web.BaseRequest) -> web.Response:
        """Counters and gauges of the whole process; counters never go back, whatever is reset or forgotten."""
        return web.Response(body=self._text().encode(), headers={"Content-Type": CONTENT_TYPE})

    def _text(self) -> str:
        emulation = self.emulation
        accounts, tally = emulation.accounts, emulation.accounts.tally
        requests: Counter[Labels] = Counter()
        refusals: Counter[Labels] = Counter()
        for called, count in tally.accepted.items():
            requests[*_operation(called), ("outcome", "ok")] += count
        for (called, code), count in tally.refused.items():
            operation = _operation(called)
            requests[*operation, ("outcome", _outcome(code))] += count
            refusals[operation[0], ("code", str(code))] += count
        begun = {_operation(called): count for called, count in tally.begun.items()}
        ended = {(*_operation(called), ("status", status)): n for (called, status), n in tally.ended.items()}
        settled: dict[Labels, float] = {(("status", status),): count for status, count in tally.settled.items()}
        build = (("python", platform.python_version()), ("version", __version__))
        uptime = round(emulation.machine.wall() - emulation.started, 3)
        families = (
            _family("build_info", "gauge", "The emulator's version, and Python's.", {build: 1}),
            _family("uptime_seconds", "gauge", "How long the process has run.", {(): uptime}),
            _family("accounts", "gauge", "Accounts that there are.", {(): len(accounts)}),
            _family("requests_total", "counter", "Requests of the clouds, by what came of them.", requests),
            _family("refusals_total", "counter", "Requests that were refused, by code.", refusals),
            _family("tasks_begun_total", "counter", "Tasks that were begun.", begun),
            _family("tasks_ended_total", "counter", "Tasks that came to an end, by how.", ended),
            _family("tasks", "gauge", "Tasks that are kept.", {(): sum(len(account.tasks) for account in accounts)}),
            _family("deliveries_opened_total", "counter", "Callbacks that fell due.", {(): tally.opened}),
            _family("deliveries_total", "counter", "Callbacks of which nothing more is tried, by outcome.", settled),
            _family("callback_attempts_total", "counter", "Attempts to deliver a callback.", {(): tally.attempts}),
            _family("journal_evicted_total", "counter", "Entries that journals have forgotten.", {(): tally.evicted}),
            _family(
                "pending_events",
                "gauge",
                "Events that clocks have yet to reach.",
                {(): sum(len(account.agenda) for account in accounts)},
            ),
        )
        return "".join(families)


def _outcome(code: Code) -> str:
    return "unclaimed" if code == UNCLAIMED else "emulator" if code == OWN else "refused"


def _operation(called: str) -> Labels:
    cloud, _, operation = called.partition(".")
    return ("cloud", cloud or UNKNOWN), ("operation", operation or UNKNOWN)


def _family(name: str, kind: Literal["counter", "gauge"], meaning: str, samples: Mapping[Labels, float]) -> str:
    name = f"emulator_{name}"
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
    for labels, value in sorted(samples.items()):
        shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
        lines.append(f"{name}{{{shown}}} {value}" if shown else f"{name} {value}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
