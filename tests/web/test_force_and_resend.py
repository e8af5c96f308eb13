"""A task ended by hand, and a callback sent again, over the admin API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.client import TRANSCODE, Answered, Client, Start
from tests.support.inbox import Inbox


async def create(client: Client, url: str = "", **members: Any) -> str:
    """The id of a new transcoding."""
    called = {**TRANSCODE, "CbUrl": url} if url else TRANSCODE
    answered = await client.kingsoft("CreateTask", {**called, **members})
    found: str = answered.json["TaskID"]
    return found


async def force(client: Client, task: str, outcome: Any) -> Answered:
    return await client.admin("POST", f"tasks/{task}/force", {"outcome": outcome})


async def polled(client: Client, task: str) -> Any:
    """What the cloud says of a task."""
    return (await client.kingsoft("GetTaskByTaskID", TaskID=task)).json["TaskInfo"]


async def delivered(client: Client, inbox: Inbox) -> int:
    """The number of the one delivery of a task that has succeeded."""
    task = await create(client, inbox.url)
    await force(client, task, "succeed")
    number: int = (await client.admin("GET", "deliveries")).json["deliveries"][0]["number"]
    return number


# Force


async def test_a_forced_success_is_told_to_the_receiver_and_to_who_asks(client: Client, inbox: Inbox) -> None:
    task = await create(client, inbox.url)

    answered = await force(client, task, "succeed")

    assert answered.status == 200
    assert (answered.json["status"], answered.json["percent"]) == ("succeeded", 100)
    assert [row["status"] for row in answered.json["deliveries"]] == ["delivered"]
    assert [received.json["TaskID"] for received in inbox.received] == [task]
    assert (await polled(client, task))["TaskStatus"] == "succ"


async def test_forcing_leaves_a_frozen_clock_where_it_is(client: Client) -> None:
    task = await create(client)
    before = (await client.admin("GET", "clock")).json["now"]

    await force(client, task, "succeed")

    assert (await client.admin("GET", "clock")).json["now"] == before


@pytest.mark.parametrize("code", [2001, "2001"])
async def test_a_task_is_forced_to_fail_with_a_code_by_number_or_name(client: Client, code: Any) -> None:
    task = await create(client)

    answered = await force(client, task, {"fail": code})

    assert (answered.json["status"], answered.json["timeline"]["code"]) == ("failed", 2001)
    assert (await polled(client, task))["ErrorCode"] == "2001"


async def test_an_undocumented_code_is_refused_with_the_nearest(client: Client) -> None:
    task = await create(client)

    answered = await force(client, task, {"fail": "20001"})

    assert answered.status == 422
    assert answered.json["problems"][0]["pointer"] == "/outcome/fail"
    assert "nearest: 2" in answered.json["detail"]
    assert (await client.admin("GET", f"tasks/{task}")).json["status"] == "queued"


async def test_a_task_is_forced_to_vanish(client: Client) -> None:
    task = await create(client)

    assert (await force(client, task, "vanish")).json["status"] == "vanished"
    assert (await client.kingsoft("GetTaskByTaskID", TaskID=task)).json["ErrNum"] == 1200


async def test_a_task_that_hangs_is_forced(client: Client) -> None:
    await client.rule({"when": {"operation": "kingsoft.CreateTask"}, "then": {"plan": {"outcome": "hang"}}})
    task = await create(client)
    await client.advance("1h")

    assert (await force(client, task, "succeed")).json["status"] == "succeeded"


async def test_what_has_ended_is_not_forced(client: Client) -> None:
    task = await create(client)
    await force(client, task, "succeed")

    answered = await force(client, task, {"fail": 2001})

    assert answered.status == 409
    assert "ended at 2026-01-01T00:00:00" in answered.json["detail"]


async def test_an_unknown_task_is_not_forced(client: Client) -> None:
    assert (await force(client, "nothing", "succeed")).status == 404


@pytest.mark.parametrize("outcome", ["hang", "explode", {}, {"fail": 2001, "vanish": True}, 2001, None])
async def test_an_outcome_that_is_no_end_is_refused(client: Client, outcome: Any) -> None:
    assert (await force(client, await create(client), outcome)).status == 422


async def test_nothing_more_happens_to_a_forced_task(client: Client, inbox: Inbox) -> None:
    plan = {"progress": [25, 50, 75], "run": 100, "queue": 0}
    await client.rule({"when": {"operation": "kingsoft.CreateTask"}, "then": {"plan": plan}})
    wish = json.dumps({"Callback": {"progress_cburl": inbox.url}})
    task = await create(client, inbox.url, ExtParam=wish)
    await client.advance(60)

    await force(client, task, "succeed")
    await client.advance("1h")

    events = [row["event"] for row in (await client.admin("GET", "deliveries")).json["deliveries"]]
    assert events[-1] == "succeeded"
    assert events.count("progress") == 2
    assert events.count("succeeded") == 1


async def test_a_task_that_waits_for_its_turn_is_forced(start: Start, inbox: Inbox) -> None:
    client = await start(concurrency=1)
    await client.rule({"when": {"operation": "kingsoft.CreateTask"}, "then": {"plan": {"progress": [50]}}})
    running, waiting, last = [await create(client, inbox.url) for _ in range(3)]

    assert (await client.admin("GET", f"tasks/{waiting}")).json["timeline"]["end"] is None
    assert (await force(client, waiting, "succeed")).json["status"] == "succeeded"
    assert (await client.admin("GET", f"tasks/{last}")).json["timeline"]["end"] is None

    await client.advance("1h")
    ended = (await client.admin("GET", "tasks", status="succeeded")).json["tasks"]
    finals = [json.loads(received.body)["TaskID"] for received in inbox.received if b"TaskID" in received.body]
    assert {row["id"] for row in ended} == {running, waiting, last}
    assert finals[0] == waiting


async def test_the_turn_of_a_running_task_that_is_forced_goes_to_the_next(start: Start) -> None:
    client = await start(concurrency=1)
    running, waiting = [await create(client) for _ in range(2)]

    await force(client, running, {"fail": 2001})

    assert (await client.admin("GET", f"tasks/{waiting}")).json["timeline"]["end"] is not None


async def test_a_task_is_forced_on_a_running_clock(start: Start, inbox: Inbox) -> None:
    client = await start(frozen=False)
    task = await create(client, inbox.url)

    assert (await force(client, task, "succeed")).json["status"] == "succeeded"
    found = await client.admin("GET", "deliveries", task=task, status="delivered", wait="30s")

    assert found.json["satisfied"] is True


# Resend


async def test_a_callback_is_sent_again_as_it_was(client: Client, inbox: Inbox) -> None:
    number = await delivered(client, inbox)

    answered = await client.admin("POST", f"deliveries/{number}/resend")

    assert answered.status == 201
    assert (answered.json["number"], answered.json["copy_of"]) == (number + 1, number)
    assert answered.json["status"] == "delivered"
    assert inbox.received[0].body == inbox.received[1].body


async def test_a_callback_is_sent_again_edited(client: Client, inbox: Inbox) -> None:
    number = await delivered(client, inbox)
    document = {
        "url": f"{inbox.url}/elsewhere",
        "headers": {"content-type": "text/plain", "X-More": "1"},
        "body": "all is lost",
    }

    await client.admin("POST", f"deliveries/{number}/resend", document)

    again = inbox.received[1]
    assert again.path.endswith("/elsewhere")
    assert (again.headers["Content-Type"], again.headers["X-More"], again.body) == ("text/plain", "1", b"all is lost")


async def test_a_body_that_is_a_document_is_sent_as_json(client: Client, inbox: Inbox) -> None:
    number = await delivered(client, inbox)

    await client.admin("POST", f"deliveries/{number}/resend", {"body": {"TaskID": None}})

    assert inbox.received[1].json == {"TaskID": None}


async def test_null_takes_a_header_away(client: Client, inbox: Inbox) -> None:
    number = await delivered(client, inbox)
    edited = await client.admin("POST", f"deliveries/{number}/resend", {"headers": {"content-type": None}})

    assert "content-type" not in {name.lower() for name in edited.json["request"]["headers"]}


async def test_an_unknown_delivery_is_not_sent_again(client: Client) -> None:
    for number in ("1", "0", "x", "١", "9" * 50):
        assert (await client.admin("POST", f"deliveries/{number}/resend")).status == 404


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"url": "ftp://x/"}, "/url"),
        ({"headers": {"X": "a\r\nY: b"}}, "/headers/X"),
        ({"boby": ""}, ""),
    ],
)
async def test_an_edit_that_makes_no_sense_is_refused(
    client: Client, inbox: Inbox, document: Any, pointer: str
) -> None:
    number = await delivered(client, inbox)

    answered = await client.admin("POST", f"deliveries/{number}/resend", document)

    assert answered.status == 422
    assert answered.json["problems"][0]["pointer"] == pointer
    assert len(inbox.received) == 1
