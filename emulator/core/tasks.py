"""Long-running work: the plan of a task, the timeline it becomes, and the agenda of what falls due.

A timeline is a pure function from an instant to a phase, plus the steps on the way. Polls ask the function,
callbacks are made of the steps: they cannot disagree, and reading never moves a task.
"""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from emulator.core.bounded import Bounded
from emulator.core.errors import Code
from emulator.core.exchange import JsonObject
from emulator.core.ids import Draw
from emulator.core.values import value_type

if TYPE_CHECKING:
    from emulator.core.chaos import Chaos

StageName = Literal["queue", "run", "upload"]
Status = Literal["queued", "running", "uploading", "succeeded", "failed", "vanished"]
EndingKind = Literal["succeed", "fail", "hang", "vanish"]
ENDED: frozenset[Status] = frozenset({"succeeded", "failed", "vanished"})
"""Where nothing more happens to a task."""

_STAGES: dict[str, StageName] = {"queue": "queue", "run": "run", "upload": "upload"}
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*")


def seconds(duration: float | str) -> float:
    """Seconds of a duration: a number of seconds, or a text such as ``500ms``, ``20s``, ``5m``, ``2h``, ``1d``.

    Raises:
        ValueError: it is neither.

    """
    if not isinstance(duration, str):
        return float(duration)
    if (found := _DURATION.fullmatch(duration)) is None:
        raise ValueError(f"{duration!r} is no duration; write 500ms, 20s, 5m, 2h, 1d or a number of seconds")
    return float(found[1]) * _UNITS[found[2]]


@value_type
class Span:
    """A duration in seconds, fixed or anywhere between two bounds."""

    low: float
    high: float

    @classmethod
    def of(cls, document: Any) -> Span:
        """From a duration, or from a list of two."""
        if isinstance(document, list):
            low, high = map(seconds, document)
            if high < low:
                raise ValueError(f"the range {document} ends before it starts")
            return cls(low, high)
        fixed = seconds(document)
        return cls(fixed, fixed)

    def length(self, *meaning: object) -> float:
        """The length drawn for ``meaning``, to the millisecond."""
        if self.low == self.high:
            return self.low
        return round(Draw(*meaning).between(self.low, self.high), 3)


@value_type
class Ending:
    """How a task ends, and where: in which stage, after which share (0 to 1) of it."""

    kind: EndingKind = "succeed"
    code: Code = 0
    stage: StageName = "upload"
    share: float = 1.0

    @classmethod
    def of(cls, document: Any) -> Ending:
        """From ``succeed``, ``hang``, ``vanish``, or ``{fail: CODE, at: …}``.

        ``at`` is the name of a stage (its end) or a percentage of the run; the default is the end of the run.
        """
        if document == "succeed":
            return cls()
        if isinstance(document, str):
            document = {document: True}
        where: str = document.get("at", "run")
        stage, share = _STAGES.get(where, "run"), 1.0
        if where.endswith("%"):
            share = float(where[:-1]) / 100
        kind: EndingKind = "fail" if "fail" in document else "hang" if "hang" in document else "vanish"
        return cls(kind, document.get("fail", 0), stage, share)


@value_type
class Retry:
    """How a callback is delivered: attempts in all, the first wait (doubled each time), the limit of one attempt."""

    attempts: int = 1
    backoff: float = 1.0
    timeout: float | None = None


@value_type
class Plan:
    """The script of one task.

    Attributes:
        queue, run, upload: how long each stage takes.
        progress: the percentages of the run at which progress is reported; ``None`` leaves it to the client's wish.
        uploading: the same for the upload.
        ending: how it ends.
        retry: how its callbacks are delivered.
        chaos: what goes wrong with that.
        result: what is put in the place of the produced media description, in the cloud's words.

    """

    queue: Span = Span(1, 1)
    run: Span = Span(20, 20)
    upload: Span = Span(2, 2)
    progress: tuple[float, ...] | None = None
    uploading: tuple[float, ...] = (0.0,)
    ending: Ending = Ending()
    retry: Retry = Retry()
    chaos: Chaos | None = None
    result: JsonObject | None = None

    def revised(self, document: JsonObject) -> Plan:
        """This plan with what ``document`` says (checked against ``schemas/emulator/plan.json``) put in its place.

        Raises:
            ValueError: a duration or range makes no sense.

        """
        progress, uploading = self.progress, self.uploading
        points = document.get("progress")
        if isinstance(points, dict):
            progress = tuple(sorted(points.get("transcoding", ())))
            uploading = tuple(sorted(points.get("uploading", ())))
        elif points is not None:
            progress = tuple(sorted(points))
        deliver = document.get("deliver", {})
        queue, run, upload, chaos = self.queue, self.run, self.upload, self.chaos
        if deliver.keys() - _DELIVERY:
            from emulator.core.chaos import Chaos

            chaos = (chaos or Chaos()).revised(deliver)
            if chaos.early is not None and "early" in deliver:
                queue = run = upload = Span(0, 0)
        return Plan(
            queue=Span.of(document["queue"]) if "queue" in document else queue,
            run=Span.of(document["run"]) if "run" in document else run,
            upload=Span.of(document["upload"]) if "upload" in document else upload,
            progress=progress,
            uploading=uploading,
            ending=Ending.of(document["outcome"]) if "outcome" in document else self.ending,
            retry=Retry(
                attempts=int(deliver.get("attempts", self.retry.attempts)),
                backoff=seconds(deliver.get("backoff", self.retry.backoff)),
                timeout=seconds(deliver["timeout"]) if "timeout" in deliver else self.retry.timeout,
            ),
            chaos=chaos,
            result=document.get("result", self.result),
        )


