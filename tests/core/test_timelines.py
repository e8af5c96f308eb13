"""Timelines: what a poll sees and what callbacks report are two views of one function of time."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import islice, pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from emulator.core.tasks import Ending, Phase, Plan, Span, Step, Timeline
from tests.support.machine import START

STAGES = ("queued", "running", "uploading")
ENDED = ("succeeded", "failed", "vanished")

_lengths = st.one_of(
    st.just(0.0), st.integers(0, 5000).map(lambda milliseconds: milliseconds / 1000), st.floats(0, 1e5)
)
_points = st.lists(st.one_of(st.integers(0, 99).map(float), st.floats(0, 99.999)), max_size=8).map(sorted).map(tuple)
_endings = st.builds(
    Ending,
    st.sampled_from(("succeed", "fail", "hang", "vanish")),
    st.just(70),
    st.sampled_from(("queue", "run", "upload")),
    st.one_of(st.just(1.0), st.just(0.0), st.floats(0, 1)),
).map(lambda ending: Ending() if ending.kind == "succeed" else ending)
_plans = st.builds(
    Plan,
    queue=_lengths.map(lambda length: Span(length, length)),
    run=_lengths.map(lambda length: Span(length, length)),
    upload=_lengths.map(lambda length: Span(length, length)),
    progress=st.none() | _points,
    uploading=_points,
    ending=_endings,
)
_starts = st.one_of(st.just(0.0), st.just(START), st.floats(1e9, 4e9))
timelines = st.builds(
    lambda plan, start, every: Timeline.of(plan, start, "any", every=every),
    _plans,
    _starts,
    st.none() | st.integers(1, 86400).map(float),
)


def _steps(timeline: Timeline) -> list[Step]:
    """The steps; of a report every second over days the first thirty."""
    return list(islice(timeline.steps(), 30))


def _instants(timeline: Timeline) -> list[float]:
    """Instants worth looking at: each corner of the timeline, and just beside it."""
    corners = {timeline.start, timeline.run, timeline.upload, timeline.done, timeline.end}
    corners |= {step.at for step in _steps(timeline)}
    beside = {math.nextafter(corner, way) for corner in corners for way in (-math.inf, math.inf)}
    middle = {(timeline.start + timeline.done) / 2, timeline.done + 1, timeline.done + 1e6}
    return sorted(corners | beside | middle)


@given(timelines)
def test_a_step_reports_what_a_poll_at_its_instant_sees(timeline: Timeline) -> None:
    for step in _steps(timeline):
        assert step.phase == timeline.at(step.at)


@given(timelines)
def test_steps_ascend(timeline: Timeline) -> None:
    assert all(earlier.at <= later.at for earlier, later in pairwise(_steps(timeline)))


@given(timelines)
def test_no_step_comes_before_the_task_runs_or_after_its_end(timeline: Timeline) -> None:
    for step in _steps(timeline):
        assert timeline.run <= step.at <= timeline.end or step.at == timeline.end


@given(timelines)
def test_only_the_last_step_is_an_end(timeline: Timeline) -> None:
    statuses = [step.phase.status for step in _steps(timeline)]

    assert not set(statuses[:-1]) & set(ENDED)


@given(timelines)
def test_the_last_step_is_the_end_unless_the_task_hangs(timeline: Timeline) -> None:
    assume(timeline.every is None)  # an interval may go on for days
    last = [step.phase.status for step in timeline.steps()][-1:]

    assert (last != [] and last[0] in ENDED) == (timeline.ending.kind != "hang")


@given(timelines)
def test_a_task_goes_through_its_stages_in_order_and_back_through_none(timeline: Timeline) -> None:
    order = [*STAGES, "ended"]
    seen = [timeline.at(instant).status for instant in _instants(timeline)]
    places = [order.index(status if status in STAGES else "ended") for status in seen]

    assert places == sorted(places)


@given(timelines)
def test_the_percentage_never_goes_back_within_a_stage(timeline: Timeline) -> None:
    phases = [timeline.at(instant) for instant in _instants(timeline)]

    for earlier, later in pairwise(phases):
        assert earlier.status != later.status or earlier.percent <= later.percent


@given(timelines)
def test_a_stage_is_never_complete_before_the_next_one_begins(timeline: Timeline) -> None:
    phases = [timeline.at(instant) for instant in _instants(timeline)]

    assert all(0 <= phase.percent < 100 for phase in phases if phase.status in STAGES)


@given(timelines, st.floats(0, 1e9))
def test_after_its_end_a_task_does_not_move(timeline: Timeline, later: float) -> None:
    assert timeline.at(timeline.end + later) == timeline.at(timeline.end)


@given(timelines, st.floats(0, 1e9))
def test_a_task_that_hangs_never_ends(timeline: Timeline, later: float) -> None:
    hanging = replace(timeline, ending=replace(timeline.ending, kind="hang"))

    assert hanging.at(hanging.end + later).status in STAGES


@given(timelines)
def test_a_task_that_hangs_stays_where_it_was_just_before(timeline: Timeline) -> None:
    assume(timeline.end > timeline.start)
    hanging = replace(timeline, ending=replace(timeline.ending, kind="hang"))

    assert hanging.at(hanging.end) == hanging.at(math.nextafter(hanging.end, -math.inf))


@given(timelines)
def test_looking_at_a_task_changes_nothing(timeline: Timeline) -> None:
    instants = _instants(timeline)
    forward = [timeline.at(instant) for instant in instants]
    backward = [timeline.at(instant) for instant in reversed(instants)]

    assert forward == backward[::-1]


@given(timelines)
def test_the_steps_may_be_asked_for_again(timeline: Timeline) -> None:
    assert _steps(timeline) == _steps(timeline)


@given(_plans, _starts)
def test_the_same_plan_begun_at_the_same_instant_is_the_same_timeline(plan: Plan, start: float) -> None:
    assert Timeline.of(plan, start, 7, "t1") == Timeline.of(plan, start, 7, "t1")


@given(st.integers(1, 99), st.floats(0.01, 1e5), st.floats(1e9, 4e9))
def test_a_report_at_a_whole_per_cent_says_that_per_cent(point: int, run: float, start: float) -> None:
    plan = Plan(run=Span(run, run), progress=(float(point),), uploading=())

    report = next(Timeline.of(plan, start).steps())

    assert report.phase == Phase("running", point)


@given(st.integers(0, 99), st.floats(0.01, 1e5), st.floats(1e9, 4e9))
def test_a_report_of_the_upload_says_its_per_cent(point: int, upload: float, start: float) -> None:
    plan = Plan(upload=Span(upload, upload), progress=(), uploading=(float(point),))

    report = next(Timeline.of(plan, start).steps())

    assert report.phase == Phase("uploading", point)


PLAN = Plan(queue=Span(1, 1), run=Span(20, 20), upload=Span(4, 4))


@pytest.mark.parametrize(
    ("instant", "phase"),
    [
        (0, Phase("queued")),
        (0.999, Phase("queued")),
        (1, Phase("running", 0)),
        (9, Phase("running", 40)),
        (20.999, Phase("running", 99)),
        (21, Phase("uploading", 0)),
        (24, Phase("uploading", 75)),
        (25, Phase("succeeded", 100)),
        (1000, Phase("succeeded", 100)),
        (-5, Phase("queued")),
    ],
)
def test_a_task_waits_runs_uploads_and_succeeds(instant: float, phase: Phase) -> None:
    assert Timeline.of(PLAN, START).at(START + instant) == phase


def test_a_plan_that_names_no_points_reports_its_end_only() -> None:
    assert list(Timeline.of(PLAN, 0).steps()) == [Step(25, Phase("succeeded", 100))]


def test_a_plan_reports_at_its_points_and_at_the_beginning_of_the_upload() -> None:
    steps = list(Timeline.of(replace(PLAN, progress=(10.0, 80.0)), 0).steps())

    assert steps == [
        Step(3, Phase("running", 10)),
        Step(17, Phase("running", 80)),
        Step(21, Phase("uploading", 0)),
        Step(25, Phase("succeeded", 100)),
    ]


def test_a_client_that_asked_for_an_interval_is_told_at_each_and_at_the_beginning_of_the_upload() -> None:
    steps = list(Timeline.of(PLAN, 0, every=6).steps())

    assert steps == [
        Step(7, Phase("running", 30)),
        Step(13, Phase("running", 60)),
        Step(19, Phase("running", 90)),
        Step(21, Phase("uploading", 0)),
        Step(25, Phase("succeeded", 100)),
    ]


def test_an_interval_that_meets_the_beginning_of_the_upload_tells_of_it_once() -> None:
    instants = [step.at for step in Timeline.of(PLAN, 0, every=10).steps()]

    assert instants == [11, 21, 25]


def test_an_interval_goes_on_during_the_upload() -> None:
    instants = [step.at for step in Timeline.of(PLAN, 0, every=9).steps()]

    assert instants == [10, 19, 21, 25]


def test_an_interval_longer_than_the_task_leaves_the_beginning_of_the_upload() -> None:
    instants = [step.at for step in Timeline.of(PLAN, 0, every=100).steps()]

    assert instants == [21, 25]


def test_the_points_of_a_plan_count_more_than_the_clients_interval() -> None:
    instants = [step.at for step in Timeline.of(replace(PLAN, progress=(50.0,)), 0, every=1).steps()]

    assert instants == [11, 21, 25]


@pytest.mark.parametrize(
    ("ending", "end"),
    [
        (Ending("fail", 70, "queue"), 1),
        (Ending("fail", 70, "run"), 21),
        (Ending("fail", 70, "run", 0.0), 1),
        (Ending("fail", 70, "run", 0.8), 17),
        (Ending("fail", 70, "upload"), 25),
        (Ending("succeed"), 25),
    ],
)
def test_a_task_ends_where_its_ending_says(ending: Ending, end: float) -> None:
    assert Timeline.of(replace(PLAN, ending=ending), 0).end == end


def test_a_task_that_fails_reports_nothing_of_what_would_have_come_after() -> None:
    plan = replace(PLAN, progress=(10.0, 40.0, 90.0), ending=Ending("fail", 70, "run", 0.5))

    steps = list(Timeline.of(plan, 0).steps())

    assert steps == [
        Step(3, Phase("running", 10)),
        Step(9, Phase("running", 40)),
        Step(11, Phase("failed", 100)),
    ]


def test_a_task_that_hangs_reports_what_came_before_and_no_end() -> None:
    plan = replace(PLAN, progress=(10.0, 90.0), ending=Ending("hang", 0, "run", 0.5))

    assert list(Timeline.of(plan, 0).steps()) == [Step(3, Phase("running", 10))]


def test_a_task_that_hangs_at_half_its_run_stays_just_below() -> None:
    timeline = Timeline.of(replace(PLAN, ending=Ending("hang", 0, "run", 0.5)), START)

    assert timeline.at(START + 1e6).status == "running"


def test_a_task_that_vanishes_is_gone() -> None:
    timeline = Timeline.of(replace(PLAN, ending=Ending("vanish", 0, "run", 0.5)), 0)

    assert timeline.at(11) == Phase("vanished")


def test_a_plan_without_any_length_is_over_at_once() -> None:
    timeline = Timeline.of(Plan(Span(0, 0), Span(0, 0), Span(0, 0)), START)

    assert list(timeline.steps()) == [Step(START, Phase("succeeded", 100))]


def test_ranges_are_drawn_for_each_task_and_stage_by_itself() -> None:
    plan = Plan(queue=Span(1, 100), run=Span(1, 100), upload=Span(1, 100))
    timeline = Timeline.of(plan, 0, 7, "t1")

    lengths = {timeline.run, timeline.upload - timeline.run, timeline.done - timeline.upload}

    assert len(lengths) == 3
    assert Timeline.of(plan, 0, 7, "t2") != timeline
