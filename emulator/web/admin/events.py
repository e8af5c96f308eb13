"""What happens in an account, while it happens: server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from typing import cast

import orjson
from aiohttp import web

from emulator.core.errors import nearest
from emulator.core.exchange import JsonObject
from emulator.core.feed import KINDS, Feed, Kind
from emulator.web.admin.site import ONE, Parameter, Refused, Route, Section

KEEP_ALIVE = 15.0
"""Machine seconds after which a comment is sent if nothing happens, so that a dead connection is noticed."""
RETRY = 1000
"""Milliseconds after which a client whose connection broke comes back."""
BATCH = 500
"""How many events are looked at, and written, at a time."""


ASKED = (
    Parameter("kind", f"Only events of these kinds, with commas between them: {', '.join(KINDS)}.", {"type": "string"}),
    Parameter("after", "From the event after this one on; else from now on.", {"type": "integer", "minimum": 0}),
    Parameter("Last-Event-ID", "The same, in the place of after.", {"type": "integer", "minimum": 0}, "header"),
)


class Events(Section):
    """The feed of an account."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [Route("GET", ONE + "/events", self.events, {200: "Events"}, ASKED)]

    async def events(self, request: web.BaseRequest) -> web.StreamResponse:
        """Server-sent events, from now on or after ``Last-Event-ID`` or ``?after=``; ``?kind=request,task`` filters."""
        feed = self.account(request).feed
        kinds, after = _asked(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        async with aclosing(stream(feed, kinds, after)) as parts:
            try:
                async for part in parts:
                    await response.write(part)
            except ConnectionError:
                pass  # the reader is gone
        return response


async def stream(
    feed: Feed, kinds: Collection[Kind] = KINDS, after: int | None = None, keep_alive: float = KEEP_ALIVE
) -> AsyncGenerator[bytes, None]:
    """The bytes of an event stream, until the feed closes: events of ``kinds`` after number ``after``, or from now on.

    Whatever is not yet read is in the feed alone; what it has forgotten by then is told as a gap.
    """
    changed = asyncio.Event()
    unsubscribe = feed.subscribe(changed.set)
    try:
        position = feed.created if after is None else after
        yield b"retry: %d\nid: %d\n\n" % (RETRY, position)
        if position > feed.created:
            position = 0
            yield _written(0, "gap", {"missed": None, "reason": "the numbers began anew: another account, or process"})
        while True:
            changed.clear()
            while position < feed.created:
                if position < feed.forgotten:
                    missed, position = feed.forgotten - position, feed.forgotten
                    yield _written(position, "gap", {"missed": missed, "reason": "forgotten before they were read"})
                position, found = feed.since(position, kinds, BATCH)
                if found:
                    yield b"".join(
                        _written(event.number, event.kind, {"at": event.at, **event.about}) for event in found
                    )
            if feed.closed:
                return
            try:
                async with asyncio.timeout(keep_alive):
                    await changed.wait()
            except TimeoutError:
                yield b": keep-alive\n\n"
    finally:
        unsubscribe()


def _written(number: int, kind: str, data: JsonObject) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, kind.encode(), orjson.dumps(data))


def _asked(request: web.BaseRequest) -> tuple[Collection[Kind], int | None]:
    """The kinds of events, and the number after which they are wanted; ``None``: from now on.

    Raises:
        Refused: there is no such filter or kind, or the number is none.

    """
    query = request.query
    if unknown := next((name for name in query if name not in ("kind", "after")), None):
        raise Refused(400, f"no filter {unknown!r}; there are after, kind")
    kinds = query["kind"].split(",") if "kind" in query else KINDS
    for kind in kinds:
        if kind not in KINDS:
            raise Refused(400, f"no kind of event {kind!r}{nearest(kind, KINDS)}; there are {', '.join(KINDS)}")
    # A browser that reconnects asks for the same URL again, but knows better by then how far it came.
    after = request.headers.get("Last-Event-ID") or query.get("after")
    if after is None:
        return cast("Collection[Kind]", kinds), None
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise Refused(400, f"Last-Event-ID, or after, is the number of an event, not {after!r}")
    return cast("Collection[Kind]", kinds), int(after)
