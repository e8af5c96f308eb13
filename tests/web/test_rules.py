"""Rules for every account, by the admin API; what each effect looks like to a client."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.client import TRAIN_TICKET, WAVE, Client
from tests.support.pictures import encoded

SLOW = {"name": "slow", "then": {"latency": "1ms"}}


async def _shared(client: Client, document: Any) -> Any:
    answer = await client.admin("POST", "/rules", document)
    assert answer.status == 201, answer.body
    return answer.json


async def test_a_rule_for_every_account_is_set_shown_and_taken_away(client: Client) -> None:
    made = await _shared(client, SLOW)
    listed = (await client.admin("GET", "/rules")).json
    shown = (await client.admin("GET", "/rules/g1")).json
    gone = await client.admin("DELETE", "/rules/g1")

    assert made == shown == listed["rules"][0]
    assert (made["id"], made["origin"], listed["problems"], gone.status) == ("g1", "admin", [], 204)
    assert (await client.admin("GET", "/rules/g1")).status == 404
    assert (await client.admin("DELETE", "/rules/g1")).status == 404


async def test_a_rule_for_every_account_acts_in_each_and_adds_up_what_they_count(client: Client) -> None:
    await _shared(client, {"times": {"first": 1}, "when": {"operation": "kingsoft.*"}, "then": {"error": 1011}})
    codes = []
    for one in (client, client.named("OTHER")):
        codes += [(await one.kingsoft("CreateWaveTask", WAVE)).json["ErrNum"] for _ in range(2)]

    assert codes == [1011, 0, 1011, 0]
    (rule,) = (await client.admin("GET", "/rules")).json["rules"]
    assert (rule["matched"], rule["taken"]) == (4, 2)


async def test_an_account_shows_the_rules_in_force_in_their_order(client: Client) -> None:
    await _shared(client, {**SLOW, "priority": 3})
    await client.rule({"name": "own", "then": {"latency": "1ms"}})

    rules = (await client.admin("GET", "rules")).json["rules"]

    assert [(rule["id"], rule["priority"]) for rule in rules] == [("g1", 3), ("r1", 0)]
    assert (await client.admin("GET", "rules/g1")).status == 200
    assert (await client.admin("DELETE", "rules/g1")).status == 404


async def test_all_rules_for_every_account_are_taken_away_at_once(client: Client) -> None:
    await _shared(client, SLOW)
    await _shared(client, SLOW)

    assert (await client.admin("DELETE", "/rules")).status == 204
    assert (await client.admin("GET", "/rules")).json["rules"] == []


async def test_a_reset_leaves_the_rules_for_every_account(client: Client) -> None:
    await _shared(client, SLOW)
    await client.rule(SLOW)
    await client.admin("POST", "reset")

    assert [rule["id"] for rule in (await client.admin("GET", "rules")).json["rules"]] == ["g1"]


async def test_a_rule_can_be_looked_at_without_being_set(client: Client) -> None:
    answer = await client.admin("POST", "/rules/check", {"then": {"error": 1011}, "when": {"operation": "kingsoft.*"}})

    assert (answer.status, answer.json["name"], answer.json["stage"]) == (200, "error for kingsoft.*", "business")
    assert (await client.admin("GET", "/rules")).json["rules"] == []


async def test_what_is_wrong_with_a_rule_is_told_without_setting_it(client: Client) -> None:
    answer = await client.admin(
        "POST", "/rules/check", {"then": {"error": 101101, "fault": "rest"}, "when": {"operation": "kingsoft.*"}}
    )

    assert answer.status == 422
    assert [problem["pointer"] for problem in answer.json["problems"]] == ["/then/error", "/then/fault"]


async def test_plans_that_have_a_name_are_listed_and_can_be_used(client: Client) -> None:
    plans = (await client.admin("GET", "/plans")).json["plans"]

    assert {"happy", "slow", "storm"} <= {plan["name"] for plan in plans}
    for plan in plans:
        document = {"when": {"operation": "kingsoft.CreateTask"}, "then": {"plan": plan["name"]}}
        assert (await client.rule(document)).status == 201, plan
        assert plan["summary"]


# Effects on the wire


async def test_a_reply_is_what_the_client_gets(client: Client) -> None:
    body = {"ErrNum": 0, "ErrMsg": "", "TaskID": "0" * 32, "RequestId": "1"}
    reply = {"body": body, "headers": {"X-Mine": "yes"}, "status": 201, "unchecked": True}
    await client.rule({"when": {"operation": "kingsoft.CreateWaveTask"}, "then": {"reply": reply}})

    answer = await client.kingsoft("CreateWaveTask", WAVE)

    assert (answer.status, answer.json, answer.headers["X-Mine"]) == (201, body, "yes")
    assert (await client.admin("GET", "tasks")).json["tasks"] == []


async def test_a_reply_that_no_client_would_understand_is_refused(client: Client) -> None:
    answer = await client.rule({"when": {"operation": "kingsoft.CreateWaveTask"}, "then": {"reply": {"body": {}}}})

    assert answer.status == 422
    assert answer.json["problems"][0]["pointer"].startswith("/then/reply/body")
    assert "unchecked: true lets it pass" in answer.json["detail"]


@pytest.mark.parametrize("latency", ["30ms", {"fixed": "30ms"}, {"uniform": ["30ms", "31ms"]}])
async def test_an_answer_is_held_back(client: Client, latency: Any) -> None:
    await client.rule({"then": {"latency": latency}})
    loop = asyncio.get_running_loop()
    began = loop.time()
    await client.kingsoft("CreateWaveTask", WAVE)

    assert loop.time() - began >= 0.03


async def test_a_lognormal_latency_is_told_in_the_journal(client: Client) -> None:
    await client.rule({"then": {"latency": {"lognormal": {"median": "10ms", "sigma": 0.8}}}})
    for _ in range(5):
        await client.kingsoft("CreateWaveTask", WAVE)

    requests = (await client.admin("GET", "requests")).json["requests"]
    assert len({request["latency"] for request in requests}) > 2


async def test_answers_are_drawn_where_a_rule_says_so(client: Client) -> None:
    await client.rule(
        {"when": {"operation": "baidu.iocr.recognise"}, "times": {"skip": 2}, "then": {"responses": "random"}}
    )
    token = await client.token()
    found = [
        (await client.recognise(token, templateSign=TRAIN_TICKET, image=encoded())).json["data"]["ret"] for _ in "123"
    ]

    assert found[0] == found[1] != found[2]


async def test_a_rule_is_replaced_in_its_place_and_counts_anew(client: Client) -> None:
    limited = {"when": {"operation": "kingsoft.*"}, "times": {"first": 1}, "then": {"error": 1011}}
    for document in (limited, SLOW):
        await client.rule(document)
    await client.kingsoft("CreateWaveTask", WAVE)
    replaced = await client.admin("PUT", "rules/r1", {**limited, "then": {"error": 1012}})
    answer = await client.kingsoft("CreateWaveTask", WAVE)

    rules = (await client.admin("GET", "rules")).json["rules"]
    assert (replaced.status, replaced.json["matched"], answer.json["ErrNum"]) == (200, 0, 1012)
    assert [(rule["id"], rule["taken"]) for rule in rules] == [("r1", 1), ("r2", 2)]


async def test_a_rule_that_is_not_there_or_not_in_order_is_not_replaced(client: Client) -> None:
    await client.rule(SLOW)
    statuses = [
        (await client.admin("PUT", f"rules/{rule}", {"then": {"latency": latency}})).status
        for rule, latency in (("r2", "1ms"), ("r1", "soon"))
    ]

    assert statuses == [404, 422]
    assert (await client.admin("GET", "rules/r1")).json["rule"] == SLOW
