"""The admin API: what it answers, what it refuses and how, and whom it lets in."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from tests.conftest import START
from tests.support import receivers
from tests.support.client import TRAIN_TICKET, TRANSCODE, WAVE, Answered, Client, Start
from tests.support.inbox import Inbox
from tests.support.pictures import encoded

API = "/_emulator/api"
ONE = f"{API}/accounts/AKTEST"


def problem(answer: Answered) -> Any:
    """The problem document of a refusal, whose status is the reply's own."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    found = answer.json
    assert found["type"] == "about:blank"
    assert found["status"] == answer.status
    return found


async def wave(client: Client, **parameters: Any) -> str:
    """The id of a new wave task."""
    found: str = (await client.kingsoft("CreateWaveTask", {**WAVE, **parameters})).json["TaskID"]
    return found


# Probes and what is known


@pytest.mark.parametrize("path", ["livez", "readyz", "health"])
async def test_a_probe_answers_200(client: Client, path: str) -> None:
    assert (await client.request("GET", f"/_emulator/{path}")).status == 200


async def test_livez_says_alive(client: Client) -> None:
    assert (await client.request("GET", "/_emulator/livez")).json == {"status": "alive"}


async def test_readyz_says_ready_and_that_nothing_is_pending(client: Client) -> None:
    assert (await client.request("GET", "/_emulator/readyz")).json == {"status": "ready", "pending": []}


async def test_health_says_seed_clouds_and_the_number_of_accounts(client: Client) -> None:
    found = (await client.request("GET", "/_emulator/health")).json

    assert found.keys() == {"status", "version", "seed", "uptime", "clouds", "accounts", "problems"}
    assert (found["status"], found["seed"], found["clouds"], found["accounts"]) == (
        "ready",
        7,
        ["kingsoft", "baidu"],
        2,
    )


async def test_operations_lists_every_operation_with_its_source(client: Client) -> None:
    rows = (await client.admin("GET", "/operations")).json["operations"]

    assert {row["name"] for row in rows} >= {
        "kingsoft.CreateTask",
        "kingsoft.CreateWaveTask",
        "kingsoft.GetTaskByTaskID",
        "baidu.oauth.token",
        "baidu.iocr.recognise",
    }
    assert all(row["source"] for row in rows)


async def test_errors_lists_every_code_of_one_list(client: Client) -> None:
    rows = (await client.admin("GET", "/errors", cloud="kingsoft", list="api")).json["errors"]

    assert {(row["cloud"], row["list"]) for row in rows} == {("kingsoft", "api")}
    assert {"code": 1000, "text": "缺少参数"}.items() <= rows[1].items()


async def test_errors_without_a_filter_lists_both_clouds(client: Client) -> None:
    rows = (await client.admin("GET", "/errors")).json["errors"]

    assert {(row["cloud"], row["list"]) for row in rows} == {
        ("kingsoft", "api"),
        ("kingsoft", "callback"),
        ("kingsoft", "gateway"),
        ("baidu", "api"),
        ("baidu", "oauth"),
    }


async def test_resources_lists_the_fixture_files_in_force(client: Client) -> None:
    files = (await client.admin("GET", "/resources")).json["fixtures"]

    assert {found["path"] for found in files} >= {
        "baidu/errors.json",
        f"baidu/templates/{TRAIN_TICKET}.json",
        "kingsoft/errors.json",
        "kingsoft/media.json",
    }
    assert all(found["hides"] == [] for found in files)


# Accounts


async def test_a_new_account_answers_with_its_credentials_secrets_included(client: Client) -> None:
    made = await client.admin(
        "POST", "/accounts", {"name": "new", "kingsoft": {"access_key": "AK1", "secret_key": "S1"}}
    )

    assert made.status == 201
    assert made.json["name"] == "new"
    assert made.json["credentials"]["kingsoft"] == {"access_key": "AK1", "secret_key": "S1"}
    assert made.json["credentials"]["baidu"].keys() == {"api_key", "secret_key"}


async def test_an_account_made_without_a_name_has_one_all_the_same(client: Client) -> None:
    made = await client.admin("POST", "/accounts", {})

    assert made.status == 201
    assert (await client.admin("GET", f"/accounts/{made.json['name']}")).status == 200


async def test_drawn_credentials_are_the_same_for_the_same_seed_and_name(start: Start) -> None:
    first, second = await start(), await start()

    made = [(await client.admin("POST", "/accounts", {"name": "new"})).json for client in (first, second)]

    assert made[0]["credentials"] == made[1]["credentials"]


async def test_an_account_is_shown_without_its_secrets(client: Client) -> None:
    await client.admin("POST", "/accounts", {"name": "new", "kingsoft": {"access_key": "AK1", "secret_key": "S1"}})

    found = (await client.admin("GET", "/accounts/new")).json

    assert found["credentials"]["kingsoft"] == {"access_key": "AK1", "secret_key": "***"}


async def test_an_account_shows_how_much_it_has_of_everything(client: Client) -> None:
    await wave(client)
    await client.rule({"then": {"latency": 0}})

    found = (await client.admin("GET", "")).json

    assert (found["tasks"], found["requests"], found["rules"], found["deliveries"]) == (1, 1, 1, 0)


async def test_every_account_is_listed_one_that_a_request_opened_too(client: Client) -> None:
    await client.kingsoft(
        "CreateWaveTask", WAVE, **{"X-Amz-Credential": "AKOPENED/20260101/cn-beijing-6/kvs/aws4_request"}
    )

    accounts = (await client.admin("GET", "/accounts")).json["accounts"]

    assert [(found["name"], found["configured"]) for found in accounts] == [
        ("default", True),
        ("AKTEST", True),
        ("AKOPENED", False),
    ]


async def test_a_deleted_account_is_gone_and_its_key_opens_a_fresh_one(client: Client) -> None:
    await wave(client)

    assert (await client.admin("DELETE", "")).status == 204
    assert problem(await client.admin("GET", ""))["status"] == 404
    await client.kingsoft("GetTaskByTaskID", TaskID="f" * 40)
    assert (await client.admin("GET", "")).json["tasks"] == 0


