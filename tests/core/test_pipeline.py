"""The life of a request, decided without any waiting."""

from __future__ import annotations

from emulator.core.clock import ClockSpec
from emulator.core.journal import RequestEntry
from tests.support.machine import START, FakeMachine
from tests.support.toy_cloud import ToyWorld, reply_of, request, toy_world

GREEN = {"leaf": "green"}


def _entries(world: ToyWorld, account: str = "default") -> list[RequestEntry]:
    found = world.accounts.get(account)
    assert found is not None
    return list(found.journal.requests)


def _trace(world: ToyWorld, account: str = "default") -> list[tuple[str, str]]:
    return list(_entries(world, account)[-1].trace)


def test_a_request_for_a_clouds_host_is_that_clouds_whatever_its_path() -> None:
    world = toy_world(clouds=("toy", "tin"))

    assert reply_of(world.ask("/toy/Brew", GREEN, host="tin.test"))["error"] == 7
    assert _trace(world)[0] == ("claim", "tin")


def test_a_star_in_a_host_name_stands_for_any_run_of_characters() -> None:
    world = toy_world(clouds=("toy", "tin"))
    world.ask("/tin/Brew", GREEN, host="north.1.tin.test")

    assert _trace(world)[0] == ("claim", "tin")


def test_a_host_name_must_match_as_a_whole() -> None:
    world = toy_world(clouds=("toy", "tin"))
    world.ask("/toy/Brew", GREEN, host="tin.test.example.com")

    assert _trace(world)[0] == ("claim", "toy")


def test_a_request_for_a_host_that_is_nobodys_goes_to_the_cloud_whose_path_it_is() -> None:
    world = toy_world(clouds=("toy", "tin"))
    world.ask("/tin/Brew", GREEN, host="localhost")

    assert _trace(world)[0] == ("claim", "tin")


def test_a_request_that_no_cloud_claims_is_answered_with_404_in_plain_text() -> None:
    reply = toy_world().ask("/somewhere").reply

    assert (reply.status, reply.headers["Content-Type"]) == (404, "text/plain; charset=utf-8")


def test_a_request_that_no_cloud_claims_stands_in_the_default_accounts_journal() -> None:
    world = toy_world()
    outcome = world.ask("/somewhere", host="else.test")

    (entry,) = _entries(world)
    assert (entry.operation, entry.code, entry.status, entry.number) == (None, "unclaimed", 404, outcome.entry)
    assert entry.trace == (("claim", "no cloud is emulated at /somewhere on host else.test"),)


def test_a_request_goes_through_every_step_in_order() -> None:
    world = toy_world()
    world.ask("/toy/Brew", GREEN, x_toy_key="K1")

    assert _trace(world, "K1") == [
        ("claim", "toy"),
        ("identify", "Brew"),
        ("account", "K1"),
        ("authenticate", "the key K1"),
        ("validate", "fits the schema"),
    ]


def test_the_rules_of_each_stage_are_tried_at_their_place() -> None:
    world = toy_world()
    world.rule({"name": "closed", "times": {"skip": 1}, "then": {"error": 9}})
    world.rule({"name": "no tea", "times": {"skip": 1}, "then": {"error": 7}})
    world.ask("/toy/Brew", GREEN)

    assert _trace(world)[3:] == [
        ("gate rules", "r1 (closed): match 1, not its turn: the first is left alone"),
        ("authenticate", "a guest"),
        ("validate", "fits the schema"),
        ("business rules", "r2 (no tea): match 1, not its turn: the first is left alone"),
    ]


def test_a_gate_rule_speaks_before_the_caller_is_authenticated() -> None:
    world = toy_world()
    world.rule({"then": {"error": 9}})

    outcome = world.ask("/toy/Brew", {}, x_toy_word="wrong")

    assert (outcome.reply.status, outcome.reason) == (403, "rule r1 (error for *) says so")
    assert [step for step, _ in _trace(world)] == ["claim", "identify", "account", "gate rules", "refuse"]


def test_a_gate_rule_speaks_even_for_an_operation_that_does_not_exist() -> None:
    world = toy_world()
    world.rule({"then": {"error": 9}})

    assert reply_of(world.ask("/toy/Nothing"))["error"] == 9


def test_a_business_rule_speaks_after_the_parameters_were_validated() -> None:
    world = toy_world()
    world.rule({"then": {"error": {"code": 7, "message": "out of leaves"}}})

    assert reply_of(world.ask("/toy/Brew", {"leaf": "white"}))["message"] == "no such leaf"
    assert reply_of(world.ask("/toy/Brew", GREEN))["message"] == "out of leaves"


def test_a_call_that_a_rule_refuses_does_nothing() -> None:
    world = toy_world()
    world.rule({"then": {"error": 7}})
    world.ask("/toy/Brew", GREEN)

    assert len(world.account.tasks) == 0


