"""The journal as an HTTP Archive."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import pytest
from aiohttp import FormData
from haralyzer import HarParser
from jsonschema import Draft202012Validator, FormatChecker

from tests.support import receivers
from tests.support.client import RECOGNISE, WAVE, Client, Start
from tests.support.inbox import Inbox

_PAIRS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name", "value"],
        "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
        "additionalProperties": False,
    },
}
_MESSAGE = {
    "httpVersion": {"type": "string"},
    "cookies": {"const": []},
    "headers": _PAIRS,
    "headersSize": {"type": "integer", "minimum": -1},
    "bodySize": {"type": "integer", "minimum": -1},
}
HAR = {
    "type": "object",
    "required": ["log"],
    "properties": {
        "log": {
            "type": "object",
            "required": ["version", "creator", "entries"],
            "properties": {
                "version": {"const": "1.2"},
                "creator": {"type": "object", "required": ["name", "version"]},
                "pages": {"type": "array"},
                "entries": {"type": "array", "items": {"$ref": "#/$defs/entry"}},
            },
        }
    },
    "$defs": {
        "entry": {
            "type": "object",
            "required": ["startedDateTime", "time", "request", "response", "cache", "timings"],
            "properties": {
                "startedDateTime": {
                    "type": "string",
                    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$",
                },
                "time": {"type": "number", "minimum": 0},
                "request": {
                    "type": "object",
                    "required": [
                        "method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize",
                    ],
                    "properties": {
                        **_MESSAGE,
                        "method": {"type": "string"},
                        "url": {"type": "string", "pattern": "^https?://[^/]+/"},
                        "queryString": _PAIRS,
                        "postData": {
                            "type": "object",
                            "required": ["mimeType"],
                            "properties": {
                                "mimeType": {"type": "string"},
                                "text": {"type": "string"},
                                "params": _PAIRS,
                            },
                        },
                    },
                },
                "response": {
                    "type": "object",
                    "required": [
                        "status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL",
                        "headersSize", "bodySize",
                    ],
                    "properties": {
                        **_MESSAGE,
                        "status": {"type": "integer"},
                        "statusText": {"type": "string"},
                        "redirectURL": {"type": "string"},
                        "content": {
                            "type": "object",
                            "required": ["size", "mimeType"],
                            "properties": {
                                "size": {"type": "integer", "minimum": 0},
                                "mimeType": {"type": "string"},
                                "text": {"type": "string"},
                                "encoding": {"const": "base64"},
                            },
                        },
                    },
                },
                "cache": {"const": {}},
                "timings": {
                    "type": "object",
                    "required": ["send", "wait", "receive"],
                    "additionalProperties": {"type": "number", "minimum": 0},
                },
            },
        }
    },
}  # fmt: skip
"""What HAR 1.2 demands, and what a browser's network panel needs of it."""


async def exported(client: Client) -> list[Any]:
    """The entries of the export, which is valid."""
    answer = await client.admin("GET", "journal.har")
    assert answer.status == 200, answer.body
    document = answer.json
    Draft202012Validator(HAR, format_checker=FormatChecker()).validate(document)
    entries: list[Any] = document["log"]["entries"]
    return entries


def named(pairs: list[dict[str, str]]) -> dict[str, str]:
    return {pair["name"]: pair["value"] for pair in pairs}


async def test_an_empty_journal_is_a_valid_archive(client: Client) -> None:
    assert await exported(client) == []


async def test_the_archive_is_handed_over_as_a_file(client: Client) -> None:
    headers = (await client.admin("GET", "journal.har")).headers

    assert headers["Content-Disposition"] == 'attachment; filename="AKTEST.har"'
    assert headers["Content-Type"].startswith("application/json")


async def test_a_library_reads_it(client: Client, inbox: Inbox) -> None:
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})
    await client.advance("1h")
    document = (await client.admin("GET", "journal.har")).json

    pages = HarParser(document).pages

    assert [entry.request.method for page in pages for entry in page.entries] == ["POST", "POST"]
    assert [entry.response.status for page in pages for entry in page.entries] == [200, 200]
    assert all(isinstance(entry.startTime, datetime) for page in pages for entry in page.entries)


async def test_a_request_stands_there_as_it_came(client: Client) -> None:
    answer = await client.kingsoft("CreateWaveTask", WAVE)
    (entry,) = await exported(client)

    request, response = entry["request"], entry["response"]
    assert request["url"].startswith(f"{client.server.url}/?Action=CreateWaveTask&Version=2017-01-01")
    assert named(request["queryString"])["Action"] == "CreateWaveTask"
    assert request["postData"]["mimeType"] == "application/json"
    assert json.loads(request["postData"]["text"]) == WAVE
    assert request["bodySize"] == len(json.dumps(WAVE))
    assert (response["status"], response["statusText"]) == (200, "OK")
    assert response["content"]["text"].encode() == answer.body
    assert response["content"]["size"] == response["bodySize"] == len(answer.body)


async def test_what_has_no_place_in_an_archive_is_in_a_member_of_its_own(client: Client) -> None:
    await client.kingsoft("CreateWaveTask", {**WAVE, "DstBucket": 5})
    (entry,) = await exported(client)

    own = entry["_emulator"]
    assert (own["kind"], own["number"], own["at"]) == ("request", 1, 1_767_225_600.0)
    assert own["operation"] == "kingsoft.CreateWaveTask"
    assert own["code"]
    assert own["reason"]