async def test_the_default_account_cannot_be_deleted(client: Client) -> None:
    answer = await client.admin("DELETE", "/accounts/default")

    assert problem(answer)["status"] == 409
    assert problem(answer)["detail"] == "the default account cannot be removed; reset it instead"


async def test_a_second_account_of_a_name_or_a_key_is_refused_and_both_problems_are_named(client: Client) -> None:
    answer = await client.admin("POST", "/accounts", {"name": "AKTEST", "kingsoft": {"access_key": "AKTEST"}})

    assert answer.status == 422
    assert [found["pointer"] for found in problem(answer)["problems"]] == ["/name", "/kingsoft/access_key"]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"name": "no blanks"}, "/name"),
        ({"seed": -1}, "/seed"),
        ({"responses": "sometimes"}, "/responses"),
        ({"clock": {"mode": "stopped"}}, "/clock/mode"),
        ({"clock": {"mode": "frozen", "now": "yesterday"}}, "/now"),
        ({"kingsoft": {"access_key": ""}}, "/kingsoft/access_key"),
        ({"colour": "red"}, ""),
        ([], ""),
    ],
)
async def test_an_account_that_makes_no_sense_is_refused_with_a_pointer_at_the_fault(
    client: Client, document: object, pointer: str
) -> None:
    answer = await client.request("POST", f"{API}/accounts", json=document)

    assert answer.status == 422
    assert [found["pointer"] for found in problem(answer)["problems"]] == [pointer]


async def test_a_misspelt_member_of_an_account_is_refused_with_the_nearest_name(client: Client) -> None:
    answer = await client.admin("POST", "/accounts", {"seeed": 1})

    assert "'seeed' is not known here; did you mean 'seed'?" in problem(answer)["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/reset"),
        ("GET", "/clock"),
        ("PUT", "/clock"),
        ("POST", "/clock/advance"),
        ("GET", "/rules"),
        ("POST", "/rules"),
        ("DELETE", "/rules"),
        ("GET", "/rules/r1"),
        ("DELETE", "/rules/r1"),
        ("GET", "/tasks"),
        ("GET", "/tasks/x"),
        ("GET", "/deliveries"),
        ("GET", "/deliveries/1"),
        ("GET", "/requests"),
        ("GET", "/requests/1"),
    ],
)
async def test_every_route_of_an_account_that_does_not_exist_answers_404_and_says_how_to_make_it(
    client: Client, method: str, path: str
) -> None:
    answer = await client.admin(method, f"/accounts/nobody{path}")

    assert answer.status == 404
    assert "no account 'nobody'; POST /_emulator/api/accounts makes one" in problem(answer)["detail"]


@pytest.mark.parametrize("path", ["rules/r9", "tasks/x", "deliveries/9", "deliveries/x", "requests/999", "requests/x"])
async def test_one_thing_that_does_not_exist_answers_404(client: Client, path: str) -> None:
    answer = await client.admin("GET", path)

    assert answer.status == 404
    assert problem(answer)["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/_emulator/api/nothing", 404),
        ("GET", "/_emulator/nothing", 404),
        ("POST", "/_emulator/livez", 405),
        ("PATCH", "/_emulator/api/accounts", 405),
        ("DELETE", "/_emulator/api/accounts/AKTEST/tasks", 405),
    ],
)
async def test_a_path_or_method_that_is_nothing_answers_with_a_problem(
    client: Client, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)

    assert answer.status == status
    assert path in problem(answer)["detail"]


@pytest.mark.parametrize("path", ["/accounts", "/accounts/AKTEST/rules", "/accounts/AKTEST/clock/advance"])
async def test_a_body_that_is_no_json_answers_400(client: Client, path: str) -> None:
    headers = {"Content-Type": "application/json"}

    answer = await client.request("POST", API + path, data=b"{", headers=headers)

    assert answer.status == 400
    assert "the body is not JSON" in problem(answer)["detail"]


# Reset


async def test_a_reset_account_has_forgotten_everything_but_its_name_and_credentials(
    client: Client, inbox: Inbox
) -> None:
    await wave(client, CbUrl=inbox.url)
    await client.rule({"then": {"latency": 0}})
    await client.advance("10m")

    answer = await client.admin("POST", "reset")

    assert answer.status == 200
    found = answer.json
    assert (found["tasks"], found["requests"], found["rules"], found["deliveries"]) == (0, 0, 0, 0)
    assert found["clock"]["now"] == START
    assert found["credentials"]["kingsoft"]["access_key"] == "AKTEST"


async def test_a_reset_account_draws_the_same_ids_again(client: Client) -> None:
    first = await wave(client)
    await client.admin("POST", "reset")

    assert await wave(client) == first


async def test_a_reset_account_still_takes_its_tokens_since_some_clients_never_ask_for_another(client: Client) -> None:
    token = await client.token()
    await client.admin("POST", "reset")

    answer = await client.recognise(token, templateSign=TRAIN_TICKET, image=encoded())

    assert answer.json["error_code"] == 0


async def test_a_reset_leaves_other_accounts_alone(client: Client) -> None:
    await client.admin("POST", "/accounts", {"name": "other", "kingsoft": {"access_key": "AKOTHER"}})
    other = client.named("AKOTHER")
    task = await wave(other)

    await client.admin("POST", "reset")

    assert (await other.kingsoft("GetTaskByTaskID", TaskID=task)).json["ErrNum"] == 0


async def test_nothing_pending_fires_after_a_reset(client: Client, inbox: Inbox) -> None:
    await wave(client, CbUrl=inbox.url)

    await client.admin("POST", "reset")
    await client.advance("10m")

    assert inbox.received == []