_DELIVERY = frozenset({"attempts", "backoff", "timeout"})
"""What a plan says of the delivery beside what goes wrong with it."""


@value_type
class Phase:
    """Where a task is: its status and the percentage of the stage it is in."""

    status: Status
    percent: int = 0


@value_type
class Step:
    """Something that happens to a task at an instant: a progress report, or its end."""

    at: float
    phase: Phase


@value_type
class Timeline:
    """A plan fixed to a start.

    Attributes:
        start: when the task was accepted.
        run: when its run begins; its queue ends there.
        upload: when its upload begins.
        done: when its upload would be over.
        end: when it ends, whichever way; for one that hangs, when it stops moving.
        ending: how it ends.
        points, uploading: the percentages at which progress is reported.
        every: seconds between reports, where the client asked for an interval and the plan names no points.

    """

    start: float
    run: float
    upload: float
    done: float
    end: float
    ending: Ending
    points: tuple[float, ...] | None
    uploading: tuple[float, ...]
    every: float | None

    @classmethod
    def of(cls, plan: Plan, start: float, *meaning: object, every: float | None = None, turn: float = 0.0) -> Timeline:
        """``plan`` begun at ``start``; ranges are drawn for ``meaning``.

        Its run does not begin before ``turn``, when there is room for it. While nobody knows when that will be,
        ``turn`` is infinite: such a task waits.
        """
        run = max(turn, start + plan.queue.length(*meaning, "queue"))
        upload = run + plan.run.length(*meaning, "run")
        done = upload + plan.upload.length(*meaning, "upload")
        if run == math.inf:
            low = high = run
        elif plan.ending.stage == "upload":
            low, high = upload, done
        else:
            low, high = (run, upload) if plan.ending.stage == "run" else (start, run)
        end = high if plan.ending.share == 1.0 or low == high else low + (high - low) * plan.ending.share
        return cls(start, run, upload, done, end, plan.ending, plan.progress, plan.uploading, every)

    def at(self, instant: float) -> Phase:
        """Where the task is at ``instant``."""
        if instant >= self.end:
            match self.ending.kind:
                case "succeed":
                    return Phase("succeeded", 100)
                case "fail":
                    return Phase("failed", 100)
                case "vanish":
                    return Phase("vanished")
                case "hang":
                    instant = math.nextafter(self.end, -math.inf)
        if instant < self.run:
            return Phase("queued")
        if instant < self.upload:
            return Phase("running", _percent(instant - self.run, self.upload - self.run))
        return Phase("uploading", _percent(instant - self.upload, self.done - self.upload))

    def steps(self) -> Iterator[Step]:
        """What happens, in order: reports of progress, then the end (a task that hangs has none)."""
        for instant in self._reports():
            if instant >= self.end:
                break
            yield Step(instant, self.at(instant))
        if self.ending.kind != "hang":
            yield self.last()

    def ended(self, at: float, ending: Ending) -> Timeline:
        """This timeline, brought to ``ending`` at the instant ``at`` by somebody. Nothing is left but that end."""
        return replace(self, end=at, ending=ending, points=None, every=None)

    def last(self) -> Step:
        """Its end, for one that does not hang."""
        return Step(self.end, self.at(self.end))

    @property
    def reports(self) -> bool:
        """Whether progress is reported."""
        return self.points is not None or self.every is not None

    def _reports(self) -> Iterator[float]:
        if self.points is not None:
            running = self.upload - self.run
            yield from (self.run + running * point / 100 for point in self.points)
            uploading = self.done - self.upload
            yield from (self.upload + uploading * point / 100 for point in self.uploading)
        elif self.every is not None:
            told_of_upload = False
            count = 1
            while (instant := self.run + count * self.every) < self.done:
                if instant > self.upload and not told_of_upload:
                    yield self.upload
                told_of_upload = instant >= self.upload
                yield instant
                count += 1
            if not told_of_upload:
                yield self.upload


