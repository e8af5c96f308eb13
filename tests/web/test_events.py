"""The feed of an account as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession

from emulator.core.feed import Feed
from emulator.web.admin.events import stream
from tests.support.client import WAVE, Client, Start
from tests.support.inbox import Inbox


@dataclass
class Sent:
    """One block of the stream."""

    id: int | None
    event: str
    data: Any


def read(block: bytes) -> Sent:
    """A block of the stream, taken apart."""
    fields = dict(line.split(": ", 1) for line in block.decode().strip().split("\n") if not line.startswith(":"))
    return Sent(
        int(fields["id"]) if "id" in fields else None,
        fields.get("event", ""),
        json.loads(fields["data"]) if "data" in fields else None,
    )


class Reader:
    """Reads a stream block by block."""

    def __init__(self, answer: ClientResponse) -> None:
        self.answer = answer

    async def next(self) -> Sent:
        async with asyncio.timeout(60):
            return read(await self.answer.content.readuntil(b"\n\n"))

    async def take(self, count: int) -> list[Sent]:
        return [await self.next() for _ in range(count)]


@asynccontextmanager
async def following(client: Client, headers: dict[str, str] | None = None, **params: str) -> AsyncIterator[Reader]:
    """A reader of the account's events that has read the first block."""
    url = f"{client.server.url}/_emulator/api/accounts/{client.name}/events"
    async with ClientSession() as session, session.get(url, params=params, headers=headers) as answer:
        assert answer.status == 200, await answer.read()
        reader = Reader(answer)
        await reader.next()
        yield reader


async def test_the_stream_is_of_the_right_type_and_kept_by_nobody(client: Client) -> None:
    async with following(client) as reader:
        assert reader.answer.headers["Content-Type"] == "text/event-stream"
        assert reader.answer.headers["Cache-Control"] == "no-store"


async def test_a_request_is_told_with_the_number_under_which_the_journal_has_it(client: Client) -> None:
    async with following(client) as reader:
        answer = await client.kingsoft("CreateWaveTask", {**WAVE, "DstBucket": 5})
        told = await reader.next()

    assert (told.id, told.event) == (1, "request")
    assert told.data.items() >= {"number": 1, "operation": "kingsoft.CreateWaveTask", "status": 200}.items()
    assert told.data["code"] == answer.json["ErrNum"]
    assert (await client.admin("GET", f"requests/{told.data['number']}")).status == 200


async def test_a_task_and_its_callback_are_told_as_they_go(client: Client, inbox: Inbox) -> None:
    async with following(client, kind="task,delivery") as reader:
        task = (await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})).json["TaskID"]
        await client.advance("1h")
        told = await reader.take(5)

    assert [(each.event, each.data["status"]) for each in told] == [
        ("task", "queued"),
        ("task", "succeeded"),
        ("delivery", "pending"),
        ("delivery", "sending"),
        ("delivery", "delivered"),
    ]
    assert {each.data.get("task", each.data.get("id")) for each in told} == {task}


async def test_rules_that_are_set_and_taken_away_are_told(client: Client) -> None:
    async with following(client, kind="rule") as reader:
        rule = (await client.rule({"when": {}, "then": {"latency": "1ms"}})).json["id"]
        await client.admin("DELETE", f"rules/{rule}")
        await client.rule({"when": {}, "then": {"latency": "1ms"}})
        await client.admin("DELETE", "rules")
        told = await reader.take(4)

    assert [(each.data["id"] == rule, each.data["change"]) for each in told] == [
        (True, "set"),
        (True, "removed"),
        (False, "set"),
        (False, "removed"),
    ]


async def test_a_clock_that_is_set_and_moved_is_told(client: Client) -> None:
    async with following(client, kind="clock") as reader:
        await client.advance(5)
        await client.admin("PUT", "clock", {"mode": "real"})
        told = await reader.take(2)

    assert [each.data["mode"] for each in told] == ["frozen", "real"]


async def test_events_go_on_over_a_reset_which_is_told(client: Client) -> None:
    async with following(client) as reader:
        await client.kingsoft("GetPresetList")
        await client.admin("POST", "reset")
        await client.kingsoft("GetPresetList")
        told = await reader.take(3)

    assert [(each.id, each.event) for each in told] == [(1, "request"), (2, "reset"), (3, "request")]


async def test_another_account_is_not_told(client: Client) -> None:
    async with following(client) as reader:
        await client.named("AKOTHER").kingsoft("GetPresetList")
        await client.kingsoft("QueryPipeline")
        told = await reader.next()

    assert told.data["operation"] == "kingsoft.QueryPipeline"


