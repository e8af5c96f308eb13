"""Why a request was answered as it was, and what would become of one; nothing of it changes anything."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.core.clock import ClockSpec
from emulator.core.explain import Explanation, foresee, recall
from emulator.core.rules import Count
from tests.support.machine import START
from tests.support.toy_cloud import ToyWorld, request, toy_world

GREEN = {"leaf": "green"}


def foreseen(world: ToyWorld, path: str = "/toy/Brew", document: Any = None, **options: Any) -> Explanation:
    asked = request(path, GREEN if document is None else document, **options)
    return foresee(world.pipeline, world.accounts, asked, world.account)


def recalled(world: ToyWorld, number: int = 1) -> Explanation:
    entry = next(entry for entry in world.account.journal.requests if entry.number == number)
    return recall(entry, world.account)


def test_a_past_request_is_explained_by_its_trace() -> None:
    world = toy_world()
    world.rule({"name": "ask", "when": {"operation": "toy.Ask"}, "then": {"latency": 1}})
    world.rule({"name": "slow", "then": {"latency": "2s"}})
    world.ask("/toy/Brew", GREEN)

    found = recalled(world)

    assert [(rule.id, rule.stage, rule.acts, rule.found) for rule in found.rules] == [
        ("r1", "gate", False, "r1 (ask): it is for toy.Ask"),
        ("r2", "gate", True, "r2 (slow): match 1, applies: latency"),
    ]
    assert (found.number, found.operation, found.effects) == (1, "toy.Brew", {"latency": 2.0})


def test_the_text_of_a_past_request_is_readable() -> None:
    world = toy_world()
    world.rule({"name": "shut", "then": {"error": 9}})
    world.ask("/toy/Brew", GREEN)

    assert str(recalled(world)) == (
        "request 1: POST /toy/Brew on localhost, toy.Brew, account default\n"
        "  claim       toy\n"
        "  identify    Brew\n"
        "  account     default\n"
        "  gate rules  r1 (shut): match 1, applies: error\n"
        "  refuse      9: rule r1 (shut) says so\n"
        "So it was refused with 9: rule r1 (shut) says so; the answer had status 403."
    )


def test_a_past_request_that_was_done_says_so_with_its_fault() -> None:
    world = toy_world()
    world.rule({"then": {"fault": "reset"}})
    world.ask("/toy/Brew", GREEN)

    assert recalled(world).outcome == "So it was done; the answer had status 200; a fault on its way: reset."


def test_a_request_that_was_never_made_is_explained_step_by_step() -> None:
    world = toy_world()
    world.rule({"name": "ask", "when": {"operation": "toy.Ask"}, "then": {"latency": 1}})
    world.rule(
        {"name": "black", "when": {"params": {"properties": {"leaf": {"const": "black"}}}}, "then": {"error": 7}}
    )
    world.rule({"name": "second", "times": {"skip": 1}, "then": {"latency": 1}})
    world.rule({"name": "long", "when": {"operation": "toy.Brew"}, "then": {"plan": {"run": "9s"}, "latency": "3s"}})

    assert str(foreseen(world)) == (
        "if asked: POST /toy/Brew on localhost, toy.Brew, account default\n"
        "  claim           toy\n"
        "  identify        Brew\n"
        "  account         default\n"
        "  gate rules      r1 (ask): it is for toy.Ask\n"
        "  gate rules      r3 (second): match 1, not its turn: the first is left alone\n"
        "  authenticate    a guest\n"
        "  validate        fits the schema\n"
        '  business rules  r2 (black): the parameters do not fit its params: /leaf: "black" was expected\n'
        "  business rules  r4 (long): match 1, applies: plan, latency\n"
        'So toy.Brew would be done; its task follows the plan {"run":"9s"}; the answer is held back for 3 s.'
    )


def test_effects_are_told_by_name() -> None:
    world = toy_world()
    reply = {"body": {"brew": "x"}, "status": 202, "unchecked": True}
    world.rule({"then": {"reply": reply, "latency": 1, "fault": 502}})

    found = foreseen(world)

    assert found.effects == {
        "reply": {"status": 202, "body": '{"brew":"x"}'},
        "latency": 1.0,
        "fault": "status: somebody on the way answers 502",
    }
    assert found.outcome.startswith("So a rule would answer it; ")


def test_the_answers_that_a_rule_chooses_are_told() -> None:
    world = toy_world()
    world.rule({"then": {"responses": "random"}})

    assert foreseen(world).outcome == "So toy.Brew would be done; what it answers is random."


@pytest.mark.parametrize(
    ("path", "document", "outcome"),
    [
        ("/toy/Brew", {"leaf": "white"}, "So it would be refused with 7: /leaf: 'white' is none of 'green', 'black'"),
        ("/toy/Nothing", None, "So it would be refused with 7: nothing is called /toy/Nothing"),
        ("/else", None, "So nobody would answer it: no cloud is emulated at /else on host localhost."),
    ],
)
def test_why_a_request_would_be_refused_is_told(path: str, document: Any, outcome: str) -> None:
    assert foreseen(toy_world(), path, document).outcome.startswith(outcome)


def test_rules_that_a_refused_request_does_not_reach_are_listed_too() -> None:
    world = toy_world()
    world.rule({"name": "late", "then": {"error": 7}})

    found = foreseen(world, document={"leaf": "white"})

    assert [(rule.id, rule.acts, rule.found) for rule in found.rules] == [
        ("r1", False, "r1 (late): the request is refused before its turn")
    ]
    assert found.trace[-1] == ("not tried", "r1 (late): the request is refused before its turn")


def test_a_rule_that_refuses_is_told_with_its_message() -> None:
    world = toy_world()
    world.rule({"name": "shut", "then": {"error": {"code": 9, "message": "gone"}}})

    found = foreseen(world)

    assert found.effects == {"error": {"code": 9, "message": "gone"}}
    assert found.outcome == "So it would be refused with 9: rule r1 (shut) says so."


def test_what_a_request_brings_along_is_explained() -> None:
    found = foreseen(toy_world(), x_emulator_latency="2s")

    assert [(rule.id, rule.acts) for rule in found.rules] == [("request", True)]
    assert found.effects == {"latency": 2.0}


def test_what_a_request_brings_along_without_sense_is_explained() -> None:
    found = foreseen(toy_world(), x_emulator_latncy="2s")

    assert found.outcome == (
        "So it would be refused in the emulator's own name: the header x-emulator-latncy means nothing here; "
        "did you mean 'x-emulator-latency'?."
    )


def test_the_account_of_a_credential_is_told_and_its_rules_are_tried() -> None:
    world = toy_world()
    world.ask("/toy/Brew", GREEN, x_toy_key="K1")
    account = world.accounts.get("K1")
    world.rule({"name": "mine", "then": {"latency": 1}}, account)

    found = foreseen(world, x_toy_key="K1")

    assert (found.account, [rule.id for rule in found.rules]) == ("K1", ["r1"])


def test_a_request_without_a_credential_is_explained_for_the_account_that_is_asked() -> None:
    world = toy_world()
    world.ask("/toy/Brew", GREEN, x_toy_key="K1")
    account = world.accounts.get("K1")
    assert account is not None

    found = foresee(world.pipeline, world.accounts, request("/toy/Brew", GREEN), account)

    assert found.account == "K1"
    assert ("account", "K1, since it is asked for; without a credential it would be default") in found.trace


def test_an_account_that_would_open_does_not() -> None:
    world = toy_world()
    world.accounts.rules.add(world.reader.later({"name": "all", "then": {"latency": 1}}))

    found = foreseen(world, x_toy_key="NEW")

    assert ("account", "NEW, which would open") in found.trace
    assert [rule.found for rule in found.rules] == ["g1 (all): match 1, applies: latency"]
    assert world.accounts.get("NEW") is None


def test_a_stranger_would_be_refused_where_accounts_do_not_open() -> None:
    found = foreseen(toy_world(openness="closed"), x_toy_key="NEW")

    assert found.outcome == "So it would be refused with 9: nobody knows NEW."


def test_foreseeing_changes_nothing() -> None:
    world = toy_world(clock=ClockSpec("frozen", now=START))
    rule_id = world.rule({"times": {"first": 1}, "then": {"latency": 1}})

    first, second = foreseen(world), foreseen(world)

    account = world.account
    assert first == second
    assert account.rules.count(rule_id) == Count(0, 0)
    assert (len(account.journal), len(account.tasks), len(world.accounts)) == (0, 0, 1)
    assert world.ask("/toy/Brew", GREEN).latency == 1.0


def test_what_is_foreseen_comes_true() -> None:
    world = toy_world()
    world.rule({"times": {"probability": 0.5}, "then": {"latency": ["1s", "9s"]}})

    for _ in range(20):
        told = foreseen(world).effects.get("latency", 0.0)
        assert world.ask("/toy/Brew", GREEN).latency == told
