"""Triggers: one table says what each does, in every cloud; what is none is left alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from emulator.cli import main
from emulator.core.triggers import MARK, TABLE, Trigger, effects, find
from emulator.web.admin.views import show_triggers
from tests.support.client import Client
from tests.support.clouds import emulation
from tests.support.toy_cloud import reply_of, toy_world

PAGE = Path(__file__).parents[2] / "docs" / "triggers.md"
VALUES = {"CODE": "7", "NAME": "any", "DURATION": "2s", "KIND": "reset"}


def _then(*words: str, starts_task: bool = True) -> list[dict[str, Any]]:
    return [then for _, then in effects(words, starts_task=starts_task)]


@pytest.mark.parametrize(
    ("word", "then"),
    [
        ("error-1011", {"error": "1011"}),
        ("fail-2032", {"plan": {"outcome": {"fail": "2032"}}}),
        ("plan-storm", {"plan": {"base": "storm"}}),
        ("slow-30s", {"plan": {"run": "30s"}}),
        ("hang", {"plan": {"outcome": {"hang": True}}}),
        ("vanish", {"plan": {"outcome": {"vanish": True}}}),
        ("latency-2s", {"latency": "2s"}),
        ("fault-reset", {"fault": "reset"}),
        ("fault-503", {"fault": 503}),
        ("random", {"responses": "random"}),
        ("canned", {"responses": "canned"}),
    ],
)
def test_each_word_is_the_effect_of_a_rule(word: str, then: dict[str, Any]) -> None:
    assert _then(word) == [then]


def test_slow_holds_back_the_answer_where_no_task_begins() -> None:
    assert _then("slow-30s", starts_task=False) == [{"latency": "30s"}]


@pytest.mark.parametrize("word", ["fail-7", "plan-storm", "hang", "vanish"])
def test_a_word_that_shapes_a_task_means_nothing_where_none_begins(word: str) -> None:
    assert _then(word, starts_task=False) == []


@pytest.mark.parametrize("word", ["photos", "", "error", "error-", "hanging", "randomly", "unstructured", "FAIL-7"])
def test_other_words_mean_nothing(word: str) -> None:
    assert _then(word) == []


def test_words_that_shape_a_task_make_one_plan_together() -> None:
    together = _then("slow-30s", "fail-2032", "plan-storm")

    assert together == [{"plan": {"run": "30s", "outcome": {"fail": "2032"}, "base": "storm"}}]


def test_the_first_of_two_that_say_the_same_thing_counts() -> None:
    assert _then("hang", "fail-2032") == [{"plan": {"outcome": {"hang": True}}}]


def test_a_word_that_is_said_twice_counts_once() -> None:
    assert _then("latency-2s", "latency-2s") == [{"latency": "2s"}]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("slow-long", "trigger emu-slow-long: 'long' is no duration; write 500ms"),
        ("latency-2h", "trigger emu-latency-2h: 2h is more than an hour"),
        ("fault-rset", "trigger emu-fault-rset: 'rset' is no fault; did you mean 'reset'?"),
        ("fault-700", "trigger emu-fault-700: '700' is no fault; there are reset, empty"),
        ("fault-status", "trigger emu-fault-status: 'status' is no fault"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_the_word_and_the_reason(word: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}"):
        _then(word)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.word)
def test_the_example_of_each_row_is_one_of_it(row: Trigger) -> None:
    word = row.example.removeprefix(MARK)

    assert find(word, starts_task=True) == row
    assert len(_then(word)) == 1


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.word)
def test_no_row_takes_the_words_of_another(row: Trigger) -> None:
    word = re.sub("[A-Z]+$", lambda found: VALUES[found[0]], row.word)

    assert [other.word for other in TABLE if other.means(word)] == [row.word]


def test_the_page_lists_exactly_what_there_is() -> None:
    rows = show_triggers(emulation().providers.values())
    listed = re.findall(r"^\| `(emu-[^`]+)` \| `([^`]+)` \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)

    assert [(word, example) for word, example, _ in listed] == [(row["word"], row["example"]) for row in rows]
    for row, (_, _, text) in zip(rows, listed, strict=True):
        plain = re.sub(r" \(\[.*\]\(.*\)\)|`", "", text).removeprefix("Baidu only: ")
        assert plain.replace(", so isStructured", ": isStructured") == row["summary"]


def test_every_cloud_that_obeys_a_word_is_listed() -> None:
    clouds = {row["word"]: row["clouds"] for row in show_triggers(emulation().providers.values())}

    assert clouds["emu-error-CODE"] == ["kingsoft", "baidu"]
    assert clouds["emu-fail-CODE"] == ["kingsoft"]
    assert clouds["emu-unstructured"] == ["baidu"]


def test_a_trigger_is_tried_before_the_rules_that_were_set() -> None:
    world = toy_world()
    world.rule({"then": {"latency": "1s"}})

    assert world.ask("/toy/Brew", {"leaf": "green"}, query="emu=latency-2s").latency == 2


def test_a_trigger_acts_on_one_request_only() -> None:
    world = toy_world()
    refused = world.ask("/toy/Brew", {"leaf": "green"}, query="emu=error-7")
    taken = world.ask("/toy/Brew", {"leaf": "green"})

    assert [reply_of(outcome)["error"] for outcome in (refused, taken)] == [7, 0]


def test_the_trace_names_the_trigger_that_acted() -> None:
    world = toy_world()
    world.ask("/toy/Brew", {"leaf": "green"}, query="emu=latency-2s")
    (entry,) = world.account.journal.requests

    assert ("gate rules", "request (trigger emu-latency-2s): match 1, applies: latency") in entry.trace


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("fail-71", "trigger emu-fail-71: toy has no code '71' in its task list; nearest: "),
        ("error-nothing", "trigger emu-error-nothing: toy has no code 'nothing' in its api list"),
        ("plan-strom", "trigger emu-plan-strom: no plan is called 'strom'"),
        ("slow-x", "trigger emu-slow-x: 'x' is no duration"),
    ],
)
def test_a_request_with_a_value_that_makes_no_sense_is_told_why(word: str, reason: str) -> None:
    outcome = toy_world().ask("/toy/Brew", {"leaf": "green"}, query=f"emu={word}")

    assert outcome.reply.status == 400
    assert outcome.reason.startswith(reason)
    assert outcome.reason.endswith("(emulator operations --triggers lists all; --triggers off turns them off)")
    assert outcome.reply.body.decode() == f"{outcome.reason}\n"


def test_the_command_line_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["operations", "--triggers"]) == 0

    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [row["word"] for row in show_triggers(emulation().providers.values())]


def test_the_command_line_lists_them_as_json_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    main(["operations", "--triggers", "--json"])

    assert json.loads(capsys.readouterr().out) == show_triggers(emulation().providers.values())


async def test_the_admin_api_lists_them_beside_the_operations(client: Client) -> None:
    listed = (await client.admin("GET", "/operations")).json["triggers"]

    assert listed == show_triggers(emulation().providers.values())
