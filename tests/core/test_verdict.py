"""The verdict on an account: every kind of check, passing and failing, and the words that it fails with."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.core.accounts import AccountLimits
from emulator.core.callbacks import Delivery
from emulator.core.errors import ConfigurationError
from emulator.core.expectations import Expectations
from emulator.core.journal import JournalLimits
from emulator.core.verdict import Finding, Verdict, verify
from tests.support.sender import REFUSED
from tests.support.toy_cloud import CALLBACK, ToyWorld, toy_world

BREW = "toy.Brew"
QUIET = {"unmatched": False, "refused": False, "undelivered": False}


def verdict(world: ToyWorld, document: dict[str, Any] | None = None) -> Verdict:
    return verify(world.account, Expectations.of(document or {}, world.schemas, world.clouds))


def only(world: ToyWorld, **document: Any) -> Finding:
    """The one finding of a verdict without the usual checks."""
    (finding,) = verdict(world, {"unexpected": QUIET, **document}).findings
    return finding


def unexpected(world: ToyWorld, switch: str, **document: Any) -> Finding:
    """What the check for one kind of unexpected things finds."""
    switches = {**QUIET, switch: True}
    return verdict(world, {**document, "unexpected": switches}).findings[-1]


def problems(world: ToyWorld, **document: Any) -> list[tuple[str, str]]:
    with pytest.raises(ConfigurationError) as caught:
        Expectations.of(document, world.schemas, world.clouds)
    return [(problem.pointer, problem.message) for problem in caught.value.problems]


def brew(world: ToyWorld, leaf: str = "green", **more: Any) -> None:
    world.ask("/toy/Brew", {"leaf": leaf, **more})


async def brewed(world: ToyWorld, seconds: float = 60.0, **more: Any) -> None:
    """A brew of which everything has happened."""
    brew(world, callback=CALLBACK, **more)
    await world.driver.advance_to(world.account, world.account.clock.now() + seconds)


@pytest.fixture(name="world")
def _world() -> ToyWorld:
    return toy_world()


def test_an_empty_document_passes_on_an_account_in_which_nothing_happened(world: ToyWorld) -> None:
    found = verdict(world)

    assert (found.ok, [finding.check for finding in found.findings]) == (
        True,
        ["/unexpected/unmatched", "/unexpected/refused", "/unexpected/undelivered"],
    )
    assert found.text.splitlines()[0] == "verdict on account default: ok, 3 checks; 0 requests, 0 callbacks, 0 tasks"


@pytest.mark.parametrize(
    ("count", "ok", "words"),
    [
        ({}, True, "at least once"),
        ({"times": 2}, True, "exactly 2 times"),
        ({"times": 1}, False, "exactly once"),
        ({"times": 3}, False, "exactly 3 times"),
        ({"times": 0}, False, "never"),
        ({"never": True}, False, "never"),
        ({"at_least": 2}, True, "at least 2 times"),
        ({"at_least": 3}, False, "at least 3 times"),
        ({"at_most": 2}, True, "at most 2 times"),
        ({"at_most": 1}, False, "at most once"),
        ({"at_least": 1, "at_most": 3}, True, "1 to 3 times"),
        ({"at_least": 3, "at_most": 4}, False, "3 to 4 times"),
    ],
)
def test_requests_are_counted(world: ToyWorld, count: dict[str, Any], ok: bool, words: str) -> None:
    brew(world)
    brew(world)

    finding = only(world, requests=[{"operation": BREW, **count}])

    assert (finding.check, finding.ok, finding.expected) == ("/requests/0", ok, f"toy.Brew, {words}")
    assert finding.found == "2: #1, #2"


def test_at_most_is_met_by_none(world: ToyWorld) -> None:
    assert only(world, requests=[{"operation": BREW, "at_most": 1}]).ok


def test_a_pattern_means_every_operation_that_it_fits(world: ToyWorld) -> None:
    brew(world)
    world.ask("/toy/Ask", {"brew": "x"})

    assert only(world, requests=[{"operation": "toy.*", "times": 2}]).ok


def test_requests_are_told_apart_by_their_params_and_a_near_miss_says_why(world: ToyWorld) -> None:
    brew(world, cups=2)
    brew(world, "black")

    finding = only(world, requests=[{"operation": BREW, "params": {"properties": {"leaf": {"const": "white"}}}}])

    assert (finding.ok, finding.found, finding.requests) == (False, "none", (2, 1))
    assert finding.nearest == (
        """request #2 at +0.0s: /leaf: "white" was expected; it is 'black'""",
        """request #1 at +0.0s: /leaf: "white" was expected; it is 'green'""",
    )


