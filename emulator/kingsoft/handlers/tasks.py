"""Creating, moving, ending and asking for tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from emulator.core.clock import beijing_day
from emulator.core.documents import write_json
from emulator.core.errors import ApiError, ErrorTable, nearest
from emulator.core.exchange import Call, JsonObject
from emulator.core.fixtures import Fixtures
from emulator.core.ids import digest
from emulator.core.provider import Context
from emulator.core.schemas import SchemaRegistry
from emulator.core.tasks import Ending, Plan, Task, Timeline
from emulator.core.tracing import carried
from emulator.core.values import value_type
from emulator.kingsoft import media, outputs
from emulator.kingsoft.callbacks import item, output_of
from emulator.kingsoft.handlers.periods import PAGE, Period, moment, period
from emulator.kingsoft.presets import Preset
from emulator.kingsoft.probing import probed
from emulator.kingsoft.queues import NORMAL
from emulator.kingsoft.requests import parse_json
from emulator.kingsoft.state import KingsoftState
from emulator.kingsoft.timelines import PLANS, in_a_row
from emulator.kingsoft.work import Job, Work, in_order, source_rows

WAVE, INFO = "audiowave", "avinfo"
PROCESS = "FetchObjectMediaProcess"
SHUT_DOWN = 2005
"""What the callback of a task says that the client deleted: "task shutdown by user". [seed; its use: inference]"""
_STATUSES = {"queued": "init", "running": "exec", "uploading": "exec", "succeeded": "succ", "failed": "fail"}
_STORED = ("Preset", "DstBucket", "DstDir", "DstObjectKey", "DstAcl", "CbUrl", "CbMethod")
_SOURCE = ("path", "index", "type")
_STEP = ("Preset", "SrcInfo", "DstBucket", "DstDir", "DstObjectKey", "DstAcl", "ExtParam")


@value_type
class TaskOptions:
    """How tasks are read and run, where the vendor leaves it open.

    Attributes:
        lenient_json: whether ``ExtParam`` may have trailing commas and comments.
        wave_type: the ``Type`` in the callback of a wave task.
        legacy_types: whether templates of the types of 2016 are served, and chains of two of them.
        stop_on_failure: whether a failing step of a flow task ends it.
        clamp: whether a ``Limit`` above 100 means 100; else it is refused.

    """

    lenient_json: bool = False
    wave_type: str = WAVE
    legacy_types: bool = False
    stop_on_failure: bool = True
    clamp: bool = True


class TaskHandlers:
    """The handlers of every operation on tasks and on the media they work on."""

    def __init__(self, schemas: SchemaRegistry, fixtures: Fixtures, errors: ErrorTable, options: TaskOptions) -> None:
        self._errors = errors
        self._ext_param = schemas.get("kingsoft/ExtParam.json")
        self._media: JsonObject = fixtures.get("kingsoft/media.json")["media"]
        self._options = options

    # Creating.

    def create(self, call: Call, context: Context) -> JsonObject:
        """``CreateTask``. [docs 2397]"""
        return {"TaskID": self._create(call, context, _parameters(call))}

    def create_batch(self, call: Call, context: Context) -> JsonObject:
        """``BatchCreateTask``: each of the array for itself; one that is refused says so in its place. [inference]"""
        created: list[JsonObject] = []
        for parameters in _parameters(call)["Tasks"]:
            try:
                created.append({"TaskID": self._create(call, context, parameters), "ErrNum": 0, "ErrMsg": "success"})
            except ApiError as error:
                row = self._errors.row(error.code, "api")
                created.append({"TaskID": "", "ErrNum": row.code, "ErrMsg": row.says(error)})
        return {"Tasks": created}

    def create_wave(self, call: Call, context: Context) -> JsonObject:
        """``CreateWaveTask``: a task that draws the waveform of a sound. [seed]

        What it produces is not documented; the callback names the output's path only. [inference]
        """
        parameters = _parameters(call)
        state: KingsoftState = context.account.state(call.cloud)
        preset = state.presets.find(parameters["Preset"], WAVE)
        if preset is None:
            raise ApiError(1005, f"there is no template {parameters['Preset']!r} of type {WAVE}")
        sources = self._sources(parameters, context, state)
        job = Job(WAVE, parameters, sources, preset.param, {})
        work = Work((job,), False, _dialect(context, state), self._options.wave_type)
        return {"TaskID": self._begin(call, context, state, parameters, work, PLANS[WAVE])}

    def create_flow(self, call: Call, context: Context) -> JsonObject:
        """``CreateFlowTask``: several steps, one after the other, as one task. [sdk-php, sdk-java]"""
        parameters = _parameters(call)
        state: KingsoftState = context.account.state(call.cloud)
        jobs: list[Job] = []
        made: set[str] = set()
        for step in parameters["FlowData"]:
            preset = self._preset(step["Preset"], state)
            jobs.append(self._job(preset, step, context, state, made))
            made.add(_place(step["DstBucket"], step.get("DstObjectKey", "")))
        stop = self._options.stop_on_failure
        work = Work(tuple(jobs), True, _dialect(context, state), "", "", stop)
        plan = in_a_row([PLANS[job.type] for job in jobs])
        top = any(_number(given.get("IsTop", 0)) for given in (parameters, *parameters["FlowData"]))
        return {"TaskID": self._begin(call, context, state, {**parameters, "IsTop": int(top)}, work, plan)}

    def process(self, call: Call, context: Context) -> JsonObject:
        """``FetchObjectMediaProcess``: a task like any other, under a second id. [sdk-python; answer: inference]"""
        task_id = self._create(call, context, _parameters(call))
        return {"ProcessTaskId": _process_id(task_id, context), "TaskID": task_id}

    # Moving and ending.

    def delete(self, call: Call, context: Context) -> JsonObject:
        """``DelTaskByTaskID``: a task that waits or runs ends at once, and is no longer shown. [docs 2399]

        Its callback says that the user shut it down. [inference]
        """
        state, task = self._live(call, context)
        context.account.retime(task, task.timeline.ended(context.now, Ending("fail", SHUT_DOWN)))
        state.delete(task.id)
        state.queues.leave(context.account, task.id, context.now)
        return {}

    def top(self, call: Call, context: Context) -> JsonObject:
        """``TopTaskByTaskID``: a task that waits is the next; one that runs, runs on. [docs 2400]"""
        state, task = self._live(call, context)
        state.queues.top(context.account, task.id, context.now)
        return {}

    # Asking.

    def show(self, call: Call, context: Context) -> JsonObject:
        """``GetTaskByTaskID``. [sdk-java, book]"""
        return {"TaskInfo": self._info(self._known(_parameters(call)["TaskID"], call, context), context)}

    def list(self, call: Call, context: Context) -> JsonObject:
        """``GetTaskList``: the tasks of a span of days, oldest first. [sdk-python, sdk-java; order: inference]"""
        given = _parameters(call)
        span = period(given, context.now, clamp=self._options.clamp)
        status, code = given.get("TaskStatus", ""), str(given.get("ErrorCode", "") or "")
        rows = [
            info
            for task in self._within(span, call, context)
            for info in [self._info(task, context)]
            if status in ("", info["TaskStatus"]) and code in ("", info["ErrorCode"])
        ]
        return {**span.shown(rows), "TaskInfo": span.page(rows)}

    def metainfo(self, call: Call, context: Context) -> JsonObject:
        """``GetTaskMetaInfo``: what finished tasks of type ``avinfo`` found. [docs 2403]"""
        given = _parameters(call)
        span = period(given, context.now, clamp=self._options.clamp)
        if given.get("TaskID"):
            task = self._known(given["TaskID"], call, context)
            if not _found_something(task, context.now):
                raise ApiError(1200, f"task {task.id} is no avinfo task that has succeeded")
            rows = [self._probed(task, context)]
        else:
            tasks = self._within(span, call, context)
            rows = [self._probed(task, context) for task in tasks if _found_something(task, context.now)]
        return {**span.shown(rows), "MetaList": span.page(rows)}

    def fetch_metainfo(self, call: Call, context: Context) -> JsonObject:
        """``FetchMetaInfo``: looks at a source at once. [sdk-python, sdk-java; layout: inference]"""
        path: str = _parameters(call)["SrcPath"]
        state: KingsoftState = context.account.state(call.cloud)
        found = self._source(path, context, state)
        return {"MetaInfo": write_json(state.dialect.metainfo(probed(found, path))).decode()}

    def list_processes(self, call: Call, context: Context) -> JsonObject:
        """``ListFetchObjectMediaProcess``. [sdk-python; answer: inference]"""
        given = _parameters(call)
        start = float(given.get("StartUnixTime") or 0)
        end = float(given.get("EndUnixTime") or 0) or context.now
        limit = min(PAGE, _number(given.get("Limit")) or PAGE)
        marker = str(given.get("Marker") or "0")
        if not marker.isdecimal():
            raise ApiError(1001, f"Marker is {marker!r}; it is the number of rows to leave out")
        rows = [
            {
                "ProcessTaskId": process_id,
                "TaskID": task.id,
                "TaskStatus": self._info(task, context)["TaskStatus"],
                "CreateTime": moment(task.timeline.start),
            }
            for process_id, task in self._processes(call, context)
            if start <= task.timeline.start <= end
        ]
        page = rows[int(marker) : int(marker) + limit]
        return {
            "StartUnixTime": str(int(start)),
            "EndUnixTime": str(int(end)),
            "Marker": marker,
            "Count": len(page),
            "Total": len(rows),
            "ProcessTaskList": page,
        }

    def show_process(self, call: Call, context: Context) -> JsonObject:
        """``GetFetchObjectMediaProcess``. [sdk-python; answer: inference]"""
        wanted = _parameters(call)["ProcessTaskId"]
        task = dict(self._processes(call, context)).get(wanted)
        if task is None:
            raise ApiError(1200, f"account {context.account.name} has no process {wanted}")
        return {"ProcessTaskInfo": {"ProcessTaskId": wanted, **self._info(task, context)}}

    # What these have in common.

    def _create(self, call: Call, context: Context, parameters: JsonObject) -> str:
        """Take on one task and say its id."""
        state: KingsoftState = context.account.state(call.cloud)
        preset = self._preset(parameters["Preset"], state)
        job = self._job(preset, parameters, context, state, ())
        wanted = job.wishes.get("Callback") or {}
        # The unit of progress_interval is not documented: seconds, 2 as in the vendor's sample. [inference]
        every = float(wanted.get("progress_interval", 2)) if wanted and preset.type == "avtrans" else None
        work = Work((job,), False, _dialect(context, state), preset.type, wanted.get("progress_cburl", ""))
        return self._begin(call, context, state, parameters, work, PLANS[preset.type], every)

    def _job(
        self, preset: Preset, given: JsonObject, context: Context, state: KingsoftState, made: Iterable[str]
    ) -> Job:
        wishes = self._ext(given.get("ExtParam", ""))
        return Job(preset.type, given, self._sources(given, context, state, made), preset.param, wishes)

    def _begin(
        self,
        call: Call,
        context: Context,
        state: KingsoftState,
        parameters: JsonObject,
        work: Work,
        plan: Plan,
        every: float | None = None,
    ) -> str:
        account, now = context.account, context.now
        if context.plan is not None:
            plan = plan.revised(context.plan)
        if plan.result is not None:
            work = replace(work, result=plan.result)
        if plan.ending.kind == "succeed" and (fault := _fault(work)) is not None:
            plan = replace(plan, ending=Ending("fail", fault, "run"))
        if work.flow and not work.stop_on_failure and plan.ending.kind == "fail":
            work = replace(work, broken=work.step_at(plan.ending))
            plan = replace(plan, ending=replace(plan.ending, stage="upload", share=1.0))
        queue = parameters.get("Pipeline") or NORMAL
        if queue not in state.queues.named:
            raise ApiError(1023, f"there is no queue {queue!r}; UpdatePipeline makes it")
        task_id = digest(account.seed, account.name, "TaskID", account.tasks.created) + beijing_day(now)
        assert call.operation is not None  # noqa: S101  a handler is only reached by its operation
        turn = state.queues.entry(queue, now)
        task = Task(
            id=task_id,
            cloud=call.cloud,
            operation=call.operation.qualified,
            kind="flow" if work.flow else work.jobs[0].type,
            parameters=parameters,
            timeline=Timeline.of(plan, now, account.seed, task_id, every=every, turn=turn),
            retry=plan.retry,
            result=work,
            chaos=plan.chaos,
            traceparent=carried(call.request.headers),
            request=account.journal.created + 1,
        )
        top = bool(_number(parameters.get("IsTop", 0)))
        state.queues.submit(account, task, plan, queue, every=every, top=top, now=now)
        return task_id

    def _preset(self, name: str, state: KingsoftState) -> Preset:
        """The template of that name; of a legacy chain ``a-avop|b-avlogo`` the first. [docs 2397, book createtask]"""
        if (found := state.presets.find(name)) is not None:
            return found
        if self._options.legacy_types and "|" in name:
            chain = [state.presets.find(*part.rsplit("-", 1)) for part in name.split("|") if "-" in part]
            if chain and all(chain) and chain[0] is not None:
                return chain[0]
        hint = nearest(name, state.presets.names())
        raise ApiError(1005, f"there is no template {name!r}{hint}; Preset makes one, GetPresetList shows all")

    def _sources(
        self, parameters: JsonObject, context: Context, state: KingsoftState, made: Iterable[str] = ()
    ) -> tuple[JsonObject, ...]:
        """What each source holds, in order; the target is looked at too.

        Raises:
            ApiError: a bucket or an object is not there, or not open to the service.

        """
        if state.world is not None and parameters.get("DstBucket"):
            state.world.target(parameters["DstBucket"])
        given = source_rows(parameters)
        if len(given) == 1:
            return (self._source(given[0]["path"], context, state, made),)
        return tuple(self._source(entry["path"], context, state, made) for entry in in_order(given))

    def _source(self, path: str, context: Context, state: KingsoftState, made: Iterable[str] = ()) -> JsonObject:
        if state.world is not None and path.strip("/") not in made:
            described = state.world.source(path)
            if described:
                return described
        if context.responses == "random":
            return media.drawn(context.draw("media", path.strip("/")))
        return self._media

    def _live(self, call: Call, context: Context) -> tuple[KingsoftState, Task]:
        """A task that has not ended.

        Raises:
            ApiError: 1200, it was never there; 1205, it is over, or was deleted.

        """
        wanted = _parameters(call)["TaskID"]
        state: KingsoftState = context.account.state(call.cloud)
        if wanted in state.deleted:
            raise ApiError(1205, f"task {wanted} was deleted")
        task = self._known(wanted, call, context)
        if task.timeline.at(context.now).status in ("succeeded", "failed"):
            raise ApiError(1205, f"task {wanted} ended at {moment(task.timeline.end)}")
        return state, task

    def _known(self, task_id: str, call: Call, context: Context) -> Task:
        task = context.account.tasks.get(task_id)
        if task is None or not self._shown(task, call, context):
            raise ApiError(1200, f"account {context.account.name} has no task {task_id}")
        return task

    @staticmethod
    def _shown(task: Task, call: Call, context: Context) -> bool:
        deleted = context.account.state(call.cloud).deleted
        return (
            task.cloud == call.cloud and task.id not in deleted and task.timeline.at(context.now).status != "vanished"
        )

    def _within(self, span: Period, call: Call, context: Context) -> Iterator[Task]:
        for task in context.account.tasks:
            if span.has(task.timeline.start) and self._shown(task, call, context):
                yield task

    def _processes(self, call: Call, context: Context) -> Iterator[tuple[str, Task]]:
        """The tasks that were made as processes of objects, each by its second id."""
        for task in context.account.tasks:
            if task.operation == f"{call.cloud}.{PROCESS}" and self._shown(task, call, context):
                yield _process_id(task.id, context), task

    def _probed(self, task: Task, context: Context) -> JsonObject:
        output = output_of(task, 0, context.account.seed)
        return {
            "TaskID": task.id,
            "MetaInfo": item(output, task.result.dialect).get("metainfo", ""),
            "CreateTime": moment(task.timeline.start),
        }

    def _info(self, task: Task, context: Context) -> JsonObject:
        """``TaskInfo``. [sdk-java, book gettaskbytaskid]"""
        given, phase = task.parameters, task.timeline.at(context.now)
        failure = self._errors.row(task.timeline.ending.code, "callback") if phase.status == "failed" else None
        work: Work = task.result
        flow = {"FlowData": [_step(entry) for entry in given["FlowData"]]} if work.flow else {}
        return {
            "TaskID": task.id,
            "IsFlow": int(work.flow),
            **{name: given.get(name, "") for name in _STORED},
            "SrcInfo": [_source_shown(entry) for entry in source_rows(given)] if not work.flow else [],
            "DstAcl": given.get("DstAcl") or "public-read",
            "IsTop": str(_number(given.get("IsTop", 0))),
            "ExtParam": _as_text(given.get("ExtParam", "")),
            "TaskStatus": _STATUSES[phase.status],
            "ErrorCode": str(failure.code) if failure is not None else "0",
            "ErrorMsg": failure.text if failure is not None else "",
            "CreateTime": moment(task.timeline.start),
            **flow,
        }

    def _ext(self, given: Any) -> JsonObject:
        """The document inside ``ExtParam``: JSON in a string, or an object.

        Raises:
            ApiError: 1018, it is neither or does not fit.

        """
        if given is None or given == "":
            return {}
        document = given
        if isinstance(given, str):
            if not given.strip():
                return {}
            try:
                document = parse_json(given, lenient=self._options.lenient_json)
            except ValueError as error:
                raise ApiError(1018, f"ExtParam is not JSON in a string: {error}") from None
        if not self._ext_param.is_valid(document):
            raise ApiError(1018, f"ExtParam: {self._ext_param.explain(document)}")
        found: JsonObject = document
        return found


def _fault(work: Work) -> int | None:
    """Why the work cannot succeed, as the vendor documents it; a rule's outcome goes before that."""
    for job in work.jobs:
        if job.type == WAVE:
            continue  # of which no failure is documented
        rows = source_rows(job.parameters)
        if len(rows) == 1 and rows[0].get("index", 0):
            return 2003  # a single source with another index than 0 makes the transcode fail [docs 2397]
        if (fault := outputs.fault(job)) is not None:
            return fault
    return None


