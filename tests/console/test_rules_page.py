"""What happens next, in a browser: rules written with help, set, and seen at work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Visitor
from tests.support.client import WAVE, Client, Start

pytestmark = pytest.mark.asyncio(loop_scope="session")

expect = pytest.importorskip("playwright.async_api", reason="playwright is not installed").expect
expect.set_options(timeout=20_000)
GOOD = "It is in order."


async def opened(visitor: Visitor) -> Any:
    """The view, and where the rule is written."""
    await visitor.open("rules")
    await expect(visitor.page.get_by_text(GOOD)).to_be_visible()
    return visitor.page.get_by_label("The rule as JSON")


async def test_a_plan_is_chosen_and_followed(visitor: Visitor, client: Client) -> None:
    await opened(visitor)
    await visitor.page.get_by_role("combobox", name="the task follows the plan").select_option("never-ends")
    await expect(visitor.page.locator(".builder p")).not_to_be_empty()
    await expect(visitor.page.get_by_text(GOOD)).to_be_visible()

    await visitor.button("Set for this account").click()

    row = visitor.page.get_by_role("row", name="CreateWaveTask: plan never-ends")
    await expect(row).to_contain_text("this account")
    task = (await client.kingsoft("CreateWaveTask", WAVE)).json["TaskID"]
    await client.advance("10h")
    assert (await client.admin("GET", f"tasks/{task}")).json["status"] == "running"


async def test_a_rule_counts_while_it_is_looked_at(visitor: Visitor, client: Client) -> None:
    await client.rule(
        {"name": "twice", "when": {"operation": "kingsoft.*"}, "times": {"first": 1}, "then": {"error": 1005}}
    )
    await opened(visitor)
    row = visitor.page.get_by_role("row", name="twice")
    await expect(row.locator("td.number")).to_have_text(["0", "0"])

    await client.kingsoft("CreateWaveTask", WAVE)
    await client.kingsoft("CreateWaveTask", WAVE)

    await expect(row.locator("td.number").first).to_have_text("2")
    await expect(row.locator("td.number").nth(1)).to_contain_text("1")
    await expect(row).to_contain_text("used up")
    await expect(row.get_by_role("link", name="#1", exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("effect", "value", "then"),
    [
        ("error", "1011", {"error": 1011}),
        ("fault", "reset", {"fault": "reset"}),
        ("fault", "503", {"fault": 503}),
        ("responses", "random", {"responses": "random"}),
    ],
)
async def test_what_is_chosen_is_written(visitor: Visitor, effect: str, value: str, then: Any) -> None:
    editor = await opened(visitor)
    await visitor.page.get_by_role("combobox", name="What happens").select_option(effect)
    await visitor.page.locator(".builder .value select").select_option(value)
    await visitor.page.get_by_role("combobox", name="How often").select_option("second")
    await visitor.page.get_by_label("Priority").fill("5")

    document = json.loads(await editor.input_value())
    assert (document["then"], document["times"], document["priority"]) == (then, {"skip": 1, "first": 1}, 5)
    await expect(visitor.page.get_by_text(GOOD)).to_be_visible()


async def test_a_mistake_is_told_as_it_is_typed(visitor: Visitor) -> None:
    editor = await opened(visitor)

    await editor.fill('{"when": {"operation": "kingsoft.CreateWaevTask"}, "then": {"error": 1005}}')
    await expect(visitor.page.get_by_role("status").filter(has_text="/when/operation")).to_contain_text(
        "CreateWaveTask"
    )
    await expect(visitor.button("Set for this account")).to_be_disabled()
    await editor.fill('{"then": ')
    await expect(visitor.page.get_by_text("Not JSON")).to_be_visible()
    await editor.fill('{"then": {"latency": "2s"}}')
    await expect(visitor.page.get_by_text("It acts before the request is looked at.")).to_be_visible()
    await expect(visitor.button("Set for this account")).to_be_enabled()
    visitor.faults[:] = [fault for fault in visitor.faults if "422" not in fault]  # the browser tells of refusals


async def test_a_rule_is_changed_in_its_place(visitor: Visitor, client: Client) -> None:
    await client.rule({"name": "slow", "then": {"latency": "2s"}})
    editor = await opened(visitor)
    await visitor.button("Change “slow”").click()
    await expect(editor).to_have_value(json.dumps({"name": "slow", "then": {"latency": "2s"}}, indent=2))

    await editor.fill('{"name": "slower", "then": {"latency": "9s"}}')
    await visitor.button("Put it in the place of the old one").click()

    await expect(visitor.page.get_by_role("row", name="slower")).to_be_visible()
    rules = (await client.admin("GET", "rules")).json["rules"]
    assert [rule["rule"]["then"] for rule in rules] == [{"latency": "9s"}]


async def test_a_rule_is_taken_away(visitor: Visitor, client: Client) -> None:
    await client.rule({"name": "slow", "then": {"latency": "2s"}})
    await opened(visitor)

    await visitor.button("Take “slow” away").click()

    await expect(visitor.page.get_by_text("None: everything goes")).to_be_visible()
    assert (await client.admin("GET", "rules")).json["rules"] == []


async def test_a_rule_for_every_account_is_set_and_taken_away(visitor: Visitor, client: Client) -> None:
    editor = await opened(visitor)
    await editor.fill('{"name": "for everybody", "then": {"latency": "2s"}}')
    await visitor.button("Set for every account").click()
    await expect(visitor.page.get_by_role("row", name="for everybody")).to_contain_text("every account")
    assert len((await client.admin("GET", "/rules")).json["rules"]) == 1

    await visitor.button("Take “for everybody” away").click()

    await expect(visitor.page.get_by_text("None: everything goes")).to_be_visible()


async def test_a_rule_of_a_file_says_which_and_stays(browser: Any, start: Start, tmp_path: Path) -> None:
    from tests.support.browser import looking

    file = tmp_path / "rules.yaml"
    file.write_text("- name: of a file\n  then: {latency: 2s}\n", "utf-8")
    async with looking(browser, await start(rules=(str(file),))) as visitor:
        await opened(visitor)

        await expect(visitor.page.get_by_role("row", name="of a file")).to_contain_text("rules.yaml:1")
        await expect(visitor.button("Take “of a file” away")).to_have_count(0)
        assert visitor.faults == []


async def test_a_code_is_found_and_becomes_a_rule(visitor: Visitor, client: Client) -> None:
    editor = await opened(visitor)
    await visitor.page.get_by_role("searchbox", name="Search code, text, meaning").fill("kingsoft callback 3150")
    await visitor.button("Use").click()

    document = json.loads(await editor.input_value())
    assert document["then"] == {"plan": {"outcome": {"fail": 3150, "at": "80%"}}}
    await expect(visitor.page.get_by_text(GOOD)).to_be_visible()


async def test_magic_values_are_there_to_be_copied(visitor: Visitor, client: Client) -> None:
    await visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await opened(visitor)

    await visitor.page.get_by_role("row", name="emu-hang").get_by_role("button", name="Copy").click()

    assert await visitor.page.evaluate("navigator.clipboard.readText()") == "emu-hang"


async def test_nothing_stands_in_the_way_of_anybody(visitor: Visitor, client: Client) -> None:
    await client.rule({"name": "slow", "then": {"latency": "2s"}})
    await opened(visitor)

    assert await visitor.found_by_axe() == []
