"""Trying operations: their forms, calls that are really signed, and the whole bodies of what was sent."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.client import RECOGNISE, TRAIN_TICKET, WAVE, Answered, Client, Start
from tests.support.clouds import emulation
from tests.support.pictures import encoded

OPERATIONS = [row.qualified for provider in emulation().providers.values() for row in provider.operations]
WAVED = "kingsoft.CreateWaveTask"


async def make(client: Client, name: str = "signing", **more: Any) -> Client:
    """An account with secrets for both clouds."""
    made = await client.admin("POST", "/accounts", {"name": name, **more})
    assert made.status == 201, made.body
    return client.named(name)


async def sign(client: Client, operation: str, parameters: Any = None, **more: Any) -> Any:
    answer = await asked(client, {"operation": operation, "parameters": parameters or {}, **more})
    assert answer.status == 200, answer.body
    return answer.json


async def asked(client: Client, document: Any) -> Answered:
    path = f"/_emulator/api/accounts/{client.name}/sign"
    body = io.BytesIO(json.dumps(document).encode())
    return await client.request("POST", path, data=body, headers={"Content-Type": "application/json"})


async def send(client: Client, draft: Any) -> Answered:
    """Send a call as it was made up."""
    body = draft["body"].encode() or None
    return await client.request(draft["method"], draft["target"], headers=draft["headers"], data=body)


async def trace(client: Client) -> dict[str, str]:
    """What the steps found of the account's last request."""
    (last,) = (await client.admin("GET", "requests", limit="1")).json["requests"]
    return {line["step"]: line["found"] for line in last["trace"]}


# Forms


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_the_form_of_an_operation_is_in_one_piece(client: Client, operation: str) -> None:
    form = (await client.admin("GET", f"/operations/{operation}")).json

    assert form["name"] == operation
    assert "$ref" not in json.dumps(form["parameters"])
    assert form["example"].keys() <= form["parameters"]["properties"].keys()


async def test_what_a_form_takes_from_elsewhere_keeps_its_own_words(client: Client) -> None:
    form = (await client.admin("GET", f"/operations/{WAVED}")).json
    acl = form["parameters"]["properties"]["DstAcl"]

    assert acl["description"].startswith("Access permission of the output file")
    assert "public-read" in acl["enum"]


async def test_an_operation_that_there_is_not_is_named_with_the_nearest(client: Client) -> None:
    answer = await client.admin("GET", "/operations/kingsoft.CreateWaevTask")

    assert answer.status == 404
    assert WAVED in answer.json["detail"]


# Calls


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_the_example_of_an_operation_is_signed_so_that_it_passes(client: Client, operation: str) -> None:
    signing = await make(client)
    example = (await client.admin("GET", f"/operations/{operation}")).json["example"]
    if operation.startswith("baidu.iocr"):
        example["image"] = encoded()

    draft = await sign(signing, operation, example)
    await send(signing, draft)

    assert (draft["account"], draft["note"]) == ("signing", "")
    found = await trace(signing)
    assert found["validate"] == "fits the schema"
    assert "not" not in found["authenticate"] or operation == "baidu.oauth.token"


async def test_kingsofts_signature_is_verified(client: Client) -> None:
    signing = await make(client)
    draft = await sign(signing, WAVED, WAVE)
    draft["body"] = draft["body"].replace("1000", "1001")

    answer = await send(signing, draft)

    assert answer.json["Error"]["Code"] == "SignatureDoesNotMatch"


async def test_the_signature_covers_the_host_that_is_named(client: Client) -> None:
    signing = await make(client)

    draft = await sign(signing, WAVED, WAVE, origin="http://kvs.cn-beijing-6.api.ksyun.com")
    right = await client.request(
        "POST",
        draft["target"],
        data=draft["body"],
        headers={**draft["headers"], "Host": "kvs.cn-beijing-6.api.ksyun.com"},
    )
    wrong = await send(client, draft)

    assert draft["url"].startswith("http://kvs.cn-beijing-6.api.ksyun.com/?")
    assert (right.status, wrong.json["Error"]["Code"]) == (200, "SignatureDoesNotMatch")


async def test_lists_are_flattened_in_the_query_of_a_get(client: Client) -> None:
    signing = await make(client)

    draft = await sign(signing, "kingsoft.GetTaskList", {"Limit": 5, "More": [{"a": "b c"}]})

    query = parse_qs(urlsplit(draft["url"]).query)
    assert (draft["method"], draft["body"]) == ("GET", "")
    assert (query["Limit"], query["More.0.a"]) == (["5"], ["b c"])
    assert (await send(signing, draft)).status == 200


async def test_the_tasks_of_a_batch_are_the_whole_body(client: Client) -> None:
    signing = await make(client)

    draft = await sign(signing, "kingsoft.BatchCreateTask", {"Tasks": [{"Preset": "hd_mp4"}]})

    assert json.loads(draft["body"]) == [{"Preset": "hd_mp4"}]


async def test_a_recognition_has_a_token_that_lives(client: Client) -> None:
    signing = await make(client)

    draft = await sign(signing, "baidu.iocr.recognise", {"templateSign": TRAIN_TICKET, "image": encoded()})
    answer = await send(signing, draft)

    assert draft["target"].startswith(f"{RECOGNISE}?access_token=24.")
    assert (answer.status, answer.json["error_code"]) == (200, 0)


