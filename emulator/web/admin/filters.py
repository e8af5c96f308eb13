"""What a list was asked for, and waiting until there is enough of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from math import inf, isfinite
from typing import Any

from aiohttp import web

from emulator.core.clock import LATEST, parse_instant
from emulator.core.exchange import JsonObject
from emulator.core.tasks import seconds
from emulator.web.admin.site import Parameter, Refused

LISTED = 500
"""How many rows a list has unless ``limit`` says otherwise."""
LONGEST_WAIT = 120.0
"""Machine seconds that a long poll waits at most."""


Subscribe = Callable[[Callable[[], None]], Callable[[], None]]
"""Has a function called at every change, until the one that comes back is called."""


WAIT = Parameter(
    "wait",
    f"How long to wait at most until there is enough: seconds, or a duration such as 500ms, 5s, 2m; "
    f"{LONGEST_WAIT:g} seconds at most.",
    {"type": "string", "pattern": r"^[0-9]{1,6}(\.[0-9]{1,6})?(ms|s|m|h|d)?$"},
)
_INSTANT = {"anyOf": [{"type": "number", "minimum": 0, "maximum": LATEST}, {"type": "string", "format": "date-time"}]}


def listing(names: Mapping[str, str], *, numbered: bool = False) -> tuple[Parameter, ...]:
    """What a list can be asked for that is filtered by ``names``, each with its meaning."""
    after = Parameter("after", "Only those with a higher number.", {"type": "integer", "minimum": 0})
    return (
        *(Parameter(name, meaning, {"type": "string"}) for name, meaning in names.items()),
        Parameter("since", "Only from this instant on, by the account's clock: unix seconds or ISO 8601.", _INSTANT),
        Parameter("until", "Only up to this instant.", _INSTANT),
        *((after,) if numbered else ()),
        Parameter("limit", "How many are shown: the newest.", {"type": "integer", "minimum": 1, "default": LISTED}),
        WAIT,
        Parameter("count", "How many are waited for; 1 if wait is given.", {"type": "integer", "minimum": 0}),
    )


class Filter:
    """What a list was asked for: equal members, a span of the account's time, a limit, a wait.

    Rows that are ``numbered`` may be asked for from a number on, too.
    """

    def __init__(self, request: web.BaseRequest, names: AbstractSet[str], *, numbered: bool = False) -> None:
        query = request.query
        known = names | {"since", "until", "limit", "wait", "count"} | ({"after"} if numbered else set())
        if unknown := next((name for name in query if name not in known), None):
            raise Refused(400, f"no filter {unknown!r}; there are {', '.join(sorted(known))}")
        self._wanted = {name: query[name] for name in names if name in query}
        try:
            self.after = int(query.get("after", 0))
            self.limit = int(query.get("limit", LISTED))
            self.count = int(query.get("count", 1 if "wait" in query else 0))
            wait = seconds(_number_or_text(query.get("wait", "0")))
            self._since = parse_instant(_number_or_text(query["since"])) if "since" in query else -inf
            self._until = parse_instant(_number_or_text(query["until"])) if "until" in query else inf
        except ValueError as error:
            raise Refused(
                400, f"after, limit and count are whole numbers, wait a duration, since and until instants: {error}"
            ) from None
        if min(self.after, self.count) < 0 or self.limit < 1 or not isfinite(wait) or wait < 0:
            raise Refused(400, "after, count and wait are 0 at least, limit is 1 at least")
        self._wait = min(LONGEST_WAIT, wait)

    def fits(self, row: JsonObject, at: float) -> bool:
        """Whether ``row``, of the instant ``at``, has what was asked for; a list has it among others."""
        return self._since <= at <= self._until and all(
            value in row[name] if isinstance(row[name], list) else str(row[name]) == value
            for name, value in self._wanted.items()
        )

    def verdict(self, found: list[Any], evicted: int, *, complete: bool) -> JsonObject:
        """How many rows match; whether they are as many as were waited for, and all that there ever were."""
        return {
            "count": len(found),
            "satisfied": len(found) >= self.count,
            "evicted": evicted,
            "complete": complete,
        }

    async def satisfied(
        self, subscribe: Subscribe, matching: Callable[[], list[Any]], soon: Callable[[], float | None] = lambda: None
    ) -> list[Any]:
        """The matching rows, as soon as there are enough of them or the wait is over.

        They are looked for at every change, and after ``soon()`` machine seconds if that is not ``None``.
        """
        found = matching()
        if len(found) >= self.count or not self._wait:
            return found
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        unsubscribe = subscribe(changed.set)
        try:
            async with asyncio.timeout(self._wait):
                while len(found) < self.count:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(soon()):
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
