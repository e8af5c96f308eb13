"""The verdict over HTTP, and the synchronous client of the admin API."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from aiohttp import web

from emulator.client import AdminClient, AdminError, Unreachable, account_path
from emulator.server import ThreadedServer
from tests.support.client import WAVE, Answered, Client, Start
from tests.support.inbox import Inbox

WAVED = "kingsoft.CreateWaveTask"


async def verify(client: Client, document: Any = None, **params: str) -> Answered:
    return await client.admin("POST", "verify", document or {}, **params)


def checks(answered: Answered) -> dict[str, bool]:
    return {finding["check"]: finding["ok"] for finding in answered.json["findings"]}


async def test_what_is_as_expected_is_answered_with_200(client: Client, inbox: Inbox) -> None:
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})
    await client.advance("10m")

    answered = await verify(
        client,
        {
            "requests": [{"operation": WAVED, "params": {"required": ["CbUrl"]}, "times": 1}],
            "callbacks": [{"event": "succeeded", "body": {"properties": {"Status": {"const": 3}}}, "times": 1}],
            "order": [{"request": {"operation": WAVED}}, {"callback": {"operation": WAVED}}],
        },
    )

    assert answered.status == 200, answered.body
    assert (answered.json["ok"], answered.json["account"]) == (True, client.name)
    assert answered.json["text"].startswith(f"verdict on account {client.name}: ok, 6 checks;")
    assert all(checks(answered).values())


async def test_what_is_not_is_a_problem_document_that_a_person_understands(client: Client) -> None:
    await client.kingsoft("CreateWaveTask", {**WAVE, "Preset": ""})

    answered = await verify(client, {"requests": [{"operation": WAVED, "times": 2}]})

    assert (answered.status, answered.headers["Content-Type"]) == (406, "application/problem+json")
    assert (answered.json["title"], answered.json["status"], answered.json["ok"]) == ("Not Acceptable", 406, False)
    assert checks(answered) == {
        "/requests/0": False,
        "/unexpected/unmatched": True,
        "/unexpected/refused": False,
        "/unexpected/undelivered": True,
    }
    assert answered.json["findings"][0] | {"nearest": []} == {
        "check": "/requests/0",
        "ok": False,
        "expected": "kingsoft.CreateWaveTask, exactly 2 times",
        "found": "1: #1",
        "nearest": [],
        "requests": [1],
        "callbacks": [],
    }
    assert "  > request #1 at +0.0s: kingsoft.CreateWaveTask -> " in answered.json["detail"]


async def test_an_empty_body_means_nothing_unexpected(client: Client) -> None:
    assert (await client.admin("POST", "verify")).status == 200


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"requests": [{"operation": "kingsoft.CreateWaveTsk"}]}, "/requests/0/operation"),
        ({"requests": [{"operation": WAVED, "code": 31337}]}, "/requests/0/code"),
        ({"requests": [{"times": "2"}]}, "/requests/0/times"),
        ({"order": [{}]}, "/order/0"),
    ],
)
async def test_a_document_that_makes_no_sense_is_answered_with_422_and_a_pointer(
    client: Client, document: Any, pointer: str
) -> None:
    answered = await verify(client, document)

    assert answered.status == 422
    assert [problem["pointer"] for problem in answered.json["problems"]] == [pointer]


async def test_a_wrong_wait_is_answered_with_400(client: Client) -> None:
    assert (await verify(client, wait="soon")).status == 400
    assert (await verify(client, wait="nan")).status == 400
    assert (await verify(client, wait="-1")).status == 400
    assert (await verify(client, wiat="1s")).status == 400


async def test_an_unknown_account_is_answered_with_404(client: Client) -> None:
    assert (await verify(client.named("nobody"))).status == 404


async def test_a_verdict_waits_until_what_is_expected_happens(client: Client) -> None:
    asked = asyncio.create_task(verify(client, {"requests": [{"operation": WAVED}]}, wait="60s"))
    await client.kingsoft("CreateWaveTask", WAVE)

    assert (await asked).status == 200


async def test_a_callback_that_is_still_on_its_way_is_waited_for(start: Start, inbox: Inbox) -> None:
    client = await start(frozen=False)
    arrived, verdict_asked = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        arrived.set()
        await verdict_asked.wait()
        return web.Response()

    inbox.answers = [answer]
    await client.rule({"then": {"plan": {"queue": 0, "run": 0, "upload": 0}}})
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})
    await arrived.wait()
    asked = asyncio.create_task(verify(client, {"callbacks": [{"status": "delivered"}]}, wait="60s"))
    verdict_asked.set()

    assert (await asked).status == 200


def test_the_client_says_what_the_admin_api_says(live: ThreadedServer) -> None:
    client = AdminClient(live.url + "/")
    path = account_path("AK/1 é")

    assert client.post("/accounts", {"name": "AKCLIENT", "clock": {"mode": "frozen", "now": 0}})[0] == 201
    one = account_path("AKCLIENT")
    assert client.put(f"{one}/clock", {"mode": "frozen", "now": 5})[1]["now"] == 5.0
    assert client.get(f"{one}/requests", limit=1, wait=None)[1]["requests"] == []
    assert client.delete(one) == (204, None)
    with pytest.raises(AdminError) as caught:
        client.get(path)
    assert (caught.value.status, path) == (404, "/accounts/AK%2F1%20%C3%A9")
    assert str(caught.value) == caught.value.detail == caught.value.document["detail"]


def test_the_client_says_that_nobody_answers() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{holder.getsockname()[1]}"

        with pytest.raises(Unreachable, match=f"no answer from {url}: "):
            AdminClient(url).get("/accounts")


def test_the_client_says_that_its_url_is_none() -> None:
    with pytest.raises(Unreachable):
        AdminClient("nonsense").get("/accounts")


async def test_the_client_sends_its_token_and_no_proxy_comes_in_between(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    url = (await start(admin_token="sesame")).server.url

    assert (await asyncio.to_thread(AdminClient(url, "sesame").get, "/accounts"))[0] == 200
    with pytest.raises(AdminError, match="wants its token"):
        await asyncio.to_thread(AdminClient(url).get, "/accounts")


async def test_the_client_notices_who_is_no_emulator(inbox: Inbox) -> None:
    with pytest.raises(Unreachable, match="not with JSON"):
        await asyncio.to_thread(AdminClient(inbox.url).get, "/accounts")
