"""Tasks wait for their turn."""

from __future__ import annotations

import pytest

from emulator.kingsoft.queues import Queue
from tests.support.desk import Desk
from tests.support.machine import START

NINE_O_CLOCK = 9 * 3600
"""START is 8 o'clock in Beijing."""
QUICK = {"queue": 0, "run": 10, "upload": 0, "progress": []}


def _desk(concurrency: int = 1, **settings: object) -> Desk:
    desk = Desk(concurrency=concurrency, **settings)
    desk.plan(**QUICK)
    return desk


def _pipeline(desk: Desk, name: str = "usual", **members: object) -> None:
    assert desk.call("UpdatePipeline", {"PipelineName": name, **members})["ErrNum"] == 0, desk.last.reason


async def test_a_task_waits_while_the_concurrency_is_used_up() -> None:
    desk = _desk(concurrency=2)
    tasks = [desk.create(number) for number in range(3)]

    assert desk.statuses(*tasks) == ["exec", "exec", "init"]


async def test_the_next_task_begins_the_moment_another_ends() -> None:
    desk = _desk()
    first, second = desk.create(1), desk.create(2)
    await desk.advance(10)

    assert desk.statuses(first, second) == ["succ", "exec"]
    task = desk.account.tasks.get(second)
    assert task is not None
    assert task.timeline.run == START + 10


async def test_ten_tasks_run_at_a_time_by_default() -> None:
    desk = Desk()
    desk.plan(**QUICK)
    tasks = [desk.create(number) for number in range(12)]

    assert desk.statuses(*tasks) == ["exec"] * 10 + ["init"] * 2


async def test_any_number_of_tasks_run_where_the_concurrency_is_zero() -> None:
    desk = _desk(concurrency=0)

    assert set(desk.statuses(*(desk.create(number) for number in range(30)))) == {"exec"}


async def test_tasks_run_in_the_order_in_which_they_came() -> None:
    desk = _desk()
    tasks = [desk.create(number) for number in range(5)]
    await desk.finish()

    assert [body["TaskID"] for body in desk.callbacks] == tasks


async def test_a_task_put_on_top_when_it_is_made_comes_first() -> None:
    desk = _desk()
    first, second, urgent = desk.create(1), desk.create(2), desk.create(3, IsTop=1)
    await desk.finish()

    assert [body["TaskID"] for body in desk.callbacks] == [first, urgent, second]


@pytest.mark.parametrize("wish", [1, "1"])
async def test_is_top_is_shown_as_a_text(wish: object) -> None:
    desk = _desk()

    assert desk.info(desk.create(IsTop=wish))["IsTop"] == "1"


async def test_a_task_put_on_top_later_comes_first() -> None:
    desk = _desk()
    first, second, third = (desk.create(number) for number in range(3))
    assert desk.call("TopTaskByTaskID", TaskID=third) == {"ErrNum": 0, "ErrMsg": "success"}
    await desk.finish()

    assert [body["TaskID"] for body in desk.callbacks] == [first, third, second]


async def test_of_two_tasks_put_on_top_the_later_one_comes_first() -> None:
    desk = _desk()
    first, second, third = (desk.create(number) for number in range(3))
    desk.call("TopTaskByTaskID", TaskID=second)
    desk.call("TopTaskByTaskID", TaskID=third)
    await desk.finish()

    assert [body["TaskID"] for body in desk.callbacks] == [first, third, second]


async def test_a_task_that_runs_runs_on_when_it_is_put_on_top() -> None:
    desk = _desk()
    task = desk.create()
    await desk.advance(4)

    assert desk.call("TopTaskByTaskID", TaskID=task)["ErrNum"] == 0
    await desk.advance(6)
    assert desk.statuses(task) == ["succ"]


async def test_a_task_that_hangs_holds_its_place() -> None:
    desk = Desk(concurrency=1)
    desk.plan(**QUICK, outcome="hang")
    desk.create(1)
    second = desk.create(2)
    await desk.advance(1000)

    assert desk.statuses(second) == ["init"]


async def test_a_task_that_vanishes_gives_its_place_to_the_next() -> None:
    desk = Desk(concurrency=1)
    desk.plan(**QUICK, outcome="vanish")
    desk.create(1)
    second = desk.create(2)
    await desk.advance(11)

    assert desk.statuses(second) == ["exec"]