async def test_after_a_reset_during_a_hanging_send_nothing_fires(client: Client, inbox: Inbox) -> None:
    gate = receivers.Gate()
    inbox.answers.append(gate.answer)
    await client.rule(
        {"when": {"operation": "kingsoft.*"}, "then": {"plan": {"deliver": {"attempts": 3, "timeout": "1h"}}}}
    )
    await wave(client, CbUrl=inbox.url)
    await wave(client, CbUrl=inbox.url)
    advancing = asyncio.create_task(client.advance("1h"))
    await gate.reached()

    assert (await client.admin("POST", "reset")).status == 200
    await advancing
    gate.open()
    await client.advance("1d")

    assert len(inbox.received) == 1
    assert (await client.admin("GET", "deliveries")).json["deliveries"] == []


async def test_a_reset_during_a_hanging_send_of_a_running_clock_cancels_it(start: Start, inbox: Inbox) -> None:
    client = await start(frozen=False)
    gate = receivers.Gate()
    inbox.answers.append(gate.answer)
    at_once = {"queue": 0, "run": 0, "upload": 0, "deliver": {"attempts": 3, "backoff": 0, "timeout": "1h"}}
    await client.rule({"when": {"operation": "kingsoft.*"}, "then": {"plan": at_once}})
    await wave(client, CbUrl=inbox.url)
    await gate.reached()

    assert (await client.admin("POST", "reset")).status == 200

    found = (await client.admin("GET", "")).json
    assert (found["deliveries"], found["clock"]["pending"]) == (0, 0)
    assert len(inbox.received) == 1


async def test_an_account_whose_send_hangs_can_be_deleted(client: Client, inbox: Inbox) -> None:
    gate = receivers.Gate()
    inbox.answers.append(gate.answer)
    await wave(client, CbUrl=inbox.url)
    advancing = asyncio.create_task(client.advance("1h"))
    await gate.reached()

    assert (await client.admin("DELETE", "")).status == 204

    await advancing
    assert (await client.admin("GET", "")).status == 404


# Clocks


async def test_a_clock_shows_its_instant_in_both_spellings_and_what_is_pending(client: Client) -> None:
    await wave(client)

    assert (await client.admin("GET", "clock")).json == {
        "mode": "frozen",
        "speed": 1.0,
        "now": START,
        "iso": "2026-01-01T00:00:00.000Z",
        "pending": 1,
        "next": START + 6,
    }


@pytest.mark.parametrize(
    ("document", "now"),
    [
        ({"seconds": 90}, START + 90),
        ({"seconds": 0.25}, START + 0.25),
        ({"seconds": "90m"}, START + 5400),
        ({"to": START + 7}, START + 7),
        ({"to": "2026-01-02T00:00:00Z"}, START + 86_400),
        ({"to": "2026-01-02T08:00:00+08:00"}, START + 86_400),
        ({"to": START - 7}, START),
        ({"until": "next"}, START),
        ({"until": "idle"}, START),
    ],
)
async def test_a_frozen_clock_with_nothing_pending_moves_as_told_and_never_back(
    client: Client, document: dict[str, Any], now: float
) -> None:
    answer = await client.admin("POST", "clock/advance", document)

    assert (answer.status, answer.json["now"], answer.json["fired"]) == (200, now, [])


async def test_advancing_to_the_next_event_stops_at_it(client: Client, inbox: Inbox) -> None:
    task = await wave(client, CbUrl=inbox.url)
    await client.advance(1)
    await wave(client, CbUrl=inbox.url)

    answer = (await client.admin("POST", "clock/advance", {"until": "next"})).json

    assert (answer["now"], answer["pending"], answer["next"]) == (START + 6, 1, START + 7)
    assert answer["fired"] == [
        {"at": START + 6, "what": "end", "task": task, "delivery": 1, "status": "succeeded"},
        {"at": START + 6, "what": "attempt", "task": task, "delivery": 1, "status": "delivered"},
    ]


async def test_advancing_until_idle_leaves_nothing_pending_retries_included(client: Client, inbox: Inbox) -> None:
    inbox.answers += [receivers.status(500)] * 2
    await client.rule(
        {"when": {"operation": "kingsoft.*"}, "then": {"plan": {"deliver": {"attempts": 3, "backoff": "1d"}}}}
    )
    await wave(client, CbUrl=inbox.url)

    answer = (await client.admin("POST", "clock/advance", {"until": "idle"})).json

    assert (answer["now"], answer["pending"]) == (START + 6 + 3 * 86_400, 0)
    assert [event["status"] for event in answer["fired"]] == ["succeeded", "pending", "pending", "delivered"]


async def test_an_event_that_is_due_exactly_at_the_instant_has_happened(client: Client, inbox: Inbox) -> None:
    await wave(client, CbUrl=inbox.url)

    await client.admin("POST", "clock/advance", {"to": START + 6})

    assert len(inbox.received) == 1


async def test_an_event_that_is_due_a_moment_later_has_not(client: Client, inbox: Inbox) -> None:
    await wave(client, CbUrl=inbox.url)

    await client.admin("POST", "clock/advance", {"to": START + 5.999})

    assert inbox.received == []


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"seconds": 1, "to": START},
        {"seconds": -1},
        {"seconds": "soon"},
        {"until": "tomorrow"},
        {"minutes": 1},
        {"to": True},
    ],
)
async def test_an_advance_that_makes_no_sense_is_refused(client: Client, document: dict[str, Any]) -> None:
    answer = await client.admin("POST", "clock/advance", document)

    assert answer.status == 422
    assert problem(answer)["problems"]


async def test_an_instant_that_is_none_is_refused_with_the_way_to_write_one(client: Client) -> None:
    answer = await client.admin("POST", "clock/advance", {"to": "tomorrow"})

    assert answer.status == 422
    assert "'tomorrow' is no instant; write 2026-01-31T09:00:00Z or unix seconds" in problem(answer)["detail"]


@pytest.mark.parametrize("document", [{"seconds": 1}, {"to": START}, {"until": "next"}, {"until": "idle"}])
async def test_a_clock_that_runs_by_itself_is_not_advanced(start: Start, document: dict[str, Any]) -> None:
    client = await start(frozen=False)

    answer = await client.admin("POST", "clock/advance", document)

    assert answer.status == 409
    assert problem(answer)["detail"] == "the clock of AKTEST is real; only a frozen clock moves by hand"


