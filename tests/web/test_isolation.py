"""Sixty-four accounts at once on one emulator: each is as if it were alone, resets included."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientSession

from tests.conftest import START
from tests.support.client import TRAIN_TICKET, TRANSCODE, WAVE, Client, Start
from tests.support.inbox import Inbox
from tests.support.pictures import encoded

ACCOUNTS = 64
OPERATIONS = 32
"""Of each account, beside what its checks ask."""
SEED = 20260101
UNKNOWN_BUCKET, DIED, GONE = 1011, 3150, 1200
LENGTH = {"CreateWaveTask": (5.0, 6.0), "CreateTask": (21.0, 25.0)}
"""Seconds from the creation of a task to the end of its run, where it dies if it does, and to its end otherwise."""


@dataclass
class Begun:
    """A task as its client knows it."""

    ends: float
    fails: bool
    deleted: bool = False

    def status(self, now: float) -> str | None:
        """What a poll has to say of it, as far as it has ended; ``None`` if it is no longer shown."""
        if self.deleted:
            return None
        return "running" if now < self.ends else "fail" if self.fails else "succ"


@dataclass
class Known:
    """What a client knows of an account since its last reset."""

    generation: int = 1
    now: float = START
    tasks: dict[str, Begun] = field(default_factory=dict)
    owed: dict[str, float] = field(default_factory=dict)
    delivered: Counter[tuple[str, int]] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    refusing: int = 0
    failing: bool = False
    rules: int = 0
    token: str = ""


class Tenant:
    """One client of one account, which does things at random and knows exactly what must come of them.

    Attributes:
        arrived: the callbacks that must have arrived ever, each by its path and its task.

    """

    def __init__(self, client: Client, inbox: Inbox, others: list[Tenant]) -> None:
        self.client = client
        self.inbox = inbox
        self.others = others
        self.random = Random(f"{SEED} {client.name}")
        self.known = Known()
        self.arrived: Counter[tuple[str, str]] = Counter()

    async def live(self) -> None:
        """Do everything, and look at everything in the end."""
        doings = (
            [self.create] * 6
            + [self.poll, self.poll, self.poll_another, self.list, self.delete, self.advance, self.advance]
            + [self.recognise, self.recognise, self.refuse, self.fail, self.forgive, self.look, self.reset]
        )
        for _ in range(OPERATIONS):
            await self.random.choice(doings)()
        await self.look()

    @property
    def path(self) -> str:
        return f"/callback/{self.client.name}/{self.known.generation}"

    async def kingsoft(self, action: str, document: Any = None, **query: str) -> Any:
        self.known.requests[f"kingsoft.{action}"] += 1
        return (await self.client.kingsoft(action, document, **query)).json

    async def create(self) -> None:
        action, document = self.random.choice([("CreateWaveTask", WAVE), ("CreateTask", TRANSCODE)])
        url = self.inbox.url.removesuffix("/callback") + self.path
        answer = await self.kingsoft(action, {**document, "CbUrl": url})
        if self.known.refusing:
            self.known.refusing -= 1
            assert answer["ErrNum"] == UNKNOWN_BUCKET
            return
        assert answer["ErrNum"] == 0
        task, fails = answer["TaskID"], self.known.failing
        ends = self.known.now + LENGTH[action][not fails]
        assert task not in self.known.tasks
        self.known.tasks[task] = Begun(ends, fails)
        self.known.owed[task] = ends

    async def poll(self) -> None:
        if not self.known.tasks:
            return
        task = self.random.choice(list(self.known.tasks))
        answer = await self.kingsoft("GetTaskByTaskID", TaskID=task)
        status = self.known.tasks[task].status(self.known.now)
        if status is None:
            assert answer["ErrNum"] == GONE
        elif status == "running":
            assert answer["TaskInfo"]["TaskStatus"] in ("init", "exec")
        else:
            assert answer["TaskInfo"]["TaskStatus"] == status

    async def poll_another(self) -> None:
        other = self.random.choice(self.others)
        if other is self or not other.known.tasks:
            return
        foreign = self.random.choice(list(other.known.tasks))
        assert (await self.kingsoft("GetTaskByTaskID", TaskID=foreign))["ErrNum"] == GONE
        assert (await self.kingsoft("DelTaskByTaskID", {"TaskID": foreign}))["ErrNum"] == GONE

    async def list(self) -> None:
        answer = await self.kingsoft("GetTaskList", Limit="100")
        shown = {task for task, begun in self.known.tasks.items() if not begun.deleted}
        assert {info["TaskID"] for info in answer["TaskInfo"]} == shown

    async def delete(self) -> None:
        alive = [task for task, begun in self.known.tasks.items() if begun.status(self.known.now) == "running"]
        if alive:
            task = self.random.choice(alive)
            assert (await self.kingsoft("DelTaskByTaskID", {"TaskID": task}))["ErrNum"] == 0
            self.known.tasks[task].deleted = True
            self.known.owed[task] = self.known.now

    async def advance(self) -> None:
        seconds = self.random.choice([0, 3, 10, 60])
        moved = await self.client.advance(seconds)
        self.known.now += seconds
        assert moved["now"] == self.known.now
        due = {task for task, at in self.known.owed.items() if at <= self.known.now}
        assert {event["task"] for event in moved["fired"]} == due
        for task in due:
            del self.known.owed[task]
            begun = self.known.tasks[task]
            self.known.delivered[task, 4 if begun.deleted or begun.fails else 3] += 1
        self.arrived.update((self.path, task) for task in due)

    async def recognise(self) -> None:
        if not self.known.token:
            self.known.requests["baidu.oauth.token"] += 1
            self.known.token = await self.client.token()
        self.known.requests["baidu.iocr.recognise"] += 1
        found = await self.client.recognise(self.known.token, image=encoded(), templateSign=TRAIN_TICKET)
        assert found.json["error_code"] == 0

    async def refuse(self) -> None:
        times = self.random.randint(1, 2)
        await self.forgive()
        await self.rule({"times": {"first": times}, "then": {"error": UNKNOWN_BUCKET}})
        self.known.refusing = times

    async def fail(self) -> None:
        await self.rule({"then": {"plan": {"outcome": {"fail": DIED}}}})
        self.known.failing = True

    async def rule(self, document: dict[str, Any]) -> None:
        made = await self.client.rule({"when": {"operation": "kingsoft.Create*"}, **document})
        assert made.status == 201, made.body
        self.known.rules += 1

    async def forgive(self) -> None:
        assert (await self.client.admin("DELETE", "rules")).status == 204
        self.known.rules, self.known.refusing, self.known.failing = 0, 0, False

    async def reset(self) -> None:
        if len(self.known.tasks) < 4:
            return
        assert (await self.client.admin("POST", "reset")).status == 200
        self.known = Known(self.known.generation + 1)

    async def look(self) -> None:
        """The account is exactly what its client made of it."""
        known = self.known
        shown = (await self.client.admin("GET", "")).json
        assert (shown["clock"]["now"], shown["tasks"], shown["rules"]) == (known.now, len(known.tasks), known.rules)
        tasks = (await self.client.admin("GET", "tasks")).json
        assert [task["id"] for task in tasks["tasks"]] == list(known.tasks)
        requests = (await self.client.admin("GET", "requests")).json
        assert Counter(request["operation"] for request in requests["requests"]) == known.requests
        assert (requests["count"], requests["evicted"]) == (known.requests.total(), 0)
        deliveries = (await self.client.admin("GET", "deliveries")).json["deliveries"]
        assert {delivery["status"] for delivery in deliveries} <= {"delivered"}
        assert {urlsplit(delivery["request"]["url"]).path for delivery in deliveries} <= {self.path}
        told = [json.loads(delivery["request"]["body"]) for delivery in deliveries]
        assert Counter((body["TaskID"], body["Status"]) for body in told) == known.delivered


async def test_what_64_clients_do_at_once_is_seen_by_each_in_its_own_account_only(start: Start, inbox: Inbox) -> None:
    first = await start(concurrency=0)
    tenants: list[Tenant] = []
    async with AsyncExitStack() as sessions:
        for number in range(ACCOUNTS):
            session = await sessions.enter_async_context(ClientSession())
            client = Client(first.server, session, f"AKTENANT{number:02}")
            tenants.append(Tenant(client, inbox, tenants))
            document = {
                "name": client.name,
                "kingsoft": {"access_key": client.name},
                "baidu": {"api_key": client.name, "secret_key": "any"},
                "clock": {"mode": "frozen", "now": START},
            }
            assert (await client.admin("POST", "/accounts", document)).status == 201

        await asyncio.gather(*(tenant.live() for tenant in tenants))

        for tenant in tenants:
            await tenant.look()  # again, now that nobody does anything
    arrived = Counter((received.path, received.json["TaskID"]) for received in inbox.received)
    assert arrived == sum((tenant.arrived for tenant in tenants), Counter())
    assert (await first.admin("GET", "requests")).json["count"] == 0
    assert sum(tenant.known.generation > 1 for tenant in tenants) > ACCOUNTS // 4
