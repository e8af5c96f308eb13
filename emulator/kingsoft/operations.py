"""THE table of Kingsoft's operations: one row each. A row's schemas are found by its name."""

from __future__ import annotations

from emulator.core.operations import Handler, Operation, OperationTable
from emulator.kingsoft.handlers.presets import PresetHandlers
from emulator.kingsoft.handlers.queues import QueueHandlers
from emulator.kingsoft.handlers.statistics import StatisticsHandlers
from emulator.kingsoft.handlers.tasks import PROCESS, TaskHandlers
from emulator.kingsoft.requests import BATCH

NAME = "kingsoft"
_READ, _WRITE = ("GET", "POST"), ("POST", "GET")
"""The documented method first. Whether the other one is refused is not known; it is served. [inference]"""


def table(
    tasks: TaskHandlers, presets: PresetHandlers, queues: QueueHandlers, statistics: StatisticsHandlers
) -> OperationTable:
    """Every operation that is emulated."""

    def row(
        name: str, methods: tuple[str, ...], handler: Handler, summary: str, source: str, *, starts: bool = False
    ) -> Operation:
        return Operation(NAME, name, name, methods, handler, summary, source, starts_task=starts)

    return OperationTable(
        [
            row("Preset", _WRITE, presets.create, "make a template", "docs 2389"),
            row("UpdatePreset", _WRITE, presets.update, "change a template", "docs 2390"),
            row("DelPreset", _READ, presets.delete, "delete a template", "docs 2391"),
            row("GetPresetList", _READ, presets.list, "list templates", "docs 2392"),
            row("GetPresetDetail", _READ, presets.detail, "show a template", "docs 2393"),
            row("CreateTask", _WRITE, tasks.create, "start a task with a template", "docs 2397", starts=True),
            row("CreateFlowTask", _WRITE, tasks.create_flow, "start a task of several steps", "sdk-php", starts=True),
            row(BATCH, _WRITE, tasks.create_batch, "start several tasks", "sdk-php", starts=True),
            row("CreateWaveTask", _WRITE, tasks.create_wave, "start a task that draws a waveform", "seed", starts=True),
            row("DelTaskByTaskID", _READ, tasks.delete, "end and delete a task", "docs 2399"),
            row("TopTaskByTaskID", _READ, tasks.top, "put a waiting task first", "docs 2400"),
            row("GetTaskList", _READ, tasks.list, "list tasks", "docs 2401"),
            row("GetTaskByTaskID", _READ, tasks.show, "ask how a task is doing", "docs 2402, sdk-java"),
            row("GetTaskMetaInfo", _READ, tasks.metainfo, "ask what avinfo tasks found", "docs 2403"),
            row("FetchMetaInfo", _WRITE, tasks.fetch_metainfo, "look at a source at once", "docs 5707"),
            row("UpdatePipeline", _WRITE, queues.update, "change a queue, or make it", "docs 2395"),
            row("QueryPipeline", _READ, queues.show, "show a queue", "docs 2396"),
            row("QueryTaskStats", _READ, statistics.task_stats, "count tasks", "sdk-python"),
            row("GetMediaTransDuration", _READ, statistics.durations, "count seconds transcoded", "sdk-java"),
            row("GetScreenshotNumber", _READ, statistics.screenshots, "count screenshots", "sdk-java"),
            row("GetInterfaceNumber", _READ, statistics.calls, "count calls", "sdk-java"),
            row(PROCESS, _WRITE, tasks.process, "start a task as an object's process", "sdk-python",
                starts=True),
            row("ListFetchObjectMediaProcess", _READ, tasks.list_processes, "list processes", "sdk-python"),
            row("GetFetchObjectMediaProcess", _READ, tasks.show_process, "show a process", "sdk-python"),
        ]
    )  # fmt: skip