def test_an_empty_text_that_means_not_sent_is_not_among_the_params(world: ToyWorld) -> None:
    brew(world, callback="")

    assert only(world, requests=[{"params": {"not": {"required": ["callback"]}}}]).ok


def test_params_of_the_query_are_numbers_where_the_operation_has_numbers(world: ToyWorld) -> None:
    world.ask("/toy/Brew", query="leaf=green&cups=3")

    assert only(world, requests=[{"params": {"properties": {"cups": {"const": 3}}}}]).ok


@pytest.mark.parametrize(
    ("matcher", "ok"),
    [
        ({"status": 200}, True),
        ({"status": 403}, False),
        ({"code": 0}, False),
        ({"code": 7}, True),
        ({"code": 8}, False),
        ({"code": "no such leaf"}, True),
        ({"code": "a parameter is missing"}, False),
    ],
)
def test_a_request_is_told_by_how_it_was_answered(world: ToyWorld, matcher: dict[str, Any], ok: bool) -> None:
    brew(world, "white")

    assert only(world, requests=[{"operation": BREW, **matcher}]).ok is ok


def test_a_near_miss_says_how_the_request_was_answered(world: ToyWorld) -> None:
    brew(world)
    brew(world, "white")

    finding = only(world, requests=[{"name": "the flood", "operation": BREW, "code": 9, "status": 403}])

    assert finding.expected == "the flood: toy.Brew answered with HTTP 403 refused with 9, at least once"
    assert finding.nearest == (
        "request #2 at +0.0s: its status is 200; it was refused with 7",
        "request #1 at +0.0s: its status is 200; it was not refused",
    )


def test_where_nothing_came_near_what_there_was_is_told(world: ToyWorld) -> None:
    brew(world)
    brew(world)

    assert only(world, requests=[{"operation": "toy.Ask"}]).nearest == ("all requests there were: toy.Brew (2)",)
    assert only(world, callbacks=[{}]).nearest == ("there was no callback at all",)


async def test_callbacks_are_told_apart_by_everything_that_is_known_of_them(world: ToyWorld) -> None:
    await brewed(world)
    task = next(iter(world.account.tasks)).id
    body = {"properties": {"percent": {"const": 100}}, "required": ["percent"]}

    found = verdict(
        world,
        {
            "callbacks": [
                {"operation": BREW, "times": 2},
                {"event": "succeeded", "task": task, "status": "delivered", "body": body, "chaos": False, "times": 1},
                {"event": "failed", "never": True},
                {"task": "another", "never": True},
                {"chaos": True, "never": True},
                {"chaos": "late", "never": True},
                {"status": "failed", "never": True},
            ]
        },
    )

    assert found.ok, found.text


async def test_a_callback_that_is_nearly_meant_says_why_it_is_not(world: ToyWorld) -> None:
    await brewed(world)

    finding = only(world, callbacks=[{"event": "succeeded", "body": {"properties": {"percent": {"const": 99}}}}])

    assert finding.nearest == (
        "callback #2 at +13.0s: /percent: 99 was expected; it is 100",
        "callback #1 at +6.0s: its event is running",
    )
    assert finding.callbacks == (2, 1)


async def test_a_body_that_is_no_json_is_a_text(world: ToyWorld) -> None:
    await brewed(world)
    delivery = next(iter(world.account.ledger))
    spoil(delivery, b"\xff{")

    assert only(world, callbacks=[{"body": {"type": "string"}, "times": 1}]).ok


def spoil(delivery: Delivery, body: bytes) -> None:
    delivery.order.body = body  # type: ignore[misc]


async def test_what_happened_in_order_passes_whatever_came_in_between(world: ToyWorld) -> None:
    brew(world)
    await brewed(world)
    world.ask("/toy/Ask", {"brew": "x"})

    finding = only(
        world,
        order=[
            {"request": {"operation": BREW}},
            {"callback": {"event": "running"}},
            {"callback": {"event": "succeeded"}},
            {"request": {"operation": "toy.Ask"}},
        ],
    )

    assert (finding.ok, finding.found) == (True, "request #1, callback #1, callback #2, request #4")


async def test_what_happened_in_another_order_fails_and_names_the_step(world: ToyWorld) -> None:
    await brewed(world)

    finding = only(world, order=[{"callback": {"event": "succeeded"}}, {"callback": {"event": "running"}}])

    assert finding.expected == "in this order: callback succeeded, then callback running"
    assert finding.found == "nothing for step 2 of 2 (callback running) after callback #2 at +13.0s"
    assert finding.nearest == ("callback #1 at +6.0s: it is not after that",)


