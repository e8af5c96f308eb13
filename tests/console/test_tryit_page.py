"""Try it, in a browser: a form per operation, a call that is really signed, and the same call for programs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.browser import Visitor, looking
from tests.support.client import TRAIN_TICKET, Client
from tests.support.pictures import picture
from tests.support.process import environment

pytestmark = pytest.mark.asyncio(loop_scope="session")

expect = pytest.importorskip("playwright.async_api", reason="playwright is not installed").expect
expect.set_options(timeout=20_000)
WAVED, RECOGNISE = "kingsoft.CreateWaveTask", "baidu.iocr.recognise"
EACH = {WAVED: "TaskID", "kingsoft.GetTaskList": "Total", "baidu.oauth.token": "access_token", RECOGNISE: "data"}
"""An operation of each kind, and a member of its answer."""


@pytest_asyncio.fixture(name="owner", loop_scope="session")
async def _owner(client: Client) -> Client:
    """An account with secrets for both clouds."""
    full = {
        "name": "signing",
        "kingsoft": {"access_key": "AKS", "secret_key": "S"},
        "baidu": {"secret_key": "T"},
    }
    assert (await client.admin("POST", "/accounts", full)).status == 201
    return client.named("signing")


@pytest_asyncio.fixture(name="trying", loop_scope="session")
async def _trying(browser: Any, owner: Client) -> Any:
    """Somebody who tries things as an account with secrets."""
    async with looking(browser, owner) as visitor:
        yield visitor
        assert visitor.faults == []


async def opened(visitor: Visitor, operation: str) -> None:
    await visitor.open("tryit", operation)
    await expect(visitor.page.locator(".copies pre")).not_to_be_empty()


async def send(visitor: Visitor) -> Any:
    """Send, and give where the answer is."""
    await visitor.button("Send").click()
    answer = visitor.page.get_by_role("region", name="Answer")
    await expect(answer.locator(".pill")).to_be_visible()
    return answer


async def copied(visitor: Visitor, name: str) -> str:
    """What there is to copy, under that name."""
    await visitor.button(name).click()
    shown = visitor.page.get_by_label(name, exact=True)
    found: str = await shown.inner_text()
    return found


async def test_an_operation_is_tried_with_its_example(trying: Visitor, owner: Client) -> None:
    await opened(trying, WAVED)

    await expect(await send(trying)).to_contain_text('"ErrNum": 0')

    (request,) = (await owner.admin("GET", "requests")).json["requests"]
    assert {"step": "authenticate", "found": "the signature is right"} in request["trace"]
    assert (await owner.admin("GET", "tasks")).json["count"] == 1


async def test_what_is_filled_in_is_sent(trying: Visitor, owner: Client) -> None:
    await opened(trying, WAVED)
    await trying.page.get_by_label("points").fill("77")
    await trying.page.get_by_label("path").fill("/mine/song.mp3")

    await send(trying)

    (task,) = (await owner.admin("GET", "tasks")).json["tasks"]
    assert (task["parameters"]["points"], task["parameters"]["SrcInfo"]) == (77, {"path": "/mine/song.mp3"})


async def test_a_member_that_is_not_needed_is_added_and_left_out(trying: Visitor, owner: Client) -> None:
    await opened(trying, WAVED)
    await trying.page.get_by_role("combobox", name="Add a member…").select_option("CbUrl")
    await trying.page.get_by_label("CbUrl", exact=True).fill("http://127.0.0.1:9/")
    await trying.button("Leave out DstAcl").click()

    await send(trying)

    (task,) = (await owner.admin("GET", "tasks")).json["tasks"]
    assert task["parameters"]["CbUrl"] == "http://127.0.0.1:9/"
    assert "DstAcl" not in task["parameters"]


async def test_a_wrong_value_is_sent_and_the_reason_shown(trying: Visitor) -> None:
    await opened(trying, WAVED)
    await trying.page.get_by_label("points").fill("many")

    await expect(await send(trying)).to_contain_text("Why: /points: 'many' is no integer")


async def test_parameters_can_be_written_as_json(trying: Visitor, owner: Client) -> None:
    await opened(trying, WAVED)
    await trying.button("As JSON").click()
    await trying.page.get_by_role("textbox", name="Parameters").fill('{"Preset": "wave"}')

    await expect(await send(trying)).to_contain_text("SrcInfo is required but missing")


async def test_the_entries_of_a_list_are_added(trying: Visitor, owner: Client) -> None:
    await opened(trying, "kingsoft.CreateTask")
    await trying.button("Add to SrcInfo").click()
    await trying.page.locator("fieldset", has_text="SrcInfo").get_by_label("path").nth(1).fill("/b/second.mp4")

    await send(trying)

    (task,) = (await owner.admin("GET", "tasks")).json["tasks"]
    assert [each["path"] for each in task["parameters"]["SrcInfo"]] == ["/mybucket/input/film.mp4", "/b/second.mp4"]


async def test_the_task_that_there_is_stands_in_the_form(trying: Visitor, owner: Client) -> None:
    await opened(trying, WAVED)
    await send(trying)
    (task,) = (await owner.admin("GET", "tasks")).json["tasks"]

    await trying.page.get_by_label("Operation", exact=True).select_option("kingsoft.GetTaskByTaskID")

    await expect(trying.page.get_by_label("TaskID")).to_have_value(task["id"])
    await expect(await send(trying)).to_contain_text('"TaskInfo"')


async def test_the_sample_is_recognised_and_leads_to_its_boxes(trying: Visitor) -> None:
    await opened(trying, RECOGNISE)
    await expect(trying.page.get_by_alt_text("The picture that will be sent")).to_be_visible()

    answer = await send(trying)
    await expect(answer).to_contain_text('"isStructured": true')
    await answer.get_by_role("link", name="See the boxes").click()

    await expect(trying.page.get_by_role("img", name="The picture with 7 boxes")).to_be_visible()


async def test_a_picture_of_ones_own_is_sent(trying: Visitor, owner: Client, tmp_path: Path) -> None:
    mine = tmp_path / "mine.bmp"
    mine.write_bytes(picture(10, 10, "BMP"))
    await opened(trying, RECOGNISE)
    await trying.page.get_by_label("image").set_input_files(mine)

    await expect(await send(trying)).to_contain_text("Why:")  # 10 pixels are too few

    (request,) = (await owner.admin("GET", "requests")).json["requests"]
    assert request["code"] == 216202


async def test_the_request_in_the_flow_is_a_link_away(trying: Visitor) -> None:
    await opened(trying, WAVED)

    await (await send(trying)).get_by_role("link", name="Request #1 in the flow").click()

    await expect(trying.page).to_have_url(trying.address("flow", "r", 1))


async def test_an_account_without_secrets_is_told_so_and_can_have_one_with(visitor: Visitor, client: Client) -> None:
    await opened(visitor, WAVED)
    await expect(visitor.page.get_by_text("the secret of access key AKTEST is not known here")).to_be_visible()

    await visitor.button("Make an account with secrets").click()

    await expect(visitor.page.get_by_label("Account", exact=True)).to_have_value("account-1")
    await expect(visitor.page.locator(".copies pre")).to_contain_text("X-Amz-Signature")
    await expect(visitor.page.locator(".notice")).to_be_hidden()


async def test_a_call_for_another_address_is_copied_but_not_sent(trying: Visitor, owner: Client) -> None:
    await opened(trying, WAVED)
    await trying.page.get_by_text("Address", exact=True).click()
    await trying.page.get_by_label("Where the copies go").fill("http://kvs.cn-beijing-6.api.ksyun.com")
    await expect(trying.page.locator(".copies pre")).to_contain_text("http://kvs.cn-beijing-6.api.ksyun.com/?Action")

    await trying.button("Send").click()

    await expect(trying.page.get_by_text("A page may call its own address only")).to_be_visible()
    assert (await owner.admin("GET", "requests")).json["requests"] == []


async def test_a_connection_that_a_rule_tears_down_is_no_answer(trying: Visitor, owner: Client) -> None:
    await owner.rule({"then": {"fault": "empty"}})
    await opened(trying, WAVED)

    await trying.button("Send").click()

    await expect(trying.page.get_by_role("alert")).to_contain_text("No answer came")
    trying.faults.clear()  # the browser tells of it


# For programs


async def test_the_commands_that_are_copied_work(trying: Visitor, tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(picture())
    for operation, member in EACH.items():
        await opened(trying, operation)
        answer = await run(tmp_path, "sh", "-c", await copied(trying, "curl"))
        assert member in json.loads(answer), answer


async def test_the_programs_that_are_copied_work(trying: Visitor, owner: Client, tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(picture())
    key = (await owner.admin("GET", "/accounts/signing")).json["credentials"]["baidu"]["api_key"]
    for operation, member in EACH.items():
        await opened(trying, operation)
        program = await copied(trying, "Python")
        program = program.replace(f'"{key}", "any"', f'"{key}", "T"').replace('"AKS", "any"', '"AKS", "S"')
        answer = await run(tmp_path, sys.executable, "-c", program)
        assert f"'{member}'" in answer or answer.startswith("24."), answer


async def test_the_test_that_is_copied_is_one(trying: Visitor, tmp_path: Path) -> None:
    await opened(trying, WAVED)
    (tmp_path / "test_copied.py").write_text(await copied(trying, "pytest"), "utf-8")

    said = await run(tmp_path, sys.executable, "-m", "pytest", "-q", "-p", "emulator.pytest_plugin", "test_copied.py")

    assert "1 passed" in said


async def test_the_rule_file_that_is_copied_gives_the_same_answer_again(
    trying: Visitor, owner: Client, tmp_path: Path
) -> None:
    await opened(trying, RECOGNISE)
    await send(trying)
    file = tmp_path / "rule.yaml"
    file.write_text(await copied(trying, "Rule file"), "utf-8")

    said = await run(tmp_path, sys.executable, "-m", "emulator", "check", "--rules", str(file))

    assert "rule" in said
    assert TRAIN_TICKET in file.read_text("utf-8")


async def run(folder: Path, *command: str) -> str:
    """What a command prints; it has to succeed."""

    def work() -> str:
        done = subprocess.run(
            command, cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return await asyncio.to_thread(work)


# For everybody


async def test_nothing_stands_in_the_way_of_anybody(trying: Visitor) -> None:
    for operation in (WAVED, RECOGNISE, "kingsoft.Preset"):
        await opened(trying, operation)
        await send(trying)

        assert await trying.found_by_axe() == []


async def test_it_fits_a_phone_in_the_dark_and_in_chinese(browser: Any, owner: Client) -> None:
    phone = {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark", "locale": "zh-CN"}
    async with looking(browser, owner, **phone) as visitor:
        await opened(visitor, RECOGNISE)

        assert await visitor.page.evaluate("document.querySelector('main').scrollWidth") <= 390
        assert await visitor.found_by_axe() == []
        assert visitor.faults == []
