"""Delivery chaos: every kind, alone and composed, as the receiver, the ledger and a poll see it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.chaos import GAP, KINDS, Chaos, Trouble
from emulator.core.clock import ClockSpec
from emulator.core.tasks import Plan, Span
from tests.support.machine import START, in_virtual_time
from tests.support.sender import REFUSED, until
from tests.support.toy_cloud import PLAN, ToyWorld, reply_of, start_task, toy_world

Arrival = tuple[float, str, int]
"""When, with which status, at which percentage."""


async def _lived(deliver: dict[str, Any], seed: int = 7, tasks: int = 1, **plan: Any) -> ToyWorld:
    """A world in which tasks with that trouble have lived, by default of reports at 3 s and 6 s, and an end at 13 s."""
    world = toy_world(seed=seed)
    document = {"progress": [20, 50], "deliver": deliver, **plan}
    for number in range(1, tasks + 1):
        start_task(world.account, PLAN.revised(document), f"t{number}")
    await world.driver.run_until_idle(world.account)
    return world


def _arrivals(world: ToyWorld) -> list[Arrival]:
    """What was sent, in that order."""
    attempts = sorted(
        (attempt.at, order, delivery.order.body)
        for order, delivery in enumerate(world.account.ledger)
        for attempt in delivery.attempts
    )
    found = [(round(at - START, 3), json.loads(body)) for at, _, body in attempts]
    assert [order.body for order in world.sender.orders] == [body for _, _, body in attempts]
    return [(at, body["status"], body["percent"]) for at, body in found]


def _labels(world: ToyWorld) -> list[tuple[str, ...]]:
    return [delivery.chaos for delivery in world.account.ledger]


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


PLAIN: list[Arrival] = [(3.0, "running", 20), (6.0, "running", 50), (13.0, "succeeded", 100)]


async def test_without_chaos_everything_arrives_once_and_in_time() -> None:
    world = await _lived({})

    assert _arrivals(world) == PLAIN
    assert _labels(world) == [(), (), ()]


# What a plan says


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_there_if_it_is_true_and_not_if_it_is_false(name: str) -> None:
    attribute = name.replace("-", "_")

    assert getattr(Chaos().revised({name: True}), attribute) == KINDS[name]
    assert getattr(Chaos().revised({name: True}).revised({name: False}), attribute) is None
    assert getattr(Chaos().revised({name: 0}), attribute) is None


@pytest.mark.parametrize(
    ("deliver", "trouble"),
    [
        ({"drop": 0.25}, Trouble(0.25)),
        ({"drop": {}}, Trouble()),
        ({"drop": {"probability": 0.5, "only": "final"}}, Trouble(0.5, "final")),
        ({"late": "5s"}, Trouble(wait=Span(5, 5))),
        ({"late": ["1s", "5s"]}, Trouble(wait=Span(1, 5))),
        ({"late": 0.5}, Trouble(0.5, wait=Span(30, 30))),
        ({"late": {"by": 3}}, Trouble(wait=Span(3, 3))),
        ({"duplicate": {"copies": 3, "after": "1s"}}, Trouble(copies=3, wait=Span(1, 1))),
        ({"storm": {"every": "1s"}}, Trouble(copies=10, wait=Span(1, 1))),
        ({"slow-body": {"over": "1s"}}, Trouble(wait=Span(1, 1))),
        ({"contradict": {"code": 70}}, Trouble(only="final", wait=Span(1, 1), code=70)),
    ],
)
def test_a_kind_is_said_by_a_probability_a_duration_or_its_members(deliver: dict[str, Any], trouble: Trouble) -> None:
    (name,) = deliver

    assert getattr(Chaos().revised(deliver), name.replace("-", "_")) == trouble


def test_a_duration_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="is no duration"):
        Chaos().revised({"late": "soon"})


def test_a_plan_without_trouble_has_no_chaos() -> None:
    assert Plan().revised({"deliver": {"attempts": 3, "backoff": 1, "timeout": 1}}).chaos is None


def test_a_plan_keeps_the_trouble_that_a_revision_leaves_out() -> None:
    plan = Plan().revised({"deliver": {"drop": 0.5}}).revised({"deliver": {"late": "1s"}})

    assert plan.chaos == Chaos(drop=Trouble(0.5), late=Trouble(wait=Span(1, 1)))


def test_the_stages_of_a_task_whose_callbacks_come_early_have_no_length() -> None:
    plan = PLAN.revised({"deliver": {"early": True}})

    assert (plan.queue, plan.run, plan.upload) == (Span(0, 0), Span(0, 0), Span(0, 0))


def test_unless_the_same_plan_says_how_long_they_are() -> None:
    plan = PLAN.revised({"run": "5s", "deliver": {"early": True}})

    assert (plan.queue, plan.run, plan.upload) == (Span(0, 0), Span(5, 5), Span(0, 0))


def test_a_plan_that_takes_early_back_keeps_its_lengths() -> None:
    assert PLAN.revised({"deliver": {"early": False}}).run == PLAN.run


# Each kind


async def test_a_dropped_callback_is_never_sent_and_stands_in_the_ledger() -> None:
    world = await _lived({"drop": True})

    assert world.sender.orders == []
    assert [(entry.status, entry.chaos, entry.settled) for entry in world.account.ledger] == [
        ("dropped", ("drop",), True)
    ] * 3


async def test_of_a_task_whose_callbacks_are_dropped_a_poll_shows_the_end() -> None:
    world = await _lived({"drop": True})

    assert reply_of(world.ask("/toy/Ask", {"brew": "t1"}))["status"] == "succeeded"


@pytest.mark.parametrize(("only", "arrived"), [("final", PLAIN[:2]), ("progress", PLAIN[2:])])
async def test_trouble_may_be_meant_for_some_callbacks_only(only: str, arrived: list[Arrival]) -> None:
    assert _arrivals(await _lived({"drop": {"only": only}})) == arrived


async def test_of_a_dropped_callback_there_are_no_copies_either() -> None:
    world = await _lived({"drop": True, "duplicate": True, "contradict": True, "storm": True})

    assert len(world.account.ledger) == 3


async def test_a_duplicate_has_the_same_bytes_and_says_what_it_repeats() -> None:
    world = await _lived({"duplicate": True}, progress=[])
    first, second = world.account.ledger

    assert first.order.body == second.order.body
    assert (first.chaos, first.copy_of) == ((), None)
    assert (second.chaos, second.copy_of) == (("duplicate",), first.number)
    assert _arrivals(world) == [PLAIN[2]] * 2


async def test_duplicates_come_as_often_and_as_far_apart_as_the_plan_says() -> None:
    world = await _lived({"duplicate": {"copies": 2, "after": "10s"}}, progress=[])

    assert [at for at, *_ in _arrivals(world)] == [13, 23, 33]


async def test_what_is_sent_later_says_when() -> None:
    world = toy_world()
    start_task(world.account, PLAN.revised({"progress": [], "deliver": {"duplicate": {"after": "10s"}}}))
    await world.driver.advance_to(world.account, START + 13)

    (_, copy) = world.account.ledger
    assert (copy.status, copy.due, copy.next_attempt, copy.attempts) == ("pending", START + 13, START + 23, [])


async def test_callbacks_change_places_in_pairs() -> None:
    world = await _lived({"reorder": True}, progress=[20, 40, 50])

    assert [body["percent"] for body in world.sender.bodies] == [40, 20, 100, 50]
    assert _labels(world) == [("reorder",), (), ("reorder",), ()]


async def test_a_callback_with_nothing_behind_it_keeps_its_place() -> None:
    world = await _lived({"reorder": True})

    assert [body["percent"] for body in world.sender.bodies] == [50, 20, 100]


async def test_a_callback_of_a_task_that_hangs_next_keeps_its_place() -> None:
    world = await _lived({"reorder": True}, progress=[50], outcome="hang")

    assert _arrivals(world) == [(6.0, "running", 50)]


async def test_a_callback_waits_for_the_next_one_even_if_that_is_late() -> None:
    world = await _lived({"reorder": {"only": "progress"}, "late": {"by": "5s", "only": "final"}}, progress=[50])

    assert _arrivals(world) == [(18.0, "succeeded", 100), (18.0 + GAP, "running", 50)]


def test_on_a_clock_that_runs_callbacks_change_places_too() -> None:
    world = toy_world(clock=ClockSpec("scaled", 60))
    ledger = world.account.ledger

    async def scenario() -> None:
        world.driver.start()
        start_task(world.account, PLAN.revised({"progress": [50], "deliver": {"reorder": True}}))
        await until(world.sender.changes, lambda: len(world.sender.orders) == 2, None)

    in_virtual_time(world.machine, scenario)

    assert [body["percent"] for body in world.sender.bodies] == [100, 50]
    held, _ = ledger
    assert held.attempts[0].at - START == pytest.approx(13 + 60 * GAP)


async def test_a_late_callback_says_what_a_poll_has_shown_for_long() -> None:
    world = await _lived({"late": "1h"}, progress=[])

    (delivery,) = world.account.ledger
    assert _arrivals(world) == [(3613.0, "succeeded", 100)]
    assert (delivery.due, delivery.chaos) == (START + 13, ("late",))


async def test_a_range_of_lateness_is_drawn_for_each_callback() -> None:
    world = await _lived({"late": ["1s", "1m"]})
    first, second, end = (delivery.attempts[0].at - delivery.due for delivery in world.account.ledger)

    assert len({first, second, end}) == 3
    assert all(1 <= lateness <= 60.001 for lateness in (first, second, end))


async def test_progress_goes_back_behind_each_report() -> None:
    world = await _lived({"regress": True})

    assert [(body["status"], body["percent"]) for body in world.sender.bodies] == [
        ("running", 20),
        ("running", 10),
        ("running", 50),
        ("running", 25),
        ("succeeded", 100),
    ]
    assert _labels(world) == [(), ("regress",), (), ("regress",), ()]


async def test_progress_of_nothing_cannot_go_back() -> None:
    assert _labels(await _lived({"regress": True}, progress=[0])) == [(), ()]


async def test_a_poll_never_sees_progress_go_back() -> None:
    world = toy_world()
    start_task(world.account, PLAN.revised({"progress": [20, 50], "deliver": {"regress": True}}))
    seen: list[int] = []
    world.sender.during = lambda order: seen.append(reply_of(world.ask("/toy/Ask", {"brew": "t1"}))["percent"])
    await world.driver.run_until_idle(world.account)

    assert seen == sorted(seen)
    assert len(seen) == 5


async def test_the_final_callback_comes_again() -> None:
    world = await _lived({"double-final": {"after": "1m"}})

    assert _arrivals(world) == [*PLAIN, (73.0, "succeeded", 100)]
    assert [(delivery.chaos, delivery.copy_of) for delivery in world.account.ledger][-1] == (("double-final",), 3)


@pytest.mark.parametrize(
    ("outcome", "statuses"),
    [("succeed", ["succeeded", "failed"]), ({"fail": 70}, ["failed", "succeeded"])],
)
async def test_behind_the_final_callback_comes_one_that_says_the_opposite(outcome: Any, statuses: list[str]) -> None:
    world = await _lived({"contradict": {"code": 70, "after": "2s"}}, progress=[], outcome=outcome)
    truth, lie = world.account.ledger

    assert [body["status"] for body in world.sender.bodies] == statuses
    assert (truth.chaos, lie.chaos, lie.copy_of) == ((), ("contradict",), None)
    assert lie.attempts[0].at - truth.attempts[0].at == 2


async def test_a_task_is_not_moved_by_a_callback_that_contradicts_it() -> None:
    world = await _lived({"contradict": {"code": 70}}, progress=[])

    assert reply_of(world.ask("/toy/Ask", {"brew": "t1"}))["status"] == "succeeded"


async def test_a_corrupt_body_is_no_json() -> None:
    world = await _lived({"corrupt": True}, tasks=40)

    assert len(world.sender.orders) == 120
    assert not any(_is_json(order.body) for order in world.sender.orders)


async def test_a_corrupt_body_is_cut_off_or_garbled() -> None:
    world = await _lived({"corrupt": True}, tasks=40)
    sound = [delivery.order.body for delivery in (await _lived({}, tasks=40)).account.ledger]
    corrupt = [delivery.order.body for delivery in world.account.ledger]

    lengths = {len(found) == len(expected) for found, expected in zip(corrupt, sound, strict=True)}
    assert lengths == {True, False}
    assert set(_labels(world)) == {("corrupt",)}


async def test_a_slow_body_is_ordered_with_the_time_it_takes() -> None:
    world = await _lived({"slow-body": "3s"}, progress=[])

    assert [(order.pace, order.body) for order in world.sender.orders] == [
        (3.0, (await _lived({}, progress=[])).sender.orders[0].body)
    ]
    assert _labels(world) == [("slow-body",)]


async def test_a_storm_goes_on_though_every_callback_was_taken() -> None:
    world = await _lived({"storm": {"copies": 20, "every": "100ms", "only": "final"}})

    assert [at for at, *_ in _arrivals(world)][2:] == [round(13 + count / 10, 3) for count in range(21)]
    assert _labels(world)[3:] == [("storm",)] * 20
    assert {delivery.copy_of for delivery in world.account.ledger} == {None, 3}


async def test_each_copy_is_tried_again_for_itself() -> None:
    world = toy_world()
    world.sender.answers = [REFUSED, REFUSED]
    deliver = {"attempts": 2, "backoff": "1s", "duplicate": True}
    start_task(world.account, PLAN.revised({"progress": [], "deliver": deliver}))
    await world.driver.run_until_idle(world.account)

    assert [(entry.status, len(entry.attempts)) for entry in world.account.ledger] == [("delivered", 2)] * 2


# Early


async def test_an_early_callback_is_not_on_the_agenda() -> None:
    world = toy_world()
    task = start_task(world.account, PLAN.revised({"deliver": {"early": True}}))

    assert (len(world.account.agenda), world.account.early) == (0, [task])


async def test_an_early_callback_is_sent_when_the_account_is_hastened_though_its_clock_stands_still() -> None:
    world = toy_world()
    start_task(world.account, PLAN.revised({"deliver": {"early": True}}))

    await world.driver.hasten(world.account)

    assert _arrivals(world) == [(0.0, "succeeded", 100)]
    assert _labels(world) == [("early",)]
    assert world.account.early == []


async def test_only_what_is_due_is_hastened() -> None:
    world = toy_world()
    document = {"run": "10s", "progress": [0, 50], "deliver": {"early": True}}
    start_task(world.account, PLAN.revised(document))

    await world.driver.hasten(world.account)
    assert _arrivals(world) == [(0.0, "running", 0)]

    await world.driver.run_until_idle(world.account)
    assert _arrivals(world) == [(0.0, "running", 0), (5.0, "running", 50), (10.0, "succeeded", 100)]
    assert _labels(world) == [("early",), (), ()]


async def test_a_task_of_which_nothing_is_due_yet_is_not_early() -> None:
    world = toy_world()
    start_task(world.account, PLAN.revised({"queue": "1s", "deliver": {"early": True}}))

    assert (len(world.account.agenda), world.account.early) == (1, [])


async def test_several_early_tasks_are_hastened_one_after_the_other() -> None:
    world = toy_world()
    for name in ("b", "a"):
        start_task(world.account, PLAN.revised({"deliver": {"early": True}}), name)

    await world.driver.hasten(world.account)

    assert [body["brew"] for body in world.sender.bodies] == ["b", "a"]


async def test_a_receiver_that_polls_during_an_early_callback_finds_the_task() -> None:
    world, seen = toy_world(), list[str]()
    start_task(world.account, PLAN.revised({"deliver": {"early": True}}))
    world.sender.during = lambda order: seen.append(reply_of(world.ask("/toy/Ask", {"brew": "t1"}))["status"])

    await world.driver.hasten(world.account)

    assert seen == ["succeeded"]


async def test_an_early_callback_that_fails_is_tried_again_on_the_accounts_clock() -> None:
    world = toy_world()
    world.sender.answers = [REFUSED]
    start_task(world.account, PLAN.revised({"deliver": {"early": True, "attempts": 2, "backoff": "10s"}}))

    await world.driver.hasten(world.account)
    await world.driver.run_until_idle(world.account)

    assert _arrivals(world) == [(0.0, "succeeded", 100), (10.0, "succeeded", 100)]


async def test_a_reset_while_an_account_is_hastened_cancels_the_rest() -> None:
    world = toy_world()
    ledger = world.account.ledger
    for name in ("a", "b"):
        start_task(world.account, PLAN.revised({"deliver": {"early": True}}), name)

    world.sender.held.clear()
    hastening = asyncio.ensure_future(world.driver.hasten(world.account))
    await until(world.sender.changes, lambda: len(world.sender.orders) == 1)

    await world.driver.reset(world.account)
    await hastening

    assert [body["brew"] for body in world.sender.bodies] == ["a"]
    assert [delivery.status for delivery in ledger] == ["cancelled"]
    assert (len(world.account.ledger), world.account.early) == (0, [])


async def test_some_tasks_are_early_with_a_probability() -> None:
    world = toy_world()
    for number in range(100):
        start_task(world.account, PLAN.revised({"deliver": {"early": 0.5}}), f"t{number}")

    assert 30 < len(world.account.early) < 70
    assert len(world.account.early) + len(world.account.agenda) == 100


# Chance


async def test_about_as_many_callbacks_meet_trouble_as_its_probability_says() -> None:
    world = await _lived({"drop": 0.25}, tasks=200)

    assert 100 < sum(delivery.status == "dropped" for delivery in world.account.ledger) < 200


ALL = {"drop": 0.1, "duplicate": 0.3, "reorder": 0.5, "late": {"probability": 0.4, "by": ["0s", "10s"]}, "regress": 0.3,
       "double-final": 0.5, "contradict": {"probability": 0.5, "code": 70}, "corrupt": 0.2, "slow-body": 0.2,
       "storm": {"probability": 0.1, "copies": 3}}  # fmt: skip


async def test_the_same_seed_makes_the_same_trouble() -> None:
    first, second = (await _lived(ALL, tasks=30), await _lived(ALL, tasks=30))

    assert [(entry.chaos, entry.status, entry.order, entry.attempts) for entry in first.account.ledger] == [
        (entry.chaos, entry.status, entry.order, entry.attempts) for entry in second.account.ledger
    ]


async def test_another_seed_makes_other_trouble() -> None:
    assert _labels(await _lived(ALL, seed=7, tasks=30)) != _labels(await _lived(ALL, seed=8, tasks=30))


async def test_trouble_does_not_depend_on_how_the_clock_is_moved() -> None:
    ledgers = []
    for stops in ([120], range(1, 121)):
        world = toy_world()
        for number in range(10):
            start_task(world.account, PLAN.revised({"progress": [20, 50], "deliver": ALL}), f"t{number}")
        for stop in stops:
            await world.driver.advance_to(world.account, START + stop)
        ledgers.append([(entry.chaos, entry.due, entry.order, entry.attempts) for entry in world.account.ledger])

    assert ledgers[0] == ledgers[1]


# Composed


async def test_a_copy_of_a_corrupt_callback_is_as_corrupt() -> None:
    world = await _lived({"corrupt": True, "duplicate": True}, progress=[])
    first, second = world.account.ledger

    assert first.order.body == second.order.body
    assert (first.chaos, second.chaos) == (("corrupt",), ("corrupt", "duplicate"))


async def test_copies_of_a_late_callback_come_behind_it() -> None:
    world = await _lived({"late": "10s", "duplicate": {"after": "1s"}}, progress=[])

    assert [at for at, *_ in _arrivals(world)] == [23, 24]
    assert _labels(world) == [("late",), ("late", "duplicate")]


async def test_what_contradicts_a_late_callback_comes_behind_it() -> None:
    world = await _lived({"late": "10s", "contradict": {"code": 70}}, progress=[])

    assert [status for _, status, _ in _arrivals(world)] == ["succeeded", "failed"]


async def test_counts_do_not_lie() -> None:
    world = await _lived(ALL, tasks=50)
    ledger = world.account.ledger

    assert ledger.created == len(ledger)
    assert sum(len(delivery.attempts) for delivery in ledger) == len(world.sender.orders)
    assert all(delivery.settled for delivery in ledger)
    assert all((delivery.status == "dropped") == (delivery.chaos == ("drop",)) for delivery in ledger)


_PROBABLE = {name: st.sampled_from([0, 0.5, 1]) for name in KINDS if name not in ("early", "contradict")}


@settings(max_examples=30, deadline=None)
@given(st.fixed_dictionaries({}, optional=_PROBABLE), st.lists(st.integers(0, 99), max_size=4), st.booleans())
async def test_whatever_goes_wrong_polls_are_true_and_everything_settles(
    deliver: dict[str, float], progress: list[int], fails: bool
) -> None:
    outcome = {"fail": 70} if fails else "succeed"
    world, calm = [
        await _lived(trouble, progress=progress, outcome=outcome)
        for trouble in ({**deliver, "contradict": {"code": 70}}, {})
    ]
    owed = [entry.order.body for entry in calm.account.ledger]

    assert reply_of(world.ask("/toy/Ask", {"brew": "t1"})) == reply_of(calm.ask("/toy/Ask", {"brew": "t1"}))
    assert all(entry.settled for entry in world.account.ledger)
    assert sum(len(entry.attempts) for entry in world.account.ledger) == len(world.sender.orders)
    assert len(world.account.agenda) == 0
    if not deliver.get("corrupt"):
        true = [e for e in world.account.ledger if e.copy_of is None and not {"regress", "contradict"} & set(e.chaos)]
        assert [entry.order.body for entry in true] == owed


async def test_nothing_of_it_fires_after_a_reset() -> None:
    world = toy_world()
    deliver = {"duplicate": {"after": "1m"}, "storm": {"every": "1m"}, "double-final": True, "late": "1s"}
    start_task(world.account, PLAN.revised({"deliver": deliver}))
    await world.driver.advance_to(world.account, START + 20)
    sent = len(world.sender.orders)
    await world.driver.reset(world.account)

    await world.driver.advance_to(world.account, START + 3600)

    assert sent > 0
    assert len(world.sender.orders) == sent
    assert len(world.account.ledger) == 0
