"""The live flow, in a browser: what comes is seen, found, and opened."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.browser import Visitor, looking
from tests.support.client import RECOGNISE, TRAIN_TICKET, TRANSCODE, WAVE, Client, Start
from tests.support.inbox import Inbox
from tests.support.pictures import encoded

pytestmark = pytest.mark.asyncio(loop_scope="session")

expect = pytest.importorskip("playwright.async_api", reason="playwright is not installed").expect
expect.set_options(timeout=20_000)


async def test_what_comes_is_seen_at_once_and_the_newest_is_on_top(visitor: Visitor, client: Client) -> None:
    await visitor.open("flow")
    await client.kingsoft("CreateWaveTask", WAVE)
    await expect(visitor.row("CreateWaveTask")).to_have_count(2)
    await client.kingsoft("GetTaskList")

    await expect(visitor.page.locator(".virtual .row[aria-posinset='1']")).to_contain_text("GetTaskList")


async def test_a_row_says_what_was_refused_and_why(visitor: Visitor, client: Client) -> None:
    await visitor.open("flow")
    await client.kingsoft("CreateWaveTask", {**WAVE, "DstObjectKey": None})

    await expect(visitor.row("DstObjectKey")).to_contain_text("10")


async def test_what_was_before_is_there_too(visitor: Visitor, client: Client) -> None:
    await client.kingsoft("CreateTask", TRANSCODE)
    await client.advance(5)
    await visitor.open("flow")

    await expect(visitor.row("CreateTask")).to_have_count(2)
    await expect(visitor.row("Clock moved")).to_have_count(1)


async def test_rows_are_found_by_words_and_by_members(visitor: Visitor, client: Client) -> None:
    await client.kingsoft("CreateTask", TRANSCODE)
    await client.kingsoft("CreateWaveTask", WAVE)
    await client.kingsoft("NoSuchThing", {})
    await visitor.open("flow")
    search = visitor.page.get_by_role("searchbox", name="Search")

    await search.fill("wave")
    await expect(visitor.page.locator(".virtual .row")).to_have_count(2)
    await search.fill("status:400")
    await expect(visitor.page.locator(".virtual .row")).to_have_count(1)
    await search.fill("-wave -status:400")
    await expect(visitor.row("CreateTask")).to_have_count(2)
    await search.fill("nothing has this")
    await visitor.button("Clear the filters").click()
    await expect(visitor.page.locator(".virtual .row")).to_have_count(5)


async def test_bodies_are_searched_where_they_are(visitor: Visitor, client: Client) -> None:
    await client.kingsoft("CreateTask", TRANSCODE)
    await client.kingsoft("CreateWaveTask", {**WAVE, "DstObjectKey": "needle.json"})
    await visitor.open("flow")
    await visitor.page.get_by_role("searchbox", name="Search").fill("Needle")
    await expect(visitor.page.locator(".virtual .row")).to_have_count(0)
    await visitor.button("Bodies").click()

    await expect(visitor.page.locator(".virtual .row")).to_have_count(1)


async def test_kinds_and_trouble_are_filters(visitor: Visitor, client: Client) -> None:
    await client.kingsoft("CreateTask", TRANSCODE)
    await client.kingsoft("NoSuchThing", {})
    await visitor.open("flow")
    await visitor.button("Tasks").click()
    await expect(visitor.page.locator(".virtual .row")).to_have_count(2)
    await visitor.button("Trouble").click()

    await expect(visitor.page.locator(".virtual .row")).to_have_count(1)


async def test_a_pause_holds_the_rows_and_counts_what_comes(visitor: Visitor, client: Client) -> None:
    await client.kingsoft("GetTaskList")
    await visitor.open("flow")
    await visitor.page.keyboard.press("p")
    await client.kingsoft("CreateTask", TRANSCODE)
    await expect(visitor.page.locator(".tally")).to_contain_text("2 new")
    await expect(visitor.page.locator(".virtual .row")).to_have_count(1)
    await visitor.button("Go on").click()

    await expect(visitor.page.locator(".virtual .row")).to_have_count(3)


async def test_a_request_opens_to_what_came_what_was_decided_and_what_went_back(
    visitor: Visitor, client: Client
) -> None:
    await client.kingsoft("CreateWaveTask", WAVE)
    await visitor.open("flow")
    await visitor.row("CreateWaveTask").last.click()
    panel = visitor.page.get_by_role("complementary")

    await expect(panel.get_by_role("heading", name="CreateWaveTask")).to_be_visible()
    await expect(panel.locator(".trace")).to_contain_text("fits the schema")
    await expect(panel.locator(".card", has_text="What came")).to_contain_text("src-bucket")
    await expect(panel.locator(".card", has_text="What went back")).to_contain_text("TaskID")
    assert visitor.page.url.endswith("/AKTEST/flow/r/1")


async def test_an_address_leads_to_a_request(visitor: Visitor, client: Client) -> None:
    await client.kingsoft("GetTaskList")
    await client.kingsoft("CreateWaveTask", WAVE)
    await visitor.open("flow", "r", 1)

    await expect(visitor.page.get_by_role("complementary").get_by_role("heading", level=2)).to_have_text("GetTaskList")
    await visitor.page.keyboard.press("Escape")
    await expect(visitor.page.get_by_role("complementary")).to_be_hidden()


async def test_a_violation_is_shown_beside_what_came(visitor: Visitor, client: Client) -> None:
    await client.kingsoft("CreateWaveTask", {**WAVE, "points": 1})
    await visitor.open("flow", "r", 1)
    row = visitor.page.locator(".compare tbody tr")

    await expect(row.locator("th")).to_have_text("/points")
    await expect(row.locator("td").first).to_have_text("1")


async def test_a_wrong_signature_is_shown_beside_the_right_one(browser: Any, start: Start) -> None:
    client = await start()
    credential = "AKSIGN/20260101/cn-beijing-6/kvs/aws4_request"
    await client.admin(
        "POST", "/accounts", {"name": "AKSIGN", "kingsoft": {"access_key": "AKSIGN", "secret_key": "right"}}
    )
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, "
        f"Signature={'a' * 64}",
        "X-Amz-Date": "20260101T000000Z",
    }
    await client.request("POST", "/", params={"Action": "GetTaskList", "Version": "2017-01-01"}, headers=headers)
    async with looking(browser, client.named("AKSIGN")) as visitor:
        await visitor.open("flow", "r", 1)
        table = visitor.page.locator(".compare")

        await expect(table.locator("tr", has_text="x-amz-date").first).to_contain_text("20260101T000000Z")
        await expect(table.locator("tr", has_text="Signed headers").locator("td").nth(1)).to_have_text(
            "host;x-amz-date"
        )
        await expect(visitor.page.locator(".refused")).to_contain_text("the secret is another")
        assert visitor.faults == []


async def test_a_body_is_text_whatever_stands_in_it(visitor: Visitor, client: Client) -> None:
    await client.kingsoft(
        "CreateWaveTask", {**WAVE, "DstObjectKey": "<img src=x onerror=alert(1)><script>alert(2)</script>"}
    )
    await client.kingsoft("<b>bold</b>", "<script>alert(3)</script>")
    await visitor.open("flow", "r", 1)
    await expect(visitor.page.locator(".panel")).to_contain_text("<img src=x onerror=alert(1)>")
    await visitor.open("flow", "r", 2)

    await expect(visitor.page.locator(".panel")).to_contain_text("<script>alert(3)</script>")
    assert await visitor.page.locator("#app script, #app img[src=x], #app .panel b:text-is('bold')").count() == 0


async def test_json_is_folded_and_a_picture_is_shown(visitor: Visitor, client: Client) -> None:
    form = {"image": encoded(40, 30), "templateSign": TRAIN_TICKET}
    token = await client.token()
    await client.request(
        "POST",
        RECOGNISE,
        params={"access_token": token},
        data=urlencode(form),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    await visitor.open("flow", "r", 2)

    await expect(visitor.page.locator("figure.picture figcaption")).to_contain_text("40 × 30")
    fold = visitor.page.locator(".json details").first
    await expect(fold).to_have_attribute("open", "")
    await fold.locator("> summary").click()
    await expect(fold).not_to_have_attribute("open", "")


async def test_accounts_are_kept_apart_and_changed(visitor: Visitor, client: Client) -> None:
    await client.kingsoft("GetTaskList")
    await client.named("AKOTHER").kingsoft("CreateWaveTask", WAVE)
    await visitor.open("flow")
    await expect(visitor.row("CreateWaveTask")).to_have_count(0)
    await visitor.page.get_by_label("Account", exact=True).select_option("AKOTHER")

    await expect(visitor.row("CreateWaveTask")).to_have_count(2)
    assert "/AKOTHER/flow" in visitor.page.url


async def test_an_account_that_is_not_there_yet_is_waited_for(visitor: Visitor, client: Client) -> None:
    new = client.named("AKNEW")
    visitor.client = new
    await visitor.page.goto(visitor.address("flow"))
    await expect(visitor.page.get_by_role("heading", name="Nothing has come in yet")).to_be_visible()
    await new.kingsoft("GetTaskList")

    await expect(visitor.row("GetTaskList")).to_have_count(1)
    visitor.faults = [fault for fault in visitor.faults if "404" not in fault]


async def test_a_reset_empties_the_flow(visitor: Visitor, client: Client) -> None:
    await client.kingsoft("GetTaskList")
    await visitor.open("flow")
    await expect(visitor.row("GetTaskList")).to_have_count(1)
    await client.admin("POST", "reset", {})

    await expect(visitor.row("The account was reset")).to_have_count(1)
    await expect(visitor.row("GetTaskList")).to_have_count(0)


async def test_of_thousands_of_rows_only_those_are_drawn_that_are_seen(visitor: Visitor, client: Client) -> None:
    for _ in range(3):
        await client.kingsoft("GetTaskList")
    await visitor.open("flow")
    for _ in range(300):
        await client.kingsoft("GetTaskList")
    await expect(visitor.page.locator(".tally")).to_have_text("303 rows")

    assert await visitor.page.locator(".virtual .row").count() < 60
    await visitor.page.locator(".virtual").focus()
    await visitor.page.keyboard.press("End")
    await expect(visitor.page.locator(".row[aria-selected=true]")).to_have_attribute("aria-posinset", "303")


async def test_a_callback_is_a_row_that_follows_its_delivery(visitor: Visitor, client: Client, inbox: Inbox) -> None:
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url, "CbMethod": "POST"})
    await visitor.open("flow")
    await visitor.page.keyboard.press("i")

    await expect(visitor.row("Callback: Succeeded")).to_contain_text("Delivered")
    await visitor.row("Callback: Succeeded").click()
    await expect(visitor.page.locator(".attempts li")).to_contain_text("200")


async def test_a_token_is_asked_for_and_kept(browser: Any, start: Start) -> None:
    client = await start(admin_token="secret", accounts="closed")
    made = {"name": client.name, "kingsoft": {"access_key": client.name}}
    await client.request("POST", "/_emulator/api/accounts", json=made, headers={"Authorization": "Bearer secret"})
    async with looking(browser, client) as visitor:
        await visitor.page.goto(visitor.address("flow"))
        await visitor.page.get_by_role("textbox", name="Token").fill("wrong")
        await visitor.button("Go on").click()
        await visitor.page.get_by_role("textbox", name="Token").fill("secret")
        await visitor.page.keyboard.press("Enter")
        await visitor.page.wait_for_selector(".live[data-state=live]")
        await visitor.page.reload()
        await visitor.page.wait_for_selector(".live[data-state=live]")

        assert [fault for fault in visitor.faults if "401" not in fault] == []
