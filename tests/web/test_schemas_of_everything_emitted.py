"""Everything that the emulator says, held against the schemas that it publishes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.client import TRAIN_TICKET, TRANSCODE, WAVE, Answered, Client, Start
from tests.support.codes import rows
from tests.support.inbox import Inbox
from tests.support.pictures import encoded
from tests.support.shapes import misfits

KINGSOFT = ["CreateWaveTask", "CreateTask", "GetTaskByTaskID"]
CODES = [row["code"] for row in rows("kingsoft", "api")]
TOKEN = {"grant_type": "client_credentials", "client_id": "AKTEST", "client_secret": "any"}
FULL = {
    **TRANSCODE,
    "SrcInfo": [
        {"path": "/src-bucket/a.mp4", "index": 0, "type": "video", "note": "not the vendor's"},
        {"path": "b.mp4"},
    ],
    "DstDir": "pictures",
    "DstAcl": "private",
    "Pipeline": "usual",
    "IsTop": 1,
    "CbMethod": "POST",
    "ExtParam": {"duration": "5", "LOGOS": [[{"dx": "10", "dy": 0.5, "disable_scale": 1}]], "passParams": {"a": "b"}},
}


def call(client: Client, action: str) -> Awaitable[Answered]:
    """A call of ``action`` that nothing is wrong with, except that there may be no such task."""
    if action == "GetTaskByTaskID":
        return client.kingsoft(action, TaskID="f" * 40)
    return client.kingsoft(action, WAVE if action == "CreateWaveTask" else TRANSCODE)


async def refused(client: Client, operation: str, code: int | str, ask: Callable[[], Awaitable[Answered]]) -> Any:
    """The body that refuses with ``code``."""
    made = await client.rule({"when": {"operation": operation}, "then": {"error": code}})
    assert made.status == 201, made.body
    answer = await ask()
    await client.admin("DELETE", f"rules/{made.json['id']}")
    return answer.json


def test_a_misfit_inside_json_inside_a_string_is_seen() -> None:
    details = {
        "errnum": 0,
        "bucket": "b",
        "items": [{"dstpath": "a", "outMediainfo": '{"metadata": {}, "streams": []}'}],
    }
    callback = {"TaskID": "f" * 40, "Status": 3, "Type": "avtrans", "Details": details}

    assert misfits("kingsoft/callback.task.json", callback) == [
        "$.Details.items[0].outMediainfo: 'format' is a required property"
    ]


# Kingsoft's answers


@pytest.mark.parametrize("document", [WAVE, {**WAVE, "SrcInfo": [WAVE["SrcInfo"]]}])
async def test_the_answer_to_a_new_wave_task_fits(client: Client, document: dict[str, Any]) -> None:
    answer = await client.kingsoft("CreateWaveTask", document)

    assert "TaskID" in answer.json
    assert misfits("kingsoft/CreateWaveTask.response.json", answer.json) == []


@pytest.mark.parametrize("document", [TRANSCODE, FULL])
async def test_the_answer_to_a_new_transcoding_task_fits(client: Client, document: dict[str, Any]) -> None:
    answer = await client.kingsoft("CreateTask", document)

    assert "TaskID" in answer.json
    assert misfits("kingsoft/CreateTask.response.json", answer.json) == []


@pytest.mark.parametrize(
    ("action", "document"),
    [
        ("CreateWaveTask", WAVE),
        ("CreateWaveTask", {**WAVE, "CbUrl": "xxxxx", "DstAcl": "private"}),
        ("CreateTask", TRANSCODE),
        ("CreateTask", FULL),
        ("CreateTask", {**TRANSCODE, "ExtParam": '{"ss": 1}', "CbUrl": "", "DstDir": "", "CbMethod": ""}),
    ],
)
async def test_a_task_fits_whenever_it_is_shown(client: Client, action: str, document: dict[str, Any]) -> None:
    task = (await client.kingsoft(action, document)).json["TaskID"]

    for seconds in (0, 1, 4, 1, 15, 10):
        await client.advance(seconds)
        shown = (await client.kingsoft("GetTaskByTaskID", TaskID=task)).json
        assert "TaskInfo" in shown
        assert misfits("kingsoft/GetTaskByTaskID.response.json", shown) == []


async def test_a_failed_task_fits_when_it_is_shown_whatever_its_code(client: Client) -> None:
    for row in rows("kingsoft", "callback"):
        made = await client.rule(
            {"when": {"operation": "kingsoft.CreateWaveTask"}, "then": {"plan": {"outcome": {"fail": row["code"]}}}}
        )
        task = (await client.kingsoft("CreateWaveTask", WAVE)).json["TaskID"]
        await client.admin("DELETE", f"rules/{made.json['id']}")
        await client.advance("10m")
        shown = (await client.kingsoft("GetTaskByTaskID", TaskID=task)).json
        assert shown["TaskInfo"]["TaskStatus"] == "fail"
        assert misfits("kingsoft/GetTaskByTaskID.response.json", shown) == []


@pytest.mark.parametrize("action", KINGSOFT)
async def test_every_refusal_with_a_number_fits_the_answer_of_its_operation(client: Client, action: str) -> None:
    for code in CODES:
        body = await refused(client, f"kingsoft.{action}", code, lambda: call(client, action))
        assert misfits(f"kingsoft/{action}.response.json", body) == []


async def test_every_refusal_with_a_name_fits_the_gateways_error(client: Client) -> None:
    for row in rows("kingsoft", "gateway"):
        body = await refused(client, "kingsoft.CreateTask", row["code"], lambda: call(client, "CreateTask"))
        assert misfits("kingsoft/error.gateway.json", body) == []


@pytest.mark.parametrize(
    ("action", "document"),
    [
        ("CreateWaveTask", "no JSON"),
        ("CreateWaveTask", {}),
        ("CreateWaveTask", {**WAVE, "points": 10}),
        ("CreateTask", {**TRANSCODE, "ExtParam": "{"}),
        ("CreateTask", {**TRANSCODE, "SrcInfo": []}),
    ],
)
async def test_a_refusal_that_no_rule_made_fits_too(client: Client, action: str, document: Any) -> None:
    answer = await client.kingsoft(action, document)

    assert answer.json["ErrNum"] > 0
    assert misfits(f"kingsoft/{action}.response.json", answer.json) == []


@pytest.mark.parametrize("query", ["", "?Action=Nothing&Version=2017-01-01", "?Action=CreateTask&Version=1"])
async def test_a_refusal_of_the_gateway_that_no_rule_made_fits_too(client: Client, query: str) -> None:
    answer = await client.request("POST", f"/{query}")

    assert misfits("kingsoft/error.gateway.json", answer.json) == []


# Kingsoft's callbacks


async def test_the_callback_of_a_wave_task_fits(client: Client, inbox: Inbox) -> None:
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})

    await client.advance("10m")

    (body,) = inbox.bodies
    assert misfits("kingsoft/callback.task.json", body) == []


@pytest.mark.parametrize("key", ["a.mp4", "a.mp3", "a.flv", "a.m3u8", "a.gif", "noending", "名字.mp4"])
async def test_the_callback_of_a_transcoding_task_fits_whatever_the_output(
    client: Client, inbox: Inbox, key: str
) -> None:
    await client.kingsoft("CreateTask", {**TRANSCODE, "DstObjectKey": key, "CbUrl": inbox.url})

    await client.advance("10m")

    (body,) = inbox.bodies
    assert body["Details"]["items"][0]["outMediainfo"]
    assert misfits("kingsoft/callback.task.json", body) == []


async def test_every_drawn_media_description_fits(start: Start, inbox: Inbox) -> None:
    client = await start(responses="random")
    for number in range(60):
        source = [{"path": f"/src-bucket/{number}.mp4"}]
        await client.kingsoft("CreateTask", {**TRANSCODE, "SrcInfo": source, "CbUrl": inbox.url})

    await client.advance("10m")

    assert len({body["Details"]["items"][0]["outMediainfo"] for body in inbox.bodies}) == 60
    assert [found for body in inbox.bodies for found in misfits("kingsoft/callback.task.json", body)] == []


async def test_the_callback_of_every_failure_fits(client: Client, inbox: Inbox) -> None:
    codes = [row["code"] for row in rows("kingsoft", "callback")]
    for code in codes:
        made = await client.rule(
            {"when": {"operation": "kingsoft.CreateTask"}, "then": {"plan": {"outcome": {"fail": code}}}}
        )
        await client.kingsoft("CreateTask", {**TRANSCODE, "CbUrl": inbox.url})
        await client.admin("DELETE", f"rules/{made.json['id']}")

    await client.advance("10m")

    assert [body["Details"]["errnum"] for body in inbox.bodies] == codes
    assert [found for body in inbox.bodies for found in misfits("kingsoft/callback.task.json", body)] == []


async def test_every_progress_callback_fits(client: Client, inbox: Inbox) -> None:
    ext = json.dumps({"Callback": {"progress_cburl": inbox.url, "progress_interval": 1}})
    await client.kingsoft("CreateTask", {**TRANSCODE, "ExtParam": ext})

    await client.advance("10m")

    assert len(inbox.received) > 20
    assert [found for body in inbox.bodies for found in misfits("kingsoft/callback.progress.json", body)] == []


# Baidu's answers


async def test_a_canned_recognition_fits(client: Client) -> None:
    answer = await client.recognise(await client.token(), templateSign=TRAIN_TICKET, image=encoded())

    assert answer.json["data"]["ret"]
    assert misfits("baidu/iocr.recognise.response.json", answer.json) == []


async def test_every_drawn_recognition_fits(start: Start) -> None:
    client = await start(responses="random")
    token = await client.token()

    for side in range(15, 55):
        answer = await client.recognise(token, templateSign=TRAIN_TICKET, image=encoded(side, 15))
        assert answer.json["data"]["ret"]
        assert misfits("baidu/iocr.recognise.response.json", answer.json) == []


async def test_every_refusal_of_the_engine_fits_the_answer_and_every_other_the_gateways_error(client: Client) -> None:
    token, image = await client.token(), encoded()

    for row in rows("baidu", "api"):
        body = await refused(
            client,
            "baidu.iocr.recognise",
            row["code"],
            lambda: client.recognise(token, templateSign=TRAIN_TICKET, image=image),
        )
        schema = "iocr.recognise.response" if row.get("shape") == "engine" else "error.gateway"
        assert misfits(f"baidu/{schema}.json", body) == []


@pytest.mark.parametrize(
    "form", [{}, {"templateSign": "x"}, {"image": "x"}, {"templateSign": TRAIN_TICKET, "image": "no picture"}]
)
async def test_a_refused_recognition_that_no_rule_made_fits_too(client: Client, form: dict[str, str]) -> None:
    body = (await client.recognise(await client.token(), **form)).json

    assert body["error_code"] > 0
    assert misfits("baidu/iocr.recognise.response.json" if "data" in body else "baidu/error.gateway.json", body) == []


async def test_an_issued_token_fits(client: Client) -> None:
    answer = await client.request("GET", "/oauth/2.0/token", params=TOKEN)

    assert answer.status == 200
    assert misfits("baidu/oauth.token.response.json", answer.json) == []


async def test_every_refusal_of_the_token_endpoint_fits(client: Client) -> None:
    for row in rows("baidu", "oauth"):
        body = await refused(
            client, "baidu.oauth.token", row["code"], lambda: client.request("POST", "/oauth/2.0/token", data=TOKEN)
        )
        assert misfits("baidu/oauth.token.error.json", body) == []


@pytest.mark.parametrize("missing", list(TOKEN))
async def test_a_refused_token_call_that_no_rule_made_fits_too(client: Client, missing: str) -> None:
    form = {name: value for name, value in TOKEN.items() if name != missing}

    answer = await client.request("POST", "/oauth/2.0/token", data=form)

    assert answer.status == 400
    assert misfits("baidu/oauth.token.error.json", answer.json) == []
