"""Snapshots: an account saved as one document, and loaded from one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from emulator.core.documents import read_json
from emulator.web.admin import views
from emulator.web.admin.site import NAMED, ONE, Refused, Route, Section, answer

if TYPE_CHECKING:
    from emulator.core import snapshot

LARGEST = 256 * 2**20
"""Bytes that a snapshot may have."""
DEEPEST = 96
"""Levels of nesting that a snapshot may have: what is in it came from documents that may have fewer."""


class Snapshots(Section):
    """The snapshot of an account."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [
            Route("GET", ONE + "/snapshot", self.save, {200: "Snapshot"}),
            Route("PUT", ONE + "/snapshot", self.load, {200: "Account"}, body="emulator/snapshot.json"),
        ]

    async def save(self, request: web.BaseRequest) -> web.Response:
        """The account as one document."""
        return answer(self._keeper().save(self.account(request)))

    async def load(self, request: web.BaseRequest) -> web.Response:
        """Make the account what the document says; it is made if it is not there."""
        try:
            content = await request.clone(client_max_size=LARGEST).read()
        except web.HTTPRequestEntityTooLarge:
            raise Refused(413, f"a snapshot has {LARGEST} bytes at most") from None
        keeper = self._keeper()
        restorable = await asyncio.to_thread(_read, content, keeper)  # a large one takes seconds
        account = await keeper.load(restorable, request[NAMED]["account"])
        return answer(views.show_account(account))

    def _keeper(self) -> snapshot.Snapshots:
        from emulator.core import snapshot

        emulation = self.emulation
        return snapshot.Snapshots(
            emulation.accounts, emulation.providers, emulation.schemas, emulation.rules, emulation.driver
        )


def _read(content: bytes, keeper: snapshot.Snapshots) -> snapshot.Restorable:
    try:
        document = read_json(content or b"{}", DEEPEST)
    except ValueError as error:
        raise Refused(400, f"the body is not JSON: {error}") from None
    return keeper.read(document)
