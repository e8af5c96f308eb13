"""Tasks as lanes, in a browser: the clock is moved, tasks are ended by hand, callbacks are sent again."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.browser import Visitor
from tests.support.client import TRANSCODE, WAVE, Client
from tests.support.inbox import Inbox
from tests.support.receivers import status

pytestmark = pytest.mark.asyncio(loop_scope="session")

expect = pytest.importorskip("playwright.async_api", reason="playwright is not installed").expect
expect.set_options(timeout=20_000)


async def wave(client: Client, **more: object) -> str:
    task: str = (await client.kingsoft("CreateWaveTask", {**WAVE, **more})).json["TaskID"]
    return task


async def test_a_wave_task_is_watched_as_a_rule_makes_it_fail(visitor: Visitor, client: Client, inbox: Inbox) -> None:
    await client.rule({"when": {"operation": "kingsoft.CreateWaveTask"}, "then": {"plan": {"outcome": {"fail": 2032}}}})
    await wave(client, CbUrl=inbox.url, CbMethod="POST")
    await visitor.open("tasks")
    lane = visitor.row("CreateWaveTask")
    await expect(lane).to_contain_text("Queued")
    await visitor.page.get_by_label("Advance by").fill("3s")
    await visitor.button("Advance").click()
    await expect(lane).to_contain_text("Running")
    await visitor.button("Next").click()

    await expect(lane).to_contain_text("Failed 2032")
    await expect(lane.locator(".mark.sent.ok")).to_have_count(1)
    assert inbox.bodies[-1]["Details"]["errnum"] == 2032


async def test_the_clock_runs_until_nothing_is_pending(visitor: Visitor, client: Client) -> None:
    await wave(client)
    await client.kingsoft("CreateTask", TRANSCODE)
    await visitor.open("tasks")
    await expect(visitor.page.locator(".due")).to_contain_text("2 pending")
    await visitor.button("Until idle").click()

    await expect(visitor.row("Succeeded")).to_have_count(2)
    await expect(visitor.page.locator(".due")).to_have_text("Nothing pending")


async def test_the_clock_is_frozen_and_let_go(visitor: Visitor, client: Client) -> None:
    await visitor.open("tasks")
    await visitor.button("Real").click()
    await expect(visitor.button("Real")).to_have_attribute("aria-pressed", "true")
    await expect(visitor.button("Next")).to_be_hidden()
    await visitor.button("Frozen").click()

    await expect(visitor.button("Next")).to_be_visible()
    assert (await client.admin("GET", "clock")).json["mode"] == "frozen"


async def test_stages_polls_and_reports_are_marks_on_a_lane(visitor: Visitor, client: Client) -> None:
    plan = {"plan": {"progress": [25, 50], "run": "20s"}}
    await client.rule({"when": {"operation": "kingsoft.CreateTask"}, "then": plan})
    task = (await client.kingsoft("CreateTask", TRANSCODE)).json["TaskID"]
    await client.advance(8)
    await client.kingsoft("GetTaskByTaskID", taskid=task)
    await client.kingsoft("GetTaskByTaskID", taskid=task)
    await visitor.open("tasks")
    lane = visitor.row("CreateTask")

    await expect(lane.locator(".stage.queue")).to_have_count(1)
    await expect(lane.locator(".stage.run.later")).to_have_count(1)
    await expect(lane.locator(".mark.poll")).to_have_count(2)
    await expect(lane.locator(".mark.step")).to_have_count(3)
    await expect(lane.locator(".mark.end.later")).to_have_count(1)
    await expect(visitor.page.locator(".now")).to_be_visible()


async def test_each_attempt_is_a_mark(visitor: Visitor, client: Client, inbox: Inbox) -> None:
    inbox.answers = [status(503), status(503)]
    await client.rule({"then": {"plan": {"deliver": {"attempts": 3, "backoff": "1s"}}}})
    await wave(client, CbUrl=inbox.url, CbMethod="POST")
    await visitor.open("tasks")
    await visitor.button("Until idle").click()

    await expect(visitor.row("CreateWaveTask").locator(".mark.sent.bad")).to_have_count(2)
    await expect(visitor.row("CreateWaveTask").locator(".mark.sent.ok")).to_have_count(1)


async def test_a_task_is_made_to_succeed_by_hand(visitor: Visitor, client: Client) -> None:
    task = await wave(client)
    await visitor.open("tasks", task)
    await visitor.button("Succeed now").click()

    await expect(visitor.row("CreateWaveTask")).to_contain_text("Succeeded")
    await expect(visitor.button("Succeed now")).to_have_count(0)


async def test_a_task_is_made_to_fail_with_a_code_that_is_searched(visitor: Visitor, client: Client) -> None:
    task = await wave(client)
    await visitor.open("tasks", task)
    await visitor.button("Fail now…").click()
    search = visitor.page.get_by_role("combobox", name="Code")
    codes = visitor.page.get_by_role("listbox", name="Codes that a task can fail with").get_by_role("option")
    await expect(codes.nth(3)).to_be_visible()
    await search.fill("2032")
    await expect(codes).to_have_count(1)
    await expect(codes).to_contain_text(re.compile(r"2032\S*.*\w"))
    await visitor.page.keyboard.press("Enter")

    await expect(visitor.row("CreateWaveTask")).to_contain_text("Failed 2032")


async def test_a_callback_is_sent_again(visitor: Visitor, client: Client, inbox: Inbox) -> None:
    await wave(client, CbUrl=inbox.url, CbMethod="POST")
    await client.advance(60)
    await visitor.open("flow", "d", 1)
    await visitor.button("Resend").click()

    await expect(visitor.page.locator(".panel .head")).to_contain_text("#2")
    await expect(visitor.page.locator(".panel")).to_contain_text("Repeats callback #1")
    assert inbox.received[0].body == inbox.received[1].body


async def test_a_callback_is_edited_and_sent_again(visitor: Visitor, client: Client, inbox: Inbox) -> None:
    await wave(client, CbUrl=inbox.url, CbMethod="POST")
    await client.advance(60)
    await visitor.open("flow", "d", 1)
    await visitor.button("Edit and resend").click()
    body = visitor.page.get_by_label("Body")
    document = json.loads(await body.input_value())
    await body.fill(json.dumps({**document, "Status": 4}))
    await visitor.page.get_by_label("Headers, one a line").fill("Content-Type: application/json\nX-Mine: yes")
    await visitor.button("Send").click()

    await expect(visitor.page.locator(".panel .head")).to_contain_text("#2")
    assert inbox.received[1].json == {**document, "Status": 4}
    assert inbox.received[1].headers["X-Mine"] == "yes"


async def test_a_request_and_its_task_lead_to_each_other(visitor: Visitor, client: Client) -> None:
    task = await wave(client)
    await visitor.open("flow", "r", 1)
    await visitor.page.locator(".panel .chip").first.click()
    await expect(visitor.page.locator(".panel")).to_contain_text(task)
    await visitor.page.get_by_role("link", name="Created by request #1").click()

    await expect(visitor.page.locator(".panel")).to_contain_text("What was decided")
    assert visitor.page.url.endswith("/flow/r/1")


async def test_only_what_goes_on_is_shown_if_that_is_wanted(visitor: Visitor, client: Client) -> None:
    await wave(client)
    await client.advance(60)
    await client.kingsoft("CreateTask", TRANSCODE)
    await visitor.open("tasks")
    await expect(visitor.page.locator(".row.lane")).to_have_count(2)
    await visitor.button("Going on").click()

    await expect(visitor.page.locator(".row.lane")).to_have_count(1)
