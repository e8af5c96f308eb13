"""THE table of Kingsoft's operations: one row each. A row's schemas are found by its name."""

from __future__ import annotations

from emulator.core.operations import Operation, OperationTable
from emulator.kingsoft.handlers.tasks import TaskHandlers

NAME = "kingsoft"


def table(tasks: TaskHandlers) -> OperationTable:
    """Every operation that is emulated."""
    return OperationTable(
        [
            Operation(NAME, "CreateTask", "CreateTask", ("POST", "GET"), tasks.create,
                      "start a transcoding task (PresetType avtrans)", "docs 2397", starts_task=True),
            Operation(NAME, "CreateWaveTask", "CreateWaveTask", ("POST", "GET"), tasks.create_wave,
                      "start a task that draws a waveform", "seed", starts_task=True),
            Operation(NAME, "GetTaskByTaskID", "GetTaskByTaskID", ("GET", "POST"), tasks.show,
                      "ask how a task is doing", "docs 2402, sdk-java"),
        ]
    )  # fmt: skip
