"""Whatever a client gets wrong: the vendor's dialect to the client, the reason to the developer."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.conftest import START
from tests.support import wire
from tests.support.client import RECOGNISE, TRAIN_TICKET, TRANSCODE, WAVE, Answered, Client, Start
from tests.support.journal import noted
from tests.support.pictures import encoded, picture

TOKEN = "/oauth/2.0/token"
CREATE = {"Action": "CreateWaveTask", "Version": "2017-01-01"}
SIGNED = CREATE | {"X-Amz-Credential": "AKTEST/20260101/cn-beijing-6/kvs/aws4_request"}
MEGABYTE = 2**20


async def post_wave(client: Client, body: bytes, **headers: str) -> Answered:
    """A CreateWaveTask call with this body and these headers (``Content_Type`` for ``Content-Type``)."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.request("POST", "/", params=SIGNED, data=body, headers=named)


async def recognise_large(client: Client, **form: str) -> Answered:
    """A recognise call whose form is too large to be sent in one go."""
    token, body = await client.token(), BytesIO(urlencode(form).encode())
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return await client.request("POST", RECOGNISE, params={"access_token": token}, data=body, headers=headers)


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    """``document`` without one member."""
    return {key: value for key, value in document.items() if key != name}


# Kingsoft: the body


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param("Preset=wave", "the body is not JSON", id="a form"),
        pytest.param("{'Preset': 'wave'}", "the body is not JSON", id="single quotes"),
        pytest.param('{"Preset": "wave"', "the body is not JSON", id="broken off"),
        pytest.param('{"Preset": "wave",}', "--lenient-json", id="a trailing comma"),
        pytest.param("[]", "the body is a JSON array", id="an array"),
        pytest.param('"wave"', "the body is a JSON string", id="a string"),
        pytest.param("12", "the body is a JSON number", id="a number"),
        pytest.param("true", "the body is a JSON boolean", id="a boolean"),
        pytest.param("null", "the body is a JSON null", id="null"),
        pytest.param("[" * 100_000, "the body is not JSON", id="a hundred thousand brackets"),
        pytest.param(b'{"Preset": "\xff\xfe"}', "the body is not JSON", id="no UTF-8"),
        pytest.param(b"\x00\x01\x02\x03", "the body is not JSON", id="bytes"),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused_with_1010(
    client: Client, body: str | bytes, reason: str
) -> None:
    answer = await client.kingsoft("CreateWaveTask", body)

    assert (answer.status, answer.json) == (200, {"ErrNum": 1010, "ErrMsg": "内容不合法"})
    assert reason in (await noted(client, answer))["reason"]


async def test_the_body_of_a_refused_request_is_kept_in_the_journal(client: Client) -> None:
    answer = await client.kingsoft("CreateWaveTask", "not JSON at all")

    assert (await noted(client, answer))["body"] == "not JSON at all"


async def test_a_body_that_is_json_behind_a_byte_order_mark_is_read(client: Client) -> None:
    answer = await client.kingsoft("CreateWaveTask", b"\xef\xbb\xbf" + json.dumps(WAVE).encode())

    assert answer.json["ErrNum"] == 0


@pytest.mark.parametrize("body", ["", "{}", " \r\n"])
async def test_a_call_without_any_parameter_is_refused_with_1000(client: Client, body: str) -> None:
    answer = await client.kingsoft("CreateWaveTask", body)

    assert (answer.status, answer.json) == (200, {"ErrNum": 1000, "ErrMsg": "缺少参数"})
    assert "Preset is required but missing" in (await noted(client, answer))["reason"]


@pytest.mark.parametrize("name", ["Preset", "SrcInfo", "DstBucket", "DstObjectKey", "points"])
async def test_a_missing_parameter_is_refused_with_1000_and_named_in_the_reason(client: Client, name: str) -> None:
    answer = await client.kingsoft("CreateWaveTask", without(WAVE, name))

    assert answer.json == {"ErrNum": 1000, "ErrMsg": "缺少参数"}
    assert f"{name} is required but missing" in (await noted(client, answer))["reason"]


