"""``X-Emulator-*`` headers of a request, over sockets."""

from __future__ import annotations

import json

import pytest
from aiohttp import ClientError

from tests.support.client import WAVE, Answered, Client, Start


async def create(client: Client, **headers: str) -> Answered:
    named = {f"X-Emulator-{name}": text for name, text in headers.items()}
    params = {
        "Action": "CreateWaveTask",
        "Version": "2017-01-01",
        "X-Amz-Credential": f"{client.name}/20260101/cn-beijing-6/kvs/aws4_request",
    }
    return await client.request("POST", "/", params=params, data=json.dumps(WAVE), headers=named)


@pytest.fixture(name="open_client")
async def _open_client(start: Start) -> Client:
    return await start(request_overrides=True)


async def test_by_default_headers_say_nothing_at_all(client: Client) -> None:
    assert (await create(client, Error="1011", Nonsense="x")).json["ErrNum"] == 0


@pytest.mark.parametrize("text", ["1011", '{"code": 1011}'])
async def test_a_header_says_the_code(open_client: Client, text: str) -> None:
    assert (await create(open_client, Error=text)).json["ErrNum"] == 1011


async def test_a_header_says_the_plan_of_the_task(open_client: Client) -> None:
    await create(open_client, Plan='{"outcome": {"fail": 3150}}')

    (task,) = (await open_client.admin("GET", "tasks")).json["tasks"]
    assert (task["timeline"]["outcome"], task["timeline"]["code"]) == ("fail", 3150)


async def test_a_header_names_the_plan_of_the_task(open_client: Client) -> None:
    await create(open_client, Plan="never-ends")

    (task,) = (await open_client.admin("GET", "tasks")).json["tasks"]
    assert task["timeline"]["outcome"] == "hang"


async def test_a_header_says_the_whole_answer(open_client: Client) -> None:
    answer = await create(open_client, Reply='{"body": "tea", "status": 203, "unchecked": true}')

    assert (answer.status, answer.body) == (203, b"tea")


async def test_a_header_tears_the_connection_down(open_client: Client) -> None:
    with pytest.raises(ClientError):
        await create(open_client, Fault="reset")


async def test_a_header_holds_the_answer_back(open_client: Client) -> None:
    await create(open_client, Latency="2ms")

    (entry,) = (await open_client.admin("GET", "requests")).json["requests"]
    assert entry["latency"] == 0.002


async def test_a_header_says_that_answers_are_drawn(open_client: Client) -> None:
    await create(open_client, Responses="random")

    trace = (await open_client.admin("GET", "requests/1")).json["trace"]
    found = "request (header x-emulator-responses: random): match 1, applies: responses"
    assert {"step": "business rules", "found": found} in trace


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("Eror", "1", "the header x-emulator-eror means nothing here; did you mean 'x-emulator-error'?"),
        ("Plan", "stom", "header x-emulator-plan: stom: no plan is called 'stom'; did you mean 'storm'?"),
        ("Fault", "rest", "header x-emulator-fault: rest: no fault is called 'rest'; did you mean 'reset'?"),
    ],
)
async def test_a_header_without_sense_is_refused_in_plain_words(
    open_client: Client, name: str, text: str, said: str
) -> None:
    answer = await create(open_client, **{name: text})

    assert (answer.status, answer.body.decode(), answer.reason) == (400, f"{said}\n", said)
    (entry,) = (await open_client.admin("GET", "requests")).json["requests"]
    assert (entry["status"], entry["code"], entry["reason"]) == (400, "emulator", said)