async def test_each_step_of_an_order_is_something_else(world: ToyWorld) -> None:
    brew(world)

    assert not only(world, order=[{"request": {"operation": BREW}}, {"request": {"operation": BREW}}]).ok


async def test_a_callback_that_was_never_sent_takes_no_place_in_an_order(world: ToyWorld) -> None:
    world.rule({"then": {"plan": {"deliver": {"drop": True}}}})
    await brewed(world)

    assert only(world, order=[{"callback": {}}]).found == "nothing for step 1 of 1 (any callback)"


def test_a_request_for_nothing_is_unexpected(world: ToyWorld) -> None:
    world.ask("/toy/Pour")
    world.ask("/elsewhere")

    finding = unexpected(world, "unmatched")

    assert (finding.ok, finding.found) == (False, "2: #1, #2")
    assert finding.nearest == (
        "request #1 at +0.0s: POST /toy/Pour -> 200 7: nothing is called /toy/Pour; did you mean '/toy/Brew'?",
        "request #2 at +0.0s: POST /elsewhere -> 404 unclaimed: no cloud is emulated at /elsewhere on host localhost",
    )
    assert unexpected(world, "refused").ok


def test_a_request_for_nothing_may_be_expected(world: ToyWorld) -> None:
    world.ask("/elsewhere")

    assert unexpected(world, "unmatched", requests=[{"code": "unclaimed"}]).ok


def test_a_refused_request_is_unexpected(world: ToyWorld) -> None:
    brew(world, "white")

    finding = unexpected(world, "refused")

    assert (finding.ok, finding.found) == (False, "1: #1")
    assert finding.nearest[0].startswith("request #1 at +0.0s: toy.Brew -> 200 7: /leaf: 'white' is none of")


@pytest.mark.parametrize(
    ("document", "ok"),
    [
        ({"requests": [{"code": 7}]}, True),
        ({"requests": [{"operation": BREW, "code": "no such leaf", "at_most": 5}]}, True),
        ({"order": [{"request": {"code": 7}}]}, True),
        ({"requests": [{"code": 7, "never": True}]}, False),
        ({"requests": [{"code": 8, "at_most": 5}]}, False),
        ({"requests": [{"operation": BREW, "status": 200}]}, False),
        ({"requests": [{"operation": BREW}]}, False),
    ],
)
def test_a_refused_request_is_expected_by_an_entry_that_says_so(
    world: ToyWorld, document: dict[str, Any], ok: bool
) -> None:
    brew(world, "white")

    assert unexpected(world, "refused", **document).ok is ok


def test_a_status_above_400_expects_a_refusal(world: ToyWorld) -> None:
    world.ask("/toy/Brew", {"leaf": "green"}, x_toy_word="wrong")

    assert not unexpected(world, "refused").ok
    assert unexpected(world, "refused", requests=[{"status": 403}]).ok


def test_a_request_that_a_rule_refused_is_expected(world: ToyWorld) -> None:
    world.rule({"when": {"operation": BREW}, "then": {"error": 7}})
    brew(world)

    assert unexpected(world, "refused").ok


def test_a_request_that_a_rule_only_delayed_is_still_refused_unexpectedly(world: ToyWorld) -> None:
    world.rule({"when": {"operation": BREW}, "then": {"latency": 0.5}})
    brew(world, "white")

    assert not unexpected(world, "refused").ok


async def test_a_callback_that_failed_is_unexpected(world: ToyWorld) -> None:
    world.sender.answers = [REFUSED]
    await brewed(world)

    finding = unexpected(world, "undelivered")

    assert (finding.ok, finding.found, finding.callbacks) == (False, "1: #1", (1,))
    assert finding.nearest[0].endswith("-> failed (connection refused: nobody listens there)")


async def test_a_callback_that_waits_for_its_next_attempt_is_unexpected(world: ToyWorld) -> None:
    world.rule({"then": {"plan": {"deliver": {"attempts": 3, "backoff": "10m"}}}})
    world.sender.answers = [REFUSED]
    await brewed(world)

    told = unexpected(world, "undelivered").nearest[0]

    assert "-> pending (connection refused" in told
    assert told.endswith(", next attempt at +606.0s")


async def test_a_callback_that_failed_may_be_expected(world: ToyWorld) -> None:
    world.sender.answers = [REFUSED]
    await brewed(world)

    assert unexpected(world, "undelivered", callbacks=[{"status": "failed", "times": 1}]).ok
    assert not unexpected(world, "undelivered", callbacks=[{"event": "running", "times": 1}]).ok


