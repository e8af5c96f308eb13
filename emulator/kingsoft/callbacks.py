"""The bodies that Kingsoft posts to ``CbUrl`` and ``progress_cburl``. [seed]"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from emulator.core.callbacks import CallbackOrder
from emulator.core.documents import write_json
from emulator.core.errors import ErrorRow, ErrorTable
from emulator.core.exchange import JsonObject
from emulator.core.ids import Draw
from emulator.core.tasks import Step, Task
from emulator.kingsoft.dialects import Dialect
from emulator.kingsoft.outputs import Output, made
from emulator.kingsoft.work import Job, Work, in_order, source_rows

HEADERS = {"Content-Type": "application/json; charset=utf-8"}
RUNNING, SUCCEEDED, FAILED = 2, 3, 4
_STAGES = {"running": "transcoding", "uploading": "uploading"}
_SCREENSHOTS = {
    "screenshots": frozenset({"avsample", "avsnapshot"}),
    "avsample": frozenset({"avsample"}),
    "always": frozenset[str](),
}


def owed(task: Task, step: Step, errors: ErrorTable, seed: int) -> tuple[CallbackOrder, ...]:
    """What the client is owed when ``task``, whose result is a ``Work``, reaches ``step``.

    Nothing, if it asked for nothing. ``seed`` is the account's; outputs are drawn from it.
    """
    work: Work = task.result
    match step.phase.status:
        case "running" | "uploading" as status:
            if not work.progress_url:
                return ()
            details: JsonObject = {"status": _STAGES[status], "progress": step.phase.percent}
            body = _body(task, work, work.dialect.running_status, _under_way(work, step), details)
            return _order("progress", work.progress_url, body)
        case "succeeded" | "failed" as status:
            if not (url := task.parameters.get("CbUrl", "")):
                return ()
            failure = errors.row(task.timeline.ending.code, "callback") if status == "failed" else None
            body = _flow_end(task, work, failure, seed) if work.flow else _end(task, work, failure, seed)
            return _order(status, url, body)
    return ()


def output_of(task: Task, index: int, seed: int) -> Output:
    """What job ``index`` of ``task`` yields; a source that an earlier step made is that step's output."""
    for place, output in enumerate(outputs_of(task, seed)):
        if place == index:
            return output
    raise IndexError(f"task {task.id} has no job {index}")


def _end(task: Task, work: Work, failure: ErrorRow | None, seed: int) -> JsonObject:
    """The end of a single task."""
    (job,), dialect = work.jobs, work.dialect
    output = output_of(task, 0, seed) if failure is None else None
    details: JsonObject = {"errnum": 0 if failure is None else failure.code}
    if failure is not None:
        # No sample of a failure is documented: errmsg with the code's text, and no items. [inference]
        details["errmsg"] = failure.text
    elif dialect.errmsg != "failure":
        details["errmsg"] = "" if dialect.errmsg == "empty" else "success"
    details["bucket"] = _bucket(job)
    details.update(_snapshot_number(job, output, dialect))
    if dialect.final_progress:
        details.update(status="", progress=0)
    if output is not None:
        details["items"] = [item(output, dialect)]
    elif dialect.failure_items != "absent":
        details["items"] = [] if dialect.failure_items == "empty" else None
    itmes = _itmes(job, output, failure, dialect)
    return _body(task, work, SUCCEEDED if failure is None else FAILED, work.type, details, itmes)


def _flow_end(task: Task, work: Work, failure: ErrorRow | None, seed: int) -> JsonObject:
    """The end of a flow task: one entry for each step that was begun, and no type of the whole. [seed]"""
    dialect, details = work.dialect, []
    failing = work.failing(task.timeline) if failure is not None else None
    for order, output in enumerate(outputs_of(task, seed, failing)):
        job, failed = work.jobs[order], order == failing
        entry: JsonObject = {
            "Order": order,
            "Type": job.type,
            "Status": FAILED if failed else SUCCEEDED,
            "Errnum": failure.code if failure is not None and failed else 0,
            "Errmsg": failure.text if failure is not None and failed else "",
            "Bucket": _bucket(job),
        }
        if not failed:
            entry["OutInfo"] = _out_info(job, output, dialect)
        elif dialect.failure_items != "absent":
            entry["OutInfo"] = {} if dialect.failure_items == "empty" else None
        details.append(entry)
        if failed and work.stop_on_failure:
            break
    return _body(task, work, SUCCEEDED if failure is None else FAILED, "", details)


def _body(
    task: Task, work: Work, status: int, kind: str, details: Any, itmes: list[JsonObject] | None = None
) -> JsonObject:
    """The envelope; keys without capitals for old users. [seed]"""
    body: JsonObject = {"TaskID": task.id, "Status": status}
    if kind:
        body["Type"] = kind
    if itmes:
        body["itmes"] = itmes
    body["Details"] = details
    if work.dialect.envelope == "legacy":
        return {name.lower(): member for name, member in body.items()}
    return body


