"""What came in, and what went out: the requests and the deliveries."""

from __future__ import annotations

from aiohttp import web

from emulator.core.callbacks import Delivery
from emulator.core.journal import RequestEntry
from emulator.web.admin import views
from emulator.web.admin.filters import Filter
from emulator.web.admin.site import NAMED, ONE, Refused, Route, Section, answer


class Ledger(Section):
    """The journal and the ledger of an account."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [
            Route("GET", ONE + "/deliveries", self.list_deliveries),
            Route("GET", ONE + "/deliveries/{number}", self.show_delivery),
            Route("GET", ONE + "/requests", self.list_requests),
            Route("GET", ONE + "/requests/{number}", self.show_request),
        ]

    async def list_deliveries(self, request: web.BaseRequest) -> web.Response:
        """The ledger; ``?task=``, ``?status=``, ``?operation=``, ``?event=`` filter, ``?wait=&count=`` long-polls."""
        account = self.account(request)
        wanted = Filter(request, {"task", "status", "operation", "event"})

        def matching() -> list[Delivery]:
            return [
                row for row in account.ledger if row.number > wanted.after and wanted.fits(views.delivery_keys(row))
            ]

        found = await wanted.satisfied(account.ledger.changes, matching)
        shown = [views.show_delivery(row) for row in found[-wanted.limit :]]
        return answer({"deliveries": shown, **wanted.verdict(found), "evicted": account.ledger.evicted})

    async def show_delivery(self, request: web.BaseRequest) -> web.Response:
        """One delivery."""
        number = request[NAMED]["number"]
        for delivery in self.account(request).ledger:
            if str(delivery.number) == number:
                return answer(views.show_delivery(delivery))
        raise Refused(404, f"no delivery {number!r}")

    async def list_requests(self, request: web.BaseRequest) -> web.Response:
        """The journal; ``?operation=``, ``?status=``, ``?code=`` filter, ``?wait=&count=`` long-polls."""
        account = self.account(request)
        wanted = Filter(request, {"operation", "status", "code"})

        def matching() -> list[RequestEntry]:
            rows = account.journal.requests
            return [row for row in rows if row.number > wanted.after and wanted.fits(views.request_keys(row))]

        found = await wanted.satisfied(account.journal.changes, matching)
        shown = [views.show_request(row) for row in found[-wanted.limit :]]
        return answer({"requests": shown, **wanted.verdict(found), "evicted": account.journal.evicted})

    async def show_request(self, request: web.BaseRequest) -> web.Response:
        """One request with its trace."""
        number = request[NAMED]["number"]
        for entry in self.account(request).journal.requests:
            if str(entry.number) == number:
                return answer(views.show_request(entry))
        raise Refused(404, f"no request {number!r}")