async def test_a_receiver_that_advances_the_clock_during_its_callback_is_refused(client: Client, inbox: Inbox) -> None:
    refusals: list[Answered] = []

    async def advance(request: web.Request) -> web.Response:
        refusals.append(await client.admin("POST", "clock/advance", {"seconds": 1}))
        return web.Response()

    inbox.answers.append(advance)
    await wave(client, CbUrl=inbox.url)

    await client.advance("10m")

    assert refusals[0].status == 409
    assert "the clock of AKTEST is being moved already" in problem(refusals[0])["detail"]
    assert (await client.admin("GET", "deliveries", status="delivered")).json["count"] == 1


async def test_a_receiver_may_advance_the_clock_of_another_account(client: Client, inbox: Inbox) -> None:
    await client.admin("POST", "/accounts", {"name": "other", "clock": {"mode": "frozen", "now": START}})
    answers: list[Answered] = []

    async def advance(request: web.Request) -> web.Response:
        answers.append(await client.admin("POST", "/accounts/other/clock/advance", {"seconds": 1}))
        return web.Response()

    inbox.answers.append(advance)
    await wave(client, CbUrl=inbox.url)

    await client.advance("10m")

    assert (answers[0].status, answers[0].json["now"]) == (200, START + 1)


async def test_a_move_of_the_clock_is_told_with_all_that_happened(client: Client, inbox: Inbox) -> None:
    ext = json.dumps({"Callback": {"progress_cburl": inbox.url, "progress_interval": 10}})
    task = (await client.kingsoft("CreateTask", {**TRANSCODE, "CbUrl": inbox.url, "ExtParam": ext})).json["TaskID"]

    fired = (await client.advance("10m"))["fired"]

    assert {event["task"] for event in fired} == {task}
    assert [(event["at"] - START, event["what"], event["delivery"], event["status"]) for event in fired] == [
        (11, "progress", 1, "running"),
        (11, "attempt", 1, "delivered"),
        (21, "progress", 2, "uploading"),
        (21, "attempt", 2, "delivered"),
        (25, "end", 3, "succeeded"),
        (25, "attempt", 3, "delivered"),
    ]


async def test_a_clock_can_be_set_to_another_mode_and_instant(client: Client) -> None:
    answer = await client.admin("PUT", "clock", {"mode": "frozen", "now": "2030-01-01T00:00:00Z"})

    assert (answer.status, answer.json["iso"]) == (200, "2030-01-01T00:00:00.000Z")


async def test_a_clock_that_is_set_to_run_calls_back_what_is_due_by_then(client: Client, inbox: Inbox) -> None:
    await wave(client, CbUrl=inbox.url)

    await client.admin("PUT", "clock", {"mode": "real", "now": START + 3600})

    assert (await client.admin("GET", "deliveries", status="delivered", wait="60s")).json["satisfied"]


async def test_a_clock_that_is_frozen_stays_where_it_was(start: Start) -> None:
    client = await start(clock="scaled", clock_speed=1000.0, frozen=False)

    frozen = (await client.admin("PUT", "clock", {"mode": "frozen"})).json

    assert (await client.admin("GET", "clock")).json["now"] == frozen["now"]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({}, "/mode"),
        ({"mode": "fast"}, "/mode"),
        ({"mode": "scaled", "speed": 0}, "/speed"),
        ({"mode": "frozen", "now": -1}, "/now"),
        ({"mode": "frozen", "now": "noon"}, "/now"),
    ],
)
async def test_a_clock_that_makes_no_sense_is_refused_with_a_pointer_at_the_fault(
    client: Client, document: dict[str, Any], pointer: str
) -> None:
    answer = await client.admin("PUT", "clock", document)

    assert answer.status == 422
    assert [found["pointer"] for found in problem(answer)["problems"]] == [pointer]


@pytest.mark.parametrize(
    "now", ["0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z", "3001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"]
)
async def test_an_instant_that_is_out_of_bounds_is_refused_and_the_account_goes_on(client: Client, now: str) -> None:
    answers = [
        await client.admin("PUT", "clock", {"mode": "frozen", "now": now}),
        await client.admin("POST", "/accounts", {"clock": {"mode": "frozen", "now": now}}),
    ]

    assert [answer.status for answer in answers] == [422, 422]
    assert (await client.admin("GET", "/accounts")).status == 200
    assert await wave_or_refusal(client) == 0


@pytest.mark.parametrize("document", [{"seconds": "999999999d"}, {"to": "9999-12-31T23:59:59-12:00"}])
async def test_an_advance_beyond_what_a_clock_can_show_is_refused_and_the_account_goes_on(
    client: Client, document: dict[str, Any]
) -> None:
    answer = await client.admin("POST", "clock/advance", document)

    assert answer.status == 422
    assert (await client.admin("GET", "/accounts")).status == 200
    assert await wave_or_refusal(client) == 0


async def test_an_account_goes_on_however_far_away_its_next_event_is(client: Client) -> None:
    plan = {"deliver": {"attempts": 100, "backoff": "366d"}}
    await client.rule({"when": {"operation": "kingsoft.*"}, "then": {"plan": plan}})
    await wave(client, CbUrl="nowhere")

    moved = [await client.admin("POST", "clock/advance", {"until": "next"}) for _ in range(30)]

    assert {answer.status for answer in moved} == {200}
    assert (await client.admin("GET", "/accounts")).status == 200
    assert await wave_or_refusal(client) == 0


async def test_a_receiver_that_sets_the_clock_during_its_callback_is_refused(client: Client, inbox: Inbox) -> None:
    refusals: list[Answered] = []

    async def set_clock(request: web.Request) -> web.Response:
        refusals.append(await client.admin("PUT", "clock", {"mode": "real", "now": START}))
        return web.Response()

    inbox.answers.append(set_clock)
    await wave(client, CbUrl=inbox.url)

    moved = await client.advance("10m")

    assert refusals[0].status == 409
    assert "is being moved already" in problem(refusals[0])["detail"]
    assert (moved["mode"], moved["now"]) == ("frozen", START + 600)


