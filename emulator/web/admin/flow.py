"""Requests, tasks and callbacks in brief, many at a time: what a live view shows before anything is opened."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from math import isfinite
from typing import Any, TypeVar

from aiohttp import web

from emulator.core.accounts import Account
from emulator.core.callbacks import Delivery
from emulator.core.exchange import JsonObject
from emulator.core.journal import ClockEntry, Entry, RequestEntry, redact
from emulator.core.tasks import Task
from emulator.web.admin.site import ONE, Parameter, Refused, Route, Section, answer

MOST = 10_000
"""How many rows are shown at most."""
STEPS = 100
"""How many steps of one task are shown."""
NAMED_TASKS = 20
"""How many tasks of those that a request names are shown."""
LOOKED_AT = 16 * 2**10
"""Bytes of a body in which the names of tasks are looked for."""
SHORT = 2**10
"""Bytes up to which an answer is one on a task, not a list of many."""
REASON = 200
"""Signs of a reason that are shown."""
_WORDS = re.compile(rb"[A-Za-z0-9_-]{8,128}")
_T = TypeVar("_T")

_NUMBER: JsonObject = {"type": "integer", "minimum": 0}
NUMBERED = (
    Parameter("after", "Only those with a higher number.", _NUMBER),
    Parameter("before", "Only those with a lower number.", _NUMBER),
)
LIMIT = Parameter(
    "limit", "How many are shown: the newest.", {"type": "integer", "minimum": 1, "maximum": MOST, "default": 1000}
)
SOUGHT = Parameter("q", "The text that is looked for, in either case.", {"type": "string", "minLength": 1})


class Flow(Section):
    """What happened in an account, in brief."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [
            Route("GET", ONE + "/flow/requests", self.requests, {200: "FlowEntries"}, (*NUMBERED, LIMIT)),
            Route("GET", ONE + "/flow/deliveries", self.deliveries, {200: "FlowDeliveries"}, (*NUMBERED, LIMIT)),
            Route("GET", ONE + "/flow/tasks", self.tasks, {200: "FlowTasks"}, (LIMIT,)),
            Route("GET", ONE + "/flow/search", self.search, {200: "FlowFound"}, (SOUGHT,)),
        ]

    async def requests(self, request: web.BaseRequest) -> web.Response:
        """Requests and moves of the clock in brief, without bodies; oldest first."""
        account = self.account(request)
        entries = _chosen(account.journal, _numbers(request))
        shown = [_entry(entry, account) for entry in entries]
        return answer({"entries": shown, "evicted": account.journal.evicted, "event": account.feed.created})

    async def deliveries(self, request: web.BaseRequest) -> web.Response:
        """Deliveries in brief, without bodies; oldest first."""
        account = self.account(request)
        shown = [_delivery(row) for row in _chosen(account.ledger, _numbers(request))]
        return answer({"deliveries": shown, "evicted": account.ledger.evicted, "event": account.feed.created})

    async def tasks(self, request: web.BaseRequest) -> web.Response:
        """The newest tasks with their way through time; which lists of codes each cloud's tasks may fail with."""
        account = self.account(request)
        limit = _numbers(request)[2]
        now, tasks = account.clock.now(), list(account.tasks)
        return answer(
            {
                "now": now,
                "tasks": [_task(task, now) for task in tasks[-limit:]],
                "failures": {name: list(cloud.task_lists) for name, cloud in self.emulation.providers.items()},
                "evicted": account.tasks.evicted,
                "event": account.feed.created,
            }
        )

    async def search(self, request: web.BaseRequest) -> web.Response:
        """Which requests and deliveries have a text in their query, URL, body or answer."""
        account = self.account(request)
        sought = request.query.get("q", "")
        if not sought:
            raise Refused(400, "search wants q, the text that is looked for")
        word = sought.lower().encode()
        return answer(
            {
                "requests": [row.number for row in account.journal.requests if _has(word, _texts(row))],
                "deliveries": [
                    row.number for row in account.ledger if _has(word, (row.order.url.encode(), row.order.body))
                ],
            }
        )