async def test_a_callback_that_was_dropped_on_purpose_is_expected(world: ToyWorld) -> None:
    world.rule({"then": {"plan": {"deliver": {"drop": True}}}})
    await brewed(world)

    assert unexpected(world, "undelivered").ok
    assert only(world, callbacks=[{"chaos": "drop", "status": "dropped", "times": 2}]).ok


def test_a_rule_that_never_acted_is_told_of_if_asked(world: ToyWorld) -> None:
    world.rule({"name": "no tea today", "when": {"operation": BREW}, "then": {"error": 9}})

    assert unexpected(world, "unmatched").ok
    finding = unexpected(world, "unused_rules")
    brew(world)

    assert (finding.ok, finding.found, finding.nearest) == (False, "1", ("rule r1 (no tea today)",))
    assert unexpected(world, "unused_rules").ok


async def test_a_task_that_has_not_ended_is_told_of_if_asked(world: ToyWorld) -> None:
    brew(world)
    task = next(iter(world.account.tasks)).id

    finding = unexpected(world, "pending_tasks")
    await world.driver.run_until_idle(world.account)

    assert (finding.ok, finding.nearest) == (False, (f"task {task} of toy.Brew is queued",))
    assert unexpected(world, "pending_tasks").ok


async def test_a_task_that_hangs_by_its_plan_says_so(world: ToyWorld) -> None:
    world.rule({"then": {"plan": {"outcome": "hang"}}})
    await brewed(world)

    assert unexpected(world, "pending_tasks").nearest[0].endswith("running, and its plan says that it hangs")


@pytest.fixture(name="forgetful")
def _forgetful() -> ToyWorld:
    """A world that remembers the last two requests and the last two or three callbacks."""
    return toy_world(limits=AccountLimits(deliveries=2, journal=JournalLimits(entries=2)))


@pytest.mark.parametrize(
    ("count", "ok"),
    [({"at_least": 2}, True), ({"times": 2}, False), ({"at_most": 2}, False), ({"at_most": 5}, True)],
)
def test_a_count_that_forgotten_requests_could_change_is_no_pass(
    forgetful: ToyWorld, count: dict[str, int], ok: bool
) -> None:
    for _ in range(3):
        brew(forgetful)

    finding = only(forgetful, requests=[{"operation": BREW, **count}])

    assert finding.ok is ok
    assert ("1 older request forgotten" in finding.found) is not ok


def test_nothing_unexpected_is_no_pass_where_requests_were_forgotten(forgetful: ToyWorld) -> None:
    for _ in range(3):
        brew(forgetful)

    finding = unexpected(forgetful, "refused")

    assert not finding.ok
    assert finding.found == (
        "none; 1 older request forgotten, so there may have been more "
        "(a larger --journal-entries or --journal-bytes keeps more; a reset starts anew)"
    )


async def test_callbacks_that_were_forgotten_are_no_pass_either(forgetful: ToyWorld) -> None:
    await brewed(forgetful)
    await brewed(forgetful)

    assert not only(forgetful, callbacks=[{"status": "failed", "never": True}]).ok
    assert not unexpected(forgetful, "undelivered").ok


def test_params_that_the_journal_did_not_keep_are_no_pass_where_they_matter() -> None:
    world = toy_world(limits=AccountLimits(journal=JournalLimits(body=20)))
    brew(world, cups=3)
    params = {"properties": {"cups": {"const": 3}}}

    finding = only(world, requests=[{"operation": BREW, "params": params, "times": 1}])

    assert not finding.ok
    assert finding.found == (
        "none; perhaps request #1, whose params are not known, as the journal keeps 20 bytes of a body"
    )
    assert not only(world, requests=[{"params": params, "never": True}]).ok
    assert only(world, requests=[{"params": params, "at_most": 1}]).ok
    assert not only(world, order=[{"request": {"params": params}}]).ok


