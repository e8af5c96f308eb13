"""Changing and asking for queues. [sdk-python, sdk-php, sdk-java]"""

from __future__ import annotations

from emulator.core.errors import ApiError
from emulator.core.exchange import Call, JsonObject
from emulator.core.provider import Context
from emulator.kingsoft.queues import STATES, Queue
from emulator.kingsoft.state import KingsoftState


class QueueHandlers:
    """The handlers of ``UpdatePipeline`` and ``QueryPipeline``."""

    def update(self, call: Call, context: Context) -> JsonObject:
        """``UpdatePipeline``: a queue that is not there yet is made. [sdk-php; that it is made: inference]"""
        given = call.parameters or {}
        state: KingsoftState = context.account.state(call.cloud)
        old = state.queues.named.get(given["PipelineName"], Queue(given["PipelineName"]))
        wanted = given.get("State", old.state)
        if wanted not in STATES:
            raise ApiError(1024, f"State is {wanted!r}; {' and '.join(STATES)} are known")
        state.queues.named[old.name] = Queue(
            old.name,
            given.get("Description", old.description),
            wanted,
            _second(given["RegularStart"]) if "RegularStart" in given else old.starts,
            int(given.get("RegularDuration", old.lasts)),
        )
        state.queues.turn(context.account, context.now)
        return {}

    def show(self, call: Call, context: Context) -> JsonObject:
        """``QueryPipeline``: the queue, and how its tasks are doing."""
        name = (call.parameters or {})["PipelineName"]
        state: KingsoftState = context.account.state(call.cloud)
        queue = state.queues.named.get(name)
        if queue is None:
            raise ApiError(1023, f"there is no queue {name!r}; UpdatePipeline makes it")
        counts = dict.fromkeys(("Total", "Running", "Pending", "Success", "Failed"), 0)
        for task in context.account.tasks:
            if task.cloud == call.cloud and task.parameters.get("Pipeline") == name and task.id not in state.deleted:
                status = task.timeline.at(context.now).status
                if status != "vanished":
                    counts["Total"] += 1
                    counts[_COUNTED[status]] += 1
        return {
            "Description": queue.description,
            "State": queue.state,
            "RegularStart": f"{queue.starts // 3600:02}:{queue.starts // 60 % 60:02}:{queue.starts % 60:02}",
            "RegularDuration": queue.lasts,
            "Quota": state.queues.concurrency,
            "TaskStatus": counts,
        }


_COUNTED = {
    "queued": "Pending",
    "running": "Running",
    "uploading": "Running",
    "succeeded": "Success",
    "failed": "Failed",
}


def _second(clock: str) -> int:
    """The second of the day of ``HH:MM:SS``."""
    hours, minutes, seconds = (int(part) for part in clock.split(":"))
    return hours * 3600 + minutes * 60 + seconds