def test_the_plan_of_a_rule_reaches_the_handler() -> None:
    world = toy_world()
    world.rule({"when": {"operation": "toy.Brew"}, "then": {"plan": {"queue": 0, "run": "1m", "upload": 0}}})
    world.ask("/toy/Brew", GREEN)

    (task,) = world.account.tasks
    assert task.timeline.end == START + 60


def test_an_unknown_operation_is_refused_with_the_nearest() -> None:
    world = toy_world()
    outcome = world.ask("/toy/Brev")

    assert outcome.reason == "nothing is called /toy/Brev; did you mean '/toy/Brew'?"
    (entry,) = _entries(world)
    assert (entry.operation, entry.code) == (None, 7)


def test_parameters_that_cannot_be_read_are_refused_after_the_caller_was_authenticated() -> None:
    world = toy_world()
    refused = world.ask("/toy/Brew", body=b"{", x_toy_word="wrong")
    unreadable = world.ask("/toy/Brew", body=b"{")

    assert [reply_of(outcome)["error"] for outcome in (refused, unreadable)] == [9, 7]
    assert unreadable.reason.startswith("the body is not JSON: ")


def test_a_missing_parameter_is_answered_with_the_clouds_code_for_it() -> None:
    outcome = toy_world().ask("/toy/Brew", {})

    assert reply_of(outcome) == {"error": 8, "message": "say more"}
    assert outcome.reason == "/leaf: leaf is required but missing [the tea book]"


def test_any_other_violation_is_answered_with_the_clouds_default_code() -> None:
    outcome = toy_world().ask("/toy/Brew", {"leaf": "green", "cups": 10})

    assert reply_of(outcome)["error"] == 7
    assert outcome.reason == "/cups: 10 is not from 1 to 9"


def test_a_parameter_whose_empty_text_means_absent_is_taken_for_missing() -> None:
    assert reply_of(toy_world().ask("/toy/Brew", {"leaf": ""}))["error"] == 8


def test_a_parameter_whose_empty_text_means_absent_does_not_reach_the_handler() -> None:
    world = toy_world()
    world.ask("/toy/Brew", {"leaf": "green", "callback": ""})

    (task,) = world.account.tasks
    assert task.parameters == {"leaf": "green"}


def test_a_body_that_is_absent_leaves_the_parameters_empty() -> None:
    assert reply_of(toy_world().ask("/toy/Brew"))["error"] == 8


def test_a_handler_may_refuse() -> None:
    world = toy_world()
    outcome = world.ask("/toy/Ask", {"brew": "x"})

    assert (reply_of(outcome)["error"], outcome.reason) == (7, "nobody brews x")
    assert _trace(world)[-1] == ("refuse", "7: nobody brews x")


def test_an_unknown_key_opens_an_account() -> None:
    world = toy_world()
    world.ask("/toy/Brew", GREEN, x_toy_key="K1")

    assert [account.name for account in world.accounts] == ["default", "K1"]


def test_two_keys_do_not_see_each_others_tasks() -> None:
    world = toy_world()
    brew = reply_of(world.ask("/toy/Brew", GREEN, x_toy_key="K1"))["brew"]

    answers = [reply_of(world.ask("/toy/Ask", {"brew": brew}, x_toy_key=key))["error"] for key in ("K1", "K2")]

    assert answers == [0, 7]


def test_a_stranger_is_refused_where_accounts_are_closed() -> None:
    world = toy_world(openness="closed")
    outcome = world.ask("/toy/Brew", GREEN, x_toy_key="K1")

    assert (reply_of(outcome)["error"], outcome.reason) == (9, "nobody knows K1")


def test_the_request_of_a_stranger_stands_in_the_default_accounts_journal() -> None:
    world = toy_world(openness="closed")
    world.ask("/toy/Brew", GREEN, x_toy_key="K1")

    (entry,) = _entries(world)
    assert (entry.operation, entry.status) == ("toy.Brew", 403)


def test_a_pass_that_was_never_issued_opens_nothing_and_belongs_to_default() -> None:
    world = toy_world()
    outcome = world.ask("/toy/Brew", GREEN, x_toy_pass="P1")

    assert outcome.reason == ""
    assert len(world.accounts) == 1
    assert ("authenticate", "the pass P1") in _trace(world)


def test_a_pass_that_was_issued_finds_its_account() -> None:
    world = toy_world()
    world.ask("/toy/Brew", GREEN, x_toy_key="K1")
    owner = world.accounts.get("K1")
    assert owner is not None
    owner.bind(world.toy.ticket("P1"))

    world.ask("/toy/Brew", GREEN, x_toy_pass="P1")

    assert len(_entries(world, "K1")) == 2


def test_a_request_without_a_credential_belongs_to_default() -> None:
    world = toy_world(openness="closed")

    assert reply_of(world.ask("/toy/Brew", GREEN))["error"] == 0


