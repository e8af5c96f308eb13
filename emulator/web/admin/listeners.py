"""Callbacks for those who forward them: a stream of server-sent events, and the answers that come back."""

from __future__ import annotations

import asyncio
import base64

import orjson
from aiohttp import web

from emulator.core.callbacks import Answer
from emulator.core.emulation import Emulation
from emulator.core.exchange import JsonObject
from emulator.web.admin.site import NAMED, Parameter, Refused, Route, Section, answer
from emulator.web.relay import Listener, Offer, Relay

KEEP_ALIVE = 15.0
"""Machine seconds after which a comment is sent if nothing happens, so that a dead connection is noticed."""
LOOK_EVERY = 0.25
"""Machine seconds after which it is looked whether the listener is still there."""
ACCOUNT = Parameter(
    "account",
    "Only callbacks of this account; else those of every account that has no listener of its own.",
    {"type": "string", "minLength": 1},
)


class Listeners(Section):
    """Who forwards callbacks."""

    def __init__(self, emulation: Emulation, relay: Relay) -> None:
        super().__init__(emulation)
        self._relay = relay

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [
            Route("GET", "/api/listeners", self.list_listeners, {200: "Listeners"}),
            Route("GET", "/api/listen", self.listen, {200: "Offers"}, (ACCOUNT,)),
            Route("POST", "/api/listen/{offer}", self.answer_offer, {204: ""}, body="emulator/relayed.json"),
        ]

    async def list_listeners(self, request: web.BaseRequest) -> web.Response:
        """Who is attached, and whether callbacks go out in any other way."""
        shown = [_show(listener) for listener in self._relay.listeners]
        return answer({"callbacks": "pull" if self._relay.pull else "direct", "listeners": shown})

    async def listen(self, request: web.BaseRequest) -> web.StreamResponse:
        """Attach: callbacks as server-sent events, for as long as the connection lasts; ``?account=`` chooses whose."""
        if unknown := next((name for name in request.query if name != "account"), None):
            raise Refused(400, f"listen takes no {unknown!r}, only account")
        if (account := request.query.get("account")) == "":
            raise Refused(400, "account is the name of one; leave it out for all")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        listener = self._relay.attach(account)
        try:
            await response.write(_written("attached", _show(listener)))
            await self._hand_over(request, response, listener)
        except ConnectionError:
            pass  # the listener is gone
        finally:
            self._relay.detach(listener)
        return response

    async def _hand_over(self, request: web.BaseRequest, response: web.StreamResponse, listener: Listener) -> None:
        """Hand over what there is, until the listener or the emulator goes."""
        quiet = 0.0
        while not self._relay.closed and request.transport is not None:
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await listener.changed.wait()
            except TimeoutError:
                quiet += LOOK_EVERY
                if quiet >= KEEP_ALIVE:
                    quiet = 0.0
                    await response.write(b": keep-alive\n\n")
                continue
            if request.transport is not None:
                for offer in listener.take():
                    await response.write(_written("callback", _show_offer(offer)))

    async def answer_offer(self, request: web.BaseRequest) -> web.Response:
        """What came of a callback that a listener forwarded; 404 if nobody waits for that any more."""
        said = await self.document(request, "emulator/relayed.json")
        try:
            body = base64.b64decode(said.get("body", ""), validate=True)
        except ValueError as error:
            raise Refused(422, f"body is not base64: {error}") from None
        came = Answer(said["status"], said["error"], body, said["elapsed"], said.get("retry_after"))
        if not self._relay.answered(request[NAMED]["offer"], came):
            raise Refused(404, "nobody waits for that any more: it took too long, or the account was reset")
        return web.Response(status=204)


def _show(listener: Listener) -> JsonObject:
    return {
        "number": listener.number,
        "account": listener.account,
        "since": listener.since,
        "taken": listener.taken,
        "pending": len(listener.pending),
    }


def _show_offer(offer: Offer) -> JsonObject:
    order = offer.order
    return {
        "id": offer.id,
        "account": offer.account,
        "timeout": offer.timeout,
        "event": order.event,
        "method": order.method,
        "url": order.url,
        "headers": dict(order.headers),
        "body": base64.b64encode(order.body).decode(),
        "pace": order.pace,
    }


def _written(kind: str, data: JsonObject) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), orjson.dumps(data))
