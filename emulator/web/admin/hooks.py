"""The init hooks: what they are, and how each went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from emulator.core.emulation import Emulation
from emulator.core.exchange import JsonObject
from emulator.web.admin.site import Route, Section, answer

Stage = Literal["ready", "shutdown"]


@dataclass(slots=True)
class HookState:
    """One hook.

    Attributes:
        name: of its file.
        stage: whether it belongs to the start or to the end.
        seconds: how long it took.
        error: why it failed, in plain words.
        output: the last that it wrote.

    """

    name: str
    stage: Stage
    status: Literal["pending", "running", "done", "failed"] = "pending"
    seconds: float = 0.0
    error: str = ""
    output: str = ""


class Hooks(Section):
    """What runs when the emulator starts and stops."""

    def __init__(self, emulation: Emulation, states: Sequence[HookState]) -> None:
        super().__init__(emulation)
        self._states = states

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [Route("GET", "/api/hooks", self.list_hooks, {200: "Hooks"})]

    async def list_hooks(self, request: web.BaseRequest) -> web.Response:
        """The init hooks in the order in which they run, and how each went."""
        return answer({"hooks": [_show(state) for state in self._states]})


def _show(state: HookState) -> JsonObject:
    return {
        "name": state.name,
        "stage": state.stage,
        "status": state.status,
        "seconds": state.seconds,
        "error": state.error,
        "output": state.output,
    }