def _percent(passed: float, whole: float) -> int:
    """``passed`` of ``whole`` in whole per cent, below 100.

    An instant is exact to half a microsecond or so; what that is of the stage is granted, so that 40 % is not 39.
    """
    if whole <= 0:
        return 99
    return min(99, int(100 * passed / whole + min(0.5, 100 * 2e-6 / whole)))


@value_type
class Task:
    """Long-running work of one account.

    Attributes:
        id: as the wire spells it.
        cloud: the cloud it runs in.
        operation: the operation that created it, with its cloud.
        kind: what kind of work, in the cloud's own words.
        parameters: the parameters it was created with.
        timeline: what happens to it, when.
        retry: how its callbacks are delivered.
        result: what the cloud keeps of it, in its own terms.
        chaos: what goes wrong with the delivery of its callbacks.
        traceparent: the header of that name of the request that created it; it is carried into its callbacks.
        request: the number of that request in the account's journal.

    """

    id: str
    cloud: str
    operation: str
    kind: str
    parameters: JsonObject
    timeline: Timeline
    retry: Retry
    result: Any
    chaos: Chaos | None = None
    traceparent: str = ""
    request: int = 0


class TaskBook(Bounded[str, Task]):
    """An account's tasks, oldest first; a live one is never forgotten."""

    def replace(self, task: Task) -> None:
        """Put ``task`` in the place of the one with its id; what was to happen to that one no longer does."""
        self._entries[task.id] = task

    def add(self, task: Task, now: float) -> None:
        """Keep ``task``, begun at ``now``."""
        self.keep(task.id, task, lambda old: old.timeline.end <= now and old.timeline.ending.kind != "hang")


@value_type
class TaskStep:
    """An event: something happens to ``task`` at the instant ``at``.

    A task that only ends, as most do, has ``report`` ``None``: what its end is, is found when it comes. ``index`` is
    its place among the events of the task, from 0.
    """

    task: Task
    at: float
    report: Step | None
    rest: Iterator[Step]
    index: int = 0

    @classmethod
    def first(cls, task: Task) -> TaskStep | None:
        """The first thing that happens to ``task``; each step notes the next one down when it happens."""
        timeline = task.timeline
        if timeline.end == math.inf:
            return None
        if timeline.reports:
            return cls._of(task, timeline.steps(), 0)
        return None if timeline.ending.kind == "hang" else cls(task, timeline.end, None, _NO_STEPS)

    @property
    def step(self) -> Step:
        """What happens."""
        return self.report or self.task.timeline.last()

    def following(self) -> TaskStep | None:
        """The event after this one."""
        return None if self.report is None else self._of(self.task, self.rest, self.index + 1)

    @classmethod
    def _of(cls, task: Task, steps: Iterator[Step], index: int) -> TaskStep | None:
        step = next(steps, None)
        return None if step is None else cls(task, step.at, step, steps, index)


_NO_STEPS: Iterator[Step] = iter(())


@value_type
class Wakeup:
    """An event: ``cloud`` wants to look at the account again."""

    cloud: str


class Agenda:
    """What falls due in one account, by instant and then in the order it was noted down."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Any]] = []
        self._serial = 0
        self.listener: Callable[[float], None] | None = None

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due: float, event: Any) -> None:
        """Note ``event`` down for ``due`` and tell the listener if nothing falls due earlier."""
        self._serial += 1
        entry = (due, self._serial, event)
        heapq.heappush(self._heap, entry)
        if self.listener is not None and self._heap[0] is entry:
            self.listener(due)

    def first(self) -> float | None:
        """When the first event falls due; ``None`` if there is none."""
        return self._heap[0][0] if self._heap else None

    def take(self, until: float) -> tuple[float, Any] | None:
        """Take out the first event and its due instant, if it is due by ``until``."""
        if self._heap and self._heap[0][0] <= until:
            due, _, event = heapq.heappop(self._heap)
            return due, event
        return None

    def pending(self) -> Sequence[tuple[float, Any]]:
        """Every event with its due instant, in order. A copy."""
        return [(due, event) for due, _, event in sorted(self._heap, key=lambda entry: entry[:2])]
