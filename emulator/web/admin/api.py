"""The whole admin API: every section's routes, in one list."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.core.emulation import Emulation
from emulator.web.admin.accounts import Accounts
from emulator.web.admin.basics import Basics, Readiness
from emulator.web.admin.clocks import Clocks
from emulator.web.admin.doctor import Doctor
from emulator.web.admin.events import Events
from emulator.web.admin.explain import Explain
from emulator.web.admin.flow import Flow
from emulator.web.admin.har import Har
from emulator.web.admin.hooks import Hooks, HookState
from emulator.web.admin.ledger import Ledger
from emulator.web.admin.listeners import Listeners
from emulator.web.admin.metrics import Metrics
from emulator.web.admin.openapi import OpenApi
from emulator.web.admin.rules import Rules
from emulator.web.admin.site import Route
from emulator.web.admin.snapshots import Snapshots
from emulator.web.admin.tasks import Tasks
from emulator.web.admin.trust import Trust
from emulator.web.admin.tryit import TryIt
from emulator.web.admin.verdicts import Verdicts
from emulator.web.authority import Authority
from emulator.web.relay import Relay
from emulator.web.sender import HttpSender, OutboundPolicy


def routes(
    emulation: Emulation,
    readiness: Readiness,
    authority: Authority,
    relay: Relay | None = None,
    hooks: Sequence[HookState] = (),
    *,
    secured: bool = False,
) -> list[Route]:
    """Everything that the admin API can be asked; ``secured`` if a token is demanded for it.

    Without a ``relay`` there are no callbacks, so nobody gets any.
    """
    found: list[Route] = []
    relay = relay or Relay(HttpSender(OutboundPolicy(), 5.0, emulation.machine), 5.0, emulation.machine)
    sections = (
        Basics(emulation, readiness),
        Trust(emulation, authority),
        Accounts(emulation),
        Clocks(emulation),
        Rules(emulation),
        Explain(emulation),
        Tasks(emulation),
        Ledger(emulation),
        TryIt(emulation),
        Events(emulation),
        Flow(emulation),
        Har(emulation),
        Listeners(emulation, relay),
        Doctor(emulation, relay),
        Hooks(emulation, hooks),
        Metrics(emulation),
        Verdicts(emulation),
        Snapshots(emulation),
        OpenApi(emulation, found, secured=secured),
    )
    found += [route for section in sections for route in section.routes()]
    return found