@pytest.mark.parametrize("how", ["header", "query"])
async def test_a_reader_goes_on_where_it_stopped(client: Client, how: str) -> None:
    for _ in range(3):
        await client.kingsoft("GetPresetList")
    asked: dict[str, Any] = {"headers": {"Last-Event-ID": "1"}, "after": "3"} if how == "header" else {"after": "1"}

    async with following(client, **asked) as reader:
        assert [each.id for each in await reader.take(2)] == [2, 3]


async def test_a_reader_that_says_nothing_is_told_what_happens_from_now_on(client: Client) -> None:
    await client.kingsoft("GetPresetList")

    async with following(client) as reader:
        await client.kingsoft("GetPresetList")
        assert (await reader.next()).id == 2


async def test_the_stream_of_an_account_that_is_removed_ends(client: Client) -> None:
    async with following(client) as reader:
        await client.admin("DELETE", "")
        async with asyncio.timeout(60):
            rest = await reader.answer.content.read()

    assert b"event: reset" in rest


async def test_a_stream_ends_when_the_emulator_stops(start: Start) -> None:
    client = await start()

    async with following(client) as reader:
        await client.server.stop()
        async with asyncio.timeout(60):
            assert await reader.answer.content.read() == b""


async def test_a_reader_that_leaves_is_forgotten(client: Client) -> None:
    account = client.server.emulation.accounts.get(client.name)
    assert account is not None
    async with following(client):
        assert any(account.feed._listeners.values())
    async with asyncio.timeout(60):
        while any(account.feed._listeners.values()):
            await client.kingsoft("GetPresetList")


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"kind": "requests"}, "did you mean 'request'?"),
        ({"kind": "request,"}, "no kind of event ''"),
        ({"after": "x"}, "the number of an event"),
        ({"after": "-1"}, "the number of an event"),
        ({"afer": "1"}, "no filter 'afer'"),
    ],
)
async def test_what_makes_no_sense_is_refused(client: Client, params: dict[str, str], said: str) -> None:
    answer = await client.admin("GET", "events", **params)

    assert answer.status == 400
    assert said in answer.json["detail"]


async def test_an_account_that_is_not_there_has_no_events(client: Client) -> None:
    assert (await client.named("nobody").admin("GET", "events")).status == 404


# The stream itself


async def test_the_first_block_says_when_to_come_back_and_where_the_stream_is() -> None:
    feed = Feed()
    feed.note("reset", 0.0)

    assert await anext(stream(feed)) == b"retry: 1000\nid: 1\n\n"


async def test_what_was_forgotten_before_it_was_read_is_told_as_a_gap() -> None:
    feed = Feed(limit=2)
    for number in range(5):
        feed.note("rule", 0.0, f"r{number}", "set")
    blocks = stream(feed, after=1)
    await anext(blocks)

    gap = read(await anext(blocks))

    assert (gap.id, gap.event, gap.data["missed"]) == (3, "gap", 2)
    assert (await anext(blocks)).startswith(b"id: 4\nevent: rule\n")


async def test_a_slow_reader_finds_a_gap_and_then_goes_on() -> None:
    feed = Feed(limit=2)
    blocks = stream(feed)
    await anext(blocks)
    feed.note("rule", 0.0, "r0", "set")
    await anext(blocks)
    for number in range(5):
        feed.note("rule", 0.0, f"r{number}", "set")

    gap = read(await anext(blocks))

    assert (gap.event, gap.data["missed"]) == ("gap", 3)


async def test_events_of_other_kinds_make_no_gap() -> None:
    feed = Feed(limit=2)
    blocks = stream(feed, ("reset",))
    await anext(blocks)
    waiting = asyncio.ensure_future(anext(blocks))
    for number in range(5):
        feed.note("rule", 0.0, f"r{number}", "set")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    feed.note("reset", 0.0)

    assert read(await waiting).event == "reset"


async def test_a_number_that_was_never_reached_is_told_as_a_gap_of_unknown_size() -> None:
    feed = Feed()
    feed.note("reset", 0.0)
    blocks = stream(feed, after=50)
    await anext(blocks)

    gap = read(await anext(blocks))

    assert (gap.event, gap.data["missed"]) == ("gap", None)
    assert read(await anext(blocks)).id == 1


async def test_while_nothing_happens_comments_keep_the_connection_alive() -> None:
    blocks = stream(Feed(), keep_alive=0)
    await anext(blocks)

    assert await anext(blocks) == b": keep-alive\n\n"


async def test_a_stream_that_is_closed_leaves_nothing_behind() -> None:
    feed = Feed()
    blocks = stream(feed)
    await anext(blocks)
    await blocks.aclose()

    assert not any(feed._listeners.values())


async def test_the_stream_of_a_closed_feed_tells_what_there_was_and_ends() -> None:
    feed = Feed()
    feed.note("reset", 0.0)
    feed.close()

    assert [read(block).event async for block in stream(feed, after=0)] == ["", "reset"]
