"""An account under anything that can be done to it, in any order: what is promised of time holds after every step."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from emulator.core.accounts import Account
from emulator.core.callbacks import CallbackOrder, Ledger
from emulator.core.clock import ClockSpec
from emulator.core.driver import ClockBusy, Driver, Fired
from tests.support.desk import Desk
from tests.support.sender import REFUSED

T = TypeVar("T")

KEPT = 8
"""Deliveries that the ledger keeps, so that it forgets some."""
MANY = 5
"""Tasks beyond which it is worth while to reset the account."""
EXACT = 1e-5
"""Seconds by which an instant may be off, so long after 1970."""
ORDER = {"init": 0, "exec": 1, "succ": 2, "fail": 2}
SAID = {2: "exec", 3: "succ", 4: "fail"}
"""What a poll has to say when a callback says this status."""
GONE, OVER, UNKNOWN_BUCKET = 1200, 1205, 1011

lengths = st.sampled_from([0, 0.5, 1, 20, 3600])
percents = st.lists(st.sampled_from([0, 10, 50, 90]), unique=True, max_size=3)
endings = st.sampled_from(
    ["succeed", "hang", "vanish"]
    + [{kind: value, "at": at} for kind, value in (("fail", 3150), ("hang", True)) for at in ("queue", "25%", "upload")]
)
plans = st.fixed_dictionaries(
    {"queue": lengths, "run": lengths, "upload": lengths, "progress": percents, "outcome": endings},
    optional={
        "deliver": st.fixed_dictionaries({"attempts": st.integers(1, 3), "backoff": st.sampled_from([0, 1, 600])})
    },
)
MOODS = ["refuses", "refuses", "breaks", "polls", "creates", "deletes", "advances", "resets"]
moods = st.lists(st.sampled_from(["takes it", *MOODS]), max_size=6)
"""What a receiver does with the callbacks that come, one after the other; it takes all others."""


@dataclass
class Made:
    """A task that the test has made, and what it was told of it.

    Attributes:
        reports: whether it was to report progress.
        before: how many callbacks had been told when it was deleted.
        told: the instant, the status and the stage of every callback.

    """

    plan: dict[str, Any]
    at: float
    reports: bool
    deleted: float | None = None
    before: int = 0
    told: list[tuple[float, int, str]] = field(default_factory=list)

    @property
    def ending(self) -> tuple[str, float]:
        """How the task ends and when, if it never waits for its turn."""
        run = self.at + self.plan["queue"]
        upload = run + self.plan["run"]
        outcome = self.plan["outcome"]
        if outcome == "succeed":
            return "succeed", upload + self.plan["upload"]
        where = outcome["at"] if isinstance(outcome, dict) else "run"
        kind = outcome if isinstance(outcome, str) else "fail" if "fail" in outcome else "hang"
        ends = {"queue": run, "25%": run + self.plan["run"] / 4, "run": upload, "upload": upload + self.plan["upload"]}
        return kind, ends[where]

    def owed(self) -> list[tuple[float, int, str]]:
        """Everything that has to be told by the end, if the task never waits for its turn."""
        kind, end = self.ending
        run = self.at + self.plan["queue"]
        upload = run + self.plan["run"]
        reports = [run + self.plan["run"] * point / 100 for point in sorted(self.plan["progress"])]
        over = end if self.deleted is None else min(end, self.deleted)
        told = [
            (at, 2, "transcoding" if at < upload else "uploading")
            for number, at in enumerate([*reports, upload])
            if at < over - EXACT or (at < over + EXACT and number < self.before)
        ]
        if not self.reports:
            told.clear()
        if self.deleted is not None:
            told.append((self.deleted, 4, ""))
        elif kind in ("succeed", "fail"):
            told.append((end, 3 if kind == "succeed" else 4, ""))
        return told


class AnAccount(RuleBasedStateMachine):
    """Does things to one account and looks at it after each."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(doing)

    @initialize(concurrency=st.sampled_from([0, 2]), plan=plans)
    def open(self, concurrency: int, plan: dict[str, Any]) -> None:
        self.concurrency = concurrency
        self.desk = Desk(concurrency=concurrency)
        self.desk.sender.during = self.receive
        self.driver = Driver(self.desk.emulation.accounts, self.desk.emulation.providers, self.desk.sender)
        self.generation = 0
        self.wrong: list[AssertionError] = []
        self.resetting: list[asyncio.Task[None]] = []
        self.account.ledger = Ledger(KEPT, self.account.ledger.changes)
        self.forget()
        self.create(plan, 3)

    def teardown(self) -> None:
        if sys.exc_info()[0] is None:
            self.until_idle([])
        self.runner.close()

    @property
    def account(self) -> Account:
        return self.desk.account

    @property
    def now(self) -> float:
        return self.account.clock.now()

    def forget(self) -> None:
        """What the test knows of an account that is as good as new."""
        self.generation += 1
        self.made: dict[str, Made] = {}
        self.plan: dict[str, Any] | None = None
        self.refusing = 0
        self.moods: list[str] = []
        self.latest = 0.0

    # What a client does

    @rule(plan=st.none() | plans, count=st.integers(1, 4))
    def create(self, plan: dict[str, Any] | None, count: int) -> None:
        if plan is not None:
            self.account.rules.clear()
            self.refusing = 0
            self.desk.plan("kingsoft.CreateTask", **plan)
            self.plan = plan
        for _ in range(count):
            self.create_one()

    @rule(times=st.integers(1, 2))
    def rule_refusal(self, times: int) -> None:
        document = {
            "when": {"operation": "kingsoft.CreateTask"},
            "times": {"first": times},
            "then": {"error": UNKNOWN_BUCKET},
        }
        self.account.rules.clear()
        self.account.rules.add(self.desk.emulation.rules.later(document))
        self.plan, self.refusing = None, times

    def create_one(self) -> None:
        url = f"http://127.0.0.1:9/{self.generation}"
        wish = {"Callback": {"progress_cburl": url, "progress_interval": 7}}
        document = {
            "Preset": "hd_mp4",
            "SrcInfo": [{"path": "/src-bucket/in.mp4"}],
            "DstBucket": "dst-bucket",
            "DstObjectKey": f"out/{len(self.made)}.mp4",
            "CbUrl": url,
            "ExtParam": json.dumps(wish if self.plan is not None else {}),
        }
        answer = self.desk.call("CreateTask", document)
        if self.refusing:
            self.refusing -= 1
            assert answer["ErrNum"] == UNKNOWN_BUCKET
            return
        assert answer["ErrNum"] == 0
        default = {"queue": 1, "run": 20, "upload": 4, "progress": [], "outcome": "succeed"}
        self.made[answer["TaskID"]] = Made(self.plan or default, self.now, self.plan is not None)

    @precondition(lambda self: self.made)
    @rule(which=st.integers(0, 99))
    def delete(self, which: int) -> None:
        task_id = list(self.made)[which % len(self.made)]
        made, status = self.made[task_id], self.poll(task_id)
        answer = self.desk.call("DelTaskByTaskID", {"TaskID": task_id})
        if made.deleted is not None or status in ("succ", "fail"):
            assert answer["ErrNum"] == OVER
        elif status is None:
            assert answer["ErrNum"] == GONE
        else:
            assert answer["ErrNum"] == 0
            made.deleted, made.before = self.now, len(made.told)

    def poll(self, task_id: str) -> str | None:
        """``TaskStatus``; ``None`` if there is no such task."""
        answer = self.desk.call("GetTaskByTaskID", TaskID=task_id)
        if answer["ErrNum"] == GONE:
            return None
        status: str = answer["TaskInfo"]["TaskStatus"]
        return status

    @rule(seconds=st.sampled_from([0, 0.25, 1, 10, 60, 7200]), moods=moods)
    def advance(self, seconds: float, moods: list[str]) -> None:
        self.moods = moods
        self.move(lambda: self.driver.advance_to(self.account, self.now + seconds), self.now + seconds)

    @rule(moods=moods)
    def next(self, moods: list[str]) -> None:
        self.moods = moods
        first = self.account.agenda.first()
        self.move(lambda: self.driver.next(self.account), self.now if first is None else max(self.now, first))

    @rule(moods=moods)
    def until_idle(self, moods: list[str]) -> None:
        self.moods = moods
        generation = self.generation
        self.move(lambda: self.driver.run_until_idle(self.account), None)
        if self.generation == generation:
            assert self.account.agenda.first() is None
            assert all(delivery.status in ("delivered", "failed") for delivery in self.account.ledger)
            for task_id, made in self.made.items():
                self.everything_was_told(task_id, made)

    def move(self, moving: Any, until: float | None) -> None:
        """Move the clock, by ``until`` unless nobody can say; what fired has to have fired in order and in time."""
        generation, began = self.generation, self.now

        async def moved() -> list[Fired]:
            fired: list[Fired] = await moving()
            await asyncio.gather(*self.resetting)
            return fired

        fired = self.run(moved())
        self.resetting.clear()
        if self.wrong:
            raise self.wrong[0]
        if self.generation != generation:
            return
        instants = [event.at for event in fired]
        assert instants == sorted(instants), fired
        assert self.now >= began
        assert all(event.at <= self.now for event in fired)
        if until is not None:
            assert self.now == until
            first = self.account.agenda.first()
            assert first is None or first > until

    @rule(seconds=st.sampled_from([0, 5, 3600]))
    def set_clock(self, seconds: float) -> None:
        """A frozen clock is not set beyond what has yet to happen."""
        now, first, target = self.now, self.account.agenda.first(), self.now + seconds
        try:
            self.driver.set_clock(self.account, ClockSpec("frozen", now=target))
        except ClockBusy:
            assert first is not None
            assert first < target
            assert self.now == now
        else:
            assert first is None or target in (now, min(first, target))
            assert self.now == target

    @precondition(lambda self: len(self.made) > MANY)
    @rule(plan=plans)
    def reset(self, plan: dict[str, Any]) -> None:
        self.forget()
        self.run(self.reset_account())
        assert len(self.account.agenda) == 0
        assert (self.account.tasks.created, self.account.ledger.created, self.account.journal.created) == (0, 0, 0)
        self.create(plan, 3)

    async def reset_account(self) -> None:
        await self.driver.reset(self.account)
        self.account.ledger = Ledger(KEPT, self.account.ledger.changes)

    # What a receiver does

    async def receive(self, order: CallbackOrder) -> None:
        """A callback is on its way."""
        try:
            task_id = self.told(order)
            await self.react(self.moods.pop(0) if self.moods else "takes it", task_id)
        except AssertionError as error:  # the driver would take it for a fault of the sender
            self.wrong.append(error)

    def told(self, order: CallbackOrder) -> str:
        """A callback has to be due, and to say what a poll says at this very moment; of which task it is comes back."""
        assert order.url.endswith(f"/{self.generation}"), "a callback of before a reset"
        body = json.loads(order.body)
        task_id: str = body["TaskID"]
        status, stage = body["Status"], body["Details"].get("status", "")
        delivery = next(found for found in self.account.ledger if found.order is order)
        made, now = self.made[task_id], self.now
        assert now >= self.latest
        self.latest = now
        if not delivery.attempts:
            assert delivery.due == now
            made.told.append((now, status, stage))
            self.polls_say(task_id, status, body["Details"])
        else:
            assert delivery.next_attempt == now
        return task_id

    def polls_say(self, task_id: str, status: int, details: Any) -> None:
        if self.made[task_id].deleted is not None:
            assert (self.poll(task_id), status, details["errnum"]) == (None, 4, 2005)
            return
        assert self.poll(task_id) == SAID[status]
        if status == 2:
            task = self.account.tasks.get(task_id)
            assert task is not None
            assert task.timeline.at(self.now).percent == details["progress"]

    async def react(self, mood: str, task_id: str) -> None:
        match mood:
            case "refuses":
                self.desk.sender.answers = [REFUSED]
            case "breaks":
                self.desk.sender.answers = [RuntimeError("out of order")]
            case "polls":
                self.look()
            case "creates":
                self.create_one()
            case "deletes":
                self.delete(list(self.made).index(task_id))
            case "advances":
                try:
                    await self.driver.next(self.account)
                except ClockBusy:
                    return
                raise AssertionError("a clock was moved by two at a time")
            case "resets":
                self.forget()
                self.resetting.append(asyncio.ensure_future(self.reset_account()))
                await asyncio.wait(self.resetting)

    # What has to hold

    def everything_was_told(self, task_id: str, made: Made) -> None:
        """Of a task that moves no more: each callback that it owed, once."""
        task = self.account.tasks.get(task_id)
        assert task is not None
        if not self.concurrency:
            owed = made.owed()
            assert [told[1:] for told in made.told] == [told[1:] for told in owed]
            assert all(abs(told[0] - due[0]) < EXACT for told, due in zip(made.told, owed, strict=True))
        finals = [status for _, status, _ in made.told if status != 2]
        if task.timeline.end <= self.now and task.timeline.ending.kind in ("succeed", "fail"):
            assert finals == [3 if task.timeline.ending.kind == "succeed" else 4]
        else:
            assert finals == []

    @rule()
    def look(self) -> None:
        """Whatever is looked at, nothing changes."""
        before = self.everything()
        for task_id in self.made:
            self.poll(task_id)
        listed = self.desk.call("GetTaskList")
        gone = {task_id for task_id, made in self.made.items() if made.deleted is not None or not self.poll(task_id)}
        assert {info["TaskID"] for info in listed["TaskInfo"]} == self.made.keys() - gone
        assert self.everything() == before

    def everything(self) -> Any:
        account = self.account
        return (
            account.clock.now(),
            [due for due, _ in account.agenda.pending()],
            [(row.number, row.status, len(row.attempts), row.next_attempt) for row in account.ledger],
            [(task.id, task.timeline) for task in account.tasks],
            len(self.desk.sender.orders),
        )

    @invariant()
    def no_count_lies(self) -> None:
        for book in (self.account.ledger, self.account.tasks, self.account.journal):
            assert book.created == len(book) + book.evicted
        assert self.account.tasks.created == len(self.made)
        assert self.account.ledger.created == sum(len(made.told) for made in self.made.values())

    @invariant()
    def deliveries_keep_to_the_time(self) -> None:
        numbers = [delivery.number for delivery in self.account.ledger]
        assert numbers == sorted(numbers)
        for delivery in self.account.ledger:
            instants = [delivery.due, *(attempt.at for attempt in delivery.attempts), self.now]
            assert instants == sorted(instants)
            assert len(delivery.attempts) <= delivery.retry.attempts
            assert delivery.settled == (delivery.next_attempt is None)

    @invariant()
    def polls_never_say_less_than_callbacks(self) -> None:
        for task_id, made in self.made.items():
            status = self.poll(task_id)
            if made.deleted is not None:
                assert status is None
            elif made.told and status is not None:
                assert ORDER[status] >= ORDER[SAID[made.told[-1][1]]]
                if made.told[-1][1] != 2:
                    assert status == SAID[made.told[-1][1]]


def test_an_account_keeps_its_promises_about_time_whatever_is_done_to_it() -> None:
    run_state_machine_as_test(
        AnAccount,
        settings=settings(max_examples=40, stateful_step_count=30, deadline=None, database=None, derandomize=True),
    )
