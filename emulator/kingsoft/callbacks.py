"""The bodies that Kingsoft posts to ``CbUrl`` and ``progress_cburl``. [seed]"""

from __future__ import annotations

from emulator.core.callbacks import CallbackOrder
from emulator.core.documents import write_json
from emulator.core.errors import ErrorTable
from emulator.core.exchange import JsonObject
from emulator.core.tasks import Step, Task

HEADERS = {"Content-Type": "application/json; charset=utf-8"}
RUNNING, SUCCEEDED, FAILED = 2, 3, 4
_STAGES = {"running": "transcoding", "uploading": "uploading"}


def owed(task: Task, step: Step, errors: ErrorTable) -> tuple[CallbackOrder, ...]:
    """What the client is owed when ``task`` reaches ``step``: nothing, if it asked for nothing."""
    match step.phase.status:
        case "running" | "uploading" as status:
            details: JsonObject = {"status": _STAGES[status], "progress": step.phase.percent}
            return _order(task, "progress", RUNNING, details, task.result.get("progress_url", ""))
        case "succeeded":
            item = {"dstpath": task.parameters["DstObjectKey"], **task.result.get("output", {})}
            details = {"errnum": 0, "bucket": task.parameters["DstBucket"], "items": [item]}
            return _order(task, "succeeded", SUCCEEDED, details, task.parameters.get("CbUrl", ""))
        case "failed":
            row = errors.row(task.timeline.ending.code, "callback")
            bucket = task.parameters["DstBucket"]
            # No sample of a failure is documented: errmsg with the code, and no items. [inference]
            details = {"errnum": row.code, "errmsg": row.text, "bucket": bucket, "items": []}
            return _order(task, "failed", FAILED, details, task.parameters.get("CbUrl", ""))
    return ()


def _order(task: Task, event: str, status: int, details: JsonObject, url: str) -> tuple[CallbackOrder, ...]:
    if not url:
        return ()
    body = {"TaskID": task.id, "Status": status, "Type": task.result["type"], "Details": details}
    return (CallbackOrder(event, "POST", url, HEADERS, write_json(body)),)
