"""Pages of another origin: which may call the emulated clouds, and that none may call the admin API."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.core.errors import ConfigurationError
from emulator.server import Server
from emulator.settings import Settings
from tests.support.client import RECOGNISE, WAVE, Answered, Client, Start

PAGE = "http://app.test:3000"
ASKED = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-a"}


async def preflight(client: Client, path: str = "/", **headers: str) -> Answered:
    asked = {**ASKED, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await client.request("OPTIONS", path, headers=asked)


async def call(client: Client, origin: str = PAGE, action: str = "CreateWaveTask", document: Any = WAVE) -> Answered:
    params = {"Action": action, "Version": "2017-01-01"}
    return await client.request("POST", "/", params=params, json=document, headers={"Origin": origin})


def granted(answer: Answered) -> dict[str, str]:
    return {name: text for name, text in answer.headers.items() if name.startswith("Access-Control-")}


@pytest.mark.parametrize("path", ["/?Action=CreateWaveTask", RECOGNISE, "/oauth/2.0/token"])
async def test_a_browser_may_ask_before_it_calls(start: Start, path: str) -> None:
    client = await start(cors=(PAGE,))

    answer = await preflight(client, path)

    assert (answer.status, answer.body) == (204, b"")
    assert granted(answer) == {
        "Access-Control-Allow-Origin": PAGE,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "content-type,x-a",
        "Access-Control-Max-Age": "600",
    }


async def test_asking_is_not_written_down(start: Start) -> None:
    client = await start(cors=(PAGE,))
    await preflight(client)

    assert (await client.admin("GET", "/accounts/default/requests")).json["requests"] == []


async def test_a_page_of_a_public_site_may_ask_for_this_machine(start: Start) -> None:
    client = await start(cors=("*",))

    answer = await preflight(client, Access_Control_Request_Private_Network="true")

    assert answer.headers["Access-Control-Allow-Private-Network"] == "true"


async def test_names_of_headers_that_are_none_are_not_repeated(start: Start) -> None:
    client = await start(cors=(PAGE,))

    answer = await preflight(client, Access_Control_Request_Headers="a b; c")

    assert "Access-Control-Allow-Headers" not in answer.headers


async def test_the_page_can_read_the_answer_and_its_headers(start: Start) -> None:
    client = await start(cors=(PAGE,))

    answer = await call(client)

    assert (answer.status, "TaskID" in answer.json) == (200, True)
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Vary"] == "Origin"
    assert "Content-Type" in answer.headers["Access-Control-Expose-Headers"]


async def test_the_page_can_read_a_refusal_and_why(start: Start) -> None:
    client = await start(cors=(PAGE,))

    answer = await call(client, action="CreateWaevTask")

    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert "X-Emulator-Reason" in answer.headers["Access-Control-Expose-Headers"].split(", ")


@pytest.mark.parametrize("fault", [503, {"status": 429, "headers": {"Retry-After": "1"}}, "trickle"])
async def test_the_page_can_read_what_somebody_on_the_way_answers(start: Start, fault: Any) -> None:
    client = await start(cors=(PAGE,))
    rule = {"then": {"fault": {"trickle": "10ms"} if fault == "trickle" else fault}}
    assert (await client.admin("POST", "/rules", rule)).status == 201

    assert (await call(client)).headers["Access-Control-Allow-Origin"] == PAGE


async def test_a_body_that_is_too_large_is_refused_readably(start: Start) -> None:
    client = await start(cors=(PAGE,), max_body=2048)

    answer = await call(client, document={**WAVE, "CbUrl": "x" * 4000})

    assert answer.headers["Access-Control-Allow-Origin"] == PAGE


async def test_a_star_is_for_every_page_but_never_with_credentials(start: Start) -> None:
    client = await start(cors=("*",))

    for answer in (await preflight(client), await call(client)):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_an_origin_that_is_named_beside_a_star_may_send_credentials(start: Start) -> None:
    client = await start(cors=("*", PAGE))

    assert (await call(client)).headers["Access-Control-Allow-Credentials"] == "true"
    assert (await call(client, "http://other.test")).headers["Access-Control-Allow-Origin"] == "*"


async def test_a_page_of_another_origin_is_told_nothing(start: Start) -> None:
    client = await start(cors=(PAGE,))

    asked, called = await preflight(client, Origin="http://app.test:3001"), await call(client, "https://app.test:3000")

    assert granted(asked) == granted(called) == {}
    assert called.headers["Vary"] == "Origin"


async def test_a_page_of_a_file_may_call_if_it_is_named(start: Start) -> None:
    client = await start(cors=("null",))

    assert (await call(client, "null")).headers["Access-Control-Allow-Origin"] == "null"


async def test_who_is_no_page_is_answered_as_ever(start: Start) -> None:
    client = await start(cors=(PAGE,))

    answer = await client.kingsoft("CreateWaveTask", WAVE)

    assert (answer.status, granted(answer)) == (200, {})


async def test_nothing_of_it_is_there_unless_it_is_wanted(client: Client) -> None:
    asked, called = await preflight(client), await call(client)

    assert granted(asked) == granted(called) == {}
    assert "Vary" not in called.headers


@pytest.mark.parametrize("origins", [(PAGE,), ("*",)])
async def test_the_admin_api_answers_no_page_of_another_origin(start: Start, origins: tuple[str, ...]) -> None:
    client = await start(cors=origins)

    asked = await preflight(client, "/_emulator/api/accounts")
    called = await client.request("GET", "/_emulator/api/accounts", headers={"Origin": PAGE})

    assert (asked.status, called.status) == (403, 403)
    assert granted(asked) == granted(called) == {}


@pytest.mark.parametrize("origin", ["app.test", "http://app.test/", "http://", "http://a b", "**", "http://u@app.test"])
def test_what_is_no_origin_stops_the_start(origin: str) -> None:
    with pytest.raises(ConfigurationError, match="is no origin"):
        Server(Settings(port=0, cors=(PAGE, origin)))
