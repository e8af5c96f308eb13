"""What rules may say, and how they are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.core.errors import ConfigurationError
from emulator.core.exchange import JsonObject, Reply
from emulator.core.fixtures import Fixtures
from emulator.core.resources import Resource
from emulator.core.rule_reader import RuleReader
from emulator.core.rules import Rule
from emulator.core.schemas import BASE, SchemaRegistry
from tests.support.toy_cloud import Toy, resource, schema_resources, toy_world

ANSWER: JsonObject = {"type": "object", "required": ["brew"], "properties": {"brew": {"type": "string"}}}


def _reader(**plans: JsonObject) -> RuleReader:
    """A reader that knows the answers of ``Brew``, and plans by name."""
    resources = schema_resources("toy") | {"toy/Brew.response.json": resource("toy/Brew.response.json", ANSWER)}
    schemas = SchemaRegistry(resources)
    named = {
        f"rules/{name}.json": Resource(
            f"rules/{name}.json",
            f"memory/{name}.json",
            {"$schema": f"{BASE}emulator/named-plan.json", "summary": name, "plan": plan},
        )
        for name, plan in plans.items()
    }
    return RuleReader(schemas, {"toy": Toy("toy", schemas)}, Fixtures(named, schemas, ("rules/*.json",)))


def _read(document: JsonObject, reader: RuleReader | None = None) -> Rule:
    return (reader or _reader()).read("r1", document)


def _refused(document: Any, reader: RuleReader | None = None) -> list[tuple[str, str]]:
    with pytest.raises(ConfigurationError) as caught:
        _read(document, reader)
    return [(problem.pointer, problem.message) for problem in caught.value.problems]


def test_a_reply_is_sent_as_json() -> None:
    rule = _read({"when": {"operation": "toy.Brew"}, "then": {"reply": {"body": {"brew": "x"}}}})

    assert rule.reply == Reply(200, {"Content-Type": "application/json; charset=utf-8"}, b'{"brew":"x"}')


def test_a_reply_may_be_a_text_with_a_status_and_headers() -> None:
    reply = {"status": 201, "headers": {"X-A": "b"}, "body": "tea", "unchecked": True}

    assert _read({"then": {"reply": reply}}).reply == Reply(
        201, {"Content-Type": "text/plain; charset=utf-8", "X-A": "b"}, b"tea"
    )


def test_a_reply_that_is_no_answer_of_the_operation_is_refused() -> None:
    assert _refused({"when": {"operation": "toy.Brew"}, "then": {"reply": {"body": {"brew": 7}}}}) == [
        ("/then/reply/body/brew", "7 is no string (an answer of toy.Brew; unchecked: true lets it pass)")
    ]


def test_a_reply_is_held_against_the_answers_of_all_operations_that_it_is_for() -> None:
    assert [pointer for pointer, _ in _refused({"then": {"reply": {"body": {}}}})] == ["/then/reply/body/brew"]


def test_an_unchecked_reply_may_be_anything() -> None:
    reply = _read({"then": {"reply": {"body": [], "unchecked": True}}}).reply

    assert reply is not None
    assert reply.body == b"[]"


@pytest.mark.parametrize("effect", ["reply", "fault"])
def test_headers_that_say_how_long_a_body_is_are_refused(effect: str) -> None:
    headers = {"content-length": "7", "Transfer-Encoding": "chunked"}
    said = {"body": {}, "unchecked": True} if effect == "reply" else {"status": 500}

    ((pointer, message),) = _refused({"then": {effect: {**said, "headers": headers}}})

    assert pointer.startswith(f"/then/{effect}")
    assert message.startswith("content-length and transfer-encoding are told from the body")


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nb"}, {"X A": "b"}, {"": "b"}, {"X-A": 7}])
def test_headers_that_could_not_be_sent_are_refused(headers: JsonObject) -> None:
    assert _refused({"then": {"reply": {"body": {}, "unchecked": True, "headers": headers}}})


@pytest.mark.parametrize(
    ("then", "stage"),
    [
        ({"latency": 1}, "gate"),
        ({"fault": "reset"}, "gate"),
        ({"error": 9}, "gate"),
        ({"error": 7}, "business"),
        ({"error": 9, "responses": "random"}, "gate"),
        ({"plan": {}}, "business"),
        ({"latency": 1, "responses": "random"}, "business"),
    ],
)
def test_a_rule_is_tried_at_the_stage_of_its_effects(then: JsonObject, stage: str) -> None:
    assert _read({"when": {"operation": "toy.Brew"}, "then": then}).stage == stage


def test_everything_that_is_wrong_with_a_rule_is_told_at_once() -> None:
    document = {
        "when": {"operation": "toy.Ask", "params": {"type": "text"}},
        "then": {"error": 75, "plan": {}, "latency": ["2s", "1s"], "fault": "rest"},
    }

    assert [pointer for pointer, _ in _refused(document)] == [
        "/then/error",
        "/when/params",
        "/then/plan",
        "/then/latency",
        "/then/fault",
    ]


def test_error_and_reply_exclude_each_other() -> None:
    assert _refused({"then": {"error": 7, "reply": {"body": {}, "unchecked": True}}}) == [
        ("/then", "error and reply exclude each other: both are the whole answer")
    ]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("rest", "no fault is called 'rest'; did you mean 'reset'?"),
        (
            "zzz",
            "no fault is called 'zzz'; there are reset, empty, truncate, garble, trickle, hang, and an HTTP status",
        ),
        ("status", "no fault is called 'status'"),
        (
            {"reset": True, "empty": True},
            "a fault is exactly one of reset, empty, truncate, garble, trickle, hang, status",
        ),
        ({"body": "x"}, "a fault is exactly one of reset, empty, truncate, garble, trickle, hang, status"),
        (
            {"truncate": "5%", "headers": {}, "body": 1},
            "body and headers mean nothing beside truncate, only beside status",
        ),
    ],
)
def test_a_fault_without_sense_is_refused(fault: Any, said: str) -> None:
    ((pointer, message),) = _refused({"then": {"fault": fault}})

    assert pointer == "/then/fault"
    assert message.startswith(said)


@pytest.mark.parametrize("latency", [{"fixed": "1s", "uniform": [1, 2]}, {}, {"lognormal": {}}, {"normal": 1}, [1], -1])
def test_a_latency_without_sense_is_refused(latency: Any) -> None:
    assert _refused({"then": {"latency": latency}})[0][0].startswith("/then/latency")


def test_a_plan_may_be_named() -> None:
    reader = _reader(slow={"run": "9s"})

    assert _read({"when": {"operation": "toy.Brew"}, "then": {"plan": "slow"}}, reader).plan == {"run": "9s"}


def test_a_plan_may_be_based_on_one_that_has_a_name() -> None:
    reader = _reader(slow={"run": "9s", "queue": "1s"})
    document = {"when": {"operation": "toy.Brew"}, "then": {"plan": {"base": "slow", "queue": "2s"}}}

    assert _read(document, reader).plan == {"run": "9s", "queue": "2s"}


def test_a_plan_that_nobody_knows_is_refused_with_the_nearest_name() -> None:
    assert _refused({"when": {"operation": "toy.Brew"}, "then": {"plan": "slwo"}}, _reader(slow={}, fast={})) == [
        ("/then/plan", "no plan is called 'slwo'; did you mean 'slow'?")
    ]


def test_plans_that_are_near_to_nothing_are_listed() -> None:
    ((_, message),) = _refused({"when": {"operation": "toy.Brew"}, "then": {"plan": "zzz"}}, _reader(slow={}, fast={}))

    assert message == "no plan is called 'zzz'; there are fast, slow"


def test_plans_that_make_no_sense_stop_the_start_with_their_file() -> None:
    with pytest.raises(ConfigurationError) as caught:
        _reader(bad={"outcome": {"fail": 7}}, worse={"base": "worse"})

    assert [(problem.where, problem.pointer) for problem in caught.value.problems] == [
        ("memory/bad.json", "/plan/outcome/fail"),
        ("memory/worse.json", "/plan"),
    ]


def test_where_a_rule_stands_is_told_with_what_is_wrong_with_it() -> None:
    with pytest.raises(ConfigurationError) as caught:
        toy_world().reader.read("r1", {"then": {"error": 75}}, where="rules.yaml:3", below="/rules/0")

    assert str(caught.value).startswith("rules.yaml:3#/rules/0/then/error: toy has no code 75")


def test_a_rule_may_name_its_schema_for_editors() -> None:
    assert _read({"$schema": "rule.json", "then": {"latency": 1}}).latency is not None


def test_the_document_of_a_rule_is_kept_as_it_was_written() -> None:
    document = {"then": {"reply": {"body": {"ä": 1}, "unchecked": True}}}

    assert json.dumps(_read(document).document) == json.dumps(document)