async def test_a_second_client_that_advances_a_clock_that_is_being_moved_is_refused(
    client: Client, inbox: Inbox
) -> None:
    gate = receivers.Gate()
    inbox.answers.append(gate.answer)
    await wave(client, CbUrl=inbox.url)
    advancing = asyncio.create_task(client.advance("10m"))
    await gate.reached()

    answer = await client.admin("POST", "clock/advance", {"seconds": 1})

    gate.open()
    assert answer.status == 409
    assert (await advancing)["now"] == START + 600


async def test_a_receiver_may_reset_the_account_during_its_callback(client: Client, inbox: Inbox) -> None:
    async def reset(request: web.Request) -> web.Response:
        await client.admin("POST", "reset")
        return web.Response()

    inbox.answers.append(reset)
    await wave(client, CbUrl=inbox.url)
    await wave(client, CbUrl=inbox.url)

    await client.advance("10m")

    found = (await client.admin("GET", "")).json
    assert (found["tasks"], found["deliveries"], found["clock"]["now"]) == (0, 0, START)
    assert len(inbox.received) == 1


# Rules


async def test_a_rule_is_set_shown_listed_and_taken_away(client: Client) -> None:
    document = {"name": "out of order", "when": {"operation": "baidu.*"}, "then": {"error": 18}}

    made = await client.rule(document)

    shown = {
        "id": "r1",
        "name": "out of order",
        "origin": "admin",
        "priority": 0,
        "rule": document,
        "matched": 0,
        "taken": 0,
        "exhausted": False,
    }
    assert (made.status, made.json) == (201, shown)
    assert (await client.admin("GET", "rules/r1")).json == shown
    assert (await client.admin("GET", "rules")).json == {"rules": [shown]}
    assert (await client.admin("DELETE", "rules/r1")).status == 204
    assert (await client.admin("GET", "rules")).json == {"rules": []}


async def test_a_rule_counts_what_matched_and_what_it_took(client: Client) -> None:
    await client.rule({"when": {"operation": "kingsoft.*"}, "times": {"skip": 1, "first": 1}, "then": {"error": 1101}})
    for _ in range(3):
        await wave_or_refusal(client)

    found = (await client.admin("GET", "rules/r1")).json

    assert (found["matched"], found["taken"], found["exhausted"]) == (3, 1, True)


async def wave_or_refusal(client: Client) -> int:
    """What the creation of a wave task is answered."""
    found: int = (await client.kingsoft("CreateWaveTask", WAVE)).json["ErrNum"]
    return found


async def test_all_rules_can_be_taken_away_at_once(client: Client) -> None:
    await client.rule({"when": {"operation": "kingsoft.*"}, "then": {"error": 1101}})
    await client.rule({"when": {"operation": "baidu.*"}, "then": {"error": 18}})

    assert (await client.admin("DELETE", "rules")).status == 204
    assert (await client.admin("GET", "rules")).json == {"rules": []}
    assert await wave_or_refusal(client) == 0


async def test_a_rule_that_is_taken_away_twice_answers_404(client: Client) -> None:
    await client.rule({"then": {"latency": 0}})
    await client.admin("DELETE", "rules/r1")

    assert problem(await client.admin("DELETE", "rules/r1"))["status"] == 404


