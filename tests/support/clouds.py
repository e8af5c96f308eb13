"""The two emulated clouds with the shipped data files, without a server."""

from __future__ import annotations

import functools
from typing import Any

from multidict import CIMultiDict

from emulator.assembly import assemble, load_data
from emulator.core.emulation import Emulation
from emulator.core.exchange import RawRequest
from emulator.core.fixtures import Fixtures
from emulator.core.schemas import SchemaRegistry
from emulator.settings import Settings
from tests.support.machine import START, FakeMachine


@functools.cache
def data() -> tuple[SchemaRegistry, Fixtures]:
    """The shipped schemas and fixtures; nothing ever changes them."""
    return load_data(Settings())


def emulation(**settings: Any) -> Emulation:
    """An emulator whose clock is frozen at ``START`` unless ``settings`` say otherwise, ready to decide requests."""
    return assemble(Settings(**{"seed": 7, "clock": "frozen", **settings}), FakeMachine())[0]


def raw(
    method: str = "POST",
    path: str = "/",
    query: str = "",
    body: bytes = b"",
    kind: str = "",
    **headers: str,
) -> RawRequest:
    """A request as the edge hands it over; ``kind`` is its ``Content-Type``, ``x_action`` the header ``X-Action``."""
    named = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    if kind:
        named["Content-Type"] = kind
    return RawRequest(method, path, query, named, body, body, "localhost", "127.0.0.1", START)
