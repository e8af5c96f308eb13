"""The account's page, and what is the same on every page: keys, languages, colours, widths, accessibility."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Visitor, looking
from tests.support.client import TRANSCODE, WAVE, Client
from tests.support.inbox import Inbox

pytestmark = pytest.mark.asyncio(loop_scope="session")

expect = pytest.importorskip("playwright.async_api", reason="playwright is not installed").expect
expect.set_options(timeout=20_000)
PHONE = {"width": 390, "height": 780}
OWN = ("flow", "tasks", "account")


async def busy(client: Client, inbox: Inbox) -> str:
    """Have something of everything happen; the task that is left running."""
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url, "CbMethod": "POST"})
    await client.advance(60)
    await client.kingsoft("CreateWaveTask", {**WAVE, "points": 1})
    task: str = (await client.kingsoft("CreateTask", TRANSCODE)).json["TaskID"]
    await client.advance(10)
    return task


async def test_a_snapshot_is_saved_and_loaded_by_file(visitor: Visitor, client: Client, tmp_path: Path) -> None:
    await client.kingsoft("CreateTask", TRANSCODE)
    await visitor.open("account")
    async with visitor.page.expect_download() as waiting:
        await visitor.button("Save a snapshot").click()
    file = tmp_path / "saved.json"
    await (await waiting.value).save_as(file)
    await client.admin("POST", "reset", {})
    assert (await client.admin("GET", "")).json["tasks"] == 0
    await visitor.page.locator("#snapshot-file").set_input_files(file)
    await visitor.page.get_by_role("dialog").get_by_role("button", name="Load a snapshot…").click()

    await expect(visitor.page.locator(".toast")).to_contain_text("saved.json was loaded")
    assert (await client.admin("GET", "")).json["tasks"] == 1


async def test_a_file_that_is_no_snapshot_is_refused_in_words(visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text("{}")
    await visitor.open("account")
    await visitor.page.locator("#snapshot-file").set_input_files(file)
    await visitor.page.get_by_role("dialog").get_by_role("button", name="Load a snapshot…").click()

    await expect(visitor.page.locator(".toast.bad")).to_contain_text("emulator_snapshot")
    visitor.faults = [fault for fault in visitor.faults if "422" not in fault]


async def test_the_http_archive_is_saved(visitor: Visitor, client: Client, tmp_path: Path) -> None:
    await client.kingsoft("GetTaskList")
    await visitor.open("account")
    async with visitor.page.expect_download() as waiting:
        await visitor.button("Save the HTTP Archive").click()
    file = tmp_path / "saved.har"
    await (await waiting.value).save_as(file)

    assert len(json.loads(file.read_text())["log"]["entries"]) == 1


async def test_the_account_is_reset_after_a_question(visitor: Visitor, client: Client) -> None:
    await client.kingsoft("CreateTask", TRANSCODE)
    await visitor.open("account")
    await visitor.button("Reset").click()
    await visitor.page.get_by_role("dialog").get_by_role("button", name="Reset").click()

    await expect(visitor.page.locator(".facts")).to_contain_text("0 tasks")


async def test_it_says_how_clients_find_the_emulator(visitor: Visitor, client: Client) -> None:
    await visitor.open("account")
    await expect(visitor.page.locator("#trust-text")).to_contain_text(client.server.url)
    await visitor.button("Proxy").click()

    await expect(visitor.page.locator("#trust-text")).to_contain_text("ca.pem")


async def test_triggers_are_there_to_be_copied(visitor: Visitor) -> None:
    await visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await visitor.open("account")
    await visitor.page.locator("tr", has_text="emu-fail-CODE").get_by_role("button", name="Copy").click()
    await expect(visitor.page.locator("tr", has_text="emu-fail-CODE")).to_contain_text("Copied")

    assert await visitor.page.evaluate("navigator.clipboard.readText()") == "emu-fail-2032"


# Everywhere


async def test_the_keys_are_told_when_asked(visitor: Visitor) -> None:
    await visitor.open("flow")
    await visitor.page.keyboard.press("?")

    await expect(visitor.page.get_by_role("dialog", name="Keys")).to_contain_text("Go to the next event")


async def test_everything_is_reached_by_keys(visitor: Visitor, client: Client) -> None:
    await client.kingsoft("GetTaskList")
    await client.kingsoft("CreateWaveTask", WAVE)
    await visitor.open("flow")
    await expect(visitor.page.locator(".virtual .row")).to_have_count(3)
    for key in "jj":
        await visitor.page.keyboard.press(key)
    await expect(visitor.page.locator(".panel h2")).to_have_text("CreateWaveTask")
    await visitor.page.keyboard.press("n")
    await visitor.page.keyboard.press("2")

    await expect(visitor.row("CreateWaveTask")).to_contain_text("Succeeded")


async def test_keys_that_are_typed_into_a_field_are_text(visitor: Visitor) -> None:
    await visitor.open("flow")
    await visitor.page.keyboard.press("/")
    await visitor.page.keyboard.type("p2?")

    await expect(visitor.page.get_by_role("searchbox")).to_have_value("p2?")
    await expect(visitor.page.get_by_role("dialog")).to_have_count(0)


async def test_it_speaks_the_language_of_the_browser_and_the_other_one(browser: Any, client: Client) -> None:
    async with looking(browser, client, locale="zh-CN") as visitor:
        await visitor.open("flow")
        await expect(visitor.page.get_by_role("link", name="动态")).to_be_visible()
        assert await visitor.page.evaluate("document.documentElement.lang") == "zh-CN"
        await visitor.button("EN").click()

        await expect(visitor.page.get_by_role("link", name="Flow")).to_be_visible()
        assert visitor.faults == []


async def test_it_is_light_or_dark_as_the_system_is_and_as_one_likes(browser: Any, client: Client) -> None:
    async with looking(browser, client, color_scheme="dark") as visitor:
        await visitor.open("flow")
        root = visitor.page.locator("html")
        await expect(root).to_have_attribute("data-theme", "dark")
        await visitor.page.keyboard.press("t")
        await expect(root).to_have_attribute("data-theme", "light")
        await visitor.page.reload()

        await expect(root).to_have_attribute("data-theme", "light")


async def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Any, client: Client, inbox: Inbox) -> None:
    task = await busy(client, inbox)
    async with looking(browser, client, viewport=PHONE) as visitor:
        for place in (("flow",), ("flow", "r", 3), ("flow", "d", 1), ("tasks",), ("tasks", task), ("account",)):
            await visitor.open(*place)
            await visitor.page.wait_for_selector(".panel .detail" if len(place) > 1 else "main .row, main .facts dd")

            assert await visitor.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], place


@pytest.mark.parametrize(("scheme", "rules"), [("light", ()), ("dark", ("color-contrast",))])
async def test_axe_finds_no_serious_fault(
    browser: Any, client: Client, inbox: Inbox, scheme: str, rules: tuple[str, ...]
) -> None:
    task = await busy(client, inbox)
    async with looking(browser, client, color_scheme=scheme) as visitor:
        for place in (("flow",), ("flow", "r", 3), ("flow", "d", 1), ("tasks",), ("tasks", task), ("account",)):
            await visitor.open(*place)
            if len(place) > 1:
                await visitor.page.wait_for_selector(".panel .detail")
            await visitor.page.wait_for_selector(".virtual .row, .cards .facts dd")

            assert await visitor.found_by_axe(*rules) == [], place
        assert visitor.faults == []


async def test_axe_finds_no_serious_fault_on_a_phone_nor_in_dialogs(browser: Any, client: Client, inbox: Inbox) -> None:
    task = await busy(client, inbox)
    async with looking(browser, client, viewport=PHONE) as visitor:
        await visitor.open("flow")
        await visitor.page.wait_for_selector(".virtual .row")
        assert await visitor.found_by_axe() == []
        await visitor.page.keyboard.press("?")
        assert await visitor.found_by_axe() == []
        await visitor.open("tasks", task)
        await visitor.button("Fail now…").click()
        await visitor.page.wait_for_selector(".codes li")
        assert await visitor.found_by_axe() == []
        await visitor.open("flow", "d", 1)
        await visitor.button("Edit and resend").click()
        assert await visitor.found_by_axe() == []