async def test_a_request_began_by_the_machines_time_whatever_the_accounts(client: Client) -> None:
    before = client.server.emulation.machine.wall()
    await client.kingsoft("GetPresetList")
    (entry,) = await exported(client)

    began = datetime.fromisoformat(entry["startedDateTime"]).timestamp()
    assert before - 0.01 <= began <= client.server.emulation.machine.wall()


async def test_each_attempt_of_a_callback_is_an_entry(client: Client, inbox: Inbox) -> None:
    inbox.answers = [receivers.status(500, "no")]
    before = client.server.emulation.machine.wall()
    await client.rule({"when": {}, "then": {"plan": {"deliver": {"attempts": 2, "backoff": "1s"}}}})
    task = (await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})).json["TaskID"]
    await client.advance("1h")
    _, first, second = await exported(client)

    assert [entry["_emulator"]["attempt"] for entry in (first, second)] == [1, 2]
    assert {entry["_emulator"]["task"] for entry in (first, second)} == {task}
    assert second["_emulator"]["at"] == first["_emulator"]["at"] + 1
    assert (first["response"]["status"], first["response"]["content"]["text"]) == (500, "no")
    assert first["response"]["_error"] == first["_emulator"]["error"] == "the receiver answered 500"
    assert second["response"]["status"] == 200
    assert second["request"]["url"] == inbox.url
    assert second["request"]["postData"]["text"].encode() == inbox.received[1].body
    assert datetime.fromisoformat(first["startedDateTime"]).timestamp() >= before - 0.01


async def test_an_attempt_that_nobody_answered_has_status_0_and_the_reason(client: Client) -> None:
    with receivers.closed_port() as port:
        await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": f"http://127.0.0.1:{port}/"})
        await client.advance("1h")
    _, attempt = await exported(client)

    assert attempt["response"]["status"] == 0
    assert "refused" in attempt["response"]["_error"]


async def test_entries_are_in_the_order_in_which_they_began(client: Client, inbox: Inbox) -> None:
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})
    await client.advance("1h")
    await client.kingsoft("GetPresetList")

    entries = await exported(client)

    assert entries == sorted(entries, key=lambda entry: entry["startedDateTime"])
    assert [entry["_emulator"]["kind"] for entry in entries].count("callback") == 1


async def test_latency_is_time_that_the_client_waited(client: Client) -> None:
    await client.rule({"when": {}, "then": {"latency": "1ms"}})
    await client.kingsoft("GetPresetList")
    (entry,) = await exported(client)

    assert entry["time"] == entry["timings"]["wait"] == 1


async def test_a_form_stands_there_with_its_fields(client: Client) -> None:
    await client.recognise(await client.token(), image="aGk=", templateSign="a b")
    _, entry = await exported(client)

    posted = entry["request"]["postData"]
    assert named(posted["params"]) == {"image": "aGk=", "templateSign": "a b"}
    assert posted["mimeType"] == "application/x-www-form-urlencoded"


async def test_secrets_stand_nowhere(client: Client) -> None:
    token = await client.token()
    await client.recognise(token, image="aGk=", access_token=token, client_secret="s3cret")
    await client.request(
        "GET", "/", params={"Action": "GetPresetList", "X-Amz-Signature": "s3cret"}, headers={"Cookie": "a=s3cret"}
    )
    form = FormData({"client_secret": "s3cret"}, default_to_multipart=True)
    form.add_field("image", b"\xff\xd8\xff", filename="a.jpg")
    await client.request("POST", RECOGNISE, params={"access_token": token}, data=form)

    text = json.dumps(await exported(client)) + json.dumps(await exported(client.named("default")))

    assert "s3cret" not in text
    assert token not in text
    coded = base64.b64encode(b"s3cret").decode().rstrip("=")
    assert coded not in text


async def test_a_body_that_is_no_text_is_base64(client: Client) -> None:
    await client.request(
        "POST",
        f"{RECOGNISE}?access_token={await client.token()}",
        data=b"\xff\x00\xfe",
        headers={"Content-Type": "a/b"},
    )
    posted = (await exported(client))[-1]["request"]["postData"]

    assert base64.b64decode(posted["text"]) == b"\xff\x00\xfe"
    assert posted["_encoding"] == "base64"


async def test_of_a_body_that_was_cut_the_real_size_is_told(client: Client) -> None:
    await client.recognise(await client.token(), image="A" * 100_000)
    request = (await exported(client))[-1]["request"]

    assert request["bodySize"] == 100_000 + len("image=")
    assert len(request["postData"]["text"]) == 65_536
    assert request["postData"]["comment"] == "the first 65536 bytes of 100006"


async def test_of_a_body_that_was_cut_and_whose_size_nobody_told_the_size_is_unknown(client: Client) -> None:
    async def parts() -> Any:
        yield b"image=" + b"A" * 100_000

    await client.request("POST", f"{RECOGNISE}?access_token={await client.token()}", data=parts())

    assert (await exported(client))[-1]["request"]["bodySize"] == -1


@pytest.mark.parametrize("count", [250])
async def test_a_long_journal_is_exported_whole(start: Start, count: int) -> None:
    client = await start()
    for _ in range(count):
        await client.kingsoft("GetPresetList")

    assert [entry["_emulator"]["number"] for entry in await exported(client)] == list(range(1, count + 1))


async def test_an_account_that_is_not_there_has_no_archive(client: Client) -> None:
    assert (await client.named("nobody").admin("GET", "journal.har")).status == 404
