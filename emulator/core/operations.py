"""The operations of a cloud, as rows of one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from typing import TYPE_CHECKING, Literal

from emulator.core.errors import nearest
from emulator.core.exchange import Call, JsonObject
from emulator.core.values import value_type

if TYPE_CHECKING:
    from emulator.core.provider import Context

Handler = Callable[[Call, "Context"], JsonObject]
"""Answers a validated call with the payload of its reply, or raises ``ApiError``. Never sees HTTP."""


@value_type
class Operation:
    """One thing that a client can call.

    Its schemas are found by convention: ``schemas/<cloud>/<name>.request.json`` and ``.response.json``.

    Attributes:
        cloud: the cloud's name.
        name: the operation's name within its cloud, as rules and the admin API spell it.
        wire: what identifies it on the wire: an action's name or a path.
        methods: the HTTP methods it is served under.
        handler: what answers it.
        summary: one line for people.
        source: the vendor's page.
        starts_task: whether it creates long-running work, so that a plan applies to it.
        emulated: ``behaves`` if it keeps state, ``canned`` if a fixture answers.
        qualified: the name with its cloud: ``kingsoft.CreateWaveTask``.

    """

    cloud: str
    name: str
    wire: str
    methods: tuple[str, ...]
    handler: Handler
    summary: str
    source: str
    starts_task: bool = False
    emulated: Literal["behaves", "canned"] = "behaves"
    qualified: str = field(init=False)

    def __post_init__(self) -> None:
        """Put the name with its cloud together once: every request asks for it."""
        object.__setattr__(self, "qualified", f"{self.cloud}.{self.name}")


class OperationTable:
    """The rows, looked up by what the wire says.

    Raises:
        ValueError: two rows share a wire name.

    """

    def __init__(self, rows: Iterable[Operation]) -> None:
        self.rows = tuple(rows)
        self._by_wire = {row.wire: row for row in self.rows}
        if len(self._by_wire) != len(self.rows):
            raise ValueError("two operations share a wire name")

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.rows)

    def find(self, wire: str) -> Operation | None:
        """The operation that the wire calls ``wire``."""
        return self._by_wire.get(wire)

    def nearest(self, wire: str) -> str:
        """A hint at the wire name nearest to ``wire``, or an empty text."""
        return nearest(wire, self._by_wire)
