"""A client's desk: calls Kingsoft without a socket, moves the account's frozen clock, sees every callback."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from emulator.core.accounts import Account
from emulator.core.driver import Driver, Fired
from emulator.core.exchange import JsonObject
from emulator.core.journal import RequestEntry
from tests.support.clouds import emulation, raw
from tests.support.sender import RecordingSender

CALLBACK = "http://127.0.0.1:9/callback"


class Desk:
    """One account's client.

    Attributes:
        sender: has every callback that was sent.

    """

    def __init__(self, key: str = "", **settings: Any) -> None:
        self.emulation = emulation(**settings)
        self.key = key
        self.sender = RecordingSender()
        self._driver = Driver(self.emulation.accounts, self.emulation.providers, self.sender)

    @property
    def account(self) -> Account:
        """Whose clock is moved."""
        return self.emulation.accounts.get(self.key) or self.emulation.accounts.default

    def call(self, action: str, document: Any = None, **query: Any) -> JsonObject:
        """The body of the answer: POST with ``document``, else GET."""
        params = {"Action": action, "Version": "2017-01-01", **query}
        if self.key:
            params["X-Amz-Credential"] = f"{self.key}/20260101/cn-beijing-6/kvs/aws4_request"
        body = b"" if document is None else json.dumps(document).encode()
        method = "GET" if document is None else "POST"
        outcome = self.emulation.pipeline.decide(raw(method, "/", urlencode(params), body, "application/json"))
        found: JsonObject = json.loads(outcome.reply.body)
        return found

    def create(self, number: int = 1, **members: Any) -> str:
        """The id of a new task, by default of the ready template ``hd_mp4``; ``number`` tells sources apart."""
        document = {
            "Preset": "hd_mp4",
            "SrcInfo": [{"path": f"/src-bucket/in/{number}.mp4"}],
            "DstBucket": "dst-bucket",
            "DstObjectKey": f"out/{number}.mp4",
            "CbUrl": CALLBACK,
            **members,
        }
        answer = self.call("CreateTask", document)
        assert answer["ErrNum"] == 0, (answer, self.last.reason)
        found: str = answer["TaskID"]
        return found

    def info(self, task_id: str) -> JsonObject:
        """``TaskInfo``."""
        found: JsonObject = self.call("GetTaskByTaskID", TaskID=task_id)["TaskInfo"]
        return found

    def statuses(self, *task_ids: str) -> list[str]:
        """``TaskStatus`` of each."""
        return [self.info(task_id)["TaskStatus"] for task_id in task_ids]

    def plan(self, operation: str = "kingsoft.*Task", **plan: Any) -> None:
        """Have the tasks of ``operation`` follow ``plan``."""
        document = {"when": {"operation": operation}, "then": {"plan": plan}}
        self.account.rules.add(self.emulation.rules.later(document))

    async def advance(self, seconds: float) -> list[Fired]:
        """Move the clock."""
        return await self._driver.advance_to(self.account, self.account.clock.now() + seconds)

    async def finish(self) -> list[Fired]:
        """Move the clock until nothing is pending."""
        return await self._driver.run_until_idle(self.account)

    @property
    def last(self) -> RequestEntry:
        """The journal's last request."""
        return list(self.account.journal.requests)[-1]

    @property
    def callbacks(self) -> list[Any]:
        """The bodies of all callbacks."""
        return [json.loads(order.body) for order in self.sender.orders]
