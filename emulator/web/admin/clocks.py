"""Clocks: shown, set, moved."""

from __future__ import annotations

from aiohttp import web

from emulator.core.clock import ClockSpec, parse_instant
from emulator.core.errors import ConfigurationError, Problem
from emulator.core.exchange import JsonObject
from emulator.core.tasks import seconds
from emulator.web.admin import views
from emulator.web.admin.site import ONE, Route, Section, answer


class Clocks(Section):
    """The clock of an account."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [
            Route("GET", ONE + "/clock", self.show_clock, {200: "Clock"}),
            Route("PUT", ONE + "/clock", self.set_clock, {200: "Clock"}, body="emulator/clock.json", refusals=(409,)),
            Route(
                "POST",
                ONE + "/clock/advance",
                self.advance,
                {200: "Advanced"},
                body="emulator/advance.json",
                refusals=(409,),
            ),
        ]

    async def show_clock(self, request: web.BaseRequest) -> web.Response:
        """The account's time, and what is pending."""
        return answer(views.show_clock(self.account(request)))

    async def set_clock(self, request: web.BaseRequest) -> web.Response:
        """Set mode, speed and instant."""
        account = self.account(request)
        document = await self.document(request, "emulator/clock.json")
        self.emulation.driver.set_clock(account, clock_spec(document, account.clock.now()))
        return answer(views.show_clock(account))

    async def advance(self, request: web.BaseRequest) -> web.Response:
        """Move a frozen clock; answers when everything due has happened, and says what."""
        account = self.account(request)
        document = await self.document(request, "emulator/advance.json")
        driver = self.emulation.driver
        if document.get("until") == "idle":
            fired = await driver.run_until_idle(account)
        elif "until" in document:
            fired = await driver.next(account)
        elif "to" in document:
            fired = await driver.advance_to(account, _instant(document["to"], "/to"))
        else:
            until = account.clock.now() + seconds(document["seconds"])
            fired = await driver.advance_to(account, _instant(until, "/seconds"))
        return answer({**views.show_clock(account), "fired": [views.show_fired(event) for event in fired]})


def clock_spec(document: JsonObject, now: float | None = None) -> ClockSpec:
    """The clock that ``document`` asks for; it starts at ``now`` unless that says when."""
    start = _instant(document["now"], "/now") if "now" in document else now
    return ClockSpec(document["mode"], float(document.get("speed", 1.0)), start)


def _instant(value: float | str, pointer: str) -> float:
    try:
        return parse_instant(value)
    except ValueError as error:
        raise ConfigurationError([Problem("body", pointer, str(error))]) from None
