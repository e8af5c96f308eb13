"""Rules: set, shown, taken away."""

from __future__ import annotations

from aiohttp import web

from emulator.web.admin import views
from emulator.web.admin.site import NAMED, ONE, Refused, Route, Section, answer


class Rules(Section):
    """The rules of an account."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [
            Route("GET", ONE + "/rules", self.list_rules),
            Route("POST", ONE + "/rules", self.add_rule),
            Route("DELETE", ONE + "/rules", self.clear_rules),
            Route("GET", ONE + "/rules/{rule}", self.show_rule),
            Route("DELETE", ONE + "/rules/{rule}", self.delete_rule),
        ]

    async def list_rules(self, request: web.BaseRequest) -> web.Response:
        """The account's rules, in the order they are tried."""
        return answer({"rules": [views.show_rule(rule) for rule in self.account(request).rules]})

    async def add_rule(self, request: web.BaseRequest) -> web.Response:
        """Set a rule."""
        account = self.account(request)
        document = await self.document(request, "emulator/rule.json")
        rule = account.rules.add(document, self.emulation.schemas, self.emulation.providers)
        return answer(views.show_rule(rule), 201)

    async def clear_rules(self, request: web.BaseRequest) -> web.Response:
        """Take all rules away."""
        self.account(request).rules.clear()
        return web.Response(status=204)

    async def show_rule(self, request: web.BaseRequest) -> web.Response:
        """One rule and how often it was met."""
        rule = self.account(request).rules.get(request[NAMED]["rule"])
        if rule is None:
            raise Refused(404, f"no rule {request[NAMED]['rule']!r}")
        return answer(views.show_rule(rule))

    async def delete_rule(self, request: web.BaseRequest) -> web.Response:
        """Take a rule away."""
        if not self.account(request).rules.remove(request[NAMED]["rule"]):
            raise Refused(404, f"no rule {request[NAMED]['rule']!r}")
        return web.Response(status=204)