@pytest.mark.parametrize(
    ("member", "value", "code", "text"),
    [
        pytest.param("points", 10, 1001, "参数不合法", id="too few points"),
        pytest.param("points", 4096, 1001, "参数不合法", id="too many points"),
        pytest.param("points", -1, 1001, "参数不合法", id="points below 0"),
        pytest.param("points", "abc", 1001, "参数不合法", id="points as a word"),
        pytest.param("points", True, 1001, "参数不合法", id="points as a boolean"),
        pytest.param("points", 99.5, 1001, "参数不合法", id="half a point"),
        pytest.param("points", [1000], 1001, "参数不合法", id="points in a list"),
        pytest.param("points", None, 1001, "参数不合法", id="points null"),
        pytest.param("Preset", "Wave", 1005, "无效模板名", id="Preset in capitals"),
        pytest.param("Preset", 1, 1005, "无效模板名", id="Preset as a number"),
        pytest.param("SrcInfo", "/bucket/a.mp3", 1016, "源信息不合法", id="SrcInfo as a text"),
        pytest.param("SrcInfo", {}, 1016, "源信息不合法", id="SrcInfo without a path"),
        pytest.param("SrcInfo", [], 1016, "源信息不合法", id="no source"),
        pytest.param("SrcInfo", [{"path": "/b/a"}, {"path": "/b/b"}], 1017, "源文件个数超限", id="two sources"),
        pytest.param("SrcInfo", {"path": "/b/" + "a" * 1022}, 1213, "源文件路径太长", id="a path of 1025"),
        pytest.param("DstBucket", "Bucket_1", 1011, "无效bucket", id="a bucket in capitals"),
        pytest.param("DstBucket", 7, 1011, "无效bucket", id="a bucket as a number"),
        pytest.param("DstObjectKey", "k" * 1025, 1014, "无效文件名", id="a key of 1025"),
        pytest.param("DstAcl", "public", 1001, "参数不合法", id="an unknown DstAcl"),
        pytest.param("CbUrl", 80, 1001, "参数不合法", id="CbUrl as a number"),
    ],
)
async def test_a_parameter_that_is_not_legal_is_refused_with_the_code_of_its_kind(
    client: Client, member: str, value: object, code: int, text: str
) -> None:
    answer = await client.kingsoft("CreateWaveTask", {**WAVE, member: value})

    assert (answer.status, answer.json) == (200, {"ErrNum": code, "ErrMsg": text})
    assert (await noted(client, answer))["reason"].startswith(f"/{member}")


@pytest.mark.parametrize("points", [11, 4095])
async def test_the_first_and_the_last_number_of_points_are_accepted(client: Client, points: int) -> None:
    assert (await client.kingsoft("CreateWaveTask", {**WAVE, "points": points})).json["ErrNum"] == 0


async def test_a_refused_call_starts_no_task(client: Client) -> None:
    await client.kingsoft("CreateWaveTask", {**WAVE, "points": 10})

    assert (await client.admin("GET", "tasks")).json["tasks"] == []


async def test_json_in_a_body_of_another_content_type_is_read_all_the_same(client: Client) -> None:
    answer = await post_wave(client, json.dumps(WAVE).encode(), Content_Type="text/plain")

    assert answer.json["ErrNum"] == 0


async def test_a_body_of_another_content_type_that_is_no_json_is_refused_with_a_hint_at_the_type(
    client: Client,
) -> None:
    answer = await post_wave(client, b"<Preset>wave</Preset>", Content_Type="application/xml")

    assert answer.json == {"ErrNum": 1010, "ErrMsg": "内容不合法"}
    reason = (await noted(client, answer))["reason"]
    assert "Content-Type is application/xml; application/json is expected" in reason


# Actions and versions of Kingsoft


@pytest.mark.parametrize("action", ["CreateWavTask", "createWaveTask", "CreateWaveTasks"])
async def test_an_unknown_action_is_refused_by_the_gateway_with_the_nearest_name_in_the_reason(
    client: Client, action: str
) -> None:
    answer = await client.kingsoft(action, WAVE)

    assert answer.status == 400
    assert answer.json["Error"] == {
        "Type": "Sender",
        "Code": "InvalidActionOrVesion",
        "Message": "The action or the version of the request is not valid.",
    }
    assert "did you mean 'CreateWaveTask'?" in (await noted(client, answer))["reason"]


async def test_a_request_without_an_action_is_refused_by_the_gateway(client: Client) -> None:
    answer = await client.request("POST", "/", params=without(SIGNED, "Action"), json=WAVE)

    assert (answer.status, answer.json["Error"]["Code"]) == (400, "MissingParameter")
    assert "no Action" in (await noted(client, answer))["reason"]


@pytest.mark.parametrize("version", ["", "2017-01-02", "latest"])
async def test_an_unknown_version_is_refused_by_the_gateway_with_the_known_one_in_the_reason(
    client: Client, version: str
) -> None:
    answer = await client.kingsoft("CreateWaveTask", WAVE, version=version)

    assert (answer.status, answer.json["Error"]["Code"]) == (400, "InvalidActionOrVesion")
    assert "2017-01-01 is the one emulated" in (await noted(client, answer))["reason"]


async def test_a_method_that_an_action_is_not_called_by_is_refused_by_the_gateway(client: Client) -> None:
    answer = await client.request("PUT", "/", params=SIGNED, json=WAVE)

    assert (answer.status, answer.json["Error"]["Code"]) == (400, "InvalidActionOrVesion")
    assert "CreateWaveTask is called by POST or GET" in (await noted(client, answer))["reason"]


async def test_a_path_on_kingsofts_host_that_is_not_its_root_is_refused_by_the_gateway(client: Client) -> None:
    headers = {"Host": "kvs.cn-beijing-6.api.ksyun.com"}

    answer = await client.request("POST", "/v1/tasks", params=SIGNED, json=WAVE, headers=headers)

    assert (answer.status, answer.json["Error"]["Code"]) == (400, "InvalidActionOrVesion")
    assert "the path is /v1/tasks; this API lives at /" in (await noted(client, answer))["reason"]