async def test_a_token_of_ones_own_is_left_alone(client: Client) -> None:
    signing = await make(client)

    draft = await sign(signing, "baidu.iocr.recognise", {"access_token": "mine"})

    assert (draft["target"], draft["body"]) == (RECOGNISE, "access_token=mine")


async def test_a_token_is_asked_for_with_the_accounts_own_secret(client: Client) -> None:
    signing = await make(client, baidu={"api_key": "K", "secret_key": "S & S"})

    draft = await sign(signing, "baidu.oauth.token", {"grant_type": "client_credentials"})

    assert parse_qs(urlsplit(draft["url"]).query)["client_secret"] == ["S & S"]
    assert "access_token" in (await send(signing, draft)).json


async def test_wrong_parameters_are_signed_too(client: Client) -> None:
    signing = await make(client)

    answer = await send(signing, await sign(signing, WAVED, {**WAVE, "points": "many"}))

    assert "points" in answer.reason


async def test_a_large_picture_fits(client: Client) -> None:
    signing = await make(client)

    draft = await sign(signing, "baidu.iocr.recognise", {"image": "A" * 5_000_000})

    assert len(draft["body"]) > 5_000_000


async def test_what_is_too_large_is_refused(client: Client) -> None:
    answer = await asked(client, {"operation": WAVED, "parameters": {"x": "A" * 13_000_000}})

    assert answer.status == 413


async def test_an_account_that_opened_by_itself_has_no_secret_and_that_is_said(client: Client) -> None:
    opened = client.named("AKOPENED")
    await opened.kingsoft("GetTaskList")

    draft = await sign(opened, WAVED, WAVE)

    assert "the secret of access key AKOPENED is not known here" in draft["note"]
    assert (await send(opened, draft)).status == 200
    assert "not verified" in (await trace(opened))["authenticate"]


async def test_an_account_that_opened_by_itself_calls_the_other_cloud_under_the_same_name(client: Client) -> None:
    opened = client.named("AKOPENED")
    await opened.kingsoft("GetTaskList")

    draft = await sign(opened, "baidu.iocr.recognise", {"templateSign": TRAIN_TICKET, "image": encoded()})

    assert draft["account"] == "AKOPENED"
    assert (await send(opened, draft)).status == 200


@pytest.mark.parametrize("operation", [WAVED, "baidu.iocr.recognise", "baidu.oauth.token"])
async def test_the_default_account_calls_without_a_credential_and_that_is_said(client: Client, operation: str) -> None:
    draft = await sign(client.named("default"), operation)

    assert draft["account"] == "default"
    assert "it carries no credential" in draft["note"]
    assert not {"X-Amz-Credential", "access_token", "client_id"} & parse_qs(urlsplit(draft["url"]).query).keys()


async def test_a_call_that_would_be_another_accounts_says_so(client: Client) -> None:
    signing = await make(client)

    draft = await sign(signing, "baidu.oauth.token", {"client_id": "somebody"})

    assert draft["note"].startswith("this call would be one of somebody, not of signing")


async def test_making_up_a_call_is_not_one(client: Client) -> None:
    signing = await make(client)
    await sign(signing, WAVED, WAVE)

    account = (await client.admin("GET", "/accounts/signing")).json
    assert (account["requests"], account["tasks"]) == (0, 0)


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"operation": "kingsoft.CreateWaevTask"}, 422),
        ({"operation": WAVED, "origin": "http://a/b"}, 422),
        ({"operation": WAVED, "parameters": []}, 422),
        ({}, 422),
    ],
)
async def test_what_makes_no_sense_is_refused(client: Client, document: Any, status: int) -> None:
    assert (await client.admin("POST", "sign", document)).status == status


# Whole bodies


async def body(client: Client, number: int = 1) -> Answered:
    return await client.admin("GET", f"requests/{number}/body")


async def test_a_body_is_there_as_it_was_sent(client: Client) -> None:
    await client.kingsoft("CreateWaveTask", WAVE)

    answer = await body(client)

    assert (answer.status, json.loads(answer.body)) == (200, WAVE)
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_a_picture_beyond_what_the_journal_shows_is_there_whole(client: Client) -> None:
    token = await client.token()
    await client.recognise(token, templateSign=TRAIN_TICKET, image="A" * 300_000)

    answer = await body(client, 2)

    assert parse_qs(answer.body.decode())["image"] == ["A" * 300_000]


async def test_whole_bodies_of_the_latest_requests_alone_are_there(client: Client) -> None:
    form = b"image=" + b"A" * 3_500_000
    for _ in range(3):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        params = {"access_token": await client.token()}
        await client.request("POST", RECOGNISE, params=params, data=io.BytesIO(form), headers=headers)

    assert [(await body(client, number)).status for number in (2, 4, 6)] == [409, 200, 200]
    assert "65,536 bytes" in (await body(client, 2)).json["detail"]


async def test_secrets_in_a_body_are_not_shown(client: Client) -> None:
    await client.request("POST", "/oauth/2.0/token", data={"client_id": client.name, "client_secret": "hush"})

    assert b"hush" not in (await body(client)).body


async def test_a_body_that_there_is_not_is_not_found(client: Client) -> None:
    assert (await body(client, 99)).status == 404


async def test_an_emulator_that_keeps_no_bytes_keeps_no_whole_bodies(start: Start) -> None:
    client = await start(journal_bytes=70_000)
    token = await client.token()
    await client.recognise(token, image="A" * 80_000)

    assert (await body(client, 2)).status in (404, 409)
