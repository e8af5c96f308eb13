"""Explanations, by the admin API and by the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from emulator.cli import main
from emulator.server import ThreadedServer
from emulator.settings import Settings
from tests.support.client import WAVE, Client, Start

QUERY = {"Action": "CreateWaveTask", "Version": "2017-01-01"}


async def _explain(client: Client, request: Any) -> Any:
    answer = await client.admin("POST", "explain", {"request": request})
    assert answer.status == 200, answer.body
    return answer.json


async def _all(client: Client) -> Any:
    """What could have changed."""
    accounts = (await client.admin("GET", "/accounts")).json["accounts"]
    return [account["name"] for account in accounts], [
        (await client.admin("GET", path)).json for path in ("", "rules", "requests", "tasks")
    ]


async def test_a_past_request_is_explained(client: Client) -> None:
    await client.rule({"name": "shut", "when": {"operation": "kingsoft.*"}, "then": {"error": 1011}})
    await client.kingsoft("CreateWaveTask", WAVE)

    found = await _explain(client, 1)

    assert (found["request"], found["operation"], found["account"]) == (1, "kingsoft.CreateWaveTask", client.name)
    assert found["rules"] == [
        {"id": "r1", "stage": "business", "acts": True, "found": "r1 (shut): match 1, applies: error"}
    ]
    assert found["outcome"].startswith("So it was refused with 1011: ")


async def test_a_request_that_is_not_in_the_journal_is_not_found(client: Client) -> None:
    answer = await client.admin("POST", "explain", {"request": 7})

    assert (answer.status, answer.json["detail"]) == (
        404,
        f"no request 7 in the journal of {client.name}; it may have been forgotten",
    )


@pytest.mark.parametrize(
    "request_",
    [
        {"query": QUERY, "json": WAVE},
        {"path": "/?Action=CreateWaveTask&Version=2017-01-01", "body": json.dumps(WAVE)},
        {
            "query": "Action=CreateWaveTask&Version=2017-01-01",
            "json": WAVE,
            "host": "kvs.cn-beijing-6.api.ksyun.com:80",
        },
        {"query": QUERY, "json": WAVE, "method": "post", "headers": {"content-type": "application/json"}},
    ],
)
async def test_a_request_that_was_never_made_is_explained(client: Client, request_: Any) -> None:
    await client.rule({"name": "slow", "then": {"latency": "2s"}})

    found = await _explain(client, request_)

    assert (found["request"], found["operation"], found["account"]) == (None, "kingsoft.CreateWaveTask", client.name)
    assert found["outcome"] == "So kingsoft.CreateWaveTask would be done; the answer is held back for 2 s."
    assert found["effects"] == {"latency": 2.0}
    assert "  gate rules    r1 (slow): match 1, applies: latency\n" in found["text"]


async def test_why_params_do_not_fit_is_explained(client: Client) -> None:
    params = {"properties": {"DstBucket": {"const": "mybucket"}}}
    document = {"when": {"operation": "kingsoft.*", "params": params}, "then": {"error": 1011}}
    await client.rule(document)

    (rule,) = (await _explain(client, {"query": QUERY, "json": WAVE}))["rules"]

    assert rule["found"].endswith('the parameters do not fit its params: /DstBucket: "mybucket" was expected')


async def test_what_the_validation_would_say_is_explained(client: Client) -> None:
    found = await _explain(client, {"query": QUERY, "json": {**WAVE, "points": -1}})

    assert found["outcome"].startswith("So it would be refused with 1001: /points: ")


async def test_a_request_of_the_other_cloud_is_explained(client: Client) -> None:
    body = {"grant_type": "client_credentials", "client_id": client.name, "client_secret": "wrong"}
    found = await _explain(client, {"path": "/oauth/2.0/token", "method": "POST", "query": body})

    assert (found["account"], found["operation"]) == (client.name, "baidu.oauth.token")


@pytest.mark.parametrize("limits", ["on", "off"])
async def test_explaining_changes_nothing(start: Start, limits: str) -> None:
    client = await start(limits=limits)
    await client.rule({"times": {"first": 1}, "then": {"latency": "1ms"}})
    credential = "NEWKEY/20260101/cn-beijing-6/kvs/aws4_request"
    before = await _all(client)

    for _ in range(30):
        await _explain(client, {"query": QUERY, "json": WAVE})
    told = await _explain(client, {"query": {**QUERY, "X-Amz-Credential": credential}, "json": WAVE})

    assert told["account"] == "NEWKEY"
    assert await _all(client) == before
    assert (await client.kingsoft("CreateWaveTask", WAVE)).json["ErrNum"] == 0


@pytest.mark.parametrize(
    "document",
    [{}, {"request": "1"}, {"request": 0}, {"request": {"pth": "/"}}, {"request": {"body": "", "json": {}}}],
)
async def test_what_cannot_be_explained_is_refused(client: Client, document: Any) -> None:
    assert (await client.admin("POST", "explain", document)).status == 422


# The verb


@pytest.fixture(name="url")
def _url() -> Any:
    with ThreadedServer(Settings(port=0, seed=7)) as server:
        yield server.url


def test_the_verb_explains_a_request_in_a_file(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "request.yaml"
    file.write_text("query: {Action: CreateWaveTask, Version: 2017-01-01}\njson: {Preset: wave}\n")

    assert main(["explain", "--url", url, "--request", str(file)]) == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first == "if asked: POST / on localhost, kingsoft.CreateWaveTask, account default"
    assert last.startswith("So it would be refused with 1000: ")


def test_the_verb_explains_a_past_request(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    requests.get(url, params={"Action": "GetTaskList", "Version": "2017-01-01"}, timeout=60)

    assert main(["explain", "--url", url, "--json", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["request"] == 1


def test_the_verb_says_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 2
    assert "name a request by its number, or one in a file by --request" in capsys.readouterr().err


def test_the_verb_says_that_there_is_no_such_request(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--url", url, "99"]) == 2
    assert "no request 99 in the journal of default" in capsys.readouterr().err
