"""What an account has used, and how its tasks are doing. [sdk-python, sdk-java]"""

from __future__ import annotations

import math
from collections.abc import Callable

from emulator.core.clock import BEIJING_OFFSET, DAY, beijing_day
from emulator.core.errors import ApiError
from emulator.core.exchange import Call, JsonObject
from emulator.core.provider import Context
from emulator.core.tasks import Task
from emulator.kingsoft.state import KingsoftState
from emulator.kingsoft.statistics import KEPT_DAYS, MINUTE
from emulator.kingsoft.work import Work

GRANULARITY = 5
"""Minutes of a row unless the client says otherwise. [sdk-python]"""
MOST_ROWS = 10_000
"""Rows of one answer. [inference]"""
FIRST_DAY = 20170101
"""Since when tasks are counted unless the client says otherwise. [sdk-python]"""

Rows = Callable[[float, float, int], list[JsonObject]]

_COUNTED = {"queued": "Init", "running": "Exec", "uploading": "Exec", "succeeded": "Succ", "failed": "Fail"}


class StatisticsHandlers:
    """The handlers of the three ``Get…`` of usage and of ``QueryTaskStats``."""

    def durations(self, call: Call, context: Context) -> JsonObject:
        """``GetMediaTransDuration``: seconds of output, by codec and resolution. [sdk-java]"""
        return _answer(call, context, _state(call, context).statistics.durations)

    def screenshots(self, call: Call, context: Context) -> JsonObject:
        """``GetScreenshotNumber``: pictures taken, by the preset's type. [sdk-java]"""
        return _answer(call, context, _state(call, context).statistics.screenshots)

    def calls(self, call: Call, context: Context) -> JsonObject:
        """``GetInterfaceNumber``: calls, by action. [sdk-java]"""
        return _answer(call, context, _state(call, context).statistics.calls)

    def task_stats(self, call: Call, context: Context) -> JsonObject:
        """``QueryTaskStats``: how many tasks there are in each state. [sdk-python; the answer: inference]

        A flow task counts for the preset of each of its steps. Tasks that were deleted do not count.
        """
        given, state = call.parameters or {}, _state(call, context)
        preset, since = given.get("Preset", ""), int(given.get("StartDate") or 0) or FIRST_DAY
        counts = dict.fromkeys(("Total", "Init", "Exec", "Succ", "Fail"), 0)
        for task in context.account.tasks:
            if task.cloud != call.cloud or task.id in state.deleted or (preset and preset not in _presets(task)):
                continue
            status = task.timeline.at(context.now).status
            if status != "vanished" and int(beijing_day(task.timeline.start)) >= since:
                counts["Total"] += 1
                counts[_COUNTED[status]] += 1
        return {"Preset": preset, "StartDate": f"{since:08}", **counts}


def _state(call: Call, context: Context) -> KingsoftState:
    found: KingsoftState = context.account.state(call.cloud)
    return found


def _presets(task: Task) -> frozenset[str]:
    work: Work = task.result
    return frozenset(job.parameters.get("Preset", "") for job in work.jobs)


def _answer(call: Call, context: Context, rows: Rows) -> JsonObject:
    """The rows of the span that is asked for; 0 and nothing mean the default. [3.19 of sdk-java; limits: inference]

    Raises:
        ApiError: 1001, the span ends before it begins; 1019, it is too long, or has too many rows.

    """
    given, now = call.parameters or {}, context.now
    start = _number(given, "StartUnixTime") or _midnight(now)
    end = _number(given, "EndUnixTime") or int(now)
    granularity = _number(given, "Granularity") or GRANULARITY
    if end < start:
        raise ApiError(1001, f"the span ends ({end}) before it begins ({start})")
    if end - start > KEPT_DAYS * DAY:
        raise ApiError(1019, f"the span has {(end - start) / DAY:.1f} days; {KEPT_DAYS} are allowed")
    count = math.ceil((end - start) / (granularity * MINUTE))
    if count > MOST_ROWS:
        raise ApiError(1019, f"the span has {count} rows of {granularity} minutes; {MOST_ROWS} are allowed")
    # The minute that is under way belongs to a span that reaches up to now.
    until = max(end, int(now) + 1) if end >= int(now) else end
    return {
        "StartUnixTime": str(start),
        "EndUnixTime": str(end),
        "Granularity": str(granularity),
        "Datas": rows(start, until, granularity),
    }


def _number(given: JsonObject, name: str) -> int:
    return int(given.get(name) or 0)


def _midnight(now: float) -> int:
    """When the Beijing day of ``now`` began."""
    return int((now + BEIJING_OFFSET) // DAY) * DAY - BEIJING_OFFSET
