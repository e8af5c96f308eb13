"""What Kingsoft remembers of an account beside its tasks."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.kingsoft.dialects import Dialect
from emulator.kingsoft.limits import RateLimits
from emulator.kingsoft.presets import PresetBook
from emulator.kingsoft.queues import Queues
from emulator.kingsoft.signing import Memory
from emulator.kingsoft.statistics import Statistics
from emulator.kingsoft.world import World


@dataclass(slots=True)
class KingsoftState:
    """One account's.

    Attributes:
        dialect: which of the documented variants answers and callbacks follow.
        world: the buckets and objects that there are; ``None``: every one exists.
        deleted: ids of tasks that the client deleted, oldest first.

    """

    presets: PresetBook
    queues: Queues
    dialect: Dialect
    world: World | None
    statistics: Statistics = field(default_factory=Statistics)
    limits: RateLimits = field(default_factory=RateLimits)
    signed: Memory = field(default_factory=Memory)
    deleted: dict[str, None] = field(default_factory=dict)

    def delete(self, task_id: str, limit: int = 10_000) -> None:
        """Remember that a task was deleted."""
        self.deleted[task_id] = None
        if len(self.deleted) > limit:
            del self.deleted[next(iter(self.deleted))]
