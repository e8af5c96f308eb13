"""What a client needs so that its vendor's hosts lead here: the certificate to trust."""

from __future__ import annotations

import asyncio

from aiohttp import web

from emulator.core.emulation import Emulation
from emulator.web.admin.site import Route, Section
from emulator.web.authority import Authority

CERTIFICATE = "/ca.pem"


class Trust(Section):
    """The certificate authority."""

    def __init__(self, emulation: Emulation, authority: Authority) -> None:
        super().__init__(emulation)
        self._authority = authority

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [Route("GET", CERTIFICATE, self.certificate, {200: "Certificate"})]

    async def certificate(self, request: web.BaseRequest) -> web.Response:
        """The certificate that a client has to trust so that the vendors' hosts may be this emulator."""
        pem = await asyncio.to_thread(lambda: self._authority.certificate)
        return web.Response(body=pem, content_type="application/x-pem-file")
