"""The driver: tasks move as clocks move, and callbacks are sent when they fall due."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from math import inf

import pytest

from emulator.core.accounts import Account
from emulator.core.callbacks import Answer, CallbackOrder, Delivery
from emulator.core.clock import ClockSpec
from emulator.core.driver import IDLE_SPAN, ClockBusy, Fired
from emulator.core.errors import EmulatorError
from emulator.core.journal import ClockEntry
from emulator.core.tasks import Ending, Plan, Timeline
from tests.support.machine import START, FakeMachine, JumpingLoop, in_virtual_time
from tests.support.sender import REFUSED, until
from tests.support.toy_cloud import CALLBACK, PLAN, ToyWorld, reply_of, start_task, toy_world

TWO_STEPS = PLAN
"""Progress at 6 s, the end at 13 s."""
HANGS = PLAN.revised({"outcome": "hang", "progress": []})
REAL = ClockSpec("real")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def _plan(**document: object) -> Plan:
    return PLAN.revised(document)


def _quick(seconds: float, **document: object) -> Plan:
    """One step only: the end, after so many seconds."""
    return PLAN.revised({"queue": 0, "run": seconds, "upload": 0, "progress": [], **document})


def _statuses(world: ToyWorld) -> list[str]:
    return [body["status"] for body in world.sender.bodies]


def _named(world: ToyWorld) -> list[str]:
    return [body["brew"] for body in world.sender.bodies]


def _second_account(world: ToyWorld, clock: ClockSpec | None = None) -> Account:
    return world.accounts.create({"name": "second"}, clock, lambda name, seed: {})


async def _all_settled(world: ToyWorld, count: int, account: Account | None = None) -> None:
    ledger = (account or world.account).ledger
    await until(ledger.changes, lambda: sum(delivery.settled for delivery in ledger) >= count)


async def test_nothing_happens_before_a_frozen_clock_is_moved() -> None:
    world = toy_world()
    world.driver.start()
    start_task(world.account)
    world.machine.move(1000)

    assert world.sender.orders == []


async def test_an_advance_returns_when_everything_due_was_delivered() -> None:
    world = toy_world()
    start_task(world.account)

    await world.driver.advance_to(world.account, START + 13)

    assert _statuses(world) == ["running", "succeeded"]
    assert [delivery.status for delivery in world.account.ledger] == ["delivered", "delivered"]


async def test_an_advance_fires_nothing_that_is_due_later() -> None:
    world = toy_world()
    start_task(world.account)

    await world.driver.advance_to(world.account, START + 12.999)

    assert _statuses(world) == ["running"]


async def test_what_is_due_at_the_very_instant_fires() -> None:
    world = toy_world()
    start_task(world.account)

    await world.driver.advance_to(world.account, START + 6)

    assert _statuses(world) == ["running"]


async def test_an_advance_says_what_fired() -> None:
    world = toy_world()
    start_task(world.account)

    fired = await world.driver.advance_to(world.account, START + 60)

    assert fired == [
        Fired(START + 6, "progress", "t1", 1, "running"),
        Fired(START + 6, "attempt", "t1", 1, "delivered"),
        Fired(START + 13, "end", "t1", 2, "succeeded"),
        Fired(START + 13, "attempt", "t1", 2, "delivered"),
    ]


async def test_a_task_without_a_callback_moves_all_the_same() -> None:
    world = toy_world()
    start_task(world.account, parameters={})

    fired = await world.driver.advance_to(world.account, START + 60)

    assert [(event.what, event.delivery) for event in fired] == [("progress", None), ("end", None)]


async def test_the_clock_shows_the_instant_it_was_advanced_to() -> None:
    world = toy_world()

    await world.driver.advance_to(world.account, START + 60)

    assert world.account.clock.now() == START + 60


async def test_an_advance_to_an_earlier_instant_leaves_the_clock_where_it_is() -> None:
    world = toy_world()

    assert await world.driver.advance_to(world.account, START - 60) == []
    assert world.account.clock.now() == START


async def test_tasks_fire_in_the_order_of_their_instants() -> None:
    world = toy_world()
    for task_id, seconds in (("c", 3), ("a", 1), ("b", 2)):
        start_task(world.account, _quick(seconds), task_id)

    await world.driver.advance_to(world.account, START + 60)

    assert _named(world) == ["a", "b", "c"]


async def test_tasks_that_are_due_at_one_instant_fire_in_the_order_they_were_begun() -> None:
    world = toy_world()
    for task_id in ("b", "c", "a"):
        start_task(world.account, _quick(5), task_id)

    await world.driver.advance_to(world.account, START + 60)

    assert _named(world) == ["b", "c", "a"]


async def test_the_steps_of_several_tasks_are_interleaved_by_their_instants() -> None:
    world = toy_world()
    start_task(world.account, TWO_STEPS, "a")
    start_task(world.account, TWO_STEPS, "b", at=START + 1)

    await world.driver.advance_to(world.account, START + 60)

    assert [(body["brew"], body["status"]) for body in world.sender.bodies] == [
        ("a", "running"),
        ("b", "running"),
        ("a", "succeeded"),
        ("b", "succeeded"),
    ]


async def test_a_step_is_not_sent_before_the_one_before_it_has_arrived() -> None:
    world = toy_world()
    start_task(world.account)
    world.sender.held.clear()
    moving = asyncio.ensure_future(world.driver.advance_to(world.account, START + 60))
    await until(world.sender.changes, lambda: len(world.sender.orders) == 1)

    assert (world.account.clock.now(), len(world.account.ledger)) == (START + 6, 1)
    world.sender.held.set()
    await moving
    assert len(world.sender.orders) == 2


async def test_moving_in_one_step_or_in_many_comes_to_the_same() -> None:
    ledgers = []
    for stops in ([60.0], [1, 5, 6, 7, 12, 13, 14, 60]):
        world = toy_world()
        start_task(world.account, _plan(progress=[10, 50, 90]))
        for stop in stops:
            await world.driver.advance_to(world.account, START + stop)
        ledgers.append([(entry.number, entry.due, entry.order.body) for entry in world.account.ledger])

    assert ledgers[0] == ledgers[1]
    assert len(ledgers[0]) == 4


async def test_a_failed_callback_is_tried_again_within_the_same_advance() -> None:
    world = toy_world()
    world.sender.answers = [REFUSED, REFUSED]
    start_task(world.account, _quick(5, deliver={"attempts": 4, "backoff": "10s"}))

    await world.driver.advance_to(world.account, START + 100)

    (delivery,) = world.account.ledger
    assert [attempt.at - START for attempt in delivery.attempts] == [5, 15, 35]
    assert delivery.status == "delivered"


async def test_a_retry_that_is_due_after_the_advance_waits_for_the_next() -> None:
    world = toy_world()
    world.sender.answers = [REFUSED]
    start_task(world.account, _quick(5, deliver={"attempts": 2, "backoff": "10s"}))

    await world.driver.advance_to(world.account, START + 14)

    (delivery,) = world.account.ledger
    assert (delivery.status, delivery.next_attempt, len(delivery.attempts)) == ("pending", START + 15, 1)


async def test_retries_do_not_hold_up_what_is_due_before_them() -> None:
    world = toy_world()
    world.sender.answers = [REFUSED]
    start_task(world.account, _quick(5, deliver={"attempts": 2, "backoff": "10s"}), "retried")
    start_task(world.account, _quick(8), "other")

    await world.driver.advance_to(world.account, START + 60)

    assert _named(world) == ["retried", "other", "retried"]


async def test_attempts_that_all_fail_end_as_a_failed_delivery() -> None:
    world = toy_world()
    world.sender.answers = [REFUSED, REFUSED, REFUSED]
    start_task(world.account, _quick(5, deliver={"attempts": 3, "backoff": "1s"}))

    fired = await world.driver.advance_to(world.account, START + 60)

    assert [(event.at - START, event.status) for event in fired[1:]] == [(5, "pending"), (6, "pending"), (8, "failed")]


async def test_the_limit_of_an_attempt_reaches_the_sender() -> None:
    world = toy_world()
    start_task(world.account, _quick(1, deliver={"timeout": "250ms"}), "a")
    start_task(world.account, _quick(2), "b")

    await world.driver.advance_to(world.account, START + 60)

    assert world.sender.timeouts == [0.25, None]


async def test_a_sender_that_raises_is_recorded_as_a_failed_attempt() -> None:
    world = toy_world()
    world.sender.answers = [RuntimeError("out of cups")]
    start_task(world.account, _quick(5))

    await world.driver.advance_to(world.account, START + 60)

    (delivery,) = world.account.ledger
    assert (delivery.status, delivery.attempts[0].answer) == (
        "failed",
        Answer(None, "the emulator failed to send it: RuntimeError: out of cups"),
    )


async def test_the_advance_goes_on_after_a_sender_that_raises() -> None:
    world = toy_world()
    world.sender.answers = [RuntimeError("out of cups")]
    start_task(world.account)

    await world.driver.advance_to(world.account, START + 60)

    assert [delivery.status for delivery in world.account.ledger] == ["failed", "delivered"]


async def test_next_moves_to_the_next_event_only() -> None:
    world = toy_world()
    start_task(world.account)

    fired = await world.driver.next(world.account)

    assert [event.what for event in fired] == ["progress", "attempt"]
    assert world.account.clock.now() == START + 6


async def test_next_fires_everything_that_is_due_at_that_instant() -> None:
    world = toy_world()
    start_task(world.account, _quick(5), "a")
    start_task(world.account, _quick(5), "b")

    await world.driver.next(world.account)

    assert _named(world) == ["a", "b"]


async def test_next_leaves_the_clock_where_it_is_if_nothing_is_pending() -> None:
    world = toy_world()

    assert await world.driver.next(world.account) == []
    assert world.account.clock.now() == START


async def test_next_after_next_reaches_the_end() -> None:
    world = toy_world()
    start_task(world.account)
    instants = []
    while len(world.account.agenda):
        await world.driver.next(world.account)
        instants.append(world.account.clock.now() - START)

    assert instants == [6, 13]


async def test_run_until_idle_runs_until_nothing_is_pending() -> None:
    world = toy_world()
    world.sender.answers = [REFUSED]
    start_task(world.account, _quick(3600, deliver={"attempts": 2, "backoff": "1h"}))

    await world.driver.run_until_idle(world.account)

    assert (len(world.account.agenda), world.account.clock.now()) == (0, START + 7200)


async def test_run_until_idle_says_everything_that_fired() -> None:
    world = toy_world()
    start_task(world.account)

    fired = await world.driver.run_until_idle(world.account)

    assert [event.what for event in fired] == ["progress", "attempt", "end", "attempt"]


async def test_run_until_idle_does_not_go_on_for_ever() -> None:
    world = toy_world()
    start_task(world.account, _quick(1), "soon")
    start_task(world.account, _quick(1), "in two years", at=START + 2 * IDLE_SPAN)

    await world.driver.run_until_idle(world.account)

    assert _named(world) == ["soon"]


async def test_a_receiver_that_causes_callbacks_without_end_does_not_keep_an_advance_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("emulator.core.driver.MOST_EVENTS", 50)
    world = toy_world()
    start_task(world.account, _quick(5))

    def order_another(order: CallbackOrder) -> None:
        start_task(world.account, _quick(0), f"t{len(world.sender.orders)}")

    world.sender.during = order_another

    with pytest.raises(ClockBusy, match=r"^more than 50 events by 2026-01-01T00:00:05\.000Z; does each callback"):
        await world.driver.advance_to(world.account, START + 60)
    assert len(world.account.agenda) == 1


async def test_a_task_that_hangs_is_idle() -> None:
    world = toy_world()
    start_task(world.account, HANGS)

    assert await world.driver.run_until_idle(world.account) == []


async def test_a_receiver_that_calls_back_in_sees_the_task_as_of_the_due_moment() -> None:
    world = toy_world()
    start_task(world.account)
    seen = []

    def poll(order: CallbackOrder) -> None:
        seen.append(reply_of(world.ask("/toy/Ask", {"brew": "t1"})))

    world.sender.during = poll
    await world.driver.advance_to(world.account, START + 60)

    assert seen == [
        {"error": 0, "status": "running", "percent": 50},
        {"error": 0, "status": "succeeded", "percent": 100},
    ]


async def test_a_task_that_a_receiver_creates_is_driven_in_the_same_advance() -> None:
    world = toy_world()
    start_task(world.account, _quick(5), "first")

    def order_another(order: CallbackOrder) -> None:
        if len(world.sender.orders) == 1:
            world.ask("/toy/Brew", {"leaf": "black", "callback": CALLBACK})

    world.sender.during = order_another
    await world.driver.advance_to(world.account, START + 60)

    assert [(event.due - START, event.order.event) for event in world.account.ledger] == [
        (5, "succeeded"),
        (11, "running"),
        (18, "succeeded"),
    ]


async def test_a_task_that_a_receiver_creates_starts_at_the_due_moment() -> None:
    world = toy_world()
    start_task(world.account, _quick(5), "first")
    world.sender.during = lambda order: (
        None if len(world.account.tasks) > 1 else start_task(world.account, _quick(1), "then") and None
    )

    await world.driver.advance_to(world.account, START + 60)

    created = world.account.tasks.get("then")
    assert created is not None
    assert created.timeline.start == START + 5


async def test_a_second_advance_while_one_runs_is_refused() -> None:
    world = toy_world()
    start_task(world.account)
    refusals = []

    async def advance(order: CallbackOrder) -> None:
        with pytest.raises(ClockBusy) as caught:
            await world.driver.advance_to(world.account, START + 100)
        refusals.append(str(caught.value))

    world.sender.during = advance
    await world.driver.advance_to(world.account, START + 6)

    assert refusals == [
        "the clock of default is being moved already; a receiver that is called back meanwhile, and a second client, "
        "have to wait until that returns"
    ]


async def test_an_advance_that_was_refused_leaves_the_running_one_undisturbed() -> None:
    world = toy_world()
    start_task(world.account)

    async def advance(order: CallbackOrder) -> None:
        with pytest.raises(ClockBusy):
            await world.driver.next(world.account)
        with pytest.raises(ClockBusy):
            await world.driver.run_until_idle(world.account)

    world.sender.during = advance
    await world.driver.advance_to(world.account, START + 60)

    assert _statuses(world) == ["running", "succeeded"]


async def test_a_clock_may_be_moved_again_once_an_advance_has_returned() -> None:
    world = toy_world()

    await world.driver.advance_to(world.account, START + 1)
    await world.driver.advance_to(world.account, START + 2)

    assert world.account.clock.now() == START + 2


async def test_a_clock_may_be_moved_again_after_an_advance_was_given_up() -> None:
    world = toy_world()
    start_task(world.account)
    world.sender.held.clear()
    moving = asyncio.ensure_future(world.driver.advance_to(world.account, START + 60))
    await until(world.sender.changes, lambda: bool(world.sender.orders))
    moving.cancel()
    await asyncio.wait([moving])
    world.sender.held.set()

    await world.driver.advance_to(world.account, START + 60)

    assert [delivery.status for delivery in world.account.ledger] == ["delivered", "delivered"]


@pytest.mark.parametrize("mode", ["real", "scaled"])
async def test_a_clock_that_runs_is_not_moved_by_hand(mode: str) -> None:
    world = toy_world(clock=ClockSpec(mode))  # type: ignore[arg-type]
    message = f"the clock of default is {mode}; only a frozen clock moves by hand"

    for move in (
        world.driver.advance_to(world.account, START + 1),
        world.driver.next(world.account),
        world.driver.run_until_idle(world.account),
    ):
        with pytest.raises(ClockBusy, match=message):
            await move


async def test_a_clock_is_not_set_while_it_is_being_moved() -> None:
    world = toy_world()
    start_task(world.account)

    def set_clock(order: CallbackOrder) -> None:
        with pytest.raises(ClockBusy):
            world.driver.set_clock(world.account, REAL)

    world.sender.during = set_clock
    await world.driver.advance_to(world.account, START + 60)

    assert (world.account.clock.mode, world.account.clock.now()) == ("frozen", START + 60)


async def test_a_frozen_clock_is_not_set_past_what_is_due() -> None:
    world = toy_world()
    start_task(world.account)

    with pytest.raises(ClockBusy) as caught:
        world.driver.set_clock(world.account, ClockSpec("frozen", now=START + 100))

    assert str(caught.value) == (
        "something is due in default at 2026-01-01T00:00:06.000Z, which setting its clock to 2026-01-01T00:01:40.000Z "
        "would jump over; advance to it instead"
    )
    assert world.account.clock.now() == START


async def test_a_running_clock_is_not_frozen_past_what_is_due() -> None:
    world = toy_world(clock=REAL)
    start_task(world.account)

    with pytest.raises(ClockBusy, match=r"would jump over; advance to it instead$"):
        world.driver.set_clock(world.account, ClockSpec("frozen", now=START + 100))

    assert world.account.clock.mode == "real"


async def test_a_running_clock_may_be_frozen_where_it_is_though_something_is_overdue() -> None:
    world = toy_world(clock=REAL)
    start_task(world.account)
    world.machine.move(7)

    world.driver.set_clock(world.account, ClockSpec("frozen", now=START + 7))
    await world.driver.advance_to(world.account, START + 8)

    assert _statuses(world) == ["running"]


@pytest.mark.parametrize("seconds", [-60, 0, 6])
async def test_a_frozen_clock_may_be_set_back_and_up_to_what_is_due(seconds: float) -> None:
    world = toy_world()
    start_task(world.account)
    world.driver.set_clock(world.account, ClockSpec("frozen", now=START + seconds))

    await world.driver.advance_to(world.account, START + 13)

    assert _statuses(world) == ["running", "succeeded"]


async def test_a_frozen_clock_may_be_set_anywhere_if_nothing_is_pending() -> None:
    world = toy_world()

    world.driver.set_clock(world.account, ClockSpec("frozen", now=START + 10**8))

    assert world.account.clock.now() == START + 10**8


def test_what_a_running_clock_was_set_past_happens_at_once() -> None:
    world = toy_world(clock=REAL)

    async def scenario() -> None:
        world.driver.start()
        start_task(world.account)
        world.driver.set_clock(world.account, ClockSpec("real", now=START + 100))
        await _virtually_settled(world.account, 2)

    in_virtual_time(world.machine, scenario)

    assert world.machine.wall() == START


async def test_two_accounts_are_moved_independently() -> None:
    world = toy_world()
    second = _second_account(world)
    start_task(world.account, _quick(5), "a")
    start_task(second, _quick(5), "b")

    await world.driver.advance_to(second, START + 60)

    assert _named(world) == ["b"]
    assert (world.account.clock.now(), second.clock.now()) == (START, START + 60)


async def test_one_account_may_be_moved_while_another_is() -> None:
    world = toy_world()
    second = _second_account(world)
    start_task(world.account, _quick(5), "a")
    start_task(second, _quick(5), "b")

    async def advance(order: CallbackOrder) -> None:
        if len(world.sender.orders) == 1:
            await world.driver.advance_to(second, START + 60)

    world.sender.during = advance
    await world.driver.advance_to(world.account, START + 60)

    assert _named(world) == ["a", "b"]


async def test_the_journal_keeps_a_move_of_the_clock() -> None:
    world = toy_world()
    start_task(world.account)

    await world.driver.advance_to(world.account, START + 60)

    assert list(world.account.journal) == [ClockEntry(1, START + 60, START, 4)]


async def test_a_move_that_moved_nothing_is_not_kept() -> None:
    world = toy_world()

    await world.driver.advance_to(world.account, START)

    assert len(world.account.journal) == 0


async def test_a_reset_cancels_what_is_on_its_way() -> None:
    world = toy_world()
    start_task(world.account)
    world.sender.held.clear()
    moving = asyncio.ensure_future(world.driver.advance_to(world.account, START + 60))
    await until(world.sender.changes, lambda: bool(world.sender.orders))
    (delivery,) = world.account.ledger

    await world.driver.reset(world.account)

    assert delivery.status == "cancelled"
    assert world.sender.in_flight == {"http://cup.test": 0}
    await moving


async def test_after_a_reset_nothing_of_before_happens() -> None:
    world = toy_world()
    start_task(world.account)
    world.sender.held.clear()
    moving = asyncio.ensure_future(world.driver.advance_to(world.account, START + 60))
    await until(world.sender.changes, lambda: bool(world.sender.orders))
    await world.driver.reset(world.account)
    world.sender.held.set()

    await world.driver.run_until_idle(world.account)

    await moving
    assert len(world.sender.orders) == 1


async def test_an_advance_that_a_reset_interrupts_returns_what_fired_until_then() -> None:
    world = toy_world()
    start_task(world.account)
    world.sender.held.clear()
    moving = asyncio.ensure_future(world.driver.advance_to(world.account, START + 60))
    await until(world.sender.changes, lambda: bool(world.sender.orders))
    await world.driver.reset(world.account)

    fired = await moving

    assert [(event.what, event.status) for event in fired] == [("progress", "running"), ("attempt", "cancelled")]


async def test_an_advance_that_a_reset_interrupts_leaves_the_fresh_clock_alone() -> None:
    world = toy_world()
    start_task(world.account)
    world.sender.held.clear()
    moving = asyncio.ensure_future(world.driver.advance_to(world.account, START + 60))
    await until(world.sender.changes, lambda: bool(world.sender.orders))

    await world.driver.reset(world.account)
    await moving

    assert (world.account.clock.now(), len(world.account.journal)) == (START, 0)


async def test_a_receiver_may_have_the_account_reset() -> None:
    world = toy_world()
    start_task(world.account)
    resetting: list[asyncio.Task[None]] = []

    async def reset(order: CallbackOrder) -> None:
        resetting.append(asyncio.ensure_future(world.driver.reset(world.account)))
        await asyncio.wait(resetting)

    world.sender.during = reset
    await world.driver.advance_to(world.account, START + 60)
    await resetting[0]

    assert len(world.account.tasks) == 0


async def test_a_reset_account_is_as_good_as_new() -> None:
    world = toy_world()
    start_task(world.account)
    await world.driver.advance_to(world.account, START + 60)
    await world.driver.reset(world.account)
    start_task(world.account, _quick(5), "new")

    await world.driver.advance_to(world.account, START + 60)

    assert [(delivery.number, delivery.task_id) for delivery in world.account.ledger] == [(1, "new")]


async def test_a_reset_of_one_account_leaves_another_alone() -> None:
    world = toy_world()
    second = _second_account(world)
    start_task(second)

    await world.driver.reset(world.account)
    await world.driver.advance_to(second, START + 60)

    assert _statuses(world) == ["running", "succeeded"]


async def test_a_removed_account_is_forgotten() -> None:
    world = toy_world()
    world.ask("/toy/Brew", {"leaf": "green", "callback": CALLBACK}, x_toy_key="K1")
    account = world.accounts.get("K1")
    assert account is not None

    await world.driver.remove(account)

    assert world.accounts.get("K1") is None


async def test_a_removed_account_may_come_back_empty_and_be_driven() -> None:
    world = toy_world()
    brew = {"leaf": "green", "callback": CALLBACK}
    world.ask("/toy/Brew", brew, x_toy_key="K1")
    removed = world.accounts.get("K1")
    assert removed is not None
    await world.driver.remove(removed)
    world.ask("/toy/Brew", brew, x_toy_key="K1")
    account = world.accounts.get("K1")
    assert account is not None

    await world.driver.advance_to(account, START + 60)

    assert len(world.sender.orders) == 2


async def test_the_default_account_is_not_removed() -> None:
    world = toy_world()
    start_task(world.account)

    with pytest.raises(EmulatorError):
        await world.driver.remove(world.account)

    assert len(world.account.tasks) == 1


# A clock that runs.


async def test_tasks_of_no_length_call_back_by_themselves() -> None:
    world = toy_world(clock=REAL)
    world.driver.start()
    for number in range(3):
        start_task(world.account, _quick(0), f"t{number}")

    await _all_settled(world, 3)

    assert _named(world) == ["t0", "t1", "t2"]


async def test_tasks_that_were_there_before_the_start_are_followed() -> None:
    world = toy_world(clock=REAL)
    start_task(world.account, _quick(0))
    world.driver.start()

    await _all_settled(world, 1)

    assert _statuses(world) == ["succeeded"]


def test_a_clock_that_runs_is_followed() -> None:
    world = toy_world(clock=REAL)

    async def scenario() -> None:
        world.driver.start()
        start_task(world.account)
        await until(world.account.ledger.changes, lambda: len(world.account.ledger) == 2, None)

    in_virtual_time(world.machine, scenario)

    assert world.machine.wall() == pytest.approx(START + 13)


def test_callbacks_are_sent_when_they_fall_due() -> None:
    world = toy_world(clock=REAL)
    instants: list[float] = []
    world.sender.during = lambda order: instants.append(world.machine.wall() - START)

    async def scenario() -> None:
        world.driver.start()
        start_task(world.account)
        await until(world.sender.changes, lambda: len(instants) == 2, None)

    in_virtual_time(world.machine, scenario)

    assert instants == pytest.approx([6, 13])


def test_a_clock_that_runs_fast_is_followed_fast() -> None:
    world = toy_world(clock=ClockSpec("scaled", 60))

    async def scenario() -> None:
        world.driver.start()
        start_task(world.account, _quick(3600))
        await until(world.account.ledger.changes, lambda: len(world.account.ledger) == 1, None)

    in_virtual_time(world.machine, scenario)

    assert world.machine.wall() == pytest.approx(START + 60)


def test_two_accounts_with_different_clocks_are_followed_at_their_speeds() -> None:
    world = toy_world(clock=REAL)

    async def scenario() -> None:
        fast = _second_account(world, ClockSpec("scaled", 10))
        world.driver.start()
        start_task(world.account, _quick(5), "real")
        start_task(fast, _quick(40), "fast")
        await until(world.sender.changes, lambda: len(world.sender.orders) == 2, None)

    in_virtual_time(world.machine, scenario)

    assert _named(world) == ["fast", "real"]


def test_a_frozen_account_stands_still_beside_one_that_runs() -> None:
    world = toy_world()

    async def scenario() -> None:
        second = _second_account(world, REAL)
        world.driver.start()
        start_task(world.account, _quick(1), "frozen")
        start_task(second, _quick(100), "real")
        await _virtually_settled(second, 1)

    in_virtual_time(world.machine, scenario)

    assert _named(world) == ["real"]


def test_an_account_that_opens_later_is_followed() -> None:
    world = toy_world(clock=REAL)

    async def scenario() -> None:
        world.driver.start()
        world.ask("/toy/Brew", {"leaf": "green", "callback": CALLBACK}, x_toy_key="K1")
        account = world.accounts.get("K1")
        assert account is not None
        await _virtually_settled(account, 2)

    in_virtual_time(world.machine, scenario)

    assert _statuses(world) == ["running", "succeeded"]


def test_what_falls_due_earlier_than_all_else_is_not_waited_past() -> None:
    world = toy_world(clock=REAL)

    async def scenario() -> None:
        world.driver.start()
        start_task(world.account, _quick(100), "late")
        start_task(world.account, _quick(5), "early")
        await _virtually_settled(world.account, 1)

    in_virtual_time(world.machine, scenario)

    assert world.machine.wall() == pytest.approx(START + 5)


def test_an_account_has_one_timer_at_most() -> None:
    world = toy_world(clock=REAL)
    timers: list[int] = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, JumpingLoop)
        world.sender.during = lambda order: timers.append(loop.timers)
        world.driver.start()
        start_task(world.account, _plan(progress=list(range(1, 90))))
        await _virtually_settled(world.account, 90)

    in_virtual_time(world.machine, scenario)

    assert max(timers) == 1


def test_a_failed_callback_is_tried_again_on_the_accounts_clock() -> None:
    world = toy_world(clock=ClockSpec("scaled", 60))
    world.sender.answers = [REFUSED, REFUSED]

    async def scenario() -> None:
        world.driver.start()
        start_task(world.account, _quick(0, deliver={"attempts": 3, "backoff": "10m"}))
        await _virtually_settled(world.account, 1)

    in_virtual_time(world.machine, scenario)

    (delivery,) = world.account.ledger
    assert [attempt.at - START for attempt in delivery.attempts] == pytest.approx([0, 600, 1800])
    assert world.machine.wall() == pytest.approx(START + 30)


def test_a_clock_that_is_made_to_run_is_followed_from_then_on() -> None:
    world = toy_world()

    async def scenario() -> None:
        world.driver.start()
        start_task(world.account, _quick(5))
        world.driver.set_clock(world.account, REAL)
        await _virtually_settled(world.account, 1)

    in_virtual_time(world.machine, scenario)

    assert _statuses(world) == ["succeeded"]


def test_a_clock_that_is_frozen_is_followed_no_more() -> None:
    world = toy_world(clock=REAL)

    async def scenario() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, JumpingLoop)
        world.driver.start()
        start_task(world.account, _quick(5))
        world.driver.set_clock(world.account, ClockSpec("frozen"))
        return loop.timers

    assert in_virtual_time(world.machine, scenario) == 0


def test_after_a_reset_no_timer_of_before_goes_off() -> None:
    world = toy_world(clock=REAL)

    async def scenario() -> None:
        world.driver.start()
        start_task(world.account, _quick(5), "before")
        await world.driver.reset(world.account)
        start_task(world.account, _quick(10), "after")
        await _virtually_settled(world.account, 1)

    in_virtual_time(world.machine, scenario)

    assert _named(world) == ["after"]


def test_an_account_that_opens_anew_while_its_namesake_is_removed_is_followed() -> None:
    world = toy_world(clock=REAL)
    brew = {"leaf": "green", "callback": CALLBACK}

    async def reopen(order: CallbackOrder) -> None:
        if len(world.sender.orders) > 1:
            return
        try:
            await asyncio.Event().wait()
        finally:
            world.ask("/toy/Brew", brew, x_toy_key="K1")

    async def scenario() -> None:
        world.driver.start()
        world.sender.during = reopen
        removed = world.accounts.of(world.toy.key("K1"))
        assert removed is not None
        start_task(removed, _quick(0))
        await until(world.sender.changes, lambda: bool(world.sender.orders), None)
        await world.driver.remove(removed)
        account = world.accounts.get("K1")
        assert account is not None
        await _virtually_settled(account, 2)

    in_virtual_time(world.machine, scenario)

    assert _statuses(world) == ["succeeded", "running", "succeeded"]


async def test_never_more_callbacks_are_on_their_way_to_a_target_than_it_has_senders() -> None:
    world = toy_world(clock=REAL, senders=3)
    world.driver.start()
    world.sender.held.clear()
    for number in range(50):
        start_task(world.account, _quick(0), f"t{number}")
    await until(world.sender.changes, lambda: len(world.sender.orders) == 3)
    world.sender.held.set()

    await _all_settled(world, 50)

    assert world.sender.most == {"http://cup.test": 3}
    assert len(world.sender.orders) == 50


async def test_callbacks_that_waited_for_a_sender_go_out_in_order() -> None:
    world = toy_world(clock=REAL, senders=2)
    world.driver.start()
    for number in range(20):
        start_task(world.account, _quick(0), f"t{number}")

    await _all_settled(world, 20)

    assert _named(world) == [f"t{number}" for number in range(20)]


async def test_a_target_that_hangs_does_not_hold_up_another() -> None:
    world = toy_world(clock=REAL, senders=1)
    world.driver.start()

    async def hang(order: CallbackOrder) -> None:
        if "slow" in order.url:
            await asyncio.Event().wait()

    world.sender.during = hang
    for name in ("slow", "slow-too", "quick"):
        url = f"http://{name.partition('-')[0]}.test/"
        start_task(world.account, _quick(0), name, parameters={"callback": url})

    await _all_settled(world, 1)

    assert [(delivery.task_id, delivery.status) for delivery in world.account.ledger] == [
        ("slow", "sending"),
        ("slow-too", "pending"),
        ("quick", "delivered"),
    ]
    await world.driver.reset(world.account)


async def test_a_reset_lets_other_accounts_have_the_senders_that_it_frees() -> None:
    world = toy_world(clock=REAL, senders=1)
    world.driver.start()
    second = _second_account(world)
    world.sender.held.clear()
    for _ in range(3):
        start_task(world.account, _quick(0), "reset")
    start_task(second, _quick(0), "other")
    await until(second.ledger.changes, lambda: len(second.ledger) == 1)

    await world.driver.reset(world.account)
    world.sender.held.set()
    await _all_settled(world, 1, second)

    assert _named(world) == ["reset", "other"]


async def test_a_stop_lets_what_is_on_its_way_arrive() -> None:
    world = toy_world(clock=REAL)
    world.driver.start()
    start_task(world.account, _quick(0))
    world.sender.held.clear()
    await until(world.sender.changes, lambda: bool(world.sender.orders))
    stopping = asyncio.ensure_future(world.driver.stop(10.0))
    world.sender.held.set()

    await stopping

    assert [delivery.status for delivery in world.account.ledger] == ["delivered"]


async def test_a_stop_drops_what_does_not_arrive_in_time() -> None:
    world = toy_world(clock=REAL)
    world.driver.start()
    start_task(world.account, _quick(0))
    world.sender.held.clear()
    await until(world.sender.changes, lambda: bool(world.sender.orders))

    await world.driver.stop(0.0)

    assert [delivery.status for delivery in world.account.ledger] == ["cancelled"]


def test_after_a_stop_nothing_is_sent() -> None:
    world = toy_world(clock=REAL)

    async def scenario() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, JumpingLoop)
        world.driver.start()
        start_task(world.account, _quick(5))
        await world.driver.stop(1.0)
        start_task(world.account, _quick(6), "late")
        return loop.timers

    assert in_virtual_time(world.machine, scenario) == 0


def test_a_retry_that_falls_due_after_a_stop_is_not_made() -> None:
    world = toy_world(clock=REAL)
    world.sender.answers = [REFUSED]

    async def scenario() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, JumpingLoop)
        world.driver.start()
        world.sender.held.clear()
        start_task(world.account, _quick(0, deliver={"attempts": 2, "backoff": "1s"}))
        await until(world.sender.changes, lambda: bool(world.sender.orders), None)
        stopping = asyncio.ensure_future(world.driver.stop(10.0))
        world.sender.held.set()
        await stopping
        return loop.timers

    assert in_virtual_time(world.machine, scenario) == 0


async def _virtually_settled(account: Account, count: int) -> None:
    """Like ``_all_settled``, in a loop whose hours pass at once."""
    ledger = account.ledger
    await until(ledger.changes, lambda: sum(delivery.settled for delivery in ledger) >= count, None)


def test_a_machine_that_is_put_right_does_not_disturb_a_clock_that_runs() -> None:
    machine = FakeMachine()
    world = toy_world(clock=REAL, machine=machine)

    async def scenario() -> None:
        world.driver.start()
        start_task(world.account, _quick(5))
        machine.step(3600)
        await _virtually_settled(world.account, 1)

    in_virtual_time(machine, scenario)

    assert machine.monotonic() == pytest.approx(105)


async def test_of_a_task_that_was_given_another_timeline_the_old_one_no_longer_happens() -> None:
    world = toy_world()
    task = start_task(world.account)
    world.account.retime(task, task.timeline.ended(START + 2, Ending("fail", 70)))

    await world.driver.advance_to(world.account, START + 100)

    assert _statuses(world) == ["failed"]


async def test_a_task_that_waits_does_nothing_until_it_is_given_its_place_in_time() -> None:
    world = toy_world()
    task = start_task(world.account)
    world.account.retime(task, Timeline.of(PLAN, START, turn=inf))
    await world.driver.advance_to(world.account, START + 100)
    assert world.sender.orders == []
    waiting = world.account.tasks.get(task.id)
    assert waiting is not None
    assert waiting.timeline.at(START + 100).status == "queued"

    world.account.retime(waiting, Timeline.of(PLAN, START, turn=START + 100))
    fired = await world.driver.run_until_idle(world.account)

    assert [event.status for event in fired if event.what == "end"] == ["succeeded"]


async def test_a_cloud_is_woken_at_the_instant_it_asked_for() -> None:
    world = toy_world()
    world.account.wake("toy", START + 5)
    await world.driver.advance_to(world.account, START + 4)
    assert world.account.state("toy") == []

    await world.driver.advance_to(world.account, START + 50)

    assert world.account.state("toy") == [START + 5]


# Sending again


async def _delivered(world: ToyWorld, **deliver: object) -> Delivery:
    """The delivery of the end of a task."""
    start_task(world.account, _quick(5, deliver=deliver))
    await world.driver.advance_to(world.account, START + 5)
    (delivery,) = world.account.ledger
    return delivery


async def test_a_delivery_is_sent_again_as_a_new_one_though_the_clock_stands_still() -> None:
    world = toy_world()
    delivery = await _delivered(world)

    again = await world.driver.resend(world.account, delivery)

    assert (again.number, again.copy_of, again.status, again.due) == (2, 1, "delivered", START + 5)
    assert (again.task_id, again.operation, again.order) == (delivery.task_id, delivery.operation, delivery.order)
    assert [order.body for order in world.sender.orders] == [delivery.order.body] * 2
    assert (list(world.account.ledger), world.account.clock.now()) == ([delivery, again], START + 5)


async def test_what_is_sent_again_may_be_changed() -> None:
    world = toy_world()
    delivery = await _delivered(world)
    edited = CallbackOrder("succeeded", "PUT", "http://saucer.test/", {"X-Edited": "1"}, b"[]")

    again = await world.driver.resend(world.account, delivery, edited)

    assert (world.sender.orders[-1], again.order, delivery.order.method) == (edited, edited, "POST")


async def test_what_is_sent_again_is_tried_once() -> None:
    world = toy_world()
    delivery = await _delivered(world, attempts=5, backoff=1, timeout="3s")
    world.sender.answers = [REFUSED]

    again = await world.driver.resend(world.account, delivery)

    assert (again.status, len(again.attempts), len(world.account.agenda)) == ("failed", 1, 0)
    assert world.sender.timeouts == [3.0, 3.0]


async def test_a_dropped_callback_may_be_sent_after_all() -> None:
    world = toy_world()
    delivery = await _delivered(world, drop=True)

    again = await world.driver.resend(world.account, delivery)

    assert (delivery.status, again.status, len(world.sender.orders)) == ("dropped", "delivered", 1)


async def test_those_who_look_are_told_of_what_is_sent_again() -> None:
    world = toy_world()
    delivery = await _delivered(world)
    told = list[str]()
    world.account.ledger.changes.subscribe(lambda: told.append(list(world.account.ledger)[-1].status))

    await world.driver.resend(world.account, delivery)

    assert told == ["pending", "sending", "delivered"]


async def test_a_reset_cancels_what_is_sent_again() -> None:
    world = toy_world()
    delivery = await _delivered(world)
    world.sender.held.clear()
    resending = asyncio.ensure_future(world.driver.resend(world.account, delivery))
    await until(world.sender.changes, lambda: len(world.sender.orders) == 2)

    await world.driver.reset(world.account)

    assert (await resending).status == "cancelled"


# Retries


async def test_a_receiver_may_ask_for_a_longer_wait() -> None:
    world = toy_world()
    world.sender.answers = [Answer(503, "busy", retry_after=60.0)]
    delivery = await _delivered(world, attempts=3, backoff="10s")

    await world.driver.run_until_idle(world.account)

    assert [attempt.at - START for attempt in delivery.attempts] == [5, 65]


async def test_a_receiver_that_wants_no_more_is_not_tried_again() -> None:
    world = toy_world()
    world.sender.answers = [Answer(410, "gone")]
    delivery = await _delivered(world, attempts=3, backoff="10s")

    assert (delivery.status, len(delivery.attempts), len(world.account.agenda)) == ("failed", 1, 0)


# Traces


async def test_the_trace_of_a_request_goes_on_in_the_callbacks_of_its_task() -> None:
    world = toy_world()
    task = replace(start_task(world.account, parameters={}), parameters={"callback": CALLBACK}, traceparent=TRACE)
    world.account.retime(task, task.timeline)

    await world.driver.run_until_idle(world.account)

    carried = [order.headers["traceparent"].split("-") for order in world.sender.orders]
    assert {(version, trace) for version, trace, _, _ in carried} == {tuple(TRACE.split("-")[:2])}
    assert len({span for _, _, span, _ in carried}) == 2