def _under_way(work: Work, step: Step) -> str:
    """The type that a progress callback names: in a flow task, of the step that is under way. [inference]"""
    if not work.flow:
        return work.type
    last = len(work.jobs) - 1
    reached = step.phase.percent * len(work.jobs) // 100
    return work.jobs[last if step.phase.status == "uploading" else min(last, reached)].type


def outputs_of(task: Task, seed: int, failing: int | None = None) -> Iterator[Output]:
    """The outputs of all jobs, in order; what step ``failing`` would have made is no source of a later one."""
    work: Work = task.result
    media: dict[str, JsonObject] = {}
    for index, job in enumerate(work.jobs):
        draw = Draw(seed, "output", job.parameters, index)
        output = made(_chained(job, media), draw, work.result)
        if output.media is not None and index != failing:
            media[f"{job.parameters.get('DstBucket', '')}/{output.dstpath}"] = output.media
        yield output


def _chained(job: Job, media: Mapping[str, JsonObject]) -> Job:
    """``job`` with the sources that earlier steps have made."""
    if not media:
        return job
    paths = [entry["path"].strip("/") for entry in in_order(source_rows(job.parameters))]
    sources = [media.get(path, source) for path, source in zip(paths, job.sources, strict=False)]
    return replace(job, sources=tuple(sources))


def _bucket(job: Job) -> str:
    """The bucket of the output; nothing is put out by ``avinfo``. [seed]"""
    bucket: str = "" if job.type == "avinfo" else job.parameters.get("DstBucket", "")
    return bucket


def _snapshot_number(job: Job, output: Output | None, dialect: Dialect) -> JsonObject:
    """``snapshotNum``, where there is one: not with a failure, unless it is always there. [inference]"""
    always = dialect.snapshot_num == "always"
    if not always and (output is None or job.type not in _SCREENSHOTS[dialect.snapshot_num]):
        return {}
    return {"snapshotNum": (output.snapshots or 0) if output is not None else 0}


def item(output: Output, dialect: Dialect) -> JsonObject:
    """One output as it is told: the members that its type has [seed], with what a plan says put over them."""
    told: JsonObject = {"dstpath": output.dstpath}
    if output.metainfo is not None:
        told["metainfo"] = dialect.metainfo(output.metainfo)
    if output.out_media is not None and (dialect.segment_media or not output.segments):
        told["outMediainfo"] = dialect.out_media(output.out_media)
    if output.segment_list:
        for name in ("segmentlisttype", "segmenglisttype"):
            if dialect.segment_list_name in (name, "both"):
                told[name] = output.segment_list
    if output.segments:
        told["segmentsinfo"] = dialect.segments(output.segments)
    if output.sprites:
        told["thumnailsinfo"] = output.sprites
    if output.patch:
        told = _patched(told, output.patch)
    return {name: value if isinstance(value, str) else _text(value) for name, value in told.items()}


def _patched(document: Any, patch: Any) -> Any:
    """``document`` after a JSON Merge Patch. [RFC 7396]"""
    if not isinstance(patch, dict):
        return patch
    merged = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _patched(merged.get(name), value)
    return merged


def _out_info(job: Job, output: Output, dialect: Dialect) -> JsonObject:
    """The output of a flow step: what an item has, and the number of pictures. [seed]"""
    found = {**item(output, dialect), **_snapshot_number(job, output, dialect)}
    if dialect.out_info == "table":
        return {"metainfo": "", "snapshotNum": 0, "segmentlisttype": "", **found}
    return found


def _itmes(job: Job, output: Output | None, failure: ErrorRow | None, dialect: Dialect) -> list[JsonObject] | None:
    """The block for old KS3 users: the processing command and what came of it. [seed]

    In the sample of an ``avtrans`` task the command is ``avop``. That of a failure is not documented: the code's
    text, no key, and ``code`` 4. [inference]
    """
    if dialect.itmes == "off" or (dialect.itmes == "not-avtrans" and job.type == "avtrans"):
        return None
    command = f"tag={'avop' if job.type == 'avtrans' else job.type}"
    if target := output.dstpath if output is not None else _target(job):
        # Of the two alphabets, the one that needs no escape among "&" and "=". [inference]
        key = base64.urlsafe_b64encode(target.encode()).decode().rstrip("=")
        command += f"|tag=saveas&bucket={_bucket(job)}&object={key}"
    return [
        {
            "cmd": command,
            "desc": "success" if failure is None else failure.text,
            "keys": [output.dstpath if output is not None else ""],
            "code": SUCCEEDED if failure is None else FAILED,
        }
    ]


def _target(job: Job) -> str:
    """The key that an output was to have."""
    wanted = "" if job.type == "avinfo" else job.parameters.get("DstObjectKey") or job.parameters.get("DstDir", "")
    target: str = wanted.lstrip("/")
    return target


def _text(document: Any) -> str:
    """``document`` as a string that holds compact JSON."""
    return write_json(document).decode()


def _order(event: str, url: str, body: JsonObject) -> tuple[CallbackOrder, ...]:
    return (CallbackOrder(event, "POST", url, HEADERS, write_json(body)),)
