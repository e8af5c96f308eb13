"""Whether it is ready, and what it emulates."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from emulator import __version__
from emulator.core.emulation import Emulation
from emulator.web.admin import views
from emulator.web.admin.site import Parameter, Route, Section, answer


@dataclass(slots=True)
class Readiness:
    """What the emulator still waits for before it is ready."""

    pending: list[str] = field(default_factory=list)


LISTS = (
    Parameter("cloud", "Only the codes of this cloud.", {"type": "string"}),
    Parameter("list", "Only the codes of this list.", {"type": "string"}),
)


class Basics(Section):
    """Health, and the tables of what there is."""

    def __init__(self, emulation: Emulation, readiness: Readiness) -> None:
        super().__init__(emulation)
        self._readiness = readiness

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [
            Route("GET", "/livez", self.livez, {200: "Liveness"}),
            Route("GET", "/readyz", self.readyz, {200: "Readiness", 503: "Readiness"}),
            Route("GET", "/health", self.health, {200: "Health"}),
            Route("GET", "/api/operations", self.operations, {200: "Operations"}),
            Route("GET", "/api/errors", self.errors, {200: "Errors"}, LISTS),
            Route("GET", "/api/resources", self.resources, {200: "Resources"}),
        ]

    async def livez(self, request: web.BaseRequest) -> web.Response:
        """The process answers."""
        return answer({"status": "alive"})

    async def readyz(self, request: web.BaseRequest) -> web.Response:
        """Ready to serve, or 503 with what is pending."""
        pending = self._readiness.pending
        return answer({"status": "starting" if pending else "ready", "pending": pending}, 503 if pending else 200)

    async def health(self, request: web.BaseRequest) -> web.Response:
        """Version, seed, uptime; what is wrong with the rule files, if anything."""
        emulation = self.emulation
        return answer(
            {
                "status": "starting" if self._readiness.pending else "ready",
                "version": __version__,
                "seed": emulation.seed,
                "uptime": round(emulation.machine.wall() - emulation.started, 3),
                "clouds": list(emulation.providers),
                "accounts": len(emulation.accounts),
                "problems": list(map(str, emulation.rule_files.problems)),
            }
        )

    async def operations(self, request: web.BaseRequest) -> web.Response:
        """What can be called, and the magic values that change what becomes of it."""
        providers = self.emulation.providers.values()
        rows = [views.show_operation(row) for provider in providers for row in provider.operations]
        return answer({"operations": rows, "triggers": views.show_triggers(providers)})

    async def errors(self, request: web.BaseRequest) -> web.Response:
        """Every documented code; ``?cloud=``, ``?list=`` filter."""
        cloud, listed = request.query.get("cloud"), request.query.get("list")
        rows = (row for provider in self.emulation.providers.values() for row in provider.errors.rows)
        chosen = [row for row in rows if cloud in (None, row.cloud) and listed in (None, row.listed)]
        return answer({"errors": [views.show_error(row) for row in chosen]})

    async def resources(self, request: web.BaseRequest) -> web.Response:
        """Which fixture files are in force, and which they hide."""
        files = self.emulation.fixtures.resources.values()
        return answer({"fixtures": [{"path": f.path, "file": f.origin, "hides": list(f.hides)} for f in files]})