def _dialect(context: Context, state: KingsoftState) -> Any:
    wanted = context.plan.get("dialect") if context.plan is not None else None
    return state.dialect if wanted is None else state.dialect.revised(wanted)


def _found_something(task: Task, now: float) -> bool:
    work: Work = task.result
    return not work.flow and work.jobs[0].type == INFO and task.timeline.at(now).status == "succeeded"


def _parameters(call: Call) -> JsonObject:
    return call.parameters or {}


def _number(value: Any) -> int:
    """A number that may have come as a text; nothing is 0."""
    return int(value or 0)


def _process_id(task_id: str, context: Context) -> str:
    """The second id of a task that was made as the process of an object."""
    return digest(context.account.seed, context.account.name, "ProcessTaskId", task_id)


def _place(bucket: str, key: str) -> str:
    return f"{bucket}/{key.lstrip('/')}"


def _source_shown(entry: JsonObject) -> JsonObject:
    return {name: entry[name] for name in _SOURCE if name in entry}


def _step(given: JsonObject) -> JsonObject:
    """A step of a flow task as the answers show it."""
    shown: JsonObject = {name: given.get(name, "") for name in _STEP}
    return {
        **shown,
        "SrcInfo": [_source_shown(entry) for entry in source_rows(given)],
        "DstAcl": given.get("DstAcl") or "public-read",
        "ExtParam": _as_text(given.get("ExtParam", "")),
    }


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else write_json(value).decode() if value is not None else ""