async def test_a_task_id_of_a_wrong_form_is_refused_with_1009(client: Client) -> None:
    answer = await client.kingsoft("GetTaskByTaskID", TaskID="no such task")

    assert answer.json == {"ErrNum": 1009, "ErrMsg": "无效任务ID"}
    assert "TaskID" in (await noted(client, answer))["reason"]


async def test_a_task_id_that_is_of_no_task_is_refused_with_1200(client: Client) -> None:
    answer = await client.kingsoft("GetTaskByTaskID", TaskID="f" * 40)

    assert answer.json == {"ErrNum": 1200, "ErrMsg": "记录不存在"}
    assert f"account AKTEST has no task {'f' * 40}" in (await noted(client, answer))["reason"]


# Kingsoft: who calls


async def test_an_access_key_of_nobody_is_refused_with_403_where_accounts_are_closed(start: Start) -> None:
    client = await start(accounts="closed")

    answer = await client.kingsoft("CreateWaveTask", WAVE)

    assert (answer.status, answer.json["Error"]["Code"]) == (403, "InvalidClientTokenId")
    reason = (await noted(client, answer, "default"))["reason"]
    assert reason == "no account has the access key AKTEST, and none is opened for it (--accounts)"


# The request line


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(b"%", id="a per cent sign"),
        pytest.param(b"%zz&%u4e2d=%e4%b8&=&&&===", id="percent junk"),
        pytest.param(b"a=1&a=2&a=3&a", id="a name repeated"),
        pytest.param(b"&&&&=&=&==&%00=%00", id="signs repeated"),
        pytest.param(b"?????", id="question marks"),
        pytest.param(b";;;=;&;", id="semicolons"),
        pytest.param(b"%25%32%35=%2525", id="encoded twice"),
        pytest.param(b"+" * 4000, id="4000 plus signs"),
        pytest.param(b"&" * 4000, id="4000 separators"),
    ],
)
async def test_a_garbled_query_is_refused_by_the_gateway_and_kept_in_the_journal(client: Client, query: bytes) -> None:
    answer = await wire.get(client, b"/?" + query)

    assert answer.status == 400
    assert json.loads(answer.body)["Error"]["Code"] == "MissingParameter"
    number = answer.headers["X-Emulator-Request"]
    assert (await client.admin("GET", f"/accounts/default/requests/{number}")).json["query"] == query.decode()


async def test_what_is_garbled_in_a_query_does_not_disturb_what_is_not(client: Client) -> None:
    task = "f" * 40
    query = b"&&=&%zz=%&Action=GetTaskByTaskID&&Version=2017-01-01&a=b=c&TaskID=" + task.encode() + b"&%"

    answer = await wire.get(client, b"/?" + query)

    assert json.loads(answer.body) == {"ErrNum": 1200, "ErrMsg": "记录不存在"}


@pytest.mark.parametrize(
    "request_line",
    [
        pytest.param("GET /?Action=获取 HTTP/1.1".encode(), id="UTF-8"),
        pytest.param(b"GET /?Action=\xff\xfe\x80 HTTP/1.1", id="no UTF-8"),
        pytest.param(b"GET /\xe4\xb8\xad HTTP/1.1", id="in the path"),
        pytest.param(b"GET /?a=\x00b HTTP/1.1", id="a zero"),
        pytest.param(b"G\xc3\x8bT / HTTP/1.1", id="in the method"),
    ],
)
async def test_raw_bytes_in_the_request_line_get_a_4xx_and_the_server_serves_on(
    client: Client, request_line: bytes
) -> None:
    answer = await wire.send(client, request_line + b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")

    assert 400 <= answer.status < 500
    assert (await client.kingsoft("CreateWaveTask", WAVE)).json["ErrNum"] == 0


async def test_a_tls_greeting_that_is_http_further_on_gets_no_answer_and_the_server_serves_on(client: Client) -> None:
    greeting = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"

    answer = await wire.send(client, greeting + b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" + b"x" * 512)

    assert answer.status == 0
    assert (await client.kingsoft("CreateWaveTask", WAVE)).json["ErrNum"] == 0


async def test_an_address_that_no_cloud_has_is_answered_with_404_and_kept_in_the_default_journal(
    client: Client,
) -> None:
    answer = await client.request("GET", "/nowhere")

    assert answer.status == 404
    assert b"No cloud is emulated at this address." in answer.body
    assert "no cloud is emulated at /nowhere" in (await noted(client, answer, "default"))["reason"]


# Content coding and size


async def test_a_gzipped_body_is_unpacked(client: Client) -> None:
    answer = await post_wave(client, gzip.compress(json.dumps(WAVE).encode()), Content_Encoding="gzip")

    assert answer.json["ErrNum"] == 0


async def test_a_deflated_body_is_unpacked(client: Client) -> None:
    answer = await post_wave(client, zlib.compress(json.dumps(WAVE).encode()), Content_Encoding="deflate")

    assert answer.json["ErrNum"] == 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"this was never packed", "Content-Encoding is gzip, but the body is not", id="no gzip"),
        pytest.param(gzip.compress(b"{}" * 999)[:-9], "Content-Encoding is gzip, but the body breaks off", id="cut"),
    ],
)
async def test_a_body_that_is_called_gzip_and_is_none_is_refused_with_1010(
    client: Client, body: bytes, reason: str
) -> None:
    answer = await post_wave(client, body, Content_Encoding="gzip")

    assert (answer.status, answer.json) == (200, {"ErrNum": 1010, "ErrMsg": "内容不合法"})
    assert reason in (await noted(client, answer))["reason"]