def test_every_request_leaves_one_entry() -> None:
    world = toy_world()
    for document in (GREEN, {}, {"leaf": "white"}):
        world.ask("/toy/Brew", document)
    world.ask("/toy/Nothing")
    world.ask("/elsewhere")

    assert [(entry.number, entry.code) for entry in _entries(world)] == [
        (1, None),
        (2, 8),
        (3, 7),
        (4, 7),
        (5, "unclaimed"),
    ]


def test_an_outcome_says_the_number_of_its_entry() -> None:
    world = toy_world()

    assert [world.ask("/toy/Brew", GREEN).entry for _ in range(3)] == [1, 2, 3]


def test_an_entry_has_the_accounts_time() -> None:
    world = toy_world(clock=ClockSpec("frozen", now=5.0))
    world.ask("/toy/Brew", GREEN)

    assert _entries(world)[0].at == 5.0


def test_latency_comes_back_as_a_value() -> None:
    machine = FakeMachine()
    world = toy_world(machine=machine)
    world.rule({"then": {"latency": "30s"}})

    outcome = world.ask("/toy/Brew", GREEN)

    assert (outcome.latency, _entries(world)[0].latency, machine.monotonic()) == (30.0, 30.0, 100.0)


def test_a_refusal_may_be_late_too() -> None:
    world = toy_world()
    world.rule({"then": {"latency": "30s", "error": 9}})

    assert world.ask("/toy/Brew", GREEN).latency == 30.0


def test_a_success_has_no_reason() -> None:
    assert toy_world().ask("/toy/Brew", GREEN).reason == ""


def test_the_same_requests_are_answered_alike_by_two_emulators_with_one_seed() -> None:
    answers = [[toy_world().ask("/toy/Brew", GREEN).reply.body for _ in range(3)] for _ in range(2)]

    assert answers[0] == answers[1]


def test_a_cloud_may_be_asked_by_query_as_well() -> None:
    world = toy_world()
    brew = reply_of(world.pipeline.decide(request("/toy/Brew", GREEN, query="cups=2")))["brew"]

    answer = reply_of(world.ask("/toy/Ask", method="GET", query=f"brew={brew}"))

    assert answer == {"error": 0, "status": "queued", "percent": 0}


def test_a_poll_changes_nothing() -> None:
    world = toy_world()
    brew = reply_of(world.ask("/toy/Brew", GREEN))["brew"]

    polls = [reply_of(world.ask("/toy/Ask", {"brew": brew})) for _ in range(5)]

    assert polls == [{"error": 0, "status": "queued", "percent": 0}] * 5
    assert len(world.account.agenda) == 1


def test_a_reply_of_a_rule_is_the_whole_answer_and_nothing_is_done() -> None:
    world = toy_world()
    world.rule({"name": "canned", "then": {"reply": {"status": 202, "body": {"brew": "x"}, "unchecked": True}}})

    outcome = world.ask("/toy/Brew", GREEN)

    assert (outcome.reply.status, outcome.reply.body, outcome.reason) == (202, b'{"brew":"x"}', "")
    assert len(world.account.tasks) == 0
    assert _trace(world)[-1] == ("business rules", "r1 (canned): match 1, applies: reply")


def test_a_reply_of_a_rule_does_not_hide_that_a_request_is_wrong() -> None:
    world = toy_world()
    world.rule({"then": {"reply": {"body": {}, "unchecked": True}}})

    assert reply_of(world.ask("/toy/Brew", {"leaf": "white"}))["error"] == 7


def test_a_fault_is_noted_after_everything_else_and_handed_to_the_edge() -> None:
    world = toy_world()
    world.rule({"then": {"fault": {"truncate": "10%"}}})

    outcome = world.ask("/toy/Brew", GREEN)

    assert outcome.fault is not None
    assert outcome.fault.kind == "truncate"
    assert _trace(world)[-1] == ("fault", "truncate: 10% of the body is sent")
    assert len(world.account.tasks) == 1


def test_a_fault_that_is_another_answer_is_what_the_journal_shows() -> None:
    world = toy_world()
    world.rule({"then": {"fault": 502}})

    outcome = world.ask("/toy/Brew", GREEN)

    (entry,) = _entries(world)
    assert (outcome.reply.status, entry.status, entry.code) == (502, 502, None)


def test_a_refused_request_may_be_lost_on_its_way_as_well() -> None:
    world = toy_world()
    world.rule({"then": {"error": 9, "fault": "reset"}})

    outcome = world.ask("/toy/Brew", GREEN)

    assert (outcome.reply.status, outcome.fault and outcome.fault.kind) == (403, "reset")


def test_the_journal_knows_which_rules_acted() -> None:
    world = toy_world()
    world.rule({"then": {"latency": 1}})
    world.rule({"times": {"skip": 1}, "then": {"fault": "garble"}})
    world.rule({"when": {"operation": "toy.Brew"}, "then": {"plan": {"run": 1}}})
    world.ask("/toy/Brew", GREEN)

    assert _entries(world)[0].rules == ("r1", "r3")
