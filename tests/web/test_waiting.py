"""Long polls, and what lists are asked for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.conftest import START
from tests.support.client import WAVE, Client, Start
from tests.support.inbox import Inbox

LONG = "100s"
"""A wait that is not to come to its end."""


async def wave(client: Client, **parameters: Any) -> str:
    """The id of a new wave task."""
    found: str = (await client.kingsoft("CreateWaveTask", {**WAVE, **parameters})).json["TaskID"]
    return found


async def test_waiting_for_a_task_that_is_there_already_answers_at_once(client: Client) -> None:
    task = await wave(client)
    found = (await client.admin("GET", "tasks", status="queued", wait=LONG)).json

    assert [row["id"] for row in found["tasks"]] == [task]
    assert (found["count"], found["satisfied"]) == (1, True)


async def test_waiting_for_a_task_ends_when_a_frozen_clock_is_moved(client: Client) -> None:
    task = await wave(client)
    waiting = asyncio.create_task(client.admin("GET", "tasks", id=task, status="succeeded", wait=LONG))
    await client.advance("1h")

    assert (await waiting).json["satisfied"] is True


async def test_waiting_for_a_task_ends_when_it_is_created(client: Client) -> None:
    waiting = asyncio.create_task(client.admin("GET", "tasks", operation="kingsoft.CreateWaveTask", wait=LONG))
    task = await wave(client)

    assert [row["id"] for row in (await waiting).json["tasks"]] == [task]


@pytest.mark.parametrize(
    ("status", "plan"),
    [
        ("running", {"queue": "5s", "run": "1d"}),
        ("uploading", {"queue": "5s", "run": "5s", "upload": "1d"}),
        ("succeeded", {"queue": "5s", "run": "5s", "upload": "5s"}),
    ],
)
async def test_waiting_for_a_phase_that_a_running_clock_reaches_by_itself_ends_then(
    start: Start, status: str, plan: dict[str, str]
) -> None:
    client = await start(frozen=False, clock="scaled", clock_speed=100)
    await client.rule({"when": {}, "then": {"plan": plan}})
    waiting = asyncio.create_task(client.admin("GET", "tasks", status=status, wait=LONG))
    task = await wave(client)

    found = (await waiting).json
    assert [(row["id"], row["status"]) for row in found["tasks"]] == [(task, status)]


async def test_waiting_for_several_tasks_waits_for_all_of_them(client: Client) -> None:
    waiting = asyncio.create_task(client.admin("GET", "tasks", count="2", wait=LONG))
    await wave(client)
    await wave(client)

    assert (await waiting).json["count"] == 2


async def test_a_wait_that_comes_to_its_end_says_so(client: Client) -> None:
    found = (await client.admin("GET", "tasks", status="failed", wait="10ms")).json

    assert (found["tasks"], found["count"], found["satisfied"]) == ([], 0, False)


async def test_waiting_goes_on_over_a_reset(client: Client) -> None:
    waiting = asyncio.create_task(client.admin("GET", "tasks", wait=LONG))
    await client.admin("POST", "reset")
    task = await wave(client)

    assert [row["id"] for row in (await waiting).json["tasks"]] == [task]


# Filters


async def test_rows_of_a_span_of_the_accounts_time_are_found(client: Client) -> None:
    for _ in range(3):
        await wave(client)
        await client.advance(10)

    async def found(path: str, **span: str) -> list[Any]:
        answer = await client.admin("GET", path, **span)
        return [row.get("at", row.get("timeline", {}).get("start")) - START for row in answer.json[path]]

    assert await found("requests", since=str(START + 10)) == [10, 20]
    assert await found("requests", until=str(START + 10)) == [0, 10]
    assert await found("tasks", since="2026-01-01T00:00:05Z", until="2026-01-01T00:00:15Z") == [10]


async def test_deliveries_of_a_span_are_found_by_when_they_fell_due(client: Client, inbox: Inbox) -> None:
    await wave(client, CbUrl=inbox.url)
    await client.advance("1h")
    due = (await client.admin("GET", "deliveries")).json["deliveries"][0]["due"]

    assert (await client.admin("GET", "deliveries", since=str(due))).json["count"] == 1
    assert (await client.admin("GET", "deliveries", since=str(due + 1))).json["count"] == 0


async def test_deliveries_are_found_by_what_went_wrong_on_purpose(client: Client, inbox: Inbox) -> None:
    await wave(client, CbUrl=inbox.url)
    await client.rule({"when": {}, "then": {"plan": {"deliver": {"duplicate": True}}}})
    await wave(client, CbUrl=inbox.url)
    await client.advance("1h")

    found = (await client.admin("GET", "deliveries", chaos="duplicate")).json["deliveries"]

    assert {label for row in found for label in row["chaos"]} == {"duplicate"}
    assert (await client.admin("GET", "deliveries")).json["count"] > len(found) > 0


async def test_a_task_is_found_by_its_kind(client: Client) -> None:
    await wave(client)
    kind = (await client.admin("GET", "tasks")).json["tasks"][0]["kind"]

    assert (await client.admin("GET", "tasks", kind=kind)).json["count"] == 1
    assert (await client.admin("GET", "tasks", kind="no such")).json["count"] == 0


@pytest.mark.parametrize("span", ["yesterday", "-5", "nan", "2026-13-01"])
async def test_an_instant_that_is_none_is_refused(client: Client, span: str) -> None:
    answer = await client.admin("GET", "requests", since=span)

    assert answer.status == 400
    assert "since" in answer.json["detail"]


async def test_tasks_have_no_numbers_to_be_asked_for(client: Client) -> None:
    assert (await client.admin("GET", "tasks", after="1")).status == 400


# Counts that never lie


async def test_a_count_says_that_nothing_was_forgotten(client: Client) -> None:
    await wave(client)

    for path in ("requests", "tasks", "deliveries"):
        found = (await client.admin("GET", path)).json
        assert (found["evicted"], found["complete"]) == (0, True)


async def test_a_count_of_which_something_was_forgotten_says_so(start: Start) -> None:
    client = await start(journal_entries=2)
    for _ in range(3):
        await client.kingsoft("GetPresetList")
    found = (await client.admin("GET", "requests")).json

    assert (found["count"], found["evicted"], found["complete"]) == (2, 1, False)


async def test_a_count_from_a_number_on_is_complete_whatever_was_forgotten_before(start: Start) -> None:
    client = await start(journal_entries=2)
    for _ in range(3):
        await client.kingsoft("GetPresetList")

    assert (await client.admin("GET", "requests", after="1")).json["complete"] is True
    assert (await client.admin("GET", "requests", after="0")).json["complete"] is False