async def test_a_small_body_that_unpacks_to_a_huge_one_is_refused_before_it_is_unpacked(start: Start) -> None:
    client = await start(max_body=64 * 1024)
    bomb = gzip.compress(b" " * (10 * MEGABYTE))

    answer = await post_wave(client, bomb, Content_Encoding="gzip")

    assert answer.json == {"ErrNum": 1010, "ErrMsg": "内容不合法"}
    assert (await noted(client, answer))["reason"] == "the body unpacks to more than 262144 bytes"


async def test_a_content_encoding_that_is_a_charset_changes_nothing(client: Client) -> None:
    answer = await post_wave(client, json.dumps(WAVE).encode(), Content_Encoding="UTF-8")

    assert answer.json["ErrNum"] == 0


async def test_a_body_of_20_megabytes_is_refused_with_1010_by_kingsoft(client: Client) -> None:
    answer = await client.request("POST", "/", params=SIGNED, data=BytesIO(b" " * (20 * MEGABYTE)))

    assert (answer.status, answer.json) == (200, {"ErrNum": 1010, "ErrMsg": "内容不合法"})
    assert (await noted(client, answer))["reason"] == "the body is over 16777216 bytes (--max-body)"


async def test_a_body_of_20_megabytes_is_refused_with_216202_by_baidu(client: Client) -> None:
    answer = await recognise_large(client, templateSign=TRAIN_TICKET, image="A" * (20 * MEGABYTE))

    assert (answer.status, answer.json) == (200, {"error_code": 216202, "error_msg": "input oversize"})
    assert (await noted(client, answer))["reason"] == "the body is over 16777216 bytes (--max-body)"


async def test_a_body_of_11_megabytes_is_refused_with_216202_by_baidu(client: Client) -> None:
    answer = await recognise_large(client, templateSign=TRAIN_TICKET, image="A" * (11 * MEGABYTE))

    assert answer.json == {"error_code": 216202, "error_msg": "input oversize"}
    assert "10485760 (10M) are allowed" in (await noted(client, answer))["reason"]


# Baidu: the picture


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        pytest.param("this is no base64!", "the picture is no base64", id="junk"),
        pytest.param("AAA", "the picture is no base64", id="a length that base64 has not"),
        pytest.param("data:image/png;base64," + encoded(), "begins with data:", id="a data prefix"),
        pytest.param(base64.b64encode(b"just a text").decode(), "no PNG, JPEG or BMP", id="a text file"),
        pytest.param(encoded(kind="GIF"), "no PNG, JPEG or BMP", id="a GIF"),
        pytest.param(encoded(kind="TIFF"), "no PNG, JPEG or BMP", id="a TIFF"),
        pytest.param(base64.b64encode(b"%PDF-1.4").decode(), "no PNG, JPEG or BMP", id="a PDF"),
        pytest.param(base64.b64encode(picture()[:12]).decode(), "cannot be read", id="the beginning of a PNG"),
        pytest.param(base64.b64encode(b"BM").decode(), "cannot be read", id="the beginning of a BMP"),
        pytest.param(base64.b64encode(b"\xff\xd8\xff").decode(), "cannot be read", id="the beginning of a JPEG"),
    ],
)
async def test_what_is_no_picture_is_refused_with_216201(client: Client, image: str, reason: str) -> None:
    answer = await client.recognise(await client.token(), templateSign=TRAIN_TICKET, image=image)

    assert (answer.status, answer.json) == (200, {"error_code": 216201, "error_msg": "image format error"})
    assert reason in (await noted(client, answer))["reason"]


@pytest.mark.parametrize(("width", "height"), [(14, 100), (100, 14), (4097, 100), (100, 4097)])
async def test_a_picture_with_a_side_out_of_bounds_is_refused_with_216202(
    client: Client, width: int, height: int
) -> None:
    answer = await client.recognise(await client.token(), templateSign=TRAIN_TICKET, image=encoded(width, height))

    assert (answer.status, answer.json) == (200, {"error_code": 216202, "error_msg": "image size error"})
    reason = (await noted(client, answer))["reason"]
    assert reason == f"the picture has {width} × {height} pixels; sides are from 15 to 4096"


@pytest.mark.parametrize(("width", "height"), [(15, 15), (15, 4096), (4096, 15), (4096, 4096)])
async def test_a_picture_with_sides_at_the_bounds_is_read(client: Client, width: int, height: int) -> None:
    answer = await client.recognise(await client.token(), templateSign=TRAIN_TICKET, image=encoded(width, height))

    assert answer.json["error_code"] == 0


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
async def test_a_picture_of_a_documented_format_is_read(client: Client, kind: str) -> None:
    answer = await client.recognise(await client.token(), templateSign=TRAIN_TICKET, image=encoded(kind=kind))

    assert answer.json["error_code"] == 0


