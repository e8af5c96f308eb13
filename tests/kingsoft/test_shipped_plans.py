"""The plans that come with the emulator: what a client of Kingsoft sees of a task that follows each."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from emulator.core.callbacks import Delivery
from emulator.core.chaos import KINDS
from emulator.core.driver import Driver
from emulator.core.errors import ConfigurationError
from tests.support.desk import CALLBACK, Desk
from tests.support.machine import START
from tests.support.sender import REFUSED

PROGRESS = json.dumps({"Callback": {"progress_cburl": CALLBACK, "progress_interval": 5}})
POINTS = [20, 40, 60, 80]
DOCS = Path(__file__).parents[2] / "docs" / "plans.md"
SHIPPED = sorted(Desk().emulation.rules.plans)

Seen = tuple[float, object]
"""Seconds after the creation, and the percentage of a report or the number of an end."""


class Client(Desk):
    """A desk whose tasks follow the plan ``name``, and report progress."""

    def __init__(self, name: str) -> None:
        super().__init__()
        rule = {"when": {"operation": "kingsoft.*Task"}, "then": {"plan": name}}
        self.account.rules.add(self.emulation.rules.later(rule))

    async def lives(self) -> str:
        """A task from its creation until nothing more happens."""
        task = self.create(ExtParam=PROGRESS)
        await self.finish()
        return task

    @property
    def ledger(self) -> list[Delivery]:
        """What the client was owed."""
        return list(self.account.ledger)

    def seen(self) -> list[Seen]:
        """What arrived, in order: when, and what of it."""
        arrived = sorted(
            (attempt.at, delivery.number, delivery) for delivery in self.ledger for attempt in delivery.attempts
        )
        assert [order.body for order in self.sender.orders] == [delivery.order.body for *_, delivery in arrived]
        return [(round(at - START, 2), _told(delivery)) for at, _, delivery in arrived]

    def told(self) -> list[object]:
        """The same without when."""
        return [what for _, what in self.seen()]


def _told(delivery: Delivery) -> object:
    details = json.loads(delivery.order.body)["Details"]
    uploading = details.get("status") == "uploading"
    return details["errnum"] if "errnum" in details else "upload" if uploading else details["progress"]


async def test_happy_runs_for_twenty_seconds_reports_and_succeeds() -> None:
    client = Client("happy")
    task = await client.lives()

    assert client.seen() == [(6, 25), (11, 50), (16, 75), (21, "upload"), (23, 0)]
    assert client.statuses(task) == ["succ"]


async def test_instant_is_over_when_it_is_created() -> None:
    client = Client("instant")
    task = client.create()

    assert client.statuses(task) == ["succ"]
    await client.advance(0)
    assert client.seen() == [(0, 0)]


async def test_slow_takes_an_hour_and_twenty_minutes() -> None:
    client = Client("slow")
    await client.lives()

    assert client.seen()[-1] == (4800, 0)
    assert client.told()[:-1] == [10, 20, 30, 40, 50, 60, 70, 80, 90, "upload"]


async def test_fails_early_fails_when_its_run_begins() -> None:
    client = Client("fails-early")
    task = await client.lives()

    assert client.seen() == [(1, 2006)]
    assert client.info(task)["ErrorCode"] == "2006"


async def test_fails_late_fails_with_the_upload() -> None:
    client = Client("fails-late")
    task = await client.lives()

    assert client.told() == [*POINTS, "upload", 2033]
    assert client.statuses(task) == ["fail"]


async def test_never_starts_waits_for_ever() -> None:
    client = Client("never-starts")
    task = await client.lives()
    await client.advance(10**6)

    assert (client.ledger, client.statuses(task)) == ([], ["init"])


async def test_never_ends_says_nothing_more_after_its_last_report() -> None:
    client = Client("never-ends")
    task = await client.lives()
    await client.advance(10**6)

    assert client.told() == POINTS
    assert client.statuses(task) == ["exec"]


async def test_vanishes_is_no_longer_known_after_half_of_its_run() -> None:
    client = Client("vanishes")
    task = await client.lives()

    assert client.told() == [20, 40]
    assert client.call("GetTaskByTaskID", TaskID=task)["ErrNum"] == 1200


async def test_retries_tries_six_times_after_waits_that_double() -> None:
    client = Client("retries")
    client.sender.answers = [REFUSED] * 5
    client.create()
    await client.finish()

    (delivery,) = client.ledger
    assert [attempt.at - delivery.due for attempt in delivery.attempts] == [0, 1, 3, 7, 15, 31]
    assert delivery.status == "delivered"


async def test_flaky_network_loses_doubles_and_delays_some_callbacks() -> None:
    client = Client("flaky-network")
    for number in range(20):
        client.create(number, ExtParam=PROGRESS)
    client.sender.answers = [REFUSED] * 5
    await client.finish()
    labels = [delivery.chaos for delivery in client.ledger]

    assert {label for found in labels for label in found} == {"drop", "duplicate", "late"}
    assert labels.count(()) > len(labels) / 3
    assert any(len(delivery.attempts) > 1 for delivery in client.ledger)


async def test_dropped_sends_nothing_though_the_task_succeeds() -> None:
    client = Client("dropped")
    task = await client.lives()

    assert client.sender.orders == []
    assert {delivery.status for delivery in client.ledger} == {"dropped"}
    assert client.statuses(task) == ["succ"]


async def test_final_lost_sends_progress_only() -> None:
    client = Client("final-lost")
    task = await client.lives()

    assert client.told() == [*POINTS, "upload"]
    assert client.ledger[-1].status == "dropped"
    assert client.statuses(task) == ["succ"]


async def test_duplicated_sends_every_callback_twice() -> None:
    client = Client("duplicated")
    client.create()
    await client.finish()

    assert client.seen() == [(25, 0), (25.5, 0)]
    assert [delivery.copy_of for delivery in client.ledger] == [None, 1]


async def test_out_of_order_sends_the_end_before_the_last_report() -> None:
    client = Client("out-of-order")
    await client.lives()

    assert client.told() == [40, 20, 80, 60, 0, "upload"]


async def test_early_sends_the_callback_before_the_answer() -> None:
    client = Client("early")
    task = client.create()
    await Driver(client.emulation.accounts, client.emulation.providers, client.sender).hasten(client.account)

    assert client.seen() == [(0, 0)]
    assert client.ledger[0].chaos == ("early",)
    assert client.statuses(task) == ["succ"]


async def test_late_sends_half_a_minute_after_a_poll_shows_it() -> None:
    client = Client("late")
    task = client.create()
    await client.advance(25)
    assert (client.statuses(task), client.sender.orders) == (["succ"], [])

    await client.finish()

    assert client.seen() == [(55, 0)]


async def test_regressing_reports_half_behind_each_report() -> None:
    client = Client("regressing")
    await client.lives()

    assert client.told() == [20, 10, 40, 20, 60, 30, 80, 40, "upload", 0]


async def test_double_final_sends_the_end_again_after_a_minute() -> None:
    client = Client("double-final")
    client.create()
    await client.finish()

    assert client.seen() == [(25, 0), (85, 0)]


async def test_contradicting_sends_a_failure_behind_the_success() -> None:
    client = Client("contradicting")
    task = client.create()
    await client.finish()

    assert client.seen() == [(25, 0), (26, 2001)]
    assert [body["Status"] for body in client.callbacks] == [3, 4]
    assert client.statuses(task) == ["succ"]


async def test_contradicting_sends_a_success_behind_a_failure() -> None:
    client = Client("contradicting")
    task = client.create(SrcInfo=[{"path": "/src-bucket/in/1.mp4", "index": 1}])
    await client.finish()

    assert client.told() == [2003, 0]
    assert client.callbacks[1]["Details"]["items"]
    assert client.statuses(task) == ["fail"]


async def test_corrupt_sends_what_is_no_json() -> None:
    client = Client("corrupt")
    await client.lives()

    assert {delivery.chaos for delivery in client.ledger} == {("corrupt",)}
    assert not any(_is_json(order.body) for order in client.sender.orders)
    assert len(client.sender.orders) == 6


async def test_slow_body_sends_over_two_seconds() -> None:
    client = Client("slow-body")
    client.create()
    await client.finish()

    assert [order.pace for order in client.sender.orders] == [2.0]


async def test_storm_sends_the_end_fifty_times_more_within_five_seconds() -> None:
    client = Client("storm")
    client.create()
    await client.finish()

    assert len({order.body for order in client.sender.orders}) == 1
    assert [at for at, _ in client.seen()] == [round(25 + count / 10, 2) for count in range(51)]


# All of them


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_plan_is_shown_by_a_test(name: str) -> None:
    assert any(test.startswith(f"test_{name.replace('-', '_')}_") for test in globals())


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_plan_stands_in_the_docs(name: str) -> None:
    assert f"| `{name}` |" in DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SHIPPED)
async def test_a_shipped_plan_plays_the_same_again_with_the_same_seed(name: str) -> None:
    ledgers = []
    for _ in range(2):
        client = Client(name)
        await client.lives()
        ledgers.append([(found.order, found.chaos, found.attempts) for found in client.ledger])

    assert ledgers[0] == ledgers[1]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_plan_may_start_from_a_shipped_one(name: str) -> None:
    client = Desk()
    client.plan(base=name, queue="3s")

    assert client.statuses(client.create()) == ["init"]


def _is_json(body: Any) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


# The page on plans


def _blocks() -> list[Any]:
    return [
        json.loads(block) for block in re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    ]


@pytest.mark.parametrize("document", _blocks())
def test_the_examples_of_the_page_are_accepted(document: dict[str, Any]) -> None:
    desk = Desk()
    rule = document if "then" in document else {"when": {"operation": "kingsoft.*"}, "then": {"plan": document["plan"]}}
    desk.account.rules.add(desk.emulation.rules.later(rule))

    assert desk.create()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_chaos_has_a_row_with_an_example_that_is_accepted(kind: str) -> None:
    (row,) = re.findall(rf"^\| `{kind}` \|.*\| `(.*)` \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    desk = Desk()
    desk.plan(deliver=json.loads(row))

    assert kind in json.loads(row)
    assert desk.create()


@pytest.mark.parametrize(
    ("deliver", "pointer"),
    [
        ({"drop": 1.5}, "/then/plan/deliver/drop"),
        ({"drop": "often"}, "/then/plan/deliver/drop"),
        ({"drop": {"chance": 0.5}}, "/then/plan/deliver/drop"),
        ({"drop": {"only": "first"}}, "/then/plan/deliver/drop/only"),
        ({"regress": {"only": "final"}}, "/then/plan/deliver/regress"),
        ({"late": "soon"}, "/then/plan/deliver/late"),
        ({"late": ["5s", "1s"]}, "/then/plan"),
        ({"duplicate": {"copies": 0}}, "/then/plan/deliver/duplicate/copies"),
        ({"contradict": {"code": 1}}, "/then/plan/deliver/contradict/code"),
        ({"scramble": True}, "/then/plan/deliver"),
    ],
)
def test_trouble_that_makes_no_sense_is_refused_when_the_rule_is_set(deliver: dict[str, Any], pointer: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Desk().plan(deliver=deliver)

    assert [problem.pointer for problem in caught.value.problems] == [pointer]
