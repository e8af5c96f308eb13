"""What Kingsoft keeps of a task beside what core knows of it: the jobs that it consists of."""

from __future__ import annotations

from typing import Any

from emulator.core.exchange import JsonObject
from emulator.core.tasks import Ending, Timeline
from emulator.core.values import value_type
from emulator.kingsoft.dialects import Dialect


def source_rows(parameters: JsonObject) -> list[Any]:
    """``SrcInfo`` as it was sent, which may be one object or a list of them. [seed]"""
    given = parameters.get("SrcInfo", [])
    return given if isinstance(given, list) else [given]


def in_order(rows: list[JsonObject]) -> list[JsonObject]:
    """Sources in the order in which they are joined: by their ``index``, else by their place. [docs 2397]"""
    return [row for _, row in sorted(enumerate(rows), key=lambda found: found[1].get("index", found[0]))]


@value_type
class Job:
    """One step of work: a whole task, or one step of a flow task.

    Attributes:
        type: the template's type.
        parameters: as the client sent them for this step.
        sources: media descriptions of the sources, in order.
        param: the template's ``Param``.
        wishes: the document inside ``ExtParam``.

    """

    type: str
    parameters: JsonObject
    sources: tuple[JsonObject, ...]
    param: JsonObject
    wishes: JsonObject


@value_type
class Work:
    """All the steps of a task, and how its callbacks look.

    Attributes:
        jobs: one for each step, in order.
        flow: whether it came as a flow task, even one of a single step.
        dialect: which of the documented variants its callbacks follow.
        type: what a callback says its type is; empty for a flow task.
        progress_url: where progress is reported; empty if the client did not ask for it.
        stop_on_failure: whether the steps behind a failing one are left out.
        broken: which step fails, where the others run on all the same.
        result: what is put in the place of what it yields (``schemas/kingsoft/result.json``).

    """

    jobs: tuple[Job, ...]
    flow: bool
    dialect: Dialect
    type: str
    progress_url: str = ""
    stop_on_failure: bool = True
    broken: int | None = None
    result: JsonObject | None = None

    def failing(self, timeline: Timeline) -> int:
        """Which step fails if the task does."""
        return self.step_at(timeline.ending) if self.broken is None else self.broken

    def step_at(self, ending: Ending) -> int:
        """Which step is under way when that ending comes: each takes the same share of the run."""
        if ending.stage == "queue":
            return 0
        last = len(self.jobs) - 1
        return last if ending.stage == "upload" else min(last, int(ending.share * len(self.jobs)))