async def test_base64_of_more_than_4m_is_refused_with_216202(client: Client) -> None:
    image = base64.b64encode(picture() + bytes(3 * MEGABYTE)).decode()

    answer = await recognise_large(client, templateSign=TRAIN_TICKET, image=image)

    assert answer.json == {"error_code": 216202, "error_msg": "image size error"}
    assert "4194304 (4M) are allowed" in (await noted(client, answer))["reason"]


async def test_base64_of_exactly_4m_is_read(client: Client) -> None:
    plain = picture()
    image = base64.b64encode(plain + bytes(3 * MEGABYTE - len(plain))).decode()

    answer = await recognise_large(client, templateSign=TRAIN_TICKET, image=image)

    assert len(image) == 4 * MEGABYTE
    assert answer.json["error_code"] == 0


async def test_base64_with_line_breaks_is_read(client: Client) -> None:
    image = base64.encodebytes(picture()).decode()

    answer = await client.recognise(await client.token(), templateSign=TRAIN_TICKET, image=image)

    assert "\n" in image
    assert answer.json["error_code"] == 0


async def test_base64_whose_plus_signs_were_sent_unencoded_and_became_spaces_is_read(client: Client) -> None:
    image = base64.b64encode(picture() + b"\xfb\xef\xbe" * 9).decode()
    body = f"templateSign={TRAIN_TICKET}&image={image}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = await client.request(
        "POST", RECOGNISE, params={"access_token": await client.token()}, data=body, headers=headers
    )

    assert "+" in image
    assert answer.json["error_code"] == 0


async def test_a_missing_template_is_refused_with_282004_and_a_short_data_object(client: Client) -> None:
    answer = await client.recognise(await client.token(), image=encoded())

    assert answer.status == 200
    assert answer.json == {
        "data": {"isStructured": False, "logId": answer.json["data"]["logId"]},
        "error_code": 282004,
        "error_msg": "invalid param, modelId is not number,please check your param",
    }
    assert "templateSign, classifierId is required" in (await noted(client, answer))["reason"]


async def test_an_empty_template_is_refused_like_a_missing_one(client: Client) -> None:
    answer = await client.recognise(await client.token(), templateSign="", image=encoded())

    assert answer.json["error_code"] == 282004
    assert "templateSign, classifierId is required" in (await noted(client, answer))["reason"]


async def test_an_unknown_template_is_refused_with_282004_and_the_reason_says_how_to_add_it(client: Client) -> None:
    answer = await client.recognise(await client.token(), templateSign="nobodys", image=encoded())

    assert answer.json["error_code"] == 282004
    assert answer.json["error_msg"] == "invalid parameter, appId doesn't own this template nor not launch"
    assert "--fixtures DIR with baidu/templates/nobodys.json adds it" in (await noted(client, answer))["reason"]


async def test_a_template_that_is_nearly_a_known_one_is_refused_with_the_known_one_in_the_reason(
    client: Client,
) -> None:
    answer = await client.recognise(await client.token(), templateSign=TRAIN_TICKET[:-1], image=encoded())

    assert answer.json["error_code"] == 282004
    assert f"did you mean '{TRAIN_TICKET}'?" in (await noted(client, answer))["reason"]


async def test_an_unknown_classifier_is_refused_with_272004(client: Client) -> None:
    answer = await client.recognise(await client.token(), classifierId="1", image=encoded())

    assert (answer.json["error_code"], answer.json["error_msg"]) == (272004, "classifier does not exist")
    assert "there is no classifier 1" in (await noted(client, answer))["reason"]


async def test_a_missing_picture_is_refused_with_216101(client: Client) -> None:
    answer = await client.recognise(await client.token(), templateSign=TRAIN_TICKET)

    assert answer.json == {"error_code": 216101, "error_msg": "not enough param"}
    assert "one of image, url, pdf_file is required" in (await noted(client, answer))["reason"]


async def test_an_empty_picture_is_refused_with_216200(client: Client) -> None:
    answer = await client.recognise(await client.token(), templateSign=TRAIN_TICKET, image="")

    assert answer.json == {"error_code": 216200, "error_msg": "empty image"}
    assert (await noted(client, answer))["reason"].startswith("/image")


@pytest.mark.parametrize(
    ("source", "code", "reason"),
    [("url", 282111, "is no URL"), ("pdf_file", 216201, "is no base64")],
)
async def test_another_source_that_is_none_is_refused_with_its_code(
    client: Client, source: str, code: int, reason: str
) -> None:
    answer = await client.recognise(await client.token(), templateSign=TRAIN_TICKET, **{source: "not a source!"})

    assert answer.json["error_code"] == code
    assert reason in (await noted(client, answer))["reason"]


async def test_parameters_in_a_json_body_are_not_read_by_baidu_and_the_reason_names_the_content_type(
    client: Client,
) -> None:
    document = {"templateSign": TRAIN_TICKET, "image": encoded()}

    answer = await client.request("POST", RECOGNISE, params={"access_token": await client.token()}, json=document)

    assert answer.json["error_code"] == 282004
    assert "application/json" in (await noted(client, answer))["reason"]


