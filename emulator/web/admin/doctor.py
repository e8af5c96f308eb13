"""What stands between the emulator and a receiver of callbacks."""

from __future__ import annotations

from aiohttp import web

from emulator.core.accounts import DEFAULT
from emulator.core.emulation import Emulation
from emulator.core.exchange import JsonObject
from emulator.web.admin.site import Route, Section, answer
from emulator.web.reach import Finding, in_container, reach
from emulator.web.relay import Relay

PATIENCE = 5.0
"""Machine seconds that each step may take."""


class Doctor(Section):
    """Looks for what is wrong."""

    def __init__(self, emulation: Emulation, relay: Relay) -> None:
        super().__init__(emulation)
        self._relay = relay

    def routes(self) -> list[Route]:
        """What can be asked."""
        path, body = "/api/doctor/callbacks", "emulator/doctor.json"
        return [Route("POST", path, self.doctor_callbacks, {200: "Diagnosis"}, body=body)]

    async def doctor_callbacks(self, request: web.BaseRequest) -> web.Response:
        """Whether a callback would reach its receiver from here, step by step, and what to set if it would not."""
        asked = await self.document(request, "emulator/doctor.json")
        account = asked.get("account", DEFAULT)
        found = await reach(
            asked["url"], self._relay, account, PATIENCE, send=asked.get("send", False), inside=in_container()
        )
        ok = all(finding.ok for finding in found)
        return answer({"ok": ok, "url": asked["url"], "findings": list(map(_show, found))})


def _show(finding: Finding) -> JsonObject:
    return {"step": finding.step, "ok": finding.ok, "said": finding.said, "advice": finding.advice}
