"""Recognition, in a browser: the picture that was sent with what was read, edited and kept; waveforms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Visitor
from tests.support.client import TRAIN_TICKET, WAVE, Client, Start
from tests.support.inbox import Inbox
from tests.support.pictures import encoded

pytestmark = pytest.mark.asyncio(loop_scope="session")

expect = pytest.importorskip("playwright.async_api", reason="playwright is not installed").expect
expect.set_options(timeout=20_000)
BOXES = "The picture with 7 boxes"


async def read(client: Client, **form: str) -> Any:
    """Have a picture read."""
    return await client.recognise(await client.token(), **{"templateSign": TRAIN_TICKET, "image": encoded(), **form})


async def test_the_boxes_lie_over_the_picture_that_was_sent(visitor: Visitor, client: Client) -> None:
    answer = (await read(client, image=encoded(800, 500))).json
    await visitor.open("recognition")

    view = visitor.page.get_by_role("img", name=BOXES)
    await expect(view.locator("image")).to_have_attribute("width", "800")
    first = answer["data"]["ret"][0]
    box = view.locator(".box", has_text=first["word"]).locator("rect")
    for name, member in (("x", "left"), ("y", "top"), ("width", "width"), ("height", "height")):
        await expect(box).to_have_attribute(name, str(first["location"][member]))


async def test_a_picture_beyond_what_the_journal_shows_is_drawn_too(visitor: Visitor, client: Client) -> None:
    from io import BytesIO
    from os import urandom

    from PIL import Image

    buffer = BytesIO()
    Image.frombytes("L", (500, 400), urandom(200_000)).save(buffer, "PNG")
    import base64

    await read(client, image=base64.b64encode(buffer.getvalue()).decode())
    await visitor.open("recognition")

    await expect(visitor.page.get_by_role("img", name=BOXES).locator("image")).to_have_attribute("width", "500")


async def test_what_comes_is_listed_at_once(visitor: Visitor, client: Client) -> None:
    await visitor.open("recognition")
    await expect(visitor.page.get_by_text("None yet.")).to_be_visible()

    await read(client)

    await expect(visitor.page.get_by_role("img", name=BOXES)).to_be_visible()


async def test_a_field_and_its_box_are_lit_together(visitor: Visitor, client: Client) -> None:
    await read(client)
    await visitor.open("recognition")

    await visitor.page.get_by_label("车次").focus()

    await expect(visitor.page.locator(".box.lit")).to_have_text(["C2097车次: C2097"])


async def test_an_edited_word_is_kept_as_a_fixture_for_the_picture(
    visitor: Visitor, client: Client, start: Start, tmp_path: Path
) -> None:
    await read(client)
    await visitor.open("recognition")
    await visitor.page.get_by_label("车次").fill("G1")
    async with visitor.page.expect_download() as kept:
        await visitor.button("Save as a fixture").click()
    file = await kept.value
    folder = tmp_path / "baidu" / "pictures"
    folder.mkdir(parents=True)
    await file.save_as(folder / file.suggested_filename)

    other = await start(fixtures=(str(tmp_path),))

    words = {each["word_name"]: each["word"] for each in (await read(other)).json["data"]["ret"]}
    assert (words["车次"], words["乘车人"]) == ("G1", "向宇波")
    assert (await read(other, image=encoded(300, 200))).json["data"]["ret"][3]["word"] == "C2097"


async def test_an_edited_word_is_used_at_once_for_the_same_picture_alone(visitor: Visitor, client: Client) -> None:
    await read(client)
    await visitor.open("recognition")
    await visitor.page.get_by_label("车次").fill("G1")

    await visitor.button("Use now").click()

    await expect(visitor.page.get_by_text("is in force")).to_be_visible()
    assert (await read(client)).json["data"]["ret"][3]["word"] == "G1"
    assert (await read(client, image=encoded(300, 200))).json["data"]["ret"][3]["word"] == "C2097"


@pytest.mark.parametrize(
    ("form", "template"),
    [
        ({"templateSign": "vat_invoice"}, "vat_invoice"),
        ({"templateSign": "emu-unstructured"}, None),
    ],
)
async def test_every_kind_of_answer_makes_a_fixture_that_is_in_order(
    visitor: Visitor, client: Client, start: Start, tmp_path: Path, form: dict[str, str], template: str | None
) -> None:
    await read(client, **form)
    await visitor.open("recognition")
    async with visitor.page.expect_download() as kept:
        await visitor.button("Save as a fixture").click()
    folder = tmp_path / "baidu" / "pictures"
    folder.mkdir(parents=True)
    await (await kept.value).save_as(folder / "kept.json")

    await start(fixtures=(str(tmp_path),))

    assert json.loads((folder / "kept.json").read_text("utf-8")).get("template") == template


async def test_where_no_picture_was_sent_the_reason_is_said_and_the_boxes_drawn(
    visitor: Visitor, client: Client
) -> None:
    await read(client, image="", url="http://pictures.test/1.png")
    token = await client.token()
    await client.recognise(token, templateSign=TRAIN_TICKET, url="http://pictures.test/1.png")
    await visitor.open("recognition")

    await expect(visitor.page.get_by_text("The picture is behind a URL")).to_be_visible()
    await expect(visitor.page.get_by_role("img", name=BOXES)).to_be_visible()


async def test_a_refusal_is_shown_with_its_reason(visitor: Visitor, client: Client) -> None:
    await read(client, image=encoded(10, 10))
    await visitor.open("recognition")

    await expect(visitor.page.locator(".reading .reason")).to_contain_text("Why:")
    await expect(visitor.page.get_by_text("Nothing was read.")).to_be_visible()


# Waveforms


async def test_a_wave_task_says_that_its_callback_has_no_points(visitor: Visitor, client: Client, inbox: Inbox) -> None:
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})
    await client.advance("10m")
    await visitor.open("recognition")

    await expect(visitor.page.get_by_text("1000 points wanted, to /dst-bucket/wave/a.json")).to_be_visible()
    await expect(visitor.page.get_by_text("Its callback says where the file is, and no points.")).to_be_visible()


async def test_points_in_a_callback_are_drawn(visitor: Visitor, client: Client, inbox: Inbox) -> None:
    task = (await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})).json["TaskID"]
    await client.advance("10m")
    sent = await client.admin("POST", "deliveries/1/resend", {"body": {"TaskID": task, "points": [0, 3, -2, 5]}})
    assert sent.status == 201, sent.body
    await visitor.open("recognition")

    await expect(visitor.page.get_by_role("img", name="4 points")).to_be_visible()


async def test_nothing_stands_in_the_way_of_anybody(visitor: Visitor, client: Client) -> None:
    await client.kingsoft("CreateWaveTask", WAVE)
    await read(client)
    await visitor.open("recognition")
    await expect(visitor.page.get_by_role("img", name=BOXES)).to_be_visible()

    assert await visitor.found_by_axe() == []