# Baidu: path, method, token


@pytest.mark.parametrize(
    "path",
    [
        "/rest/2.0/solution/v1/iocr",
        "/rest/2.0/solution/v1/iocr/recognize",
        "/rest/2.0/ocr/v1/general",
        "/oauth/2.0/tokens",
    ],
)
async def test_a_path_that_is_nothing_is_refused_with_code_3(client: Client, path: str) -> None:
    answer = await client.request("POST", path, data={"image": encoded()})

    assert (answer.status, answer.json) == (200, {"error_code": 3, "error_msg": "Unsupported openapi method"})
    assert f"nothing is called {path}" in (await noted(client, answer, "default"))["reason"]


async def test_a_path_that_is_nearly_a_known_one_is_refused_with_the_known_one_in_the_reason(client: Client) -> None:
    answer = await client.request("POST", "/rest/2.0/solution/v1/iocr/recognize")

    assert "did you mean '/rest/2.0/solution/v1/iocr/recognise'?" in answer.reason


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_method_that_recognition_is_not_called_by_is_refused_with_code_3(client: Client, method: str) -> None:
    answer = await client.request(method, RECOGNISE, params={"access_token": await client.token()})

    assert (answer.status, answer.json) == (200, {"error_code": 3, "error_msg": "Unsupported openapi method"})
    assert f"is called by POST, not {method}" in (await noted(client, answer))["reason"]


@pytest.mark.parametrize("query", [{}, {"access_token": ""}])
async def test_a_call_without_a_token_is_refused_with_code_100(client: Client, query: dict[str, str]) -> None:
    answer = await client.request("POST", RECOGNISE, params=query, data={"templateSign": TRAIN_TICKET})

    assert (answer.status, answer.json) == (200, {"error_code": 100, "error_msg": "Invalid parameter"})
    reason = (await noted(client, answer, "default"))["reason"]
    assert reason == "no access_token: not in the query, not in the form"


async def test_a_token_that_was_never_issued_is_refused_with_code_110(client: Client) -> None:
    answer = await client.recognise("24.0123.2592000.1.1-1", templateSign=TRAIN_TICKET, image=encoded())

    assert answer.status == 200
    assert answer.json == {"error_code": 110, "error_msg": "Access token invalid or no longer valid"}
    assert "was never issued here" in (await noted(client, answer, "default"))["reason"]


async def test_a_token_is_refused_with_code_111_when_the_clock_has_moved_31_days(client: Client) -> None:
    token = await client.token()
    await client.advance("31d")

    answer = await client.recognise(token, templateSign=TRAIN_TICKET, image=encoded())

    assert (answer.status, answer.json) == (200, {"error_code": 111, "error_msg": "Access token expired"})
    reason = (await noted(client, answer))["reason"]
    assert reason == "this access_token expired 86400 s ago by the account's clock"


async def test_a_token_lives_until_the_last_second_of_its_30_days(client: Client) -> None:
    token = await client.token()
    await client.admin("POST", "clock/advance", {"to": START + 2_592_000 - 1})

    answer = await client.recognise(token, templateSign=TRAIN_TICKET, image=encoded())

    assert answer.json["error_code"] == 0


@pytest.mark.parametrize(
    ("form", "status", "error", "description", "reason"),
    [
        pytest.param(
            {"client_id": "AKTEST", "client_secret": "any"},
            400,
            "invalid_request",
            "The request is missing a required parameter",
            "grant_type is required but missing",
            id="no grant_type",
        ),
        pytest.param(
            {"grant_type": "", "client_id": "AKTEST", "client_secret": "any"},
            400,
            "invalid_request",
            "The request is missing a required parameter",
            "grant_type is required but missing",
            id="an empty grant_type",
        ),
        pytest.param(
            {"grant_type": "password", "client_id": "AKTEST", "client_secret": "any"},
            400,
            "unsupported_grant_type",
            "The authorization grant type is not supported",
            "'password' is none of 'client_credentials'",
            id="another grant_type",
        ),
        pytest.param(
            {"grant_type": "client_credentials", "client_id": "AKTEST"},
            400,
            "invalid_request",
            "The request is missing a required parameter",
            "client_secret is required but missing",
            id="no secret",
        ),
        pytest.param(
            {"grant_type": "client_credentials", "client_id": "AKTEST", "client_secret": "other"},
            401,
            "invalid_client",
            "Client authentication failed",
            "client_secret is not the account's",
            id="a wrong secret",
        ),
    ],
)
async def test_a_token_call_that_is_wrong_is_refused_as_oauth_says(
    client: Client, form: dict[str, str], status: int, error: str, description: str, reason: str
) -> None:
    answer = await client.request("POST", TOKEN, data=form)

    assert answer.status == status
    assert answer.json == {"error": error, "error_description": description}
    assert reason in (await noted(client, answer))["reason"]


async def test_a_token_call_without_an_api_key_is_refused_as_oauth_says(client: Client) -> None:
    form = {"grant_type": "client_credentials", "client_secret": "any"}

    answer = await client.request("POST", TOKEN, data=form)

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert "client_id is required but missing" in (await noted(client, answer, "default"))["reason"]


