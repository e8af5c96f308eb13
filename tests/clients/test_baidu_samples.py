"""The requests of the vendor's printed samples in seven languages, byte for byte."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.support import wire
from tests.support.client import RECOGNISE, TRAIN_TICKET, Client
from tests.support.pictures import picture

TICKET = json.loads((Path(__file__).parents[1] / "data" / "baidu-train-ticket.json").read_text("utf-8"))
IMAGE = base64.b64encode(picture(kind="JPEG")).decode()
CONTENT_TYPE = "Content-Type: application/x-www-form-urlencoded"
SELECTED = pytest.mark.parametrize(
    "selected", [f"templateSign={TRAIN_TICKET}", "classifierId=10001"], ids=["template", "classifier"]
)
SAMPLES = {
    "curl": (
        "?access_token={token}",
        "{selected}&image={percent}",
        ["User-Agent: curl/7.88.1", "Accept: */*", "Content-Type:application/x-www-form-urlencoded"],
    ),
    "python": (
        "",
        "access_token={token}&{selected}&image={python}",
        [
            "User-Agent: python-requests/2.32.3",
            "Accept-Encoding: gzip, deflate",
            "Accept: */*",
            "Connection: keep-alive",
            CONTENT_TYPE,
            "charset: utf-8",
        ],
    ),
    "php": (
        "",
        "access_token={token}&{selected}&image={percent}",
        ["Accept: */*", CONTENT_TYPE],
    ),
    "java": (
        "?access_token={token}",
        "{selected}&image={percent}",
        [CONTENT_TYPE, "Connection: Keep-Alive", "User-Agent: Java/17.0.1", "Accept: */*"],
    ),
    "c++": (
        "",
        "access_token={token}&{selected}&image={percent}",
        ["Accept: */*", "Content-Type:application/x-www-form-urlencoded", "charset:utf-8"],
    ),
    "c#": (
        "",
        "access_token={token}&{selected}&image={lower}",
        [CONTENT_TYPE, "Connection: Keep-Alive"],
    ),
    "objective-c": (
        "?access_token={token}",
        "image={percent}&{selected}",
        [CONTENT_TYPE, "Accept: application/json", "Accept-Language: zh-CN,zh-Hans;q=0.9"],
    ),
}


def _lower(text: str) -> str:
    """Percent-encoding with lower-case digits, as .NET writes it."""
    return "".join(f"%{ord(sign):02x}" if sign in "+/=" else sign for sign in text)


@SELECTED
@pytest.mark.parametrize("language", list(SAMPLES))
async def test_what_a_printed_sample_sends_is_answered(client: Client, language: str, selected: str) -> None:
    query, body, headers = SAMPLES[language]
    token = await client.token()
    forms = {"percent": quote_plus(IMAGE), "python": quote(IMAGE), "lower": _lower(IMAGE)}
    content = body.format(token=token, selected=selected, **forms).encode()
    lines = [
        f"POST {RECOGNISE}{query.format(token=token)} HTTP/1.1",
        "Host: aip.baidubce.com",
        *(line for line in headers if not line.startswith("Connection")),
        f"Content-Length: {len(content)}",
        "Connection: close",
    ]

    answer = await wire.send(client, "\r\n".join(lines).encode() + b"\r\n\r\n" + content)

    found = json.loads(answer.body)
    assert (answer.status, found["error_code"]) == (200, 0)
    if selected.startswith("templateSign"):
        assert found == TICKET
