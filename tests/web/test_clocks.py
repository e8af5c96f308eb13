"""Clocks on the wire: verbs, speeds, side by side, and what others do while one of them is being moved."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.conftest import START
from tests.support import receivers
from tests.support.client import TRANSCODE, WAVE, Client, Start
from tests.support.inbox import Inbox

HOUR, DAY = 3600.0, 86_400.0
SPEED = 1e6
"""Of a scaled clock: eleven days in a second, so that nobody has to wait for tasks of hours."""


async def wave(client: Client, inbox: Inbox, **members: Any) -> str:
    """The id of a new task of six seconds that calls ``inbox``."""
    created = await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url, **members})
    task: str = created.json["TaskID"]
    return task


async def plan(client: Client, **document: Any) -> None:
    """Let every task of the client's account go by this plan."""
    made = await client.rule({"when": {"operation": "kingsoft.Create*"}, "then": {"plan": document}})
    assert made.status == 201, made.body


async def account(client: Client, name: str, **clock: Any) -> Client:
    """A client of another account, with a clock of its own."""
    document = {"name": name, "kingsoft": {"access_key": name}, "clock": clock}
    assert (await client.admin("POST", "/accounts", document)).status == 201
    return client.named(name)


async def clock(client: Client) -> Any:
    """What the account's clock shows."""
    return (await client.admin("GET", "clock")).json


async def delivered(client: Client, count: int) -> list[Any]:
    """The deliveries, as soon as so many have arrived."""
    found = (await client.admin("GET", "deliveries", status="delivered", wait="60s", count=str(count))).json
    assert found["satisfied"]
    rows: list[Any] = found["deliveries"]
    return rows