async def test_an_api_key_of_nobody_is_refused_with_401_where_accounts_are_closed(start: Start) -> None:
    client = await start(accounts="closed")
    form = {"grant_type": "client_credentials", "client_id": "nobodys", "client_secret": "any"}

    answer = await client.request("POST", TOKEN, data=form)

    assert answer.status == 401
    assert answer.json == {"error": "invalid_client", "error_description": "unknown client id"}
    reason = (await noted(client, answer, "default"))["reason"]
    assert reason == "no account has the API key nobodys, and none is opened for it (--accounts)"


async def test_a_request_wrongly_signed_with_bce_auth_v1_is_refused_with_code_14_and_shows_what_was_computed(
    client: Client,
) -> None:
    signed = {"Authorization": "bce-auth-v1/AKTEST/2026-01-01T00:00:00Z/1800/host/" + "0" * 64}

    answer = await client.request("POST", RECOGNISE, data={"templateSign": TRAIN_TICKET}, headers=signed)

    assert (answer.status, answer.json) == (200, {"error_code": 14, "error_msg": "IAM Certification failed"})
    assert "canonical request as computed here" in answer.reason


# ExtParam, a document inside a document


@pytest.mark.parametrize(
    ("ext", "reason"),
    [
        pytest.param("{", "ExtParam is not JSON in a string", id="no JSON"),
        pytest.param("[]", "is no object", id="an array"),
        pytest.param({"Callback": {}}, "progress_cburl is required but missing", id="a Callback without an address"),
        pytest.param({"Callback": "http://127.0.0.1/"}, "/Callback", id="a Callback as a text"),
        pytest.param(
            {"Callback": {"progress_cburl": "http://127.0.0.1/", "progress_interval": 0}},
            "/Callback/progress_interval",
            id="an interval of 0",
        ),
        pytest.param(
            {"Callback": {"progress_cburl": "http://127.0.0.1/", "progress_interval": "5"}},
            "/Callback/progress_interval",
            id="an interval as a text",
        ),
        pytest.param({"mulHlsRate": 2}, "/mulHlsRate", id="an unknown choice"),
        pytest.param(
            {"passParams": {"max_muxing_queue_size": 9999}}, "/passParams", id="an encoder option as a number"
        ),
        pytest.param(7, "/ExtParam", id="a number in its place"),
    ],
)
async def test_an_extparam_that_is_not_legal_is_refused_with_1018(client: Client, ext: object, reason: str) -> None:
    sent = json.dumps(ext) if isinstance(ext, dict) else ext

    answer = await client.kingsoft("CreateTask", {**TRANSCODE, "ExtParam": sent})

    assert (answer.status, answer.json) == (200, {"ErrNum": 1018, "ErrMsg": "扩展参数不合法"})
    assert reason in (await noted(client, answer))["reason"]


# Numbers that come as text


def flat(**parameters: str) -> dict[str, str]:
    """The parameters of a wave task in a form, its numbers as text."""
    form = {"Preset": "wave", "SrcInfo.path": "/src-bucket/a.mp3", "DstBucket": "dst-bucket", "DstObjectKey": "a.json"}
    return form | {"points": "1000"} | parameters


async def test_a_form_with_flattened_members_and_numbers_as_text_is_read(client: Client) -> None:
    answer = await client.request("POST", "/", params=SIGNED, data=flat())

    assert answer.json["ErrNum"] == 0


async def test_a_query_with_flattened_members_and_numbers_as_text_is_read(client: Client) -> None:
    answer = await client.request("GET", "/", params=SIGNED | flat())

    assert answer.json["ErrNum"] == 0


@pytest.mark.parametrize(
    "points", ["1_000", "１０００", "1e3", "1000.0", "0x64", "true", "ten", "1000,0", "10", "4096", "nan", "9" * 40]
)
async def test_a_text_that_is_no_number_of_points_is_refused_with_1001(client: Client, points: str) -> None:
    answer = await client.request("POST", "/", params=SIGNED, data=flat(points=points))

    assert answer.json == {"ErrNum": 1001, "ErrMsg": "参数不合法"}
    assert (await noted(client, answer))["reason"].startswith("/points")


async def test_an_empty_text_is_a_parameter_that_was_not_sent(client: Client) -> None:
    answer = await client.request("POST", "/", params=SIGNED, data=flat(points=""))

    assert answer.json == {"ErrNum": 1000, "ErrMsg": "缺少参数"}


# What could break the emulator itself


@pytest.mark.parametrize("depth", [300, 900])
@pytest.mark.parametrize("action", ["CreateTask", "CreateWaveTask"])
async def test_a_deeply_nested_member_breaks_neither_the_answer_nor_the_admin_api(
    client: Client, action: str, depth: int
) -> None:
    nested = json.loads("[" * depth + "]" * depth)
    document = {**(TRANSCODE if action == "CreateTask" else WAVE), "unknown": nested, "ExtParam": {"hlsKey": nested}}
    body = json.dumps(document)

    answer = await client.kingsoft(action, body)

    assert answer.status == 200
    assert (await client.admin("GET", "tasks")).status == 200
    assert (await client.admin("GET", "requests")).status == 200


