"""How a cloud behaves in one account is said when the account is made, and changed later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import TRANSCODE, Client, Start
from tests.support.inbox import Inbox

WORLD = {"buckets": {"src-bucket": {"objects": {"in/a.mp4": {}}}, "dst-bucket": {"accessible": False}}}


async def _account(client: Client, **kingsoft: Any) -> Client:
    made = await client.admin(
        "POST",
        "/accounts",
        {"name": "other", "kingsoft": {"access_key": "other", **kingsoft}, "clock": {"mode": "frozen"}},
    )
    assert made.status == 201, made.body
    return client.named("other")


async def test_an_account_has_the_dialect_it_was_made_with(client: Client, inbox: Inbox) -> None:
    other = await _account(client, dialect={"profile": "ks3", "errmsg": "success"})
    await other.kingsoft("CreateTask", {**TRANSCODE, "CbUrl": inbox.url})
    await other.advance("10m")

    (body,) = inbox.bodies
    assert (body["itmes"][0]["code"], body["Details"]["errmsg"]) == (3, "success")


async def test_an_account_has_the_concurrency_it_was_made_with(client: Client) -> None:
    other = await _account(client, concurrency=1)
    for _ in range(2):
        await other.kingsoft("CreateTask", TRANSCODE)
    await other.advance(5)

    tasks = (await other.admin("GET", "tasks")).json["tasks"]
    assert [task["status"] for task in tasks] == ["running", "queued"]


async def test_an_account_has_the_world_it_was_made_with_also_after_a_reset(client: Client) -> None:
    other = await _account(client, world=WORLD)
    await other.admin("POST", "reset")

    assert (await other.kingsoft("CreateTask", TRANSCODE)).json["ErrNum"] == 1013


async def test_each_key_of_an_account_finds_it(client: Client) -> None:
    other = await _account(client, keys=[{"access_key": "SECOND"}])
    task = (await other.kingsoft("CreateTask", TRANSCODE)).json["TaskID"]

    assert (await client.named("SECOND").kingsoft("GetTaskByTaskID", TaskID=task)).json["ErrNum"] == 0


async def test_what_is_in_force_is_shown_and_changed(client: Client) -> None:
    changed = await client.admin("PATCH", "clouds/kingsoft", {"concurrency": 3, "dialect": "legacy"})
    shown = await client.admin("GET", "clouds/kingsoft")

    assert changed.json == shown.json
    assert (shown.json["concurrency"], shown.json["dialect"]["envelope"], shown.json["world"]) == (3, "legacy", None)


async def test_a_world_can_be_set_and_taken_away(client: Client) -> None:
    await client.admin("PATCH", "clouds/kingsoft", {"world": WORLD})
    refused = await client.kingsoft("CreateTask", TRANSCODE)
    await client.admin("PATCH", "clouds/kingsoft", {"world": None})
    accepted = await client.kingsoft("CreateTask", TRANSCODE)

    assert (refused.json["ErrNum"], accepted.json["ErrNum"]) == (1013, 0)


@pytest.mark.parametrize(
    ("document", "detail"),
    [
        ({"dialect": "modern"}, "'modern' is none of"),
        ({"dialect": {"itmes": "maybe"}}, "itmes"),
        ({"concurrency": -1}, "/concurrency"),
        ({"world": {}}, "/world"),
        ({"unheard": 1}, "'unheard' is not known here"),
    ],
)
async def test_an_option_that_makes_no_sense_is_refused_with_its_place(
    client: Client, document: dict[str, Any], detail: str
) -> None:
    answer = await client.admin("PATCH", "clouds/kingsoft", document)

    assert answer.status == 422
    assert detail in answer.json["detail"]


async def test_an_account_with_an_option_that_makes_no_sense_is_not_made(client: Client) -> None:
    answer = await client.admin("POST", "/accounts", {"name": "odd", "kingsoft": {"dialect": "modern"}})

    assert answer.status == 422
    assert (await client.named("odd").admin("GET", "")).status == 404


async def test_a_cloud_that_is_not_there_has_no_options(client: Client) -> None:
    assert (await client.admin("GET", "clouds/elsewhere")).status == 404


async def test_a_world_in_a_folder_of_fixtures_holds_for_every_account(start: Start, tmp_path: Path) -> None:
    document = {"$schema": "https://emulator.invalid/kingsoft/world.json", **WORLD}
    (tmp_path / "kingsoft").mkdir()
    (tmp_path / "kingsoft" / "world.json").write_text(json.dumps(document))
    client = await start(fixtures=(str(tmp_path),))

    assert (await client.kingsoft("CreateTask", TRANSCODE)).json["ErrNum"] == 1013
