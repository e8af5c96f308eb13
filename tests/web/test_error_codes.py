"""Every documented code of both clouds, provoked by a rule and read on the wire."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.client import TRAIN_TICKET, WAVE, Answered, Client
from tests.support.codes import rows
from tests.support.inbox import Inbox
from tests.support.pictures import encoded

TASK = "0123456789abcdef0123456789abcdef20260101"
TOKEN = "/oauth/2.0/token"


async def provoked(
    client: Client, operation: str, codes: list[int | str], call: Callable[[], Awaitable[Answered]]
) -> dict[int | str, Answered]:
    """What ``call`` is answered while a rule says each of ``codes``."""
    answers: dict[int | str, Answered] = {}
    for code in codes:
        made = await client.rule({"when": {"operation": operation}, "then": {"error": code}})
        assert made.status == 201, made.body
        answers[code] = await call()
        await client.admin("DELETE", f"rules/{made.json['id']}")
    return answers


async def failures(client: Client, inbox: Inbox, codes: list[int]) -> dict[int, tuple[Any, Any]]:
    """For each code the final callback of a task that failed with it, and what a poll then says of the task."""
    tasks: dict[int, str] = {}
    for code in codes:
        rule = {"when": {"operation": "kingsoft.CreateWaveTask"}, "then": {"plan": {"outcome": {"fail": code}}}}
        made = await client.rule(rule)
        assert made.status == 201, made.body
        tasks[code] = (await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})).json["TaskID"]
        await client.admin("DELETE", f"rules/{made.json['id']}")
    await client.advance("1h")
    called = {body["TaskID"]: body for body in inbox.bodies}
    shown = {code: await client.kingsoft("GetTaskByTaskID", TaskID=task) for code, task in tasks.items()}
    return {code: (called[task], shown[code].json["TaskInfo"]) for code, task in tasks.items()}


async def recognise(client: Client) -> Callable[[], Awaitable[Answered]]:
    """A recognise call that nothing is wrong with."""
    token, image = await client.token(), encoded()
    return lambda: client.recognise(token, templateSign=TRAIN_TICKET, image=image)


async def ask_for_token(client: Client) -> Answered:
    """A token call that nothing is wrong with."""
    params = {"grant_type": "client_credentials", "client_id": client.name, "client_secret": "any"}
    return await client.request("POST", TOKEN, data=params)


def test_kingsofts_api_list_has_the_29_codes_that_the_vendor_prints() -> None:
    assert sum(row["source"] == "seed" for row in rows("kingsoft", "api")) == 29


def test_kingsofts_callback_list_has_the_163_codes_that_the_vendor_prints() -> None:
    assert sum(row["source"] == "seed" for row in rows("kingsoft", "callback")) == 163


def test_no_code_stands_twice_in_its_list() -> None:
    lists = [
        ("kingsoft", "api"),
        ("kingsoft", "callback"),
        ("kingsoft", "gateway"),
        ("baidu", "api"),
        ("baidu", "oauth"),
    ]

    for cloud, listed in lists:
        codes = [row["code"] for row in rows(cloud, listed)]
        assert len(codes) == len(set(codes)), (cloud, listed)


async def test_every_code_of_kingsofts_api_is_answered_with_status_200_errnum_and_its_text(client: Client) -> None:
    expected = {row["code"]: row["text"] for row in rows("kingsoft", "api")}

    async def call() -> Answered:
        return await client.kingsoft("GetTaskByTaskID", TaskID=TASK)

    answers = await provoked(client, "kingsoft.GetTaskByTaskID", list(expected), call)

    assert {code: (answer.status, answer.json) for code, answer in answers.items()} == {
        code: (200, {"ErrNum": code, "ErrMsg": text}) for code, text in expected.items()
    }


async def test_every_code_of_kingsofts_api_refuses_the_creation_of_a_task_too(client: Client) -> None:
    codes = [row["code"] for row in rows("kingsoft", "api")]

    async def call() -> Answered:
        return await client.kingsoft("CreateWaveTask", WAVE)

    answers = await provoked(client, "kingsoft.CreateWaveTask", codes, call)

    assert [answer.json["ErrNum"] for answer in answers.values()] == codes
    assert (await client.admin("GET", "tasks")).json["count"] == 0


async def test_every_code_of_kingsofts_gateway_is_answered_with_its_status_and_an_error_object(client: Client) -> None:
    expected = {row["code"]: row for row in rows("kingsoft", "gateway")}

    async def call() -> Answered:
        return await client.kingsoft("CreateWaveTask", WAVE)

    answers = await provoked(client, "kingsoft.CreateWaveTask", list(expected), call)

    assert {code: (answer.status, answer.json["Error"]) for code, answer in answers.items()} == {
        code: (
            row["status"],
            {"Type": "Receiver" if row["status"] >= 500 else "Sender", "Code": code, "Message": row["text"]},
        )
        for code, row in expected.items()
    }


async def test_each_refusal_of_kingsofts_gateway_has_a_request_id_of_its_own(client: Client) -> None:
    codes = [row["code"] for row in rows("kingsoft", "gateway")]

    async def call() -> Answered:
        return await client.kingsoft("CreateWaveTask", WAVE)

    answers = await provoked(client, "kingsoft.CreateWaveTask", codes, call)

    ids = {answer.json["RequestId"] for answer in answers.values()}
    assert len(ids) == len(codes)
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", found) for found in ids)


async def test_every_callback_code_ends_a_task_with_a_callback_that_carries_number_and_text(
    client: Client, inbox: Inbox
) -> None:
    expected = {row["code"]: row["text"] for row in rows("kingsoft", "callback")}

    found = await failures(client, inbox, list(expected))

    assert {code: (body["Status"], body["Type"], body["Details"]) for code, (body, _) in found.items()} == {
        code: (4, "audiowave", {"errnum": code, "errmsg": text, "bucket": "dst-bucket", "items": []})
        for code, text in expected.items()
    }


async def test_every_callback_code_is_shown_by_a_poll_of_the_failed_task(client: Client, inbox: Inbox) -> None:
    expected = {row["code"]: row["text"] for row in rows("kingsoft", "callback")}

    found = await failures(client, inbox, list(expected))

    assert {
        code: (shown["TaskStatus"], shown["ErrorCode"], shown["ErrorMsg"]) for code, (_, shown) in found.items()
    } == {code: ("fail", str(code), text) for code, text in expected.items()}


async def test_every_code_of_baidus_api_is_answered_with_status_200_and_its_text(client: Client) -> None:
    expected = {row["code"]: row["text"] for row in rows("baidu", "api")}

    answers = await provoked(client, "baidu.iocr.recognise", list(expected), await recognise(client))

    assert {
        code: (answer.status, answer.json["error_code"], answer.json["error_msg"]) for code, answer in answers.items()
    } == {code: (200, code, text) for code, text in expected.items()}


async def test_exactly_the_engines_codes_come_with_a_short_data_object(client: Client) -> None:
    listed = {row["code"]: row.get("shape") == "engine" for row in rows("baidu", "api")}

    answers = await provoked(client, "baidu.iocr.recognise", list(listed), await recognise(client))

    assert {code: "data" in answer.json for code, answer in answers.items()} == listed


async def test_the_short_data_object_says_that_nothing_was_structured_and_names_the_log_id(client: Client) -> None:
    answers = await provoked(client, "baidu.iocr.recognise", [272000], await recognise(client))

    data = answers[272000].json["data"]
    assert data.keys() == {"isStructured", "logId"}
    assert data["isStructured"] is False
    assert re.fullmatch(r"[0-9]{15}", data["logId"])


async def test_every_code_of_baidus_token_endpoint_is_answered_with_its_status_and_description(client: Client) -> None:
    expected = {row["code"]: row for row in rows("baidu", "oauth")}

    answers = await provoked(client, "baidu.oauth.token", list(expected), lambda: ask_for_token(client))

    assert {code: (answer.status, answer.json) for code, answer in answers.items()} == {
        code: (row["status"], {"error": code, "error_description": row["text"]}) for code, row in expected.items()
    }


async def test_the_texts_of_kingsofts_api_are_the_vendors_to_the_letter(client: Client) -> None:
    printed = {
        1000: "缺少参数",
        1001: "参数不合法",
        1005: "无效模板名",
        1009: "无效任务ID",
        1010: "内容不合法",
        1016: "源信息不合法",
        1018: "扩展参数不合法",
        1101: "用户未开通转码服务",
        1200: "记录不存在",
        1213: "源文件路径太长",
    }

    async def call() -> Answered:
        return await client.kingsoft("GetTaskByTaskID", TaskID=TASK)

    answers = await provoked(client, "kingsoft.GetTaskByTaskID", list(printed), call)

    assert {code: answer.json["ErrMsg"] for code, answer in answers.items()} == printed


async def test_the_texts_of_kingsofts_callbacks_are_the_vendors_to_the_letter(client: Client, inbox: Inbox) -> None:
    printed = {
        2001: "Unknown Error",
        2003: "input param illegal",
        2018: "object count illeagal",
        2019: "this is a fake",
        2032: "HTTP download file fail",
        2337: "snapshot seek time maybe out of video duration",
        3150: "Trans Internal Error: Invalid data found when processing input",
        3158: "Trans Internal Error: Requested feature is flagged experimental. "
        "Set strict_std_compliance if you really want to use it",
        3177: "Trans Internal Error:first decoded frame pts_time > start_time. "
        "Maybe lead to non-precise timestamp seek",
        3255: "Trans Internal Error: System Signal is caught and Slave proces is killed",
    }

    found = await failures(client, inbox, list(printed))

    assert {code: body["Details"]["errmsg"] for code, (body, _) in found.items()} == printed


async def test_the_texts_of_baidus_api_are_the_vendors_to_the_letter(client: Client) -> None:
    printed = {
        4: "Open api request limit reached",
        17: "Open api daily request limit reached",
        18: "Open api qps request limit reached",
        100: "Invalid parameter",
        110: "Access token invalid or no longer valid",
        111: "Access token expired",
        216200: "empty image",
        216201: "image format error",
        216202: "image size error",
        272000: "structure failed",
        282000: "internal error",
    }

    answers = await provoked(client, "baidu.iocr.recognise", list(printed), await recognise(client))

    assert {code: answer.json["error_msg"] for code, answer in answers.items()} == printed


async def test_the_token_endpoint_says_the_description_of_an_unknown_client_first_as_real_answers_do(
    client: Client,
) -> None:
    answers = await provoked(client, "baidu.oauth.token", ["invalid_client"], lambda: ask_for_token(client))

    body = answers["invalid_client"].body
    assert body == b'{"error_description":"unknown client id","error":"invalid_client"}\n'


async def test_a_rule_may_say_a_code_by_its_text(client: Client) -> None:
    async def call() -> Answered:
        return await client.kingsoft("GetTaskByTaskID", TaskID=TASK)

    answers = await provoked(client, "kingsoft.GetTaskByTaskID", ["无效队列名"], call)

    assert answers["无效队列名"].json == {"ErrNum": 1022, "ErrMsg": "无效队列名"}


async def test_a_rule_may_put_its_own_message_in_place_of_the_vendors_text(client: Client) -> None:
    rule = {"when": {"operation": "kingsoft.*"}, "then": {"error": {"code": 1101, "message": "arrears"}}}
    await client.rule(rule)

    answer = await client.kingsoft("CreateWaveTask", WAVE)

    assert answer.json == {"ErrNum": 1101, "ErrMsg": "arrears"}


async def test_an_answer_that_a_rule_made_names_the_rule_in_its_reason_and_nowhere_in_its_body(client: Client) -> None:
    await client.rule({"name": "no quota", "when": {"operation": "kingsoft.*"}, "then": {"error": 1101}})

    answer = await client.kingsoft("CreateWaveTask", WAVE)

    assert answer.reason == "rule r1 (no quota) says so"
    assert answer.json == {"ErrNum": 1101, "ErrMsg": "用户未开通转码服务"}
