"""Creating and asking for tasks."""

from __future__ import annotations

from typing import Any

import orjson

from emulator.core.clock import beijing, beijing_day
from emulator.core.errors import ApiError, ErrorTable
from emulator.core.exchange import Call, JsonObject
from emulator.core.fixtures import Fixtures
from emulator.core.ids import digest
from emulator.core.provider import Context
from emulator.core.schemas import SchemaRegistry
from emulator.core.tasks import Task, Timeline
from emulator.kingsoft import media
from emulator.kingsoft.requests import parse_json
from emulator.kingsoft.timelines import PLANS

_STATUSES = {"queued": "init", "running": "exec", "uploading": "exec", "succeeded": "succ", "failed": "fail"}
_STORED = ("Preset", "DstBucket", "DstDir", "DstObjectKey", "DstAcl", "CbUrl", "CbMethod")
_SOURCE = ("path", "index", "type")


class TaskHandlers:
    """The handlers of ``CreateWaveTask``, ``CreateTask`` and ``GetTaskByTaskID``."""

    def __init__(
        self, schemas: SchemaRegistry, fixtures: Fixtures, errors: ErrorTable, *, lenient_json: bool, wave_type: str
    ) -> None:
        self._errors = errors
        self._ext_param = schemas.get("kingsoft/ExtParam.json")
        self._media: JsonObject = fixtures.get("kingsoft/media.json")["media"]
        self._lenient = lenient_json
        self._wave_result = {"type": wave_type}

    def create_wave(self, call: Call, context: Context) -> JsonObject:
        """``CreateWaveTask``: a task that draws the waveform of a sound. [seed]

        What it produces is not documented; the callback names the output's path only. [inference]
        """
        return _start("audiowave", call, context, self._wave_result)

    def create(self, call: Call, context: Context) -> JsonObject:
        """``CreateTask`` with a template of type ``avtrans``. [docs 2397]"""
        parameters = _parameters(call)
        wishes = self._ext(parameters.get("ExtParam", ""))
        wanted = wishes.get("Callback", {})
        if context.responses == "random":
            described = media.drawn(context.draw("CreateTask", parameters["SrcInfo"], parameters["Preset"]))
        else:
            described = self._media
        result = {
            "type": "avtrans",
            "output": {"outMediainfo": media.output(described, parameters["DstObjectKey"])},
            "progress_url": wanted.get("progress_cburl", ""),
        }
        # The unit of progress_interval is not documented: seconds, 2 as in the vendor's sample. [inference]
        every = float(wanted.get("progress_interval", 2)) if wanted else None
        return _start("avtrans", call, context, result, every)

    def show(self, call: Call, context: Context) -> JsonObject:
        """``GetTaskByTaskID``. [sdk-java, book]"""
        wanted = _parameters(call)["TaskID"]
        task = context.account.tasks.get(wanted)
        phase = task.timeline.at(context.now) if task is not None else None
        if task is None or phase is None or phase.status == "vanished":
            raise ApiError(1200, f"account {context.account.name} has no task {wanted}")
        given = task.parameters
        failure = self._errors.row(task.timeline.ending.code, "callback") if phase.status == "failed" else None
        return {
            "TaskInfo": {
                "TaskID": task.id,
                "IsFlow": 0,
                **{name: given.get(name, "") for name in _STORED},
                "SrcInfo": [{name: entry[name] for name in _SOURCE if name in entry} for entry in _sources(given)],
                "DstAcl": given.get("DstAcl", "public-read"),
                "IsTop": str(given.get("IsTop", 0)),
                "ExtParam": _as_text(given.get("ExtParam", "")),
                "TaskStatus": _STATUSES[phase.status],
                "ErrorCode": str(failure.code) if failure is not None else "0",
                "ErrorMsg": failure.text if failure is not None else "",
                "CreateTime": beijing(task.timeline.start, "%Y-%m-%d %H:%M:%S"),
            }
        }

    def _ext(self, given: Any) -> JsonObject:
        """The document inside ``ExtParam``: JSON in a string, or an object.

        Raises:
            ApiError: 1018, it is neither or does not fit.

        """
        document = given
        if isinstance(given, str):
            if not given.strip():
                return {}
            try:
                document = parse_json(given, lenient=self._lenient)
            except ValueError as error:
                raise ApiError(1018, f"ExtParam is not JSON in a string: {error}") from None
        if not self._ext_param.is_valid(document):
            raise ApiError(1018, f"ExtParam: {self._ext_param.explain(document)}")
        found: JsonObject = document
        return found


def _start(
    kind: str,
    call: Call,
    context: Context,
    result: JsonObject,
    every: float | None = None,
) -> JsonObject:
    """Take the task on and answer with its id."""
    account, now = context.account, context.now
    plan = PLANS[kind] if context.plan is None else PLANS[kind].revised(context.plan)
    task_id = digest(account.seed, account.name, "TaskID", account.tasks.created) + beijing_day(now)
    assert call.operation is not None  # noqa: S101  a handler is only reached by its operation
    account.begin(
        Task(
            id=task_id,
            cloud=call.cloud,
            operation=call.operation.qualified,
            kind=kind,
            parameters=_parameters(call),
            timeline=Timeline.of(plan, now, account.seed, task_id, every=every),
            retry=plan.retry,
            result=result,
        ),
        now,
    )
    return {"TaskID": task_id}


def _parameters(call: Call) -> JsonObject:
    return call.parameters or {}


def _sources(parameters: JsonObject) -> list[JsonObject]:
    """``SrcInfo``, which may be one object or a list of them. [seed]"""
    given = parameters["SrcInfo"]
    return given if isinstance(given, list) else [given]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
