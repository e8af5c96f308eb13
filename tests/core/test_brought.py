"""What a single request brings along in its headers."""

from __future__ import annotations

import pytest

from emulator.core import brought
from emulator.core.brought import Brought
from emulator.core.pipeline import Pipeline
from tests.support.toy_cloud import ToyWorld, reply_of, request, toy_world

GREEN = {"leaf": "green"}


def _off(world: ToyWorld) -> Pipeline:
    quiet = Brought(world.reader, triggers=True, headers=False)
    return Pipeline(tuple(world.clouds.values()), world.accounts, world.schemas, quiet)


@pytest.mark.parametrize("text", ["7", "no such leaf", "a parameter is wrong", '{"code": 7}'])
def test_a_header_says_with_which_code_a_request_is_refused(text: str) -> None:
    assert reply_of(toy_world().ask("/toy/Brew", GREEN, x_emulator_error=text))["error"] == 7


def test_a_header_may_say_a_message_too() -> None:
    outcome = toy_world().ask("/toy/Brew", GREEN, x_emulator_error='{"code": 7, "message": "out of leaves"}')

    assert reply_of(outcome)["message"] == "out of leaves"


def test_why_a_request_is_refused_names_the_header() -> None:
    assert toy_world().ask("/toy/Brew", GREEN, x_emulator_error="7").reason == "header x-emulator-error: 7 says so"


@pytest.mark.parametrize(("text", "seconds"), [("250ms", 0.25), ("2", 2.0), ('{"fixed": "3s"}', 3.0)])
def test_a_header_holds_the_answer_back(text: str, seconds: float) -> None:
    assert toy_world().ask("/toy/Brew", GREEN, x_emulator_latency=text).latency == seconds


def test_a_header_is_the_whole_answer() -> None:
    outcome = toy_world().ask("/toy/Brew", GREEN, x_emulator_reply='{"status": 202, "body": {"a": 1}}')

    assert (outcome.reply.status, reply_of(outcome)) == (202, {"a": 1})


def test_a_header_brings_a_fault() -> None:
    fault = toy_world().ask("/toy/Brew", GREEN, x_emulator_fault="reset").fault

    assert fault is not None
    assert fault.kind == "reset"


def test_a_header_brings_the_plan_of_the_task() -> None:
    world = toy_world()
    task_id = reply_of(world.ask("/toy/Brew", GREEN, x_emulator_plan='{"run": "77s"}'))["brew"]

    task = world.account.tasks.get(task_id)
    assert task is not None
    assert task.timeline.upload - task.timeline.run == 77


def test_headers_come_before_all_rules_that_were_set() -> None:
    world = toy_world()
    world.rule({"priority": 1000, "then": {"latency": 1}})

    assert world.ask("/toy/Brew", GREEN, x_emulator_latency="2").latency == 2.0


def test_several_headers_are_several_effects() -> None:
    outcome = toy_world().ask("/toy/Brew", GREEN, x_emulator_latency="2", x_emulator_fault="503")

    assert (outcome.latency, outcome.reply.status) == (2.0, 503)


def test_the_journal_tells_what_a_request_brought() -> None:
    world = toy_world()
    world.ask("/toy/Brew", GREEN, x_emulator_latency="2s")

    (entry,) = world.account.journal.requests
    found = "request (header x-emulator-latency: 2s): match 1, applies: latency"
    assert ("gate rules", found) in entry.trace


@pytest.mark.parametrize(
    ("name", "text", "path", "said"),
    [
        ("error", "75", "/toy/Brew", "toy has no code 75 in its api list; nearest: 7 (no such leaf)"),
        ("fault", "rest", "/toy/Brew", "no fault is called 'rest'; did you mean 'reset'?"),
        ("plan", "stormy", "/toy/Brew", "no plan is called 'stormy'; there are none"),
        ("plan", "{}", "/toy/Ask", "toy.Ask starts no task, so no plan applies to it"),
        ("reply", "tea", "/toy/Brew", "'tea' is no object"),
        ("responses", "radnom", "/toy/Brew", "'radnom' is none of 'canned', 'random'"),
    ],
)
def test_a_header_without_sense_is_refused_in_plain_words(name: str, text: str, path: str, said: str) -> None:
    world = toy_world()
    outcome = world.ask(path, GREEN, **{f"x_emulator_{name}": text})

    (entry,) = world.account.journal.requests
    told = f"header x-emulator-{name}: {text}: {said}"
    assert (outcome.reply.status, outcome.reply.body.decode()) == (400, f"{told}\n")
    assert outcome.reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (entry.code, entry.reason, entry.trace[-1]) == ("emulator", told, ("refuse", told))
    assert len(world.account.tasks) == 0


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("eror", "did you mean 'x-emulator-error'?"),
        ("zzzzzzzzzzzzzzzzzzzz", "there are x-emulator-error, x-emulator-reply, "),
    ],
)
def test_a_header_that_is_unknown_is_refused_with_the_nearest_name(name: str, hint: str) -> None:
    outcome = toy_world().ask("/toy/Brew", GREEN, **{f"x_emulator_{name}": "7"})

    assert outcome.reason.startswith(f"the header x-emulator-{name} means nothing here; {hint}")


def test_a_header_that_is_none_of_ours_says_nothing() -> None:
    world = toy_world()

    assert reply_of(world.ask("/toy/Brew", GREEN, x_emulate_error="7", emulator="x"))["error"] == 0


@pytest.mark.parametrize("header", ["x_emulator_reason", "x_emulator_request"])
def test_headers_of_the_emulators_own_answers_may_come_back(header: str) -> None:
    assert reply_of(toy_world().ask("/toy/Brew", GREEN, **{header: "7"}))["error"] == 0


@pytest.mark.parametrize("header", ["x_emulator_error", "x_emulator_nonsense"])
def test_where_headers_are_off_they_are_ignored(header: str) -> None:
    world = toy_world()
    asked = world.ask("/toy/Brew", GREEN)

    outcome = _off(world).decide(request("/toy/Brew", GREEN, **{header: "7"}))

    assert (outcome.reply.status, reply_of(outcome)["error"]) == (asked.reply.status, 0)


def test_what_many_requests_bring_does_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brought, "MOST_KEPT", 3)
    world = toy_world()

    found = [world.ask("/toy/Brew", GREEN, x_emulator_latency=str(number)).latency for number in range(1, 9)]

    assert found == [float(number) for number in range(1, 9)]
