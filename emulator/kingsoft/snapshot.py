"""What Kingsoft puts into a snapshot of an account, and takes out of it again.

Left out is what was signed rightly of late, which only words the reasons of refusals.
"""

from __future__ import annotations

from collections.abc import Collection

from emulator.core.errors import ConfigurationError, Problem, nearest
from emulator.core.exchange import JsonObject
from emulator.core.schemas import SchemaRegistry
from emulator.core.structure import dump, load
from emulator.core.values import value_type
from emulator.kingsoft.dialects import Dialect
from emulator.kingsoft.limits import RateLimits
from emulator.kingsoft.presets import Preset, PresetBook
from emulator.kingsoft.queues import Queues
from emulator.kingsoft.state import KingsoftState
from emulator.kingsoft.statistics import Statistics
from emulator.kingsoft.work import Work
from emulator.kingsoft.world import World

WHERE = "snapshot"


@value_type
class SavedStatistics:
    """The amounts of each minute since 1970, by what they are of."""

    durations: dict[int, dict[tuple[str, str], int]]
    pictures: dict[int, dict[str, int]]
    calls: dict[int, dict[str, int]]


@value_type
class SavedState:
    """A :class:`KingsoftState`; ``world`` is the document that it was made of."""

    presets: tuple[Preset, ...]
    queues: Queues
    dialect: Dialect
    world: JsonObject | None
    statistics: SavedStatistics
    limits: RateLimits
    deleted: dict[str, None]


def save_state(state: KingsoftState) -> JsonObject:
    """``state`` as plain JSON."""
    counted = state.statistics
    saved = SavedState(
        presets=tuple(state.presets),
        queues=state.queues,
        dialect=state.dialect,
        world=state.world.document if state.world is not None else None,
        statistics=SavedStatistics(counted._durations._minutes, counted._pictures._minutes, counted._calls._minutes),
        limits=state.limits,
        deleted=state.deleted,
    )
    document: JsonObject = dump(SavedState, saved)
    return document


def load_state(
    document: JsonObject, tasks: Collection[str], ready: PresetBook, schemas: SchemaRegistry
) -> KingsoftState:
    """The state that ``document`` was made of.

    Args:
        document: what :func:`save_state` made.
        tasks: ids of the account's tasks.
        ready: the presets that every account starts with, which are shared where nothing was changed.
        schemas: the registry.

    Raises:
        ConfigurationError: it is of another form, or disagrees with itself.

    """
    saved = load(SavedState, document, WHERE)
    problems = _contradictions(saved.queues, tasks)
    if saved.world is not None:
        try:
            schemas.check("kingsoft/world.json", saved.world, WHERE)
        except ConfigurationError as error:
            problems += [Problem(WHERE, "/world" + found.pointer, found.message) for found in error.problems]
    if problems:
        raise ConfigurationError(problems)
    statistics = Statistics()
    statistics._durations._minutes = saved.statistics.durations
    statistics._pictures._minutes = saved.statistics.pictures
    statistics._calls._minutes = saved.statistics.calls
    return KingsoftState(
        presets=PresetBook(ready if tuple(ready) == saved.presets else saved.presets),
        queues=saved.queues,
        dialect=saved.dialect,
        world=World.of(saved.world) if saved.world is not None else None,
        statistics=statistics,
        limits=saved.limits,
        deleted=saved.deleted,
    )


def save_result(result: Work) -> JsonObject:
    """What is kept of a task as plain JSON."""
    document: JsonObject = dump(Work, result)
    return document


def load_result(document: JsonObject) -> Work:
    """What is kept of a task.

    Raises:
        ConfigurationError: it is of another form.

    """
    return load(Work, document, WHERE)


def _contradictions(queues: Queues, tasks: Collection[str]) -> list[Problem]:
    problems = []
    for name, waiting in queues._waiting.items():
        pointer = f"/queues/waiting/{name}"
        if name != waiting.task_id or name not in tasks:
            problems.append(Problem(WHERE, pointer, f"waits, but there is no such task{nearest(name, tasks)}"))
        if waiting.queue not in queues.named or waiting.queue not in queues._lines:
            problems.append(Problem(WHERE, f"{pointer}/queue", f"there is no queue {waiting.queue!r}"))
    return problems
