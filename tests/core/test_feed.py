"""The feed: what happens in an account, numbered and bounded; and the tally, which never forgets."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.accounts import AccountLimits
from emulator.core.clock import ClockSpec
from emulator.core.driver import Fired
from emulator.core.feed import KINDS, MEMBERS, Event, Feed
from emulator.core.journal import JournalLimits
from tests.support.machine import START
from tests.support.sender import REFUSED, until
from tests.support.toy_cloud import ToyWorld, start_task, toy_world


def _filled(count: int, limit: int = 100) -> Feed:
    feed = Feed(limit=limit)
    for number in range(count):
        feed.note("rule", float(number), f"r{number}", "set")
    return feed


def _numbers(found: tuple[int, list[Event]]) -> list[int]:
    return [event.number for event in found[1]]


def _told(world: ToyWorld, *kinds: str) -> list[tuple[str, dict[str, object]]]:
    events = world.account.feed.since(0)[1]
    return [(event.kind, event.about) for event in events if not kinds or event.kind in kinds]


async def _being_sent(world: ToyWorld) -> asyncio.Task[list[Fired]]:
    """A move of the clock that waits for a callback to arrive, which it does not."""
    world.sender.held.clear()
    start_task(world.account)
    moving = asyncio.create_task(world.driver.next(world.account))
    await until(world.sender.changes, lambda: len(world.sender.orders) == 1)
    return moving


def test_an_event_has_a_number_its_time_and_what_it_is_about() -> None:
    feed = Feed()
    feed.note("request", 5.0, 12, "toy.Brew", 200, None)

    about = {"number": 12, "operation": "toy.Brew", "status": 200, "code": None}
    assert feed.since(0) == (1, [Event(1, "request", 5.0, about)])


def test_only_what_came_after_a_number_is_read() -> None:
    assert _numbers(_filled(5).since(3)) == [4, 5]


def test_nothing_comes_after_the_last() -> None:
    assert _filled(5).since(5) == (5, [])


def test_only_the_kinds_that_are_wanted_are_read_and_the_others_are_passed_over() -> None:
    feed = _filled(2)
    feed.note("reset", 9.0)
    feed.note("rule", 9.0, "r9", "set")

    assert feed.since(0, ("reset",)) == (4, [Event(3, "reset", 9.0, {})])


def test_no_more_than_was_asked_for_is_looked_at_at_a_time() -> None:
    feed = _filled(5)

    position, first = feed.since(0, KINDS, 2)

    assert (position, [event.number for event in first]) == (2, [1, 2])
    assert _numbers(feed.since(position, KINDS, 2)) == [3, 4]


def test_the_oldest_events_are_forgotten_and_their_number_is_known() -> None:
    feed = _filled(10, limit=3)

    assert (feed.created, feed.forgotten) == (10, 7)
    assert _numbers(feed.since(0)) == [8, 9, 10]


@given(st.integers(0, 30), st.integers(1, 10), st.integers(0, 30), st.integers(1, 7))
def test_who_reads_in_any_steps_reads_everything_that_is_not_forgotten(
    count: int, limit: int, after: int, most: int
) -> None:
    feed, found, position = _filled(count, limit), list[int](), after
    while position < feed.created:
        position, events = feed.since(position, KINDS, most)
        found += [event.number for event in events]

    assert found == list(range(max(after, feed.forgotten) + 1, count + 1))


def test_who_subscribed_is_told_of_the_kinds_he_named_until_he_unsubscribes() -> None:
    feed, told = Feed(), list[int]()
    unsubscribe = feed.subscribe(lambda: told.append(feed.created), ("task", "reset"))
    feed.note("reset", 0.0)
    feed.note("rule", 0.0, "r1", "set")
    feed.note("task", 0.0, "t1", "toy.Brew", "queued", 0)
    unsubscribe()
    feed.note("reset", 0.0)

    assert told == [1, 3]


def test_who_unsubscribes_leaves_the_others() -> None:
    feed, told = Feed(), list[str]()
    leave = feed.subscribe(lambda: told.append("a"))
    feed.subscribe(lambda: told.append("b"))
    leave()
    feed.note("reset", 0.0)

    assert told == ["b"]


def test_a_feed_that_closes_tells_everybody_once() -> None:
    feed, told = Feed(), list[bool]()
    feed.subscribe(lambda: told.append(feed.closed))
    feed.close()

    assert told == [True]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_members(kind: str) -> None:
    assert kind in MEMBERS


# What an account tells


def test_a_request_is_told() -> None:
    world = toy_world()
    world.ask("/toy/Brew", {"leaf": "green"})
    world.ask("/toy/Brew", {"leaf": "blue"})

    assert _told(world, "request") == [
        ("request", {"number": 1, "operation": "toy.Brew", "status": 200, "code": None}),
        ("request", {"number": 2, "operation": "toy.Brew", "status": 200, "code": 7}),
    ]


async def test_a_task_is_told_when_it_begins_and_at_each_of_its_steps() -> None:
    world = toy_world()
    task = start_task(world.account)
    await world.driver.run_until_idle(world.account)

    told = [about for _, about in _told(world, "task")]
    assert [(about["id"], about["status"], about["percent"]) for about in told] == [
        (task.id, "queued", 0),
        (task.id, "running", 50),
        (task.id, "succeeded", 100),
    ]


async def test_a_delivery_is_told_whenever_its_status_changes() -> None:
    world = toy_world()
    start_task(world.account)
    await world.driver.next(world.account)

    told = [about for _, about in _told(world, "delivery")]
    assert [(about["number"], about["status"], about["attempts"]) for about in told] == [
        (1, "pending", 0),
        (1, "sending", 0),
        (1, "delivered", 1),
    ]
    assert (told[0]["task"], told[0]["event"]) == ("t1", "running")


async def test_what_happens_is_told_at_the_accounts_time() -> None:
    world = toy_world()
    start_task(world.account)
    await world.driver.next(world.account)

    assert {event.at for event in world.account.feed.since(1, ("task", "delivery"))[1]} == {START + 6}


async def test_a_move_of_the_clock_is_told() -> None:
    world = toy_world()
    await world.driver.advance_to(world.account, START + 5)

    assert _told(world) == [("clock", {"mode": "frozen", "from": START, "events": 0})]


def test_a_clock_that_is_set_is_told() -> None:
    world = toy_world()
    world.driver.set_clock(world.account, ClockSpec("real", now=START + 9))

    assert _told(world) == [("clock", {"mode": "real", "from": START, "events": 0})]


async def test_the_numbers_go_on_over_a_reset_which_is_told() -> None:
    world = toy_world()
    world.ask("/toy/Brew", {"leaf": "green", "callback": ""})
    await world.driver.reset(world.account)
    world.ask("/toy/Brew", {"leaf": "green", "callback": ""})

    events = world.account.feed.since(0)[1]
    assert [(event.number, event.kind) for event in events] == [
        (1, "task"),
        (2, "request"),
        (3, "reset"),
        (4, "task"),
        (5, "request"),
    ]


async def test_nothing_of_before_a_reset_is_told_after_it() -> None:
    world = toy_world()
    moving = await _being_sent(world)
    await world.driver.reset(world.account)
    await moving

    assert world.account.feed.since(0)[1][-1].kind == "reset"


async def test_the_feed_of_an_account_that_is_removed_closes() -> None:
    world = toy_world()
    account = world.accounts.create({"name": "second"}, None, lambda name, seed: {})
    await world.driver.remove(account)

    assert account.feed.closed


async def test_every_feed_closes_when_the_driver_stops() -> None:
    world = toy_world()
    world.driver.start()
    await world.driver.stop(0)

    assert world.account.feed.closed


# What is counted


def test_requests_are_counted_by_operation_and_code() -> None:
    world = toy_world()
    world.ask("/toy/Brew", {"leaf": "green"})
    world.ask("/toy/Brew", {"leaf": "green"})
    world.ask("/toy/Brew", {"leaf": "blue"})

    tally = world.accounts.tally
    assert (tally.accepted, tally.refused) == ({"toy.Brew": 2}, {("toy.Brew", 7): 1})


def test_whatever_operation_a_cloud_does_not_have_is_counted_as_one() -> None:
    world = toy_world()
    world.ask("/toy/Brewww")
    world.ask("/toy/Sing")

    assert world.accounts.tally.refused == {("toy", 7): 2}


def test_a_request_that_no_cloud_owns_is_counted_as_nobodys() -> None:
    world = toy_world()
    world.ask("/elsewhere")

    assert world.accounts.tally.refused == {("", "unclaimed"): 1}


async def test_tasks_deliveries_and_attempts_are_counted() -> None:
    world = toy_world()
    world.sender.answers.append(REFUSED)
    start_task(world.account)
    await world.driver.run_until_idle(world.account)

    tally = world.accounts.tally
    assert (tally.begun, tally.ended) == ({"toy.Brew": 1}, {("toy.Brew", "succeeded"): 1})
    assert (tally.opened, tally.attempts, tally.settled) == (2, 2, {"failed": 1, "delivered": 1})


async def test_a_delivery_that_a_reset_cancelled_is_counted() -> None:
    world = toy_world()
    moving = await _being_sent(world)
    await world.driver.reset(world.account)
    await moving

    assert world.accounts.tally.settled == {"cancelled": 1}


async def test_counts_never_go_back_whatever_is_reset_forgotten_or_removed() -> None:
    world = toy_world(limits=AccountLimits(journal=JournalLimits(entries=1)))
    account = world.accounts.create({"name": "second"}, None, lambda name, seed: {world.toy.key("K2"): None})
    for _ in range(3):
        world.ask("/toy/Brew", {"leaf": "green"}, x_toy_key="K2")
    await world.driver.reset(account)
    await world.driver.remove(account)

    tally = world.accounts.tally
    assert (tally.accepted["toy.Brew"], tally.begun["toy.Brew"], tally.evicted) == (3, 3, 2)
