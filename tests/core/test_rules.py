"""Rules: when, how often, and then what."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.core.errors import ApiError, ConfigurationError
from emulator.core.exchange import Call, JsonObject
from emulator.core.rules import Count, Effects, Times
from tests.support.toy_cloud import ToyWorld, request, toy_world


def _call(world: ToyWorld, path: str = "/toy/Brew", document: Any = None) -> Call:
    cloud = next(cloud for cloud in world.clouds.values() if cloud.claims(path))
    return cloud.identify(request(path, {"leaf": "green"} if document is None else document))


def _apply(world: ToyWorld, stage: str = "both", path: str = "/toy/Brew", document: Any = None) -> Effects:
    call, effects = _call(world, path, document), Effects()
    for each in ("gate", "business") if stage == "both" else (stage,):
        world.account.rules.apply(call, each, effects)  # type: ignore[arg-type]
    return effects


def _taken(world: ToyWorld, calls: int) -> list[int]:
    """Which of so many calls a rule acted on, from 1."""
    return [number for number in range(1, calls + 1) if _apply(world).latency]


def _refused(document: JsonObject, *clouds: str) -> list[tuple[str, str]]:
    """Pointer and message of every problem that a rule has."""
    world = toy_world(clouds=clouds or ("toy",))
    with pytest.raises(ConfigurationError) as caught:
        world.rule(document)
    assert len(world.account.rules) == 0
    return [(problem.pointer, problem.message) for problem in caught.value.problems]


def test_without_rules_nothing_is_decided() -> None:
    assert _apply(toy_world()) == Effects()


@pytest.mark.parametrize(
    ("pattern", "path", "means_it"),
    [
        ("toy.Brew", "/toy/Brew", True),
        ("toy.Brew", "/toy/Ask", False),
        ("toy.*", "/toy/Ask", True),
        ("*.Brew", "/toy/Brew", True),
        ("*", "/toy/Ask", True),
        ("toy.B?ew", "/toy/Brew", True),
    ],
)
def test_a_rule_means_the_operations_of_its_pattern(pattern: str, path: str, means_it: bool) -> None:
    world = toy_world()
    world.rule({"when": {"operation": pattern}, "then": {"latency": "1s"}})

    assert bool(_apply(world, path=path, document={"leaf": "green", "brew": "x"}).latency) == means_it


def test_a_rule_that_names_no_operation_means_all() -> None:
    world = toy_world()
    world.rule({"then": {"latency": "1s"}})

    assert _apply(world, path="/toy/Ask").latency == 1.0


def test_the_case_of_an_operation_counts() -> None:
    assert _refused({"when": {"operation": "toy.brew"}, "then": {"latency": 1}}) == [
        ("/when/operation", "no operation is called toy.brew; did you mean 'toy.Brew'?")
    ]


@pytest.mark.parametrize(
    ("leaf", "latency"),
    [("green", 1.0), ("black", 0.0)],
)
def test_a_rule_means_the_parameters_that_fit_its_schema(leaf: str, latency: float) -> None:
    world = toy_world()
    world.rule({"when": {"params": {"properties": {"leaf": {"const": "green"}}}}, "then": {"latency": 1}})

    assert _apply(world, document={"leaf": leaf}).latency == latency


def test_a_rule_with_a_schema_does_not_mean_a_call_whose_parameters_could_not_be_read() -> None:
    world = toy_world()
    world.rule({"when": {"params": {}}, "then": {"error": 9}})
    call = world.toy.identify(request("/toy/Brew", body=b"{"))

    effects = Effects()
    world.account.rules.apply(call, "gate", effects)

    assert effects == Effects(notes=["r1 (error for *): the parameters do not fit its params: they could not be read"])


def test_the_schema_of_a_rule_may_refer_to_a_registered_one() -> None:
    world = toy_world()
    world.rule({"when": {"params": {"$ref": "https://emulator.invalid/toy/Brew.request.json"}}, "then": {"latency": 1}})

    assert (_apply(world).latency, _apply(world, document={"cups": 0}).latency) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("times", "taken"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"skip": 2}, [3, 4, 5, 6, 7]),
        ({"first": 2}, [1, 2]),
        ({"skip": 1, "first": 2}, [2, 3]),
        ({"every": 3}, [3, 6]),
        ({"skip": 1, "every": 2}, [3, 5, 7]),
        ({"every": 2, "first": 2}, [2, 4]),
        ({"skip": 1, "every": 2, "first": 1}, [3]),
        ({"probability": 1}, [1, 2, 3, 4, 5, 6, 7]),
        ({"probability": 0}, []),
    ],
)
def test_a_rule_acts_as_often_as_its_times_say(times: JsonObject, taken: list[int]) -> None:
    world = toy_world()
    world.rule({"times": times, "then": {"latency": 1}})

    assert _taken(world, 7) == taken


def test_only_calls_that_a_rule_means_are_counted() -> None:
    world = toy_world()
    world.rule({"when": {"operation": "toy.Brew"}, "times": {"skip": 1, "first": 1}, "then": {"latency": 1}})
    _apply(world)
    _apply(world, path="/toy/Ask")

    assert _apply(world).latency == 1.0


def test_a_chance_is_drawn_from_the_seed() -> None:
    draws = []
    for seed in (7, 7, 8):
        world = toy_world(seed=seed)
        world.rule({"times": {"probability": 0.5}, "then": {"latency": 1}})
        draws.append(_taken(world, 40))

    assert draws[0] == draws[1] != draws[2]


def test_a_chance_of_one_half_takes_about_half() -> None:
    world = toy_world()
    world.rule({"times": {"probability": 0.5}, "then": {"latency": 1}})

    assert 420 < len(_taken(world, 1000)) < 580


def test_two_rules_with_a_chance_are_drawn_for_separately() -> None:
    world = toy_world()
    world.rule({"times": {"probability": 0.5}, "then": {"latency": 1}})
    world.rule({"times": {"probability": 0.5}, "then": {"error": 7}})
    effects = [_apply(world) for _ in range(40)]

    assert [bool(effect.latency) for effect in effects] != [effect.error is not None for effect in effects]


@pytest.mark.parametrize(
    ("times", "taken", "exhausted"),
    [(Times(), 100, False), (Times(first=2), 1, False), (Times(first=2), 2, True)],
)
def test_a_rule_is_exhausted_once_it_was_taken_as_often_as_allowed(times: Times, taken: int, exhausted: bool) -> None:
    assert times.exhausted(taken) == exhausted


def test_the_first_rule_that_applies_decides() -> None:
    world = toy_world()
    world.rule({"then": {"error": {"code": 7, "message": "first"}}})
    world.rule({"then": {"error": {"code": 7, "message": "second"}}})

    assert _apply(world).error is not None
    assert _apply(world).error.message == "first"  # type: ignore[union-attr]


def test_a_rule_whose_turns_are_used_up_leaves_the_next_to_decide() -> None:
    world = toy_world()
    world.rule({"times": {"first": 1}, "then": {"latency": 1}})
    world.rule({"then": {"latency": 2}})

    assert [_apply(world).latency for _ in range(3)] == [1.0, 2.0, 2.0]


def test_a_rule_that_has_nothing_left_to_decide_is_not_counted() -> None:
    world = toy_world()
    world.rule({"then": {"latency": 1}})
    second = world.rule({"then": {"latency": 2}})
    _apply(world)

    assert world.account.rules.count(second) == Count(0, 0)


def test_effects_of_several_rules_are_joined() -> None:
    world = toy_world()
    world.rule({"then": {"latency": "2s"}})
    world.rule({"when": {"operation": "toy.Brew"}, "then": {"plan": {"run": "9s"}}})

    effects = _apply(world)

    assert (effects.latency, effects.plan, effects.error) == (2.0, {"run": "9s"}, None)


def test_one_rule_may_have_several_effects() -> None:
    world = toy_world()
    world.rule({"then": {"latency": "2s", "error": 7}})

    effects = _apply(world)

    assert (effects.latency, effects.error and effects.error.code) == (2.0, 7)


def test_the_plan_of_a_call_that_is_refused_does_not_count() -> None:
    world = toy_world()
    world.rule({"then": {"error": 7}})
    world.rule({"when": {"operation": "toy.Brew"}, "then": {"plan": {"run": "9s"}}})

    assert _apply(world).plan is None


def test_a_latency_between_two_bounds_is_drawn_from_the_seed() -> None:
    drawn = []
    for _ in range(2):
        world = toy_world()
        world.rule({"then": {"latency": ["1s", "2s"]}})
        drawn.append([_apply(world).latency for _ in range(5)])

    assert drawn[0] == drawn[1]
    assert all(1 <= latency <= 2 for latency in drawn[0])
    assert len(set(drawn[0])) == 5


@pytest.mark.parametrize(("code", "stage"), [(7, "business"), (9, "gate")])
def test_an_error_is_said_at_the_stage_of_its_code(code: int, stage: str) -> None:
    world = toy_world()
    world.rule({"then": {"error": code}})

    stages = {name: _apply(world, name).error is not None for name in ("gate", "business")}

    assert stages == {"gate": stage == "gate", "business": stage == "business"}


def test_a_rule_of_the_other_stage_is_neither_counted_nor_mentioned() -> None:
    world = toy_world()
    world.rule({"then": {"error": 9}})

    assert _apply(world, "business").notes == []


@pytest.mark.parametrize("name", [7, "7", "no such leaf", "NO SUCH LEAF", "a parameter is wrong", " 7 ", 7.0])
def test_an_error_is_named_by_its_number_its_text_or_its_gloss(name: str | float) -> None:
    world = toy_world()
    world.rule({"then": {"error": name}})

    error = _apply(world).error
    assert isinstance(error, ApiError)
    assert error.code == 7


def test_an_error_may_say_something_else() -> None:
    world = toy_world()
    world.rule({"name": "no tea", "then": {"error": {"code": 7, "message": "out of leaves"}}})

    error = _apply(world).error

    assert error is not None
    assert (error.code, error.message, error.reason) == (7, "out of leaves", "rule r1 (no tea) says so")


def test_the_code_of_a_failing_plan_may_be_a_text() -> None:
    world = toy_world()
    world.rule({"when": {"operation": "toy.Brew"}, "then": {"plan": {"outcome": {"fail": "boiled over"}}}})

    assert _apply(world).plan == {"outcome": {"fail": 70}}


def test_a_rule_without_a_name_is_named_after_its_effects() -> None:
    world = toy_world()
    rule_id = world.rule({"when": {"operation": "toy.*"}, "then": {"latency": 1, "error": 7}})

    rule = world.account.rules.get(rule_id)
    assert rule is not None
    assert rule.name == "latency and error for toy.*"


def test_the_notes_say_of_each_rule_why_it_did_or_did_not_apply() -> None:
    world = toy_world()
    world.rule({"name": "ask", "when": {"operation": "toy.Ask"}, "then": {"latency": 1}})
    world.rule({"name": "white", "when": {"params": {"required": ["milk"]}}, "then": {"latency": 1}})
    world.rule({"name": "second", "times": {"skip": 1}, "then": {"latency": 1}})
    world.rule({"name": "slow", "then": {"latency": 1}})
    world.rule({"name": "slower", "then": {"latency": 2}})

    assert _apply(world).notes == [
        "r1 (ask): it is for toy.Ask",
        'r2 (white): the parameters do not fit its params: "milk" is a required property',
        "r3 (second): match 1, not its turn: the first is left alone",
        "r4 (slow): match 1, applies: latency",
        "r5 (slower): an earlier rule decided what it would",
    ]


def test_the_notes_name_only_the_effects_that_a_rule_still_had() -> None:
    world = toy_world()
    world.rule({"name": "slow", "then": {"latency": 1}})
    world.rule({"name": "slow and wrong", "then": {"latency": 2, "error": 7}})

    assert _apply(world).notes[1] == "r2 (slow and wrong): match 1, applies: error"


def test_rules_have_numbers_that_are_never_used_twice() -> None:
    world = toy_world()
    first = world.rule({"then": {"latency": 1}})
    world.account.rules.remove(first)

    assert (first, world.rule({"then": {"latency": 1}})) == ("r1", "r2")


def test_a_rule_that_is_refused_uses_no_number() -> None:
    world = toy_world()
    with pytest.raises(ConfigurationError):
        world.rule({"then": {"error": 71}})

    assert world.rule({"then": {"latency": 1}}) == "r1"


def test_a_rule_that_was_removed_does_not_act() -> None:
    world = toy_world()
    rules = world.account.rules
    rule_id = world.rule({"then": {"latency": 1}})

    assert (rules.remove(rule_id), rules.remove(rule_id), rules.get(rule_id), len(rules)) == (True, False, None, 0)


def test_all_rules_may_be_removed_at_once() -> None:
    world = toy_world()
    for _ in range(3):
        world.rule({"then": {"latency": 1}})

    world.account.rules.clear()

    assert list(world.account.rules) == []


@pytest.mark.parametrize(
    ("document", "pointer", "message"),
    [
        ({}, "/then", "then is required but missing"),
        ([], "", "[] is no object"),
        ({"then": {}}, "/then", None),
        ({"then": {"eror": 7}}, "/then", "'eror' is not known here; did you mean 'error'?"),
        ({"then": {"error": True}}, "/then/error", "True is no integer or string or object"),
        ({"then": {"error": {}}}, "/then/error/code", "code is required but missing"),
        (
            {"then": {"latency": "soon"}},
            "/then/latency",
            None,
        ),
        ({"then": {"latency": ["2s", "1s"]}}, "/then/latency", "the range ['2s', '1s'] ends before it starts"),
        ({"times": {"first": 0}, "then": {"latency": 1}}, "/times/first", None),
        (
            {"times": {"probability": 1.5}, "then": {"latency": 1}},
            "/times/probability",
            "1.5 is not from 0 to 1",
        ),
        (
            {"when": {"operation": "toy.Brwe"}, "then": {"latency": 1}},
            "/when/operation",
            "no operation is called toy.Brwe; did you mean 'toy.Brew'?",
        ),
        (
            {"when": {"operation": "tin.Brew"}, "then": {"latency": 1}},
            "/when/operation",
            "no operation is called tin.Brew; did you mean 'toy.Brew'?",
        ),
        (
            {"then": {"error": 75}},
            "/then/error",
            "toy has no code 75 in its api list; nearest: 7 (no such leaf)",
        ),
        (
            {"then": {"error": "no such lef"}},
            "/then/error",
            "toy has no code 'no such lef' in its api list; nearest: 7 (no such leaf)",
        ),
        (
            {"then": {"error": 70}},
            "/then/error",
            "toy has no code 70 in its api list; nearest: 7 (no such leaf)",
        ),
        ({"then": {"error": ""}}, "/then/error", "toy has no code '' in its api list"),
        (
            {"when": {"operation": "toy.Ask"}, "then": {"plan": {"run": 1}}},
            "/then/plan",
            "toy.Ask starts no task, so no plan applies to it",
        ),
        (
            {"when": {"operation": "toy.Brew"}, "then": {"plan": {"outcome": {"fail": 7}}}},
            "/then/plan/outcome/fail",
            "toy has no code 7 in its task list; nearest: 70 (boiled over)",
        ),
        (
            {"then": {"plan": {"outcome": {"fail": 70, "hang": True}}}},
            "/then/plan/outcome",
            "exactly one of fail, hang, vanish",
        ),
        ({"then": {"plan": {"outcome": {"at": "50%"}}}}, "/then/plan/outcome", "exactly one of fail, hang, vanish"),
        ({"then": {"plan": {"run": [2, 1]}}}, "/then/plan", "the range [2, 1] ends before it starts"),
        ({"then": {"plan": {"progress": [100]}}}, "/then/plan/progress/0", None),
        ({"then": {"plan": {"outcome": {"fail": 70, "at": "101%"}}}}, "/then/plan/outcome/at", None),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_the_place_and_the_reason(
    document: Any, pointer: str, message: str | None
) -> None:
    ((found, said),) = _refused(document)

    assert found == pointer
    assert message is None or said == message


@pytest.mark.parametrize(
    "params", [{"type": "text"}, {"pattern": "("}, {"$ref": "https://emulator.invalid/toy/No.json"}]
)
def test_a_rule_whose_params_are_no_schema_is_refused(params: JsonObject) -> None:
    ((pointer, message),) = _refused({"when": {"params": params}, "then": {"latency": 1}})

    assert pointer == "/when/params"
    assert message.startswith("no valid JSON Schema: ")


def test_a_rule_with_a_code_must_say_whose_where_there_are_several_clouds() -> None:
    assert _refused({"then": {"error": 7}}, "toy", "tin") == [
        ("/then/error", "whose code 7? Say when.operation: toy.* or tin.*")
    ]


def test_a_rule_with_the_code_of_a_failing_task_must_say_whose_where_there_are_several_clouds() -> None:
    assert _refused({"then": {"plan": {"outcome": {"fail": 70}}}}, "toy", "tin") == [
        ("/then/plan/outcome/fail", "whose code 70? Say when.operation: toy.* or tin.*")
    ]


def test_a_rule_without_a_code_may_be_for_several_clouds() -> None:
    world = toy_world(clouds=("toy", "tin"))
    world.rule({"then": {"latency": 1}})

    assert [_apply(world, path=path).latency for path in ("/toy/Brew", "/tin/Brew")] == [1.0, 1.0]


@pytest.mark.parametrize("then", [{"error": 0}, {"error": "0"}, {"plan": {"outcome": {"fail": 0}}}])
def test_success_is_no_error_that_a_rule_could_say(then: JsonObject) -> None:
    (refusal,) = _refused({"when": {"operation": "toy.Brew"}, "then": then})

    assert "toy has no code" in str(refusal)


def test_a_rule_decides_whether_answers_are_canned_or_drawn() -> None:
    world = toy_world()
    world.rule({"times": {"first": 1}, "then": {"responses": "random"}})

    assert [_apply(world).responses for _ in range(2)] == ["random", None]


# Priority, shared rules


def _shared(world: ToyWorld, document: JsonObject) -> str:
    return world.accounts.rules.add(world.reader.later(document)).id


def _order(world: ToyWorld) -> list[str]:
    return [rule.name for rule in world.account.rules.in_force]


def test_rules_of_higher_priority_are_tried_first_whenever_they_were_set() -> None:
    world = toy_world()
    for name, priority in (("low", -1), ("first", 0), ("high", 5), ("second", 0)):
        world.rule({"name": name, "priority": priority, "then": {"latency": 1}})

    assert _order(world) == ["high", "first", "second", "low"]


def test_an_accounts_own_rules_are_tried_before_the_shared_ones_of_the_same_priority() -> None:
    world = toy_world()
    _shared(world, {"name": "shared", "then": {"latency": 1}})
    _shared(world, {"name": "important", "priority": 1, "then": {"latency": 1}})
    world.rule({"name": "own", "then": {"latency": 1}})

    assert _order(world) == ["important", "own", "shared"]


def test_shared_rules_that_were_set_are_tried_before_those_of_files() -> None:
    world = toy_world()
    read = world.reader.read("f1", {"name": "file", "then": {"latency": 1}})
    world.accounts.rules.replace([read])
    _shared(world, {"name": "set", "then": {"latency": 1}})

    assert _order(world) == ["set", "file"]


def test_shared_rules_act_in_every_account_and_count_in_each_for_itself() -> None:
    world = toy_world()
    rule_id = _shared(world, {"times": {"first": 1}, "then": {"latency": 1}})
    other = world.accounts.named("other")
    effects = [Effects() for _ in range(4)]
    for account, effect in zip((world.account, world.account, other, other), effects, strict=True):
        account.rules.apply(_call(world), "gate", effect)

    assert [effect.latency for effect in effects] == [1.0, 0.0, 1.0, 0.0]
    assert world.account.rules.count(rule_id) == other.rules.count(rule_id) == Count(2, 1)


def test_a_shared_rule_that_is_taken_away_acts_nowhere_any_more() -> None:
    world = toy_world()
    rules = world.accounts.rules
    rule_id = _shared(world, {"then": {"latency": 1}})
    acted = _apply(world).latency

    assert (acted, rules.remove(rule_id), rules.remove(rule_id), _apply(world).latency) == (1.0, True, False, 0.0)


def test_rules_of_files_are_not_taken_away_with_those_that_were_set() -> None:
    world = toy_world()
    rules = world.accounts.rules
    rules.replace([world.reader.read("f1", {"then": {"latency": 1}})])
    _shared(world, {"then": {"latency": 2}})
    rules.clear()

    assert ([rule.id for rule in rules], rules.remove("f1"), len(rules)) == (["f1"], False, 1)


def test_a_reset_takes_the_accounts_own_rules_away_and_starts_the_counts_of_the_shared_ones_anew() -> None:
    world = toy_world()
    _shared(world, {"name": "shared", "times": {"first": 1}, "then": {"latency": 1}})
    world.rule({"name": "own", "when": {"operation": "toy.Ask"}, "then": {"latency": 2}})
    before = [_apply(world).latency for _ in range(2)]
    world.account.reset()

    assert (before, _order(world), _apply(world).latency) == ([1.0, 0.0], ["shared"], 1.0)


def test_what_a_call_brings_is_tried_before_all_and_not_counted() -> None:
    world = toy_world()
    world.rule({"priority": 9, "then": {"latency": 1}})
    brought = world.reader.read("request", {"name": "mine", "then": {"latency": 2}})
    effects = Effects()
    world.account.rules.apply(_call(world), "gate", effects, [brought])

    assert effects.latency == 2.0
    assert world.account.rules.counts == {}


@pytest.mark.parametrize(
    ("times", "calls", "said"),
    [
        ({"skip": 1}, 1, "match 1, not its turn: the first is left alone"),
        ({"skip": 2}, 2, "match 2, not its turn: the first 2 are left alone"),
        ({"first": 1}, 2, "match 2, not its turn: it has acted once, which is all"),
        ({"first": 2}, 3, "match 3, not its turn: it has acted 2 times, which is all"),
        ({"every": 3}, 1, "match 1, not its turn: only one in 3 is taken"),
        ({"probability": 0}, 1, "match 1, not its turn: by chance (0)"),
    ],
)
def test_why_it_is_not_the_turn_of_a_rule_is_told(times: JsonObject, calls: int, said: str) -> None:
    world = toy_world()
    world.rule({"name": "slow", "times": times, "then": {"latency": 1}})

    assert [_apply(world).notes for _ in range(calls)][-1] == [f"r1 (slow): {said}"]


def test_what_would_be_decided_can_be_foreseen_without_counting() -> None:
    world = toy_world()
    rule_id = world.rule({"times": {"first": 1}, "then": {"latency": 1}})
    effects = [Effects() for _ in range(3)]
    for effect in effects[:2]:
        world.account.rules.foresee(_call(world), "gate", effect)
    world.account.rules.apply(_call(world), "gate", effects[2])

    assert [effect.latency for effect in effects] == [1.0, 1.0, 1.0]
    assert world.account.rules.count(rule_id) == Count(1, 1)