async def test_tasks_of_a_paused_queue_wait_until_it_is_active_again() -> None:
    desk = _desk()
    _pipeline(desk, State="Paused")
    task = desk.create(Pipeline="usual")
    await desk.advance(100)
    assert desk.statuses(task) == ["init"]
    _pipeline(desk, State="Active")

    assert desk.statuses(task) == ["exec"]


async def test_a_paused_queue_does_not_hold_up_other_tasks() -> None:
    desk = _desk()
    _pipeline(desk, State="Paused")
    desk.create(1, Pipeline="usual")

    assert desk.statuses(desk.create(2)) == ["exec"]


async def test_tasks_wait_for_the_daily_window_of_their_queue() -> None:
    desk = _desk()
    _pipeline(desk, RegularStart="09:00:00", RegularDuration=3600)
    task = desk.create(Pipeline="usual")
    await desk.advance(3599)
    assert desk.statuses(task) == ["init"]
    await desk.advance(1)

    assert desk.statuses(task) == ["exec"]


async def test_a_task_that_began_in_the_window_runs_on_when_it_closes() -> None:
    desk = _desk()
    _pipeline(desk, RegularStart="08:00:00", RegularDuration="5")
    first, second = desk.create(1, Pipeline="usual"), desk.create(2, Pipeline="usual")
    await desk.advance(10)

    assert desk.statuses(first, second) == ["succ", "init"]
    await desk.advance(86400 - 10)
    assert desk.statuses(second) == ["exec"]


async def test_everything_in_a_queue_with_a_window_is_done_when_the_clock_runs_until_idle() -> None:
    desk = _desk()
    _pipeline(desk, RegularStart="09:00:00", RegularDuration=5)
    tasks = [desk.create(number, Pipeline="usual") for number in range(3)]
    await desk.finish()

    assert desk.statuses(*tasks) == ["succ"] * 3


@pytest.mark.parametrize(
    ("starts", "lasts", "opens"),
    [(0, 0, START), (8 * 3600, 1, START), (NINE_O_CLOCK, 60, START + 3600), (7 * 3600, 3600, START + 23 * 3600)],
)
def test_a_window_opens_once_a_day(starts: int, lasts: int, opens: float) -> None:
    assert Queue("q", starts=starts, lasts=lasts).opens(START) == opens


def test_a_window_may_go_beyond_midnight() -> None:
    assert Queue("q", starts=23 * 3600, lasts=10 * 3600).opens(START) == START


async def test_a_queue_shows_how_its_tasks_are_doing() -> None:
    desk = _desk()
    _pipeline(desk, Description="nightly", RegularStart="01:02:03", RegularDuration=86400)
    for number in range(3):
        desk.create(number, Pipeline="usual")
    desk.create(9)
    await desk.advance(10)

    assert desk.call("QueryPipeline", PipelineName="usual") == {
        "Description": "nightly",
        "State": "Active",
        "RegularStart": "01:02:03",
        "RegularDuration": 86400,
        "Quota": 1,
        "TaskStatus": {"Total": 3, "Running": 1, "Pending": 1, "Success": 1, "Failed": 0},
        "ErrNum": 0,
        "ErrMsg": "success",
    }


async def test_a_queue_is_made_by_its_first_update() -> None:
    desk = _desk()
    _pipeline(desk, "nightly", State="Active")

    assert desk.statuses(desk.create(Pipeline="nightly")) == ["exec"]


async def test_a_task_for_a_queue_that_is_not_there_is_refused() -> None:
    desk = _desk()
    document = {"Preset": "hd_mp4", "SrcInfo": [{"path": "/b/k"}], "DstBucket": "bucket", "DstObjectKey": "k"}

    assert desk.call("CreateTask", {**document, "Pipeline": "unheard_of"})["ErrNum"] == 1023


async def test_a_queue_that_is_not_there_cannot_be_shown() -> None:
    assert _desk().call("QueryPipeline", PipelineName="unheard_of")["ErrNum"] == 1023


async def test_a_state_that_is_none_is_refused() -> None:
    assert _desk().call("UpdatePipeline", {"PipelineName": "usual", "State": "asleep"})["ErrNum"] == 1024


async def test_many_tasks_that_wait_end_in_their_order_and_none_is_lost() -> None:
    desk = _desk(concurrency=3)
    tasks = [desk.create(number) for number in range(200)]
    await desk.finish()

    assert sorted(tasks) == sorted(body["TaskID"] for body in desk.callbacks)
    assert desk.account.clock.now() == START + 10 * -(-200 // 3)
