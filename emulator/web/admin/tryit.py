"""Trying an operation: the form of its parameters, a call of it that is really signed, and what was sent of late."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from emulator.core.documents import read_json
from emulator.core.errors import nearest
from emulator.core.exchange import Draft, JsonObject, RawRequest
from emulator.core.journal import redact
from emulator.core.operations import Operation
from emulator.web.admin import views
from emulator.web.admin.site import NAMED, ONE, Refused, Route, Section, answer

LARGEST = 12 * 2**20
"""Bytes of the parameters of a call: a picture of the size that the vendor takes fits."""
_OF_A_FILE = frozenset({"$schema", "$id", "$defs", "examples"})


class TryIt(Section):
    """Operations as forms, and calls made up for an account."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [
            Route("GET", "/api/operations/{operation}", self.show_form, {200: "OperationForm"}),
            Route("POST", ONE + "/sign", self.sign, {200: "Draft"}, body="emulator/sign.json", refusals=(409,)),
            Route("GET", ONE + "/requests/{number}/body", self.show_body, {200: "RequestBody"}, refusals=(409,)),
        ]

    async def show_form(self, request: web.BaseRequest) -> web.Response:
        """An operation with the JSON Schema of its parameters, in one piece, and an example of them."""
        row = self._operation(request[NAMED]["operation"], 404)
        schema = self.emulation.schemas.get(f"{row.cloud}/{row.name}.request.json")
        whole = self._inlined(schema.id, schema.document)
        plain = {name: part for name, part in whole.items() if name not in _OF_A_FILE}
        example: JsonObject = next(iter(schema.document.get("examples", ())), {})
        return answer({**views.show_operation(row), "parameters": plain, "example": example})

    async def sign(self, request: web.BaseRequest) -> web.Response:
        """Make up a call as a client of the account would send it, signed with its secret; nothing is sent."""
        account, document = self.account(request), await self._wanted(request)
        row = self._operation(document["operation"], 422)
        origin = document.get("origin", f"{request.scheme}://{request.host}")
        host = origin.partition("://")[2]
        provider, now = self.emulation.providers[row.cloud], self.emulation.machine.wall()
        draft = provider.signed(row, document.get("parameters", {}), account, host, now)
        found = self.emulation.accounts.foresee(provider.identify(_raw(draft, host, now)).credential)
        whose = found.name if found is not None else "nobody"
        note = draft.note
        if whose != account.name:
            note = f"this call would be one of {whose}, not of {account.name}; {note or 'its parameters say so'}"
        return answer(
            {
                "operation": row.qualified,
                "account": whose,
                "method": draft.method,
                "url": origin + draft.target,
                "target": draft.target,
                "headers": dict(draft.headers),
                "body": draft.body.decode(),
                "note": note,
            }
        )

    async def show_body(self, request: web.BaseRequest) -> web.Response:
        """The whole body of a request, as text without secrets, while the journal still has it."""
        account, number = self.account(request), request[NAMED]["number"]
        entry = next((row for row in account.journal.requests if str(row.number) == number), None)
        if entry is None:
            raise Refused(404, f"no request {number!r}")
        content = account.journal.content(entry)
        if content is None:
            kept = f"the journal has {len(entry.body):,} bytes of this body, and whole ones of the latest requests only"
            raise Refused(409, kept)
        text = await asyncio.to_thread(lambda: redact(content.decode("utf-8", "replace")))
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        return web.Response(text=text, content_type="text/plain", headers=headers)

    async def _wanted(self, request: web.BaseRequest) -> JsonObject:
        """The body, which may hold a picture."""
        try:
            document = read_json(await request.clone(client_max_size=LARGEST).read() or b"{}")
        except web.HTTPRequestEntityTooLarge:
            raise Refused(413, f"the parameters of a call have {LARGEST:,} bytes at most here") from None
        except ValueError as error:
            raise Refused(400, f"the body is not JSON: {error}") from None
        self.emulation.schemas.check("emulator/sign.json", document, "sign")
        wanted: JsonObject = document
        return wanted

    def _operation(self, name: str, status: int) -> Operation:
        rows = {row.qualified: row for provider in self.emulation.providers.values() for row in provider.operations}
        if name not in rows:
            raise Refused(status, f"no operation {name!r}{nearest(name, rows)}")
        return rows[name]

    def _inlined(self, base: str, part: Any) -> Any:
        """``part`` of the schema ``base`` with what it refers to in its place."""
        if isinstance(part, list):
            return [self._inlined(base, each) for each in part]
        if not isinstance(part, dict):
            return part
        base, part = self.emulation.schemas.resolve(base, part)
        return {name: self._inlined(base, each) for name, each in part.items()}


def _raw(draft: Draft, host: str, now: float) -> RawRequest:
    path, _, query = draft.target.partition("?")
    return RawRequest(draft.method, path, query, draft.headers, draft.body, draft.body, host, "", now)