async def test_a_verdict_reads_like_a_log(world: ToyWorld) -> None:
    await brewed(world)
    world.ask("/toy/Ask", {"brew": ""})
    task = next(iter(world.account.tasks)).id

    assert verdict(world, {"requests": [{"operation": BREW, "times": 2}]}).text == "\n".join(
        [
            "verdict on account default: FAILED, 2 of 4 checks; 2 requests, 2 callbacks, 1 task",
            "  FAIL /requests/0: toy.Brew, exactly 2 times",
            "         found 1: #1",
            "         - all requests there were: toy.Brew (1), toy.Ask (1)",
            "  FAIL /unexpected/refused: no refused request",
            "         found 1: #3",
            "         - request #3 at +60.0s: toy.Ask -> 200 7: /brew: 0 characters; minLength is 1",
            "  ok   /unexpected/unmatched: no request for something that does not exist",
            "  ok   /unexpected/undelivered: no undelivered callback",
            "  what happened (+0.0s is 2026-01-01T00:00:00.000Z; now +60.0s):",
            "  > request #1 at +0.0s: toy.Brew -> 200",
            f"    callback #1 at +6.0s: running of toy.Brew, task {task} -> delivered (200)",
            f"    callback #2 at +13.0s: succeeded of toy.Brew, task {task} -> delivered (200)",
            "  > request #3 at +60.0s: toy.Ask -> 200 7: /brew: 0 characters; minLength is 1",
        ]
    )


def test_a_long_history_is_shown_around_what_failed(world: ToyWorld) -> None:
    for leaf in ["green"] * 30 + ["white"] + ["green"] * 30:
        brew(world, leaf)

    told = verdict(world).text.partition("what happened")[2].splitlines()[1:]

    assert [line.strip().partition(":")[0] for line in told] == [
        "... 29 more",
        "request #30 at +0.0s",
        "> request #31 at +0.0s",
        "request #32 at +0.0s",
        "... 29 more",
    ]


def test_a_history_is_shown_in_few_lines_however_much_failed(world: ToyWorld) -> None:
    for _ in range(200):
        brew(world, "white")

    assert len(verdict(world).text.splitlines()) < 45


def test_a_text_has_no_character_that_a_terminal_would_obey(world: ToyWorld) -> None:
    brew(world, "\x1b[2Jwhite")
    world.ask("/toy/\x1b[2J\nx")

    assert all(char.isprintable() or char == "\n" for char in verdict(world).text)


def test_a_verdict_changes_nothing(world: ToyWorld) -> None:
    brew(world, callback=CALLBACK)
    document = {"requests": [{"params": {"required": ["leaf"]}}], "order": [{"request": {}}]}

    assert verdict(world, document) == verdict(world, document)
    assert (len(world.account.journal), len(world.account.agenda)) == (1, 1)


def test_a_name_that_does_not_exist_is_refused_with_the_nearest(world: ToyWorld) -> None:
    assert problems(
        world,
        requests=[{"operation": "toy.Brow", "never": True}, {"operation": BREW, "code": 99}],
        callbacks=[{"operation": "tea.*"}],
        order=[{"request": {"code": "no such leav"}}],
    ) == [
        ("/requests/0/operation", "no operation is called toy.Brow; did you mean 'toy.Brew'?"),
        ("/requests/1/code", "toy has no code 99 in its api list; nearest: 9 (closed today)"),
        ("/callbacks/0/operation", "no operation is called tea.*"),
        ("/order/0/request/code", "toy has no code 'no such leav' in its api list; nearest: 7 (no such leaf)"),
    ]


@pytest.mark.parametrize(
    ("count", "message"),
    [
        ({"times": 1, "at_least": 1}, "times says how often; leave at_least out"),
        ({"never": True, "at_least": 1, "at_most": 2}, "never says how often; leave at_least and at_most out"),
        ({"at_least": 3, "at_most": 2}, "at_least 3 is more than at_most 2"),
    ],
)
def test_counts_that_contradict_each_other_are_refused(world: ToyWorld, count: dict[str, Any], message: str) -> None:
    assert problems(world, requests=[count]) == [("/requests/0", message)]


def test_a_schema_that_is_none_is_refused(world: ToyWorld) -> None:
    (found,) = problems(world, callbacks=[{"body": {"type": "strnig"}}])

    assert found[0] == "/callbacks/0/body"
    assert found[1].startswith("no valid JSON Schema: ")


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"request": []}, ""),
        ({"requests": [{"tims": 1}]}, "/requests/0"),
        ({"requests": [{"times": -1}]}, "/requests/0/times"),
        ({"callbacks": [{"status": "lost"}]}, "/callbacks/0/status"),
        ({"order": [{"request": {"times": 1}}]}, "/order/0/request"),
        ({"order": [{"request": {}, "callback": {}}]}, "/order/0"),
        ({"unexpected": {"refusd": False}}, "/unexpected"),
    ],
)
def test_a_document_of_another_shape_is_refused_with_a_pointer(
    world: ToyWorld, document: dict[str, Any], pointer: str
) -> None:
    assert [found for found, _ in problems(world, **document)] == [pointer]
