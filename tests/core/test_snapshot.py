"""Snapshots: an account saved and loaded goes on as it would have."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.accounts import Account, AccountLimits
from emulator.core.callbacks import Answer
from emulator.core.clock import ClockSpec
from emulator.core.driver import Fired
from emulator.core.errors import ConfigurationError
from emulator.core.exchange import JsonObject
from emulator.core.snapshot import Snapshots
from tests.support.machine import START, FakeMachine, in_virtual_time
from tests.support.sender import REFUSED, until
from tests.support.toy_cloud import CALLBACK, ToyWorld, start_task, toy_world

BREW = {"leaf": "green", "callback": CALLBACK}
RETRY = {"deliver": {"attempts": 4, "backoff": "3s"}}


def snapshots(world: ToyWorld) -> Snapshots:
    return Snapshots(world.accounts, world.clouds, world.schemas, world.reader, world.driver)


def saved(world: ToyWorld) -> JsonObject:
    """The default account as a file would hold it."""
    document: JsonObject = orjson.loads(orjson.dumps(snapshots(world).save(world.account)))
    return document


async def load(world: ToyWorld, document: Any, name: str | None = None) -> Account:
    """Load ``document`` into ``world``."""
    kept = snapshots(world)
    return await kept.load(kept.read(document), name)


async def loaded(document: JsonObject, world: ToyWorld | None = None) -> ToyWorld:
    """A fresh world with ``document`` in its default account."""
    world = world or toy_world()
    await load(world, document)
    return world


async def twin(world: ToyWorld) -> ToyWorld:
    """The same world once more, made of a snapshot, where receivers answer alike."""
    other = await loaded(saved(world))
    other.sender.answers = list(world.sender.answers)
    return other


def brew(world: ToyWorld, **members: Any) -> Any:
    return orjson.loads(world.ask("/toy/Brew", {**BREW, **members}).reply.body)


def plan(world: ToyWorld, document: JsonObject, **more: Any) -> None:
    world.rule({"when": {"operation": "toy.Brew"}, "then": {"plan": document}, **more})


async def finish(world: ToyWorld) -> list[Fired]:
    return await world.driver.run_until_idle(world.account)


async def advance(world: ToyWorld, seconds: float) -> list[Fired]:
    return await world.driver.advance_to(world.account, world.account.clock.now() + seconds)


async def goes_on_alike(world: ToyWorld) -> bool:
    """Whether ``world`` and what a snapshot makes of it end alike, with the same bytes sent on the way."""
    other = await twin(world)
    sent = len(world.sender.orders)
    assert await finish(world) == await finish(other)
    assert world.sender.orders[sent:] == other.sender.orders
    assert saved(world) == saved(other)
    return bool(other.sender.orders)


async def test_what_is_saved_is_plain_and_says_its_version() -> None:
    world = toy_world()
    brew(world)
    document = saved(world)
    assert document["emulator_snapshot"] == 1
    assert document["account"]["name"] == "default"
    world.schemas.check("emulator/snapshot.json", document, "snapshot")


async def test_saving_changes_nothing() -> None:
    world = toy_world()
    plan(world, RETRY, times={"probability": 0.5})
    brew(world)
    await advance(world, 7)
    assert saved(world) == saved(world)


async def test_a_loaded_account_is_saved_as_the_same_document() -> None:
    world = toy_world()
    plan(world, RETRY)
    brew(world)
    await advance(world, 7)
    document = saved(world)
    assert saved(await loaded(document)) == document


async def test_steps_that_are_to_come_come_at_the_same_instants_with_the_same_bytes() -> None:
    world = toy_world()
    plan(world, {"progress": [10, 20, 90]})
    brew(world)
    await advance(world, 2.5)
    assert await goes_on_alike(world)


async def test_a_retry_goes_on_where_it_was() -> None:
    world = toy_world()
    plan(world, RETRY)
    world.sender.answers = [REFUSED] * 5
    brew(world)
    await advance(world, 8)
    assert saved(world)["account"]["agenda"][0]["delivery"] == 1
    assert await goes_on_alike(world)


@pytest.mark.parametrize(
    "trouble",
    [{"late": "30s"}, {"reorder": True}, {"duplicate": {"copies": 3, "after": "5s"}}, {"corrupt": True}],
    ids=lambda trouble: next(iter(trouble)),
)
async def test_callbacks_that_are_held_back_stay_held_back(trouble: JsonObject) -> None:
    world = toy_world()
    plan(world, {"progress": [10, 20, 90], "deliver": trouble})
    brew(world)
    await advance(world, 5)
    assert await goes_on_alike(world)


async def test_the_next_task_has_the_same_id() -> None:
    world = toy_world()
    brew(world)
    other = await twin(world)
    assert brew(world) == brew(other)


async def test_under_another_name_the_next_task_has_another_id() -> None:
    world = toy_world()
    brew(world)
    other = toy_world()
    account = await load(other, saved(world), "other")
    assert account.name == "other"
    assert [task.id for task in account.tasks] == [task.id for task in world.account.tasks]
    answer = orjson.loads(other.ask("/toy/Brew", BREW, x_toy_key="other").reply.body)
    assert answer != brew(world)
    assert len(account.tasks) == 2


async def test_rules_draw_and_count_on() -> None:
    world = toy_world()
    world.rule({"then": {"responses": "random"}, "times": {"probability": 0.5}})
    refused = {"when": {"operation": "toy.Ask"}, "then": {"error": 7}, "times": {"probability": 0.4, "first": 5}}
    world.rule(refused)
    asked = [world.ask("/toy/Ask", {"brew": "x"}).reason for _ in range(5)]
    other = await twin(world)
    for _ in range(20):
        assert world.ask("/toy/Ask", {"brew": "x"}).reason == other.ask("/toy/Ask", {"brew": "x"}).reason
    assert asked
    assert saved(world) == saved(other)


async def test_the_next_rule_has_the_same_id() -> None:
    world = toy_world()
    world.rule({"then": {"responses": "random"}})
    world.account.rules.clear()
    other = await twin(world)
    assert world.rule({"then": {"responses": "random"}}) == other.rule({"then": {"responses": "random"}}) == "r2"


async def test_where_a_task_was_given_another_timeline_the_clock_stops_all_the_same() -> None:
    world = toy_world()
    task = start_task(world.account)
    world.account.retime(task, task.timeline)
    assert await goes_on_alike(world)


async def test_wake_ups_are_kept() -> None:
    world = toy_world()
    world.account.wake("toy", START + 60)
    other = await twin(world)
    await finish(other)
    assert other.account.state("toy") == [START + 60]


async def test_a_frozen_clock_keeps_its_instant() -> None:
    world = toy_world()
    await advance(world, 1234.5)
    other = await twin(world)
    assert (other.account.clock.mode, other.account.clock.now()) == ("frozen", START + 1234.5)


def test_a_running_clock_goes_on_from_the_instant_of_the_snapshot() -> None:
    machine = FakeMachine()
    world = toy_world(clock=ClockSpec("scaled", 10.0, START), machine=machine)
    start_task(world.account)
    machine.move(0.5)
    document = saved(world)
    later = FakeMachine(wall=START + 86400)

    async def scenario() -> list[float]:
        other = toy_world(machine=later)
        other.driver.start()
        await loaded(document, other)
        clock, began = other.account.clock, other.account.clock.now()
        await until(other.sender.changes, lambda: len(other.sender.orders) == 2, None)
        return [clock.speed, began, *(delivery.due for delivery in other.account.ledger)]

    assert in_virtual_time(later, scenario) == [10.0, START + 5, START + 6, START + 13]


def test_what_was_on_its_way_is_sent_again() -> None:
    machine = FakeMachine()

    async def scenario() -> tuple[list[str], list[bytes]]:
        world = toy_world(clock=ClockSpec("scaled", 1e6, START), machine=machine, senders=1)
        world.driver.start()
        world.sender.held.clear()
        for number in range(3):
            start_task(world.account, task_id=f"t{number}")
        await until(world.account.ledger.changes, lambda: len(world.account.ledger) == 6, None)
        document = saved(world)
        await world.driver.stop(0)
        other = toy_world(machine=machine)
        other.driver.start()
        await loaded(document, other)
        await until(other.sender.changes, lambda: len(other.sender.orders) == 6, None)
        await other.driver.stop(1)
        statuses = [delivery["status"] for delivery in document["account"]["ledger"]["kept"]]
        return statuses, sorted(order.body for order in other.sender.orders)

    statuses, bodies = in_virtual_time(machine, scenario)
    assert statuses == ["pending"] * 6
    assert len(set(bodies)) == 6


async def test_a_snapshot_made_while_a_callback_is_on_its_way_loses_nothing() -> None:
    world = toy_world()
    plan(world, {"progress": [10, 20]})
    brew(world)
    documents: list[JsonObject] = []
    world.sender.during = lambda order: documents.append(saved(world))
    await finish(world)
    for number, document in enumerate(documents):
        other = await loaded(document)
        await finish(other)
        assert other.sender.orders == world.sender.orders[number:]


async def test_a_task_whose_callbacks_go_out_early_is_not_lost_before_they_did() -> None:
    world = toy_world()
    plan(world, {"deliver": {"early": True}})
    brew(world)
    assert len(world.account.early) == 1
    other = await loaded(saved(world))
    await finish(other)
    assert [order.event for order in other.sender.orders][-1:] == ["succeeded"]


async def test_nothing_of_before_happens_in_an_account_that_is_loaded_into() -> None:
    world = toy_world()
    document = saved(world)
    brew(world)
    await load(world, document)
    assert await finish(world) == []
    assert list(world.account.tasks) == []


async def test_a_move_of_the_clock_ends_where_a_snapshot_is_loaded_in_its_middle() -> None:
    world = toy_world()
    document = saved(world)
    brew(world)
    loading: list[asyncio.Task[Any]] = []
    world.sender.during = lambda order: loading.append(asyncio.ensure_future(load(world, document)))
    await finish(world)
    await asyncio.gather(*loading)
    assert len(world.sender.orders) == 1
    assert saved(world) == document


async def test_a_reset_goes_back_to_what_the_saved_account_started_with() -> None:
    world = toy_world(clock=ClockSpec("frozen", now=START + 5), seed=99)
    brew(world)
    await advance(world, 100)
    other = await loaded(saved(world))
    await other.driver.reset(other.account)
    assert (other.account.seed, other.account.clock.now(), len(other.account.tasks)) == (99, START + 5, 0)


async def test_an_account_that_is_not_there_is_made_and_found_by_a_credential_of_its_name() -> None:
    world = toy_world()
    brew(world)
    document = saved(world)
    other = toy_world()
    made = await load(other, document, "K1")
    other.ask("/toy/Brew", BREW, x_toy_key="K1")
    assert (len(other.accounts), len(made.tasks)) == (2, 2)


async def test_a_name_that_is_none_is_refused() -> None:
    world = toy_world()
    with pytest.raises(ConfigurationError, match="/name"):
        await load(world, saved(world), "no name")


async def test_who_waits_for_a_change_sees_what_was_loaded() -> None:
    world = toy_world()
    brew(world)
    await finish(world)
    other = toy_world()
    waiting = asyncio.ensure_future(until(other.account.ledger.changes, lambda: len(other.account.ledger) == 2))
    await asyncio.sleep(0)
    await loaded(saved(world), other)
    await waiting


async def test_beyond_the_limit_no_account_is_made() -> None:
    world = toy_world(limits=AccountLimits(accounts=1))
    with pytest.raises(ConfigurationError, match="which is the limit"):
        await load(world, saved(world), "K1")


async def test_requests_count_on_without_their_entries() -> None:
    world = toy_world()
    brew(world)
    other = await twin(world)
    brew(other)
    assert (len(other.account.journal), other.account.journal.created) == (1, 2)
    assert next(iter(other.account.journal.requests)).number == 2
    assert other.account.journal.evicted == 1


def _without(document: JsonObject, *path: Any) -> JsonObject:
    changed = copy.deepcopy(document)
    part = changed
    for name in path[:-1]:
        part = part[name]
    del part[path[-1]]
    return changed


def _with(document: JsonObject, value: Any, *path: Any) -> JsonObject:
    changed = copy.deepcopy(document)
    part = changed
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return changed


ACCOUNT = "account"
WRONG = [
    ((2, "emulator_snapshot"), "/emulator_snapshot", "reads 1"),
    ((None, ACCOUNT), "/account", ""),
    (("x y", ACCOUNT, "name"), "/account/name", ""),
    (("soon", ACCOUNT, "clock", "now"), "/account/clock/now", "not a number"),
    ((-1, ACCOUNT, "ledger", "created"), "/account/ledger/created", ""),
    (
        (7, ACCOUNT, "tasks", "kept", 0, "timeline", "ending", "kind"),
        "/account/tasks/kept/0/timeline/ending/kind",
        "fail",
    ),
    (("late", ACCOUNT, "tasks", "kept", 0, "timeline", "run"), "/account/tasks/kept/0/timeline/run", "not a number"),
    (("x", ACCOUNT, "tasks", "kept", 0, "nonsense"), "/account/tasks/kept/0/nonsense", "is not known"),
    (("tea", ACCOUNT, "tasks", "kept", 0, "cloud"), "/account/tasks/kept/0/cloud", "no cloud 'tea'"),
    (("lost", ACCOUNT, "ledger", "kept", 0, "status"), "/account/ledger/kept/0/status", "delivered"),
    (({"base64": "?"}, ACCOUNT, "ledger", "kept", 0, "order", "body"), "/account/ledger/kept/0/order/body/base64", ""),
    (("t9", ACCOUNT, "agenda", 0, "task"), "/account/agenda/0/task", "there is no task t9"),
    ((5, ACCOUNT, "agenda", 0, "step"), "/account/agenda/0/step", "has no step 5"),
    (({"at": 1, "delivery": 9}, ACCOUNT, "agenda", 0), "/account/agenda/0/delivery", "there is no delivery 9"),
    (({"at": 1, "cloud": "tea"}, ACCOUNT, "agenda", 0), "/account/agenda/0/cloud", "no cloud 'tea'"),
    (
        ({"then": {"error": 99}}, ACCOUNT, "rules", "own", 0, "document"),
        "/account/rules/own/0/document/then/error",
        "",
    ),
    (({"cups": 1}, ACCOUNT, "clouds", "toy"), "/account/clouds/toy/woken", "is all that there is"),
    (({}, ACCOUNT, "clouds", "tea"), "/account/clouds/tea", "there is no cloud 'tea'"),
    (({"cups": 1}, ACCOUNT, "options", "toy"), "/account/options/toy/cups", "is no option"),
]


async def _example() -> JsonObject:
    world = toy_world()
    plan(world, RETRY)
    start_task(world.account)
    world.sender.answers = [Answer(500, "500", b"\xff")]
    await advance(world, 7)
    return saved(world)


@pytest.mark.parametrize(("change", "pointer", "message"), WRONG, ids=[row[1] for row in WRONG])
async def test_a_broken_document_is_refused_where_it_is_broken(
    change: tuple[Any, ...], pointer: str, message: str
) -> None:
    world = toy_world()
    brew(world)
    before = saved(world)
    with pytest.raises(ConfigurationError) as refusal:
        await load(world, _with(await _example(), *change))
    assert message in str(refusal.value)
    assert [problem.pointer for problem in refusal.value.problems] == [pointer]
    assert {problem.where for problem in refusal.value.problems} == {"snapshot"}
    assert saved(world) == before


async def test_a_member_that_is_missing_is_named() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        await loaded(_without(await _example(), ACCOUNT, "tasks", "kept", 0, "timeline", "end"))
    assert [str(problem) for problem in refusal.value.problems] == [
        "snapshot#/account/tasks/kept/0/timeline/end: is missing"
    ]


async def test_everything_that_is_wrong_is_said_at_once() -> None:
    document = _with(await _example(), "t9", ACCOUNT, "agenda", 0, "task")
    with pytest.raises(ConfigurationError) as refusal:
        await loaded(_with(document, {}, ACCOUNT, "clouds", "toy"))
    assert [problem.pointer for problem in refusal.value.problems] == [
        "/account/agenda/0/task",
        "/account/clouds/toy/woken",
    ]


@pytest.mark.parametrize("document", [[], None, "text", {}, {"emulator_snapshot": 1}])
async def test_what_is_no_snapshot_at_all_is_refused(document: Any) -> None:
    with pytest.raises(ConfigurationError):
        await load(toy_world(), document)


PLANS = st.fixed_dictionaries(
    {},
    optional={
        "queue": st.sampled_from(["0s", "1s", ["1s", "9s"]]),
        "run": st.sampled_from(["0s", "10s", ["5s", "30s"]]),
        "progress": st.lists(st.integers(0, 99), max_size=3, unique=True),
        "outcome": st.sampled_from(["succeed", "hang", "vanish", {"fail": 70, "at": "50%"}]),
        "deliver": st.fixed_dictionaries(
            {},
            optional={
                "attempts": st.integers(1, 3),
                "backoff": st.sampled_from(["1s", "20s"]),
                "late": st.sampled_from(["5s", ["1s", "40s"]]),
                "drop": st.sampled_from([True, 0.5]),
                "duplicate": st.sampled_from([True, 0.5]),
                "reorder": st.booleans(),
                "corrupt": st.booleans(),
                "contradict": st.booleans(),
            },
        ),
    },
)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("plan"), PLANS, st.sampled_from([{}, {"probability": 0.5}, {"every": 2}, {"first": 1}])),
        st.tuples(st.just("brew")),
        st.tuples(st.just("advance"), st.sampled_from([0, 0.5, 2, 7, 11.5, 40])),
    ),
    max_size=8,
)
ANSWERS = st.lists(st.sampled_from([Answer(200, ""), REFUSED, Answer(500, "500", b"no", 0.25)]), max_size=6)


async def _play(world: ToyWorld, moves: list[Any]) -> list[Any]:
    seen: list[Any] = []
    for move in moves:
        match move:
            case ("plan", document, times):
                plan(world, document, times=times)
            case ("brew",):
                seen.append(brew(world))
            case ("advance", seconds):
                seen.append(await advance(world, seconds))
    return seen


@settings(max_examples=50)
@given(MOVES, MOVES, ANSWERS)
def test_whatever_was_done_a_loaded_account_goes_on_alike(before: Any, after: Any, answers: list[Answer]) -> None:
    async def scenario() -> None:
        world = toy_world()
        world.sender.answers = list(answers)
        await _play(world, before)
        other = await twin(world)
        sent = len(world.sender.orders)
        assert await _play(world, after) == await _play(other, after)
        assert await finish(world) == await finish(other)
        assert world.sender.orders[sent:] == other.sender.orders
        assert orjson.dumps(saved(world)) == orjson.dumps(saved(other))

    asyncio.run(scenario())