def during(doing: Callable[[], Awaitable[Any]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A receiver that does something before it answers."""

    async def answer(request: web.Request) -> web.Response:
        await doing()
        return web.Response()

    return answer


# Moving by hand


async def test_moving_by_every_verb_in_turn_comes_to_the_same_as_moving_at_once(start: Start, inbox: Inbox) -> None:
    ledgers = []
    for verbs in (
        [{"seconds": DAY}],
        [
            {"until": "next"},
            {"seconds": 3},
            {"to": START + 30},
            {"until": "next"},
            {"seconds": "1m"},
            {"until": "idle"},
        ],
    ):
        client = await start()
        inbox.answers.append(receivers.status(500))
        await plan(client, progress=[25, 50], deliver={"attempts": 2, "backoff": "10s"})
        ext = json.dumps({"Callback": {"progress_cburl": inbox.url}})
        await client.kingsoft("CreateTask", {**TRANSCODE, "CbUrl": inbox.url, "ExtParam": ext})
        for verb in verbs:
            assert (await client.admin("POST", "clock/advance", verb)).status == 200
        rows = (await client.admin("GET", "deliveries")).json["deliveries"]
        ledgers.append(
            [(row["due"], row["request"]["body"], [attempt["at"] for attempt in row["attempts"]]) for row in rows]
        )

    assert ledgers[0] == ledgers[1]
    assert [due - START for due, *_ in ledgers[0]] == [6, 11, 21, 25]


async def test_a_frozen_clock_cannot_be_set_beyond_what_has_yet_to_happen(client: Client, inbox: Inbox) -> None:
    await wave(client, inbox)

    answer = await client.admin("PUT", "clock", {"mode": "frozen", "now": START + HOUR})

    assert answer.status == 409
    assert "advance to it instead" in answer.json["detail"]
    assert (await clock(client))["now"] == START


async def test_a_frozen_clock_that_is_set_to_before_an_event_fires_nothing(client: Client, inbox: Inbox) -> None:
    await wave(client, inbox)

    answer = await client.admin("PUT", "clock", {"mode": "frozen", "now": START + 5.5})

    assert (answer.json["now"], answer.json["next"]) == (START + 5.5, START + 6)
    assert inbox.received == []


async def test_a_clock_that_was_frozen_on_its_way_goes_on_by_hand(start: Start, inbox: Inbox) -> None:
    client = await start(frozen=False)
    await plan(client, queue=0, run="1h", upload=0)
    await wave(client, inbox)
    frozen = (await client.admin("PUT", "clock", {"mode": "frozen"})).json

    await client.advance("1h")

    assert (await clock(client))["now"] == frozen["now"] + HOUR
    assert len(inbox.received) == 1


# Scaled clocks


async def test_a_scaled_clock_takes_a_task_of_hours_to_its_end_by_itself(start: Start, inbox: Inbox) -> None:
    client = await account(await start(), "FAST", mode="scaled", speed=SPEED, now=START)
    await plan(client, queue="1h", run="10h", upload="1h")

    task = await wave(client, inbox)

    (row,) = await delivered(client, 1)
    shown = (await client.admin("GET", f"tasks/{task}")).json
    assert row["due"] == shown["timeline"]["end"] == shown["timeline"]["start"] + 12 * HOUR
    assert row["attempts"][0]["at"] >= row["due"]
    assert (await clock(client))["now"] >= row["due"]


async def test_a_scaled_clock_calls_back_in_the_order_in_which_things_fall_due(start: Start, inbox: Inbox) -> None:
    client = await account(await start(callback_senders=1), "FAST", mode="scaled", speed=SPEED, now=START)
    hours = [20, 5, 15, 10]
    for number in hours:
        await client.admin("DELETE", "rules")
        await plan(client, queue=0, run=f"{number * 10}h", upload=0)
        await wave(client, inbox, DstObjectKey=f"{number}.json")

    rows = await delivered(client, len(hours))

    assert [row["due"] for row in rows] == sorted(row["due"] for row in rows)
    paths = [json.loads(row["request"]["body"])["Details"]["items"][0]["dstpath"] for row in rows]
    assert [body["Details"]["items"][0]["dstpath"] for body in inbox.bodies] == paths


async def test_a_scaled_clock_waits_between_two_attempts_by_its_own_time(start: Start, inbox: Inbox) -> None:
    client = await account(await start(), "FAST", mode="scaled", speed=SPEED, now=START)
    inbox.answers.append(receivers.status(503))
    await plan(client, deliver={"attempts": 2, "backoff": "10h"})

    await wave(client, inbox)

    (row,) = await delivered(client, 1)
    first, second = (attempt["at"] for attempt in row["attempts"])
    assert second >= first + 10 * HOUR


# Side by side


async def test_accounts_with_different_clocks_live_side_by_side(client: Client, inbox: Inbox) -> None:
    fast = await account(client, "FAST", mode="scaled", speed=SPEED, now=START)
    real = await account(client, "REAL", mode="real")
    for each in (client, fast, real):
        await plan(each, queue=0, run="5h", upload=0)
        await wave(each, inbox)

    await delivered(fast, 1)

    assert len(inbox.received) == 1
    assert ((await clock(client))["now"], (await clock(client))["pending"]) == (START, 1)
    assert (await clock(real))["pending"] == 1
    await client.advance("5h")
    assert len(inbox.received) == 2
    assert (await clock(real))["pending"] == 1


async def test_one_account_is_moved_while_another_waits_for_its_receiver(client: Client, inbox: Inbox) -> None:
    other, gate = await account(client, "OTHER", mode="frozen", now=START), receivers.Gate()
    inbox.answers.append(gate.answer)
    await wave(client, inbox)
    await wave(other, inbox)
    advancing = asyncio.create_task(client.advance("1h"))
    await gate.reached()

    moved = await other.advance("1d")

    assert (moved["now"], [event["status"] for event in moved["fired"]]) == (START + DAY, ["succeeded", "delivered"])
    assert (await clock(client))["now"] == START + 6
    gate.open()
    assert (await advancing)["now"] == START + HOUR


# While a clock is being moved


async def test_requests_that_arrive_during_an_advance_are_answered_as_of_the_instant_it_has_reached(
    client: Client, inbox: Inbox
) -> None:
    gate = receivers.Gate()
    inbox.answers.append(gate.answer)
    await wave(client, inbox)
    advancing = asyncio.create_task(client.advance("1m"))
    await gate.reached()

    created = await asyncio.gather(*(wave(client, inbox) for _ in range(20)))

    tasks = (await client.admin("GET", "tasks", status="queued")).json["tasks"]
    assert {task["id"]: task["timeline"]["start"] for task in tasks} == dict.fromkeys(created, START + 6)
    gate.open()
    await advancing


async def test_tasks_that_arrive_during_an_advance_take_part_in_it(start: Start, inbox: Inbox) -> None:
    client, gate = await start(concurrency=0), receivers.Gate()
    inbox.answers.append(gate.answer)
    first = await wave(client, inbox)
    advancing = asyncio.create_task(client.advance("1m"))
    await gate.reached()
    created = await asyncio.gather(*(wave(client, inbox) for _ in range(20)))

    gate.open()
    fired = (await advancing)["fired"]

    ends = [(event["at"], event["task"]) for event in fired if event["what"] == "end"]
    assert ends[0] == (START + 6, first)
    assert sorted(ends[1:]) == sorted((START + 12, task) for task in created)
    assert len(inbox.received) == 21


async def test_polls_that_arrive_all_through_an_advance_never_see_a_task_go_backwards(
    client: Client, inbox: Inbox
) -> None:
    await plan(client, progress=list(range(0, 100, 5)))
    ext = json.dumps({"Callback": {"progress_cburl": inbox.url}})
    created = await client.kingsoft("CreateTask", {**TRANSCODE, "CbUrl": inbox.url, "ExtParam": ext})
    task = created.json["TaskID"]
    moving = asyncio.create_task(client.advance("10m"))
    seen = []

    while not moving.done():
        shown = (await client.admin("GET", f"tasks/{task}")).json
        seen.append((("queued", "running", "uploading", "succeeded").index(shown["status"]), shown["percent"]))

    assert seen == sorted(seen)
    assert len(inbox.received) == 22


async def test_a_receiver_sees_everything_as_of_the_due_moment(client: Client, inbox: Inbox) -> None:
    seen: list[Any] = []

    async def look() -> None:
        (task,) = (await client.admin("GET", "tasks")).json["tasks"]
        ledger = (await client.admin("GET", "deliveries")).json["deliveries"]
        seen.append(
            (
                (await clock(client))["now"] - START,
                (task["status"], task["percent"]),
                [delivery["status"] for delivery in ledger],
            )
        )

    inbox.answers += [during(look)] * 4
    await plan(client, progress=[10, 60])
    ext = json.dumps({"Callback": {"progress_cburl": inbox.url}})
    await client.kingsoft("CreateTask", {**TRANSCODE, "CbUrl": inbox.url, "ExtParam": ext})

    await client.advance("1d")

    assert seen == [
        (3, ("running", 10), ["sending"]),
        (13, ("running", 60), ["delivered", "sending"]),
        (21, ("uploading", 0), ["delivered", "delivered", "sending"]),
        (25, ("succeeded", 100), ["delivered", "delivered", "delivered", "sending"]),
    ]


async def test_a_receiver_that_deletes_another_task_during_its_callback_is_told_of_that_next(
    client: Client, inbox: Inbox
) -> None:
    first = await wave(client, inbox)
    second = (await client.kingsoft("CreateTask", {**TRANSCODE, "CbUrl": inbox.url})).json["TaskID"]

    async def delete() -> None:
        await client.kingsoft("DelTaskByTaskID", {"TaskID": second})

    inbox.answers.append(during(delete))
    fired = (await client.advance("1h"))["fired"]

    assert [(event["at"] - START, event["task"]) for event in fired if event["what"] == "end"] == [
        (6, first),
        (6, second),
    ]
    assert [body["Status"] for body in inbox.bodies] == [3, 4]


async def test_a_receiver_that_always_hangs_costs_its_attempts_and_nothing_else(client: Client, inbox: Inbox) -> None:
    inbox.answers += [receivers.hang] * 3
    await plan(client, deliver={"attempts": 3, "backoff": "1h", "timeout": "20ms"})
    await wave(client, inbox)

    moved = await client.advance("1d")

    (row,) = (await client.admin("GET", "deliveries")).json["deliveries"]
    assert [(attempt["at"] - START, attempt["error"]) for attempt in row["attempts"]] == [
        (6, "no answer within 0.02 s"),
        (6 + HOUR, "no answer within 0.02 s"),
        (6 + 3 * HOUR, "no answer within 0.02 s"),
    ]
    assert (row["status"], moved["now"], moved["pending"]) == ("failed", START + DAY, 0)


async def test_after_a_reset_in_the_middle_of_an_advance_nothing_of_before_arrives(
    client: Client, inbox: Inbox
) -> None:
    gate = receivers.Gate()
    inbox.answers += [receivers.status(500), gate.answer]
    await plan(client, deliver={"attempts": 5, "backoff": "30s"})
    for number in range(5):
        await wave(client, inbox, DstObjectKey=f"before/{number}")
    advancing = asyncio.create_task(client.advance("1d"))
    await gate.reached()  # the first has failed and waits for its retry, the second hangs, three have yet to come

    assert (await client.admin("POST", "reset")).status == 200
    gate.open()
    await advancing
    await wave(client, inbox, DstObjectKey="after")
    await client.advance("1d")

    assert [body["Details"]["items"][0]["dstpath"] for body in inbox.bodies] == ["before/0", "before/1", "after"]
    rows = (await client.admin("GET", "deliveries")).json["deliveries"]
    assert [(row["number"], row["due"], row["status"]) for row in rows] == [(1, START + 6, "delivered")]


async def test_a_reset_during_an_advance_leaves_the_advance_of_another_account_alone(
    client: Client, inbox: Inbox
) -> None:
    other = await account(client, "OTHER", mode="frozen", now=START)
    gates = [receivers.Gate(), receivers.Gate()]
    inbox.answers += [gate.answer for gate in gates]
    advances = []
    for each, gate in zip((client, other), gates, strict=True):
        await wave(each, inbox)
        await wave(each, inbox)
        advances.append(asyncio.create_task(each.advance("1h")))
        await gate.reached()

    await client.admin("POST", "reset")
    for gate in gates:
        gate.open()

    assert (await advances[0])["now"] == START
    assert [event["status"] for event in (await advances[1])["fired"]] == ["succeeded", "delivered"] * 2