async def test_a_task_with_a_deeply_nested_extparam_is_refused_or_can_be_shown(client: Client) -> None:
    nested = json.loads("[" * 300 + "]" * 300)
    created = (await client.kingsoft("CreateTask", {**TRANSCODE, "ExtParam": {"hlsKey": nested}})).json

    shown = await client.kingsoft("GetTaskByTaskID", TaskID=created.get("TaskID", "f" * 40))

    assert (shown.status, shown.json["ErrNum"]) == (200, 0 if "TaskID" in created else 1200)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"X-Client: \xff\xfe", id="any"),
        pytest.param(b"X-Action: \xff\xfe", id="X-Action"),
        pytest.param(b"Content-Type: \xff\xfe", id="Content-Type"),
        pytest.param(
            b"Authorization: AWS4-HMAC-SHA256 Credential=\xff/20260101/r/kvs/aws4_request", id="Authorization"
        ),
    ],
)
async def test_a_header_that_is_no_utf8_breaks_neither_the_answer_nor_the_journal(
    client: Client, header: bytes
) -> None:
    request = b"GET /?Action=Nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + header + b"\r\n\r\n"

    answer = await wire.send(client, request)

    assert answer.status == 400
    accounts = await client.admin("GET", "/accounts")
    assert accounts.status == 200
    for account in accounts.json["accounts"]:
        assert (await client.admin("GET", f"/accounts/{account['name']}/requests")).status == 200


async def test_a_host_that_is_no_utf8_breaks_neither_the_answer_nor_the_journal(client: Client) -> None:
    answer = await wire.send(client, b"GET /?Action=Nothing HTTP/1.1\r\nHost: \xff\r\nConnection: close\r\n\r\n")

    assert answer.status == 400
    assert (await client.admin("GET", "/accounts/default/requests")).status == 200


async def test_an_access_key_that_is_no_good_name_opens_an_account_with_a_safe_one(client: Client) -> None:
    stranger = {"X-Amz-Credential": "../密钥 <b>/20260101/cn-beijing-6/kvs/aws4_request"}

    answer = await client.kingsoft("CreateWaveTask", WAVE, **stranger)

    assert answer.json["ErrNum"] == 0
    names = [account["name"] for account in (await client.admin("GET", "/accounts")).json["accounts"]]
    assert len(names) == 3
    assert all(name.isascii() and "/" not in name and "<" not in name for name in names)


async def test_a_client_that_goes_away_in_the_middle_of_its_body_leaves_the_server_serving(client: Client) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
    writer.write(b"POST /?Action=CreateWaveTask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()

    assert (await client.kingsoft("CreateWaveTask", WAVE)).json["ErrNum"] == 0


@pytest.mark.parametrize(
    "framing",
    [
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n", id="a chunk's size"),
        pytest.param(b"Content-Length: -3\r\n\r\n{}", id="a negative length"),
        pytest.param(b"Content-Length: two\r\n\r\n{}", id="a length in words"),
        pytest.param(b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", id="two lengths"),
    ],
)
async def test_a_body_whose_length_is_garbled_gets_a_4xx_and_the_server_serves_on(
    client: Client, framing: bytes
) -> None:
    head = b"POST /?Action=CreateWaveTask HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"

    answer = await wire.send(client, head + framing)

    assert 400 <= answer.status < 500
    assert (await client.kingsoft("CreateWaveTask", WAVE)).json["ErrNum"] == 0


async def test_a_body_in_chunks_is_read(client: Client) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for byte in json.dumps(WAVE).encode():
            yield bytes([byte])

    answer = await client.request("POST", "/", params=SIGNED, data=chunks())

    assert answer.json["ErrNum"] == 0


async def test_a_client_that_waits_for_100_continue_is_told_to_go_on(client: Client) -> None:
    answer = await client.request("POST", "/", params=SIGNED, json=WAVE, expect100=True)

    assert answer.json["ErrNum"] == 0


async def test_a_malformed_request_is_one_line_in_the_log_and_no_traceback(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    await wire.send(client, b"GET /\xff HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")

    records = [record for record in caplog.records if record.name.startswith("emulator")]
    assert [record.levelname for record in records] == ["WARNING"]
    assert records[0].getMessage().startswith("malformed request:")
    assert records[0].exc_info is None


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PROPFIND"])
async def test_an_unusual_method_is_refused_by_the_gateway(client: Client, method: str) -> None:
    answer = await client.request(method, "/", params=SIGNED)

    assert answer.status == 400
    assert "CreateWaveTask is called by POST or GET" in answer.reason


# Many at once


async def test_every_one_of_many_bad_requests_is_in_the_journal(client: Client) -> None:
    for number in range(50):
        await client.kingsoft("CreateWaveTask", f"bad {number}")

    found = (await client.admin("GET", "requests", code="1010")).json["requests"]
    assert [entry["body"] for entry in found] == [f"bad {number}" for number in range(50)]
