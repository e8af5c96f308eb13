"""The whole admin API: every section's routes, in one list."""

from __future__ import annotations

from emulator.core.emulation import Emulation
from emulator.web.admin.accounts import Accounts
from emulator.web.admin.basics import Basics, Readiness
from emulator.web.admin.clocks import Clocks
from emulator.web.admin.ledger import Ledger
from emulator.web.admin.rules import Rules
from emulator.web.admin.site import Route
from emulator.web.admin.tasks import Tasks


def routes(emulation: Emulation, readiness: Readiness) -> list[Route]:
    """Everything that the admin API can be asked."""
    sections = (
        Basics(emulation, readiness),
        Accounts(emulation),
        Clocks(emulation),
        Rules(emulation),
        Tasks(emulation),
        Ledger(emulation),
    )
    return [route for section in sections for route in section.routes()]
