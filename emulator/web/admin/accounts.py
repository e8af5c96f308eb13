"""Accounts: made, shown, reset, forgotten, and how each cloud behaves in them."""

from __future__ import annotations

from aiohttp import web

from emulator.core.exchange import Credential, JsonObject
from emulator.core.ids import Draw
from emulator.core.provider import Provider
from emulator.web.admin import views
from emulator.web.admin.clocks import clock_spec
from emulator.web.admin.site import NAMED, ONE, Refused, Route, Section, answer


class Accounts(Section):
    """Accounts and their options."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [
            Route("GET", "/api/accounts", self.list_accounts, {200: "Accounts"}),
            Route("POST", "/api/accounts", self.create_account, {201: "Account"}, body="emulator/account.json"),
            Route("GET", ONE, self.show_account, {200: "Account"}),
            Route("DELETE", ONE, self.delete_account, {204: ""}, refusals=(409,)),
            Route("POST", ONE + "/reset", self.reset, {200: "Account"}),
            Route("GET", ONE + "/clouds/{cloud}", self.show_options, {200: "Options"}),
            Route("PATCH", ONE + "/clouds/{cloud}", self.set_options, {200: "Options"}, body="Options"),
        ]

    async def list_accounts(self, request: web.BaseRequest) -> web.Response:
        """Every account."""
        return answer({"accounts": [views.show_account(account) for account in self.emulation.accounts]})

    async def create_account(self, request: web.BaseRequest) -> web.Response:
        """Make an account; answers with its credentials, secrets included."""
        document = await self.document(request, "emulator/account.json")
        clock = clock_spec(document["clock"]) if "clock" in document else None
        providers = self.emulation.providers

        def credentials(name: str, seed: int) -> dict[Credential, str | None]:
            found: dict[Credential, str | None] = {}
            for cloud, provider in providers.items():
                self._check_options(provider, document.get(cloud, {}))
                found.update(provider.credentials(document.get(cloud, {}), Draw(seed, name, cloud, "credentials")))
            return found

        account = self.emulation.accounts.create(document, clock, credentials)
        return answer(views.show_account(account, secrets=True), 201)

    async def show_account(self, request: web.BaseRequest) -> web.Response:
        """One account, without its secrets."""
        return answer(views.show_account(self.account(request)))

    async def delete_account(self, request: web.BaseRequest) -> web.Response:
        """Reset an account and forget it."""
        await self.emulation.driver.remove(self.account(request))
        return web.Response(status=204)

    async def reset(self, request: web.BaseRequest) -> web.Response:
        """Give an account a fresh state; nothing of before happens after this has answered."""
        account = self.account(request)
        await self.emulation.driver.reset(account)
        return answer(views.show_account(account))

    async def show_options(self, request: web.BaseRequest) -> web.Response:
        """What is in force for one cloud in an account, beside credentials."""
        account = self.account(request)
        return answer(self._provider(request).options(account))

    async def set_options(self, request: web.BaseRequest) -> web.Response:
        """Change what is in force for one cloud in an account, from now on."""
        account, provider = self.account(request), self._provider(request)
        document = await self.document(request, f"{provider.name}/options.json")
        provider.check_options(document)
        provider.set_options(account, document)
        return answer(provider.options(account))

    def _check_options(self, provider: Provider, document: JsonObject) -> None:
        """What is asked of a cloud in a new account, beside its credentials."""
        path = f"{provider.name}/options.json"
        if self.emulation.schemas.has(path):
            known = self.emulation.schemas.get(path).document["properties"]
            options = {name: value for name, value in document.items() if name in known}
            self.emulation.schemas.check(path, options, provider.name)
            provider.check_options(options)

    def _provider(self, request: web.BaseRequest) -> Provider:
        name = request[NAMED]["cloud"]
        found = self.emulation.providers.get(name)
        if found is None or not self.emulation.schemas.has(f"{name}/options.json"):
            raise Refused(404, f"no cloud {name!r} with options of an account")
        return found
