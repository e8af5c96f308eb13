"""The samples that the vendors print in their documentation, sent as they are printed."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from tests.support import wire
from tests.support.client import RECOGNISE, TRAIN_TICKET, Client, Start
from tests.support.pictures import picture
from tests.support.remote import Remote

DATA = Path(__file__).parents[1] / "data"
TICKET = json.loads((DATA / "baidu-train-ticket.json").read_text("utf-8"))


def printed_wave_request() -> bytes:
    """Kingsoft's sample of CreateWaveTask: the lines of its query are joined, its length is added."""
    printed = (DATA / "kingsoft-wave-request.txt").read_bytes()
    head, _, body = printed.replace(b"\n&", b"&", 6).partition(b"\n\n")
    lines = [*head.split(b"\n"), b"Content-Length: %d" % len(body), b"Connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def answer_to_printed_wave_request(client: Client) -> tuple[wire.Reply, Any]:
    """What the printed request is answered, and what the journal says of it."""
    answer = await wire.send(client, printed_wave_request())
    (entry,) = (await client.admin("GET", "requests")).json["requests"]
    return answer, entry


async def test_kingsofts_printed_wave_request_is_refused_for_its_trailing_comma_and_the_reason_says_what_helps(
    start: Start,
) -> None:
    client = (await start(clock="frozen")).named("xxxx")

    answer, entry = await answer_to_printed_wave_request(client)

    assert answer.status == 200
    assert json.loads(answer.body) == {"ErrNum": 1010, "ErrMsg": "内容不合法"}
    assert "it has a trailing comma; --lenient-json accepts those" in entry["reason"]
    assert answer.headers["X-Emulator-Reason"] == entry["reason"]


async def test_kingsofts_printed_wave_request_is_accepted_by_lenient_json_and_answered_as_printed(start: Start) -> None:
    client = (await start(clock="frozen", lenient_json=True)).named("xxxx")

    answer, entry = await answer_to_printed_wave_request(client)

    assert answer.status == 200
    assert answer.headers["Server"] == "ksyun-open-platform"
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert re.fullmatch(rb'\{"TaskID":"[0-9a-f]{32}[0-9]{8}","ErrNum":0,"ErrMsg":"success"\}', answer.body)
    assert (entry["operation"], entry["code"]) == ("kingsoft.CreateWaveTask", None)


async def test_the_parameters_of_kingsofts_printed_wave_request_are_read(start: Start) -> None:
    client = (await start(clock="frozen", lenient_json=True)).named("xxxx")

    await answer_to_printed_wave_request(client)

    (task,) = (await client.admin("GET", "tasks")).json["tasks"]
    assert task["parameters"] == {
        "Preset": "wave",
        "SrcInfo": {"path": "/mysrcbucket/myobject/mykey.mp4"},
        "DstBucket": "mydstbucket",
        "DstObjectKey": "myobject/mykey.mp4",
        "DstAcl": "public-read",
        "CbUrl": "xxxxx",
        "points": 1000,
    }


async def test_the_callback_of_kingsofts_printed_wave_request_fails_as_its_address_is_no_url(start: Start) -> None:
    client = (await start(clock="frozen", lenient_json=True)).named("xxxx")
    await answer_to_printed_wave_request(client)

    await client.advance("10m")

    (delivery,) = (await client.admin("GET", "deliveries")).json["deliveries"]
    assert (delivery["status"], delivery["request"]["url"]) == ("failed", "xxxxx")
    assert delivery["attempts"][0]["error"].startswith("'xxxxx' is no URL that can be called")


async def test_baidus_printed_curl_command_is_answered_with_the_printed_answer(client: Client) -> None:
    token = await client.token()
    body = f"templateSign={TRAIN_TICKET}&image={quote(base64.b64encode(picture()), safe='')}".encode()
    lines = [
        f"POST {RECOGNISE}?access_token={token} HTTP/1.1",
        "Host: aip.baidubce.com",
        "User-Agent: curl/7.88.1",
        "Accept: */*",
        "Content-Type:application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]

    answer = await wire.send(client, "\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    assert answer.status == 200
    assert json.loads(answer.body) == TICKET


async def test_the_printed_answer_is_sent_with_its_members_in_the_printed_order(client: Client) -> None:
    image = base64.b64encode(picture()).decode()

    answer = await client.recognise(await client.token(), templateSign=TRAIN_TICKET, image=image)

    assert json.dumps(answer.json) == json.dumps(TICKET)


def test_baidus_printed_python_program_is_answered_with_the_printed_answer(remote: Remote) -> None:
    params = {"grant_type": "client_credentials", "client_id": remote.name, "client_secret": remote.secret}
    access_token = requests.get(f"{remote.url}/oauth/2.0/token", params=params, timeout=30).json()["access_token"]
    headers = {"Content-Type": "application/x-www-form-urlencoded", "charset": "utf-8"}
    image_b64 = base64.b64encode(picture()).decode().replace("\r", "")
    recognise_bodys = (
        "access_token=" + access_token + "&templateSign=" + TRAIN_TICKET + "&image=" + quote(image_b64.encode("utf8"))
    )

    response = requests.post(remote.url + RECOGNISE, data=recognise_bodys, headers=headers, timeout=30)

    assert response.json() == TICKET


def test_baidus_printed_python_program_for_a_classifier_is_told_that_there_is_none(remote: Remote) -> None:
    params = {"grant_type": "client_credentials", "client_id": remote.name, "client_secret": remote.secret}
    access_token = requests.get(f"{remote.url}/oauth/2.0/token", params=params, timeout=30).json()["access_token"]
    headers = {"Content-Type": "application/x-www-form-urlencoded", "charset": "utf-8"}
    image_b64 = base64.b64encode(picture()).decode().replace("\r", "")
    classifier_bodys = "access_token=" + access_token + "&classifierId=1&image=" + quote(image_b64.encode("utf8"))

    response = requests.post(remote.url + RECOGNISE, data=classifier_bodys, headers=headers, timeout=30)

    assert response.json()["error_code"] == 272004