@pytest.mark.parametrize(
    ("document", "pointer", "message"),
    [
        pytest.param(
            {"when": {"operation": "kingsoft.CreateWavTask"}, "then": {"error": 1101}},
            "/when/operation",
            "no operation is called kingsoft.CreateWavTask; did you mean 'kingsoft.CreateWaveTask'?",
            id="a misspelt operation",
        ),
        pytest.param(
            {"when": {"operation": "kingsoft.*"}, "then": {"error": "MissingParametr"}},
            "/then/error",
            "kingsoft has no code 'MissingParametr' in its api and gateway lists; nearest: MissingParameter",
            id="a misspelt code",
        ),
        pytest.param(
            {"when": {"operation": "kingsoft.*"}, "then": {"error": 9999}},
            "/then/error",
            "kingsoft has no code 9999",
            id="an unknown code",
        ),
        pytest.param(
            {"when": {"operation": "kingsoft.*"}, "then": {"plan": {"outcome": {"fail": 1101}}}},
            "/then/plan/outcome/fail",
            "kingsoft has no code 1101 in its callback list",
            id="a code of another list",
        ),
        pytest.param(
            {"then": {"error": 100}}, "/then/error", "Say when.operation: kingsoft.* or baidu.*", id="whose code"
        ),
        pytest.param(
            {"when": {"operation": "baidu.*"}, "then": {"plan": {"run": 1}}},
            "/then/plan",
            "baidu.* starts no task, so no plan applies to it",
            id="a plan for no task",
        ),
        pytest.param(
            {"when": {"operation": "kingsoft.*"}, "then": {"plan": {"outcome": {"fail": 3150, "hang": True}}}},
            "/then/plan/outcome",
            "exactly one of fail, hang, vanish",
            id="two outcomes",
        ),
        pytest.param(
            {"when": {"operation": "kingsoft.*"}, "then": {"plan": {"run": ["5s", "2s"]}}},
            "/then/plan",
            "ends before it starts",
            id="a range upside down",
        ),
        pytest.param(
            {"when": {"operation": "*", "params": {"type": "objekt"}}, "then": {"latency": 1}},
            "/when/params",
            "no valid JSON Schema",
            id="no schema",
        ),
        pytest.param(
            {"when": {"operaton": "*"}, "then": {"latency": 1}},
            "/when",
            "'operaton' is not known here; did you mean 'operation'?",
            id="a misspelt member",
        ),
        pytest.param({"when": {}}, "/then", "then is required but missing", id="nothing to do"),
        pytest.param({"then": {}}, "/then", "", id="an empty then"),
        pytest.param({"then": {"latency": "soon"}}, "/then/latency", "'soon' does not match", id="no duration"),
        pytest.param({"times": {"first": 0}, "then": {"latency": 1}}, "/times/first", "0", id="never"),
        pytest.param(
            {"times": {"probability": 1.5}, "then": {"latency": 1}}, "/times/probability", "1.5", id="too likely"
        ),
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused_with_a_pointer_and_a_hint(
    client: Client, document: dict[str, Any], pointer: str, message: str
) -> None:
    answer = await client.rule(document)

    assert answer.status == 422
    (found,) = problem(answer)["problems"]
    assert (found["in"], found["pointer"]) == ("rule", pointer)
    assert message in found["message"]
    assert (await client.admin("GET", "rules")).json == {"rules": []}


async def test_a_refused_rule_uses_up_no_id(client: Client) -> None:
    await client.rule({"then": {}})

    assert (await client.rule({"then": {"latency": 0}})).json["id"] == "r1"


async def test_what_each_rule_had_to_say_is_in_the_trace_of_a_request(client: Client) -> None:
    await client.rule({"name": "ocr", "when": {"operation": "baidu.*"}, "then": {"latency": 0}})
    await client.rule(
        {"name": "second", "when": {"operation": "kingsoft.*"}, "times": {"skip": 1}, "then": {"error": 1202}}
    )

    await wave(client)

    trace = (await client.admin("GET", "requests/1")).json["trace"]
    assert [(line["step"], line["found"]) for line in trace if line["step"].endswith("rules")] == [
        ("gate rules", "r1 (ocr): it is for baidu.*"),
        ("business rules", "r2 (second): match 1, not its turn: the first is left alone"),
    ]


# Tasks, deliveries, requests


async def test_tasks_are_listed_oldest_first_with_status_and_timeline(client: Client) -> None:
    first, second = await wave(client), await wave(client)

    found = (await client.admin("GET", "tasks")).json

    assert [task["id"] for task in found["tasks"]] == [first, second]
    assert found["tasks"][0]["status"] == "queued"
    assert found["tasks"][0]["timeline"] == {
        "start": START,
        "run": START + 1,
        "upload": START + 5,
        "end": START + 6,
        "outcome": "succeed",
        "code": 0,
    }


async def test_tasks_are_filtered_by_status_and_operation_and_limited_to_the_latest(client: Client) -> None:
    await client.kingsoft("CreateTask", TRANSCODE)
    ended, latest = await wave(client), await wave(client)
    await client.advance("10s")

    assert (await client.admin("GET", "tasks", status="running")).json["count"] == 1
    assert (await client.admin("GET", "tasks", operation="kingsoft.CreateWaveTask")).json["count"] == 2
    limited = (await client.admin("GET", "tasks", status="succeeded", limit="1")).json
    assert ([task["id"] for task in limited["tasks"]], limited["count"]) == ([latest], 2)
    assert ended != latest


async def test_one_task_is_shown_with_its_parameters_and_deliveries(client: Client, inbox: Inbox) -> None:
    task = await wave(client, CbUrl=inbox.url)
    await client.advance("10s")

    found = (await client.admin("GET", f"tasks/{task}")).json

    assert found["parameters"]["CbUrl"] == inbox.url
    assert [delivery["status"] for delivery in found["deliveries"]] == ["delivered"]


async def test_one_delivery_shows_exactly_what_was_sent_and_answered(client: Client, inbox: Inbox) -> None:
    task = await wave(client, CbUrl=inbox.url)
    await client.advance("10s")

    found = (await client.admin("GET", "deliveries/1")).json

    assert (found["number"], found["task"], found["operation"]) == (1, task, "kingsoft.CreateWaveTask")
    assert (found["event"], found["due"]) == ("succeeded", START + 6)
    assert (found["request"]["method"], found["request"]["url"]) == ("POST", inbox.url)
    assert found["request"]["body"].encode() == inbox.received[0].body
    assert inbox.received[0].headers.items() >= found["request"]["headers"].items()
    assert [(attempt["status"], attempt["answer"]) for attempt in found["attempts"]] == [(200, "Ok")]


async def test_deliveries_are_filtered_by_task_status_event_and_number(client: Client, inbox: Inbox) -> None:
    inbox.answers.append(receivers.status(500))
    refused, delivered = await wave(client, CbUrl=inbox.url), await wave(client, CbUrl=inbox.url)
    await client.advance("10s")

    async def numbers(**filters: str) -> list[int]:
        return [found["number"] for found in (await client.admin("GET", "deliveries", **filters)).json["deliveries"]]

    assert await numbers() == [1, 2]
    assert await numbers(task=refused) == [1]
    assert await numbers(task=delivered) == [2]
    assert await numbers(status="failed") == [1]
    assert await numbers(event="succeeded") == [1, 2]
    assert await numbers(event="progress") == []
    assert await numbers(operation="kingsoft.CreateTask") == []
    assert await numbers(after="1") == [2]
    assert await numbers(limit="1") == [2]


async def test_requests_are_filtered_by_operation_status_and_code(client: Client) -> None:
    await wave(client)
    await client.kingsoft("CreateWaveTask", {})
    await client.kingsoft("Nothing", {})

    async def numbers(**filters: str) -> list[int]:
        return [found["number"] for found in (await client.admin("GET", "requests", **filters)).json["requests"]]

    assert await numbers() == [1, 2, 3]
    assert await numbers(operation="kingsoft.CreateWaveTask") == [1, 2]
    assert await numbers(status="400") == [3]
    assert await numbers(code="1000") == [2]
    assert await numbers(after="2") == [3]


async def test_one_request_shows_what_came_what_went_back_and_why(client: Client) -> None:
    await client.kingsoft("CreateWaveTask", {"Preset": "wave"})

    found = (await client.admin("GET", "requests/1")).json

    assert (found["number"], found["at"], found["operation"]) == (1, START, "kingsoft.CreateWaveTask")
    assert (found["status"], found["code"]) == (200, 1000)
    assert (found["method"], found["path"], found["body"]) == ("POST", "/", '{"Preset": "wave"}')
    assert json.loads(found["reply"]["body"]) == {"ErrNum": 1000, "ErrMsg": "缺少参数"}
    assert [line["step"] for line in found["trace"]] == ["claim", "identify", "account", "authenticate", "refuse"]


async def test_a_journal_that_is_full_forgets_the_oldest_and_counts_them(start: Start) -> None:
    client = await start(journal_entries=2)
    for _ in range(5):
        await wave(client)

    found = (await client.admin("GET", "requests")).json

    assert [request["number"] for request in found["requests"]] == [4, 5]
    assert found["evicted"] == 3


@pytest.mark.parametrize("path", ["tasks", "deliveries", "requests"])
async def test_a_misspelt_filter_is_refused_with_those_that_there_are(client: Client, path: str) -> None:
    answer = await client.admin("GET", path, statuss="failed")

    assert answer.status == 400
    assert "no filter 'statuss'; there are " in problem(answer)["detail"]
    assert "status" in problem(answer)["detail"]


@pytest.mark.parametrize(
    "filters",
    [
        {"limit": "many"},
        {"after": "x"},
        {"count": "1.5"},
        {"wait": "soon"},
        {"wait": "-1"},
        {"limit": "-1"},
        {"wait": "nan", "count": "0"},
    ],
)
async def test_a_filter_whose_value_makes_no_sense_is_refused(client: Client, filters: dict[str, str]) -> None:
    answer = await client.admin("GET", "deliveries", **filters)

    assert answer.status == 400
    assert problem(answer)["detail"]


# Long polls


async def test_a_long_poll_of_deliveries_wakes_when_the_delivery_happens(start: Start, inbox: Inbox) -> None:
    client = await start(frozen=False)
    at_once = {"queue": 0, "run": 0, "upload": 0}
    await client.rule({"when": {"operation": "kingsoft.*"}, "then": {"plan": at_once}})
    waiting = asyncio.create_task(client.admin("GET", "deliveries", status="delivered", wait="60s", count="2"))

    await wave(client, CbUrl=inbox.url)
    await wave(client, CbUrl=inbox.url)

    found = (await waiting).json
    assert (found["satisfied"], found["count"]) == (True, 2)


async def test_a_long_poll_of_requests_wakes_when_the_request_arrives(client: Client) -> None:
    waiting = asyncio.create_task(client.admin("GET", "requests", operation="kingsoft.CreateWaveTask", wait="60s"))

    await wave(client)

    assert (await waiting).json["satisfied"]


async def test_a_long_poll_wakes_when_a_frozen_clock_is_moved(client: Client, inbox: Inbox) -> None:
    await wave(client, CbUrl=inbox.url)
    waiting = asyncio.create_task(client.admin("GET", "deliveries", status="delivered", wait="60s"))

    await client.advance("10s")

    assert (await waiting).json["count"] == 1


async def test_a_long_poll_for_what_has_happened_already_answers_at_once(client: Client) -> None:
    await wave(client)

    assert (await client.admin("GET", "requests", wait="60s", count="1")).json["satisfied"]


async def test_a_long_poll_that_waits_in_vain_answers_with_what_there_is(client: Client) -> None:
    await wave(client)

    found = (await client.admin("GET", "requests", wait="20ms", count="2")).json

    assert (found["satisfied"], found["count"]) == (False, 1)


async def test_a_long_poll_for_none_is_satisfied_at_once(client: Client) -> None:
    assert (await client.admin("GET", "deliveries", wait="60s", count="0")).json["satisfied"]


async def test_a_long_poll_that_was_waiting_when_the_account_was_reset_sees_what_happens_after(client: Client) -> None:
    waiting = asyncio.create_task(
        client.admin("GET", "requests", operation="kingsoft.GetTaskByTaskID", wait="10s", count="1")
    )
    await wave(client)
    await client.admin("POST", "reset")

    await client.kingsoft("GetTaskByTaskID", TaskID="f" * 40)

    assert (await waiting).json["satisfied"]


# Who may use it


@pytest.mark.parametrize("host", ["evil.example.com", "evil.example.com:8640", "localhost.evil.com", "emulator.local"])
async def test_a_host_name_that_a_stranger_could_point_here_is_refused(client: Client, host: str) -> None:
    answer = await client.request("GET", f"{API}/accounts", headers={"Host": host})

    assert answer.status == 403
    name = host.partition(":")[0]
    assert f"does not answer to the host name '{name}'; allow it with --admin-host {name}" in problem(answer)["detail"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "localhost:1", "[::1]:8640", "emulator", "a.localhost", "host.docker.internal"]
)
async def test_a_host_name_that_is_ones_own_is_answered(client: Client, host: str) -> None:
    assert (await client.request("GET", f"{API}/accounts", headers={"Host": host})).status == 200


async def test_a_host_name_that_is_allowed_is_answered(start: Start) -> None:
    client = await start(admin_host=("emulator.example.com",))

    assert (await client.request("GET", f"{API}/accounts", headers={"Host": "Emulator.example.com"})).status == 200


@pytest.mark.parametrize("host", ["[::1", "[", "a@b@evil.example.com", "127.0.0.1.evil.example.com"])
async def test_a_host_header_that_is_garbled_is_refused(client: Client, host: str) -> None:
    answer = await client.request("GET", f"{API}/accounts", headers={"Host": host})

    assert answer.status == 403


@pytest.mark.parametrize("origin", ["https://evil.example.com", "http://127.0.0.1:1", "null", "", "http://[::1", "//["])
async def test_a_page_of_another_origin_is_refused(client: Client, origin: str) -> None:
    answer = await client.request("GET", f"{API}/accounts", headers={"Origin": origin})

    assert answer.status == 403
    assert "does not answer pages of" in problem(answer)["detail"]


async def test_a_page_of_the_emulators_own_origin_is_answered(client: Client) -> None:
    answer = await client.request("GET", f"{API}/accounts", headers={"Origin": client.server.url})

    assert answer.status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_body_that_a_page_may_send_unasked_is_refused(client: Client, kind: str) -> None:
    answer = await client.request("POST", f"{API}/accounts", data=b"{}", headers={"Content-Type": kind})

    assert answer.status == 415
    assert problem(answer)["detail"] == f"the body must be application/json, not {kind}"


async def test_a_token_is_demanded_where_the_server_listens_beyond_loopback(start: Start) -> None:
    client = await start(host="0.0.0.0")

    answer = await client.admin("GET", "/accounts")

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "Authorization: Bearer" in problem(answer)["detail"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_the_token_opens_the_admin_api(start: Start, scheme: str) -> None:
    client = await start(admin_token="s3cret")

    assert (await client.request("GET", f"{API}/accounts", headers={"Authorization": f"{scheme} s3cret"})).status == 200


@pytest.mark.parametrize("given", ["Bearer other", "Bearer", "s3cret", "Basic s3cret", "Bearer s3cre\u0301t"])
async def test_another_token_does_not_open_the_admin_api(start: Start, given: str) -> None:
    client = await start(admin_token="s3cret")

    assert (await client.request("GET", f"{API}/accounts", headers={"Authorization": given})).status == 401


@pytest.mark.parametrize("path", ["livez", "readyz", "health"])
async def test_probes_need_no_token(start: Start, path: str) -> None:
    client = await start(host="0.0.0.0")

    assert (await client.request("GET", f"/_emulator/{path}")).status == 200


async def test_each_start_beyond_loopback_makes_another_token(start: Start) -> None:
    first, second = await start(host="0.0.0.0"), await start(host="0.0.0.0")

    assert first.server.admin_token
    assert first.server.admin_token != second.server.admin_token


async def test_the_clouds_need_no_admin_token(start: Start) -> None:
    client = await start(host="0.0.0.0")

    assert await wave_or_refusal(client) == 0


# Secrets


async def journal_text(client: Client, account: str = "AKTEST") -> str:
    """The whole journal of an account, as the admin API prints it."""
    return (await client.admin("GET", f"/accounts/{account}/requests")).body.decode()


async def test_a_client_secret_in_a_query_is_not_shown(client: Client) -> None:
    secret = {"grant_type": "client_credentials", "client_id": "AKTEST", "client_secret": "hush-hush"}

    await client.request("GET", "/oauth/2.0/token", params=secret)

    shown = await journal_text(client)
    assert "hush-hush" not in shown
    assert "client_secret=***" in shown


async def test_a_client_secret_in_a_form_is_not_shown(client: Client) -> None:
    secret = {"grant_type": "client_credentials", "client_id": "AKTEST", "client_secret": "hush-hush"}

    await client.request("POST", "/oauth/2.0/token", data=secret)

    shown = await journal_text(client)
    assert "hush-hush" not in shown
    assert "client_secret=***" in shown


async def test_a_client_secret_that_is_percent_encoded_is_not_shown(client: Client) -> None:
    secret = {"grant_type": "client_credentials", "client_id": "AKTEST", "client_secret": "hush/hush+hush=="}

    await client.request("POST", "/oauth/2.0/token", data=secret)

    shown = await journal_text(client)
    assert "hush" not in shown


async def test_an_issued_token_is_shown_neither_where_it_was_issued_nor_where_it_was_used(client: Client) -> None:
    token = await client.token()

    await client.recognise(token, templateSign=TRAIN_TICKET, image=encoded())
    await client.request("POST", "/rest/2.0/solution/v1/iocr/recognise", data={"access_token": token})

    assert token not in await journal_text(client)


async def test_no_part_of_a_token_answer_that_gives_access_is_shown(client: Client) -> None:
    params = {"grant_type": "client_credentials", "client_id": "AKTEST", "client_secret": "any"}
    issued = (await client.request("GET", "/oauth/2.0/token", params=params)).json

    shown = await journal_text(client)

    for name in ("access_token", "refresh_token", "session_key", "session_secret"):
        assert issued[name] not in shown


async def test_of_an_authorization_header_all_but_the_signature_is_shown(client: Client) -> None:
    signature = "0123456789abcdef" * 4
    scope = "AWS4-HMAC-SHA256 Credential=AKTEST/20260101/cn-beijing-6/kvs/aws4_request, SignedHeaders=host"
    params = {"Action": "CreateWaveTask", "Version": "2017-01-01"}

    headers = {"Authorization": f"{scope}, Signature={signature}"}
    await client.request("POST", "/", params=params, json=WAVE, headers=headers)

    (found,) = (await client.admin("GET", "requests")).json["requests"]
    assert ["Authorization", f"{scope}, Signature=***"] in found["headers"]
    assert signature not in await journal_text(client)


async def test_a_signature_in_the_query_is_not_shown(client: Client) -> None:
    signature = "0123456789abcdef" * 4

    await client.kingsoft("CreateWaveTask", WAVE, **{"X-Amz-Signature": signature, "X-Amz-Security-Token": "hush-hush"})

    shown = await journal_text(client)
    assert signature not in shown
    assert "hush-hush" not in shown


@pytest.mark.parametrize("name", ["Cookie", "Proxy-Authorization", "X-Amz-Security-Token", "Authorization"])
async def test_a_header_that_is_a_secret_as_a_whole_is_not_shown(client: Client, name: str) -> None:
    params = {"Action": "Nothing", "X-Amz-Credential": "AKTEST"}

    await client.request("GET", "/", params=params, headers={name: "hush-hush"})

    assert "hush-hush" not in await journal_text(client)


async def test_the_admin_token_of_a_client_that_sends_it_to_a_cloud_is_not_shown(start: Start) -> None:
    client = await start(admin_token="s3cret")
    bearer = {"Authorization": "Bearer s3cret"}

    await client.request("GET", "/nowhere", headers=bearer)

    found = await client.request("GET", f"{API}/accounts/default/requests", headers=bearer)
    assert found.json["requests"]
    assert "s3cret" not in found.body.decode()
