"""What came in, and what went out: the requests and the deliveries."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from emulator.core.callbacks import CallbackOrder, Delivery
from emulator.core.documents import write_json
from emulator.core.exchange import JsonObject
from emulator.core.journal import RequestEntry
from emulator.web.admin import views
from emulator.web.admin.filters import Filter, listing
from emulator.web.admin.site import NAMED, ONE, Refused, Route, Section, answer

DELIVERY_KEYS = {
    "task": "The id of the task that it reports on.",
    "status": "How it stands: pending, sending, delivered, failed, cancelled, dropped.",
    "operation": "The operation that created the task, with its cloud.",
    "event": "What it reports: progress, succeeded, failed.",
    "chaos": "What went wrong with it on purpose.",
}
REQUEST_KEYS = {
    "operation": "The operation that was called, with its cloud.",
    "status": "The HTTP status of the reply.",
    "code": "The code that it was refused with.",
}


class Ledger(Section):
    """The journal and the ledger of an account."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [
            Route(
                "GET",
                ONE + "/deliveries",
                self.list_deliveries,
                {200: "Deliveries"},
                listing(DELIVERY_KEYS, numbered=True),
            ),
            Route("GET", ONE + "/deliveries/{number}", self.show_delivery, {200: "Delivery"}),
            Route(
                "POST",
                ONE + "/deliveries/{number}/resend",
                self.resend,
                {201: "Delivery"},
                body="emulator/resend.json",
            ),
            Route(
                "GET", ONE + "/requests", self.list_requests, {200: "Requests"}, listing(REQUEST_KEYS, numbered=True)
            ),
            Route("GET", ONE + "/requests/{number}", self.show_request, {200: "Request"}),
        ]

    async def list_deliveries(self, request: web.BaseRequest) -> web.Response:
        """The ledger; ``?task=&status=&operation=&event=&chaos=`` and a span filter, ``?wait=&count=`` long-polls."""
        account = self.account(request)
        wanted = Filter(request, DELIVERY_KEYS.keys(), numbered=True)

        def newer() -> list[Delivery]:
            return [row for row in account.ledger if row.number > wanted.after]

        def matching() -> list[Delivery]:
            return [row for row in newer() if wanted.fits(views.delivery_keys(row), row.due)]

        found = await wanted.satisfied(account.ledger.changes.subscribe, matching)
        shown = [views.show_delivery(row) for row in found[-wanted.limit :]]
        ledger = account.ledger
        complete = not ledger.evicted or len(newer()) >= ledger.created - wanted.after
        return answer({"deliveries": shown, **wanted.verdict(found, ledger.evicted, complete=complete)})

    async def show_delivery(self, request: web.BaseRequest) -> web.Response:
        """One delivery."""
        return answer(views.show_delivery(self._named(request)))

    async def resend(self, request: web.BaseRequest) -> web.Response:
        """Send a callback again, at once and in one attempt, perhaps another way; answers when that is over."""
        document = await self.document(request, "emulator/resend.json")
        delivery = self._named(request)
        order = _edited(delivery.order, document)
        again = await self.emulation.driver.resend(self.account(request), delivery, order)
        return answer(views.show_delivery(again), 201)

    async def list_requests(self, request: web.BaseRequest) -> web.Response:
        """The journal; ``?operation=&status=&code=&since=&until=`` filter, ``?wait=&count=`` long-polls."""
        account = self.account(request)
        wanted = Filter(request, REQUEST_KEYS.keys(), numbered=True)

        def matching() -> list[RequestEntry]:
            rows = account.journal.requests
            return [row for row in rows if row.number > wanted.after and wanted.fits(views.request_keys(row), row.at)]

        found = await wanted.satisfied(account.journal.changes.subscribe, matching)
        shown = [views.show_request(row) for row in found[-wanted.limit :]]
        evicted = account.journal.evicted
        return answer({"requests": shown, **wanted.verdict(found, evicted, complete=wanted.after >= evicted)})

    async def show_request(self, request: web.BaseRequest) -> web.Response:
        """One request with its trace."""
        number = request[NAMED]["number"]
        for entry in self.account(request).journal.requests:
            if str(entry.number) == number:
                return answer(views.show_request(entry))
        raise Refused(404, f"no request {number!r}")

    def _named(self, request: web.BaseRequest) -> Delivery:
        account, number = self.account(request), request[NAMED]["number"]
        found = account.ledger.get(int(number)) if number.isdecimal() and len(number) < 19 else None
        if found is None:
            raise Refused(404, f"account {account.name} has no delivery {number!r}; perhaps it was forgotten")
        return found


def _edited(order: CallbackOrder, document: JsonObject) -> CallbackOrder:
    """``order`` with what ``document`` (``schemas/emulator/resend.json``) says put in its place."""
    edited: dict[str, str | None] = document.get("headers", {})
    replaced = {name.lower() for name in edited}
    headers = {name: value for name, value in order.headers.items() if name.lower() not in replaced}
    headers |= {name: value for name, value in edited.items() if value is not None}
    body = order.body
    if "body" in document:
        said = document["body"]
        body = said.encode() if isinstance(said, str) else write_json(said)
    return replace(order, url=document.get("url", order.url), headers=headers, body=body)
