"""What a list was asked for, and waiting until there is enough of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import isfinite
from typing import Any

from aiohttp import web

from emulator.core.callbacks import Changes
from emulator.core.exchange import JsonObject
from emulator.core.tasks import seconds
from emulator.web.admin.site import Refused

LISTED = 500
"""How many rows a list has unless ``limit`` says otherwise."""
LONGEST_WAIT = 120.0
"""Machine seconds that a long poll waits at most."""


class Filter:
    """What a list was asked for: equal members, rows after a number, a limit, a wait."""

    def __init__(self, request: web.BaseRequest, names: set[str]) -> None:
        query = request.query
        known = names | {"after", "limit", "wait", "count"}
        if unknown := next((name for name in query if name not in known), None):
            raise Refused(400, f"no filter {unknown!r}; there are {', '.join(sorted(known))}")
        self._wanted = {name: query[name] for name in names if name in query}
        try:
            self.after = int(query.get("after", 0))
            self.limit = int(query.get("limit", LISTED))
            self.count = int(query.get("count", 1 if "wait" in query else 0))
            wait = seconds(_number_or_text(query.get("wait", "0")))
        except ValueError as error:
            raise Refused(400, f"after, limit and count are whole numbers, wait a duration: {error}") from None
        if min(self.after, self.count) < 0 or self.limit < 1 or not isfinite(wait) or wait < 0:
            raise Refused(400, "after, count and wait are 0 at least, limit is 1 at least")
        self._wait = min(LONGEST_WAIT, wait)

    def fits(self, row: JsonObject) -> bool:
        """Whether ``row`` has what was asked for."""
        return all(str(row[name]) == value for name, value in self._wanted.items())

    def verdict(self, found: list[Any]) -> JsonObject:
        """How many rows match, and whether they are as many as were waited for."""
        return {"count": len(found), "satisfied": len(found) >= self.count}

    async def satisfied(self, changes: Changes, matching: Callable[[], list[Any]]) -> list[Any]:
        """The matching rows, as soon as there are enough of them or the wait is over."""
        found = matching()
        if len(found) >= self.count or not self._wait:
            return found
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        unsubscribe = changes.subscribe(changed.set)
        try:
            async with asyncio.timeout(self._wait):
                while len(found) < self.count:
                    await changed.wait()
                    changed.clear()
                    began = loop.time()
                    found = matching()
                    # A long ledger that changes often is not looked through all the time.
                    await asyncio.sleep(min(0.015, 4 * (loop.time() - began)) if len(found) < self.count else 0)
        except TimeoutError:
            pass
        finally:
            unsubscribe()
        return found


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