def _numbers(request: web.BaseRequest) -> tuple[int, int | None, int]:
    """After which number, before which, and how many.

    Raises:
        Refused: one of them is no number.

    """
    query = request.query
    try:
        after, limit = int(query.get("after", 0)), int(query.get("limit", 1000))
        before = int(query["before"]) if "before" in query else None
    except ValueError as error:
        raise Refused(400, f"after, before and limit are whole numbers: {error}") from None
    if after < 0 or not 1 <= limit <= MOST or (before is not None and before < 0):
        raise Refused(400, f"after and before are 0 at least, limit is 1 to {MOST}")
    return after, before, limit


def _chosen(rows: Iterable[_T], numbers: tuple[int, int | None, int]) -> Sequence[_T]:
    """Those of numbered ``rows`` that are asked for."""
    after, before, limit = numbers
    found: list[Any] = [row for row in rows if row.number > after]  # type: ignore[attr-defined]
    if before is not None:
        found = [row for row in found if row.number < before]
    return found[-limit:]


def _entry(entry: Entry, account: Account) -> JsonObject:
    if isinstance(entry, ClockEntry):
        return {"number": entry.number, "at": entry.at, "from": entry.came_from, "events": entry.events}
    request = entry.request
    return {
        "number": entry.number,
        "at": entry.at,
        "operation": entry.operation,
        "status": entry.status,
        "code": entry.code,
        "reason": redact(entry.reason[:REASON]),
        "method": request.method,
        "path": request.path,
        "latency": entry.latency,
        "rules": list(entry.rules),
        "tasks": _tasks_named(entry, account),
    }


def _tasks_named(entry: RequestEntry, account: Account) -> list[str]:
    """The ids of tasks that stand in a request, or in a short answer to it."""
    if not len(account.tasks):
        return []
    answered = entry.reply.body
    text = b" ".join(
        (entry.request.query.encode(), entry.body[:LOOKED_AT], answered if len(answered) <= SHORT else b"")
    )
    words = dict.fromkeys(word.decode() for word in _WORDS.findall(text))
    return list(islice((word for word in words if account.tasks.get(word) is not None), NAMED_TASKS))


def _delivery(row: Delivery) -> JsonObject:
    return {
        "number": row.number,
        "task": row.task_id,
        "operation": row.operation,
        "event": row.order.event,
        "status": row.status,
        "url": row.order.url,
        "due": row.due,
        "next_attempt": row.next_attempt,
        "chaos": list(row.chaos),
        "copy_of": row.copy_of,
        "attempts": [
            {"at": each.at, "status": each.answer.status, "error": each.answer.error} for each in row.attempts
        ],
    }


def _task(task: Task, now: float) -> JsonObject:
    """A task, its stages (``null``: nobody knows yet when) and its steps."""
    timeline = task.timeline
    phase = timeline.at(now)
    stages = {name: getattr(timeline, name) for name in ("start", "run", "upload", "done", "end")}
    steps = islice(timeline.steps(), STEPS) if isfinite(timeline.end) else ()
    return {
        "id": task.id,
        "operation": task.operation,
        "kind": task.kind,
        "status": phase.status,
        "percent": phase.percent,
        "request": task.request,
        "stages": {name: at if isfinite(at) else None for name, at in stages.items()},
        "outcome": timeline.ending.kind,
        "code": timeline.ending.code,
        "steps": [{"at": step.at, "status": step.phase.status, "percent": step.phase.percent} for step in steps],
    }


def _texts(entry: RequestEntry) -> tuple[bytes, ...]:
    return entry.request.query.encode(), entry.body, entry.reply.body


def _has(word: bytes, texts: Iterable[bytes]) -> bool:
    return any(word in text.lower() for text in texts)
