"""Values as plain JSON and back."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.errors import ConfigurationError
from emulator.core.structure import LISTED, dump, load
from emulator.core.tasks import Ending, Plan, Retry, Span
from emulator.core.values import value_type


@value_type
class Leaf:
    name: str
    kind: Literal["green", 2] = "green"


@dataclass(slots=True)
class Pot:
    size: float
    leaves: tuple[Leaf, ...] = ()
    code: int | str = 0
    lid: Leaf | None = None
    taste: Any = None
    labels: Mapping[str, str] = field(default_factory=dict)
    _poured: dict[int, dict[tuple[str, str], int]] = field(default_factory=dict)
    _times: deque[float] = field(default_factory=deque)
    _seen: set[str] = field(default_factory=set)
    _ids: dict[str, None] = field(default_factory=dict)


FULL = Pot(
    math.inf,
    (Leaf("a"), Leaf("b", 2)),
    "x",
    Leaf("c"),
    {"anything": [1, None]},
    {"a": "b"},
    {3: {("x", "y"): 5}},
    deque([1.5, 2]),
    {"z", "y"},
    {"first": None},
)


def problems(hint: Any, document: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as refusal:
        load(hint, document, "pot")
    return [str(problem) for problem in refusal.value.problems]


def test_a_value_comes_back_from_json_as_it_was() -> None:
    assert load(Pot, orjson.loads(orjson.dumps(dump(Pot, FULL))), "pot") == FULL


def test_underscores_are_not_written_and_sets_are_in_order() -> None:
    document = dump(Pot, FULL)
    assert document["seen"] == ["y", "z"]
    assert document["poured"] == [[3, [[["x", "y"], 5]]]]


@pytest.mark.parametrize(("value", "plain"), [(math.inf, "Infinity"), (-math.inf, "-Infinity"), (1, 1), (0.1, 0.1)])
def test_a_number_may_be_infinite(value: float, plain: Any) -> None:
    assert dump(float, value) == plain
    assert load(float, plain, "x") == value


@given(st.binary())
def test_bytes_come_back_as_they_were(content: bytes) -> None:
    assert load(bytes, orjson.loads(orjson.dumps(dump(bytes, content))), "x") == content


def test_text_stays_readable() -> None:
    assert dump(bytes, "茶".encode()) == "茶"


def test_what_is_left_out_has_its_default() -> None:
    assert load(Pot, {"size": 1}, "pot") == Pot(1)


def test_a_default_is_made_anew_each_time() -> None:
    first, second = (load(Pot, {"size": 1}, "pot") for _ in range(2))
    assert first._poured is not second._poured


def test_a_plan_comes_back_as_it_was() -> None:
    document = {"progress": [1, 2], "outcome": {"fail": 70, "at": "50%"}, "deliver": {"late": "5s", "storm": True}}
    plan = Plan().revised(document)
    assert load(Plan, orjson.loads(orjson.dumps(dump(Plan, plan))), "plan") == plan


def test_a_whole_number_is_a_number_and_stays_whole() -> None:
    assert orjson.dumps(dump(Span, load(Span, {"low": 1, "high": 2.0}, "x"))) == b'{"low":1,"high":2.0}'


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "pot: is a list of 0, not an object"),
        ({}, "pot#/size: is missing"),
        ({"size": True}, "pot#/size: is true, not a number"),
        ({"size": "NaN"}, "pot#/size: is 'NaN', not a number"),
        ({"size": 1, "siez": 2}, "pot#/siez: is not known; did you mean 'size'?"),
        ({"size": 1, "a/b~c": 2}, "pot#/a~1b~0c: is not known"),
        ({"size": 1, "leaves": {}}, "pot#/leaves: is an object, not a list"),
        ({"size": 1, "leaves": [{"name": "a"}, {"name": 1}]}, "pot#/leaves/1/name: is 1, not a text"),
        ({"size": 1, "leaves": [{"name": "a", "kind": "2"}]}, "pot#/leaves/0/kind: is '2', not one of green, 2"),
        ({"size": 1, "leaves": [{"name": "a", "kind": []}]}, "pot#/leaves/0/kind: is a list of 0, not one of green, 2"),
        ({"size": 1, "code": 1.5}, "pot#/code: is 1.5, not a whole number or a text"),
        ({"size": 1, "lid": {"name": None}}, "pot#/lid/name: is null, not a text"),
        ({"size": 1, "labels": {"a": 1}}, "pot#/labels/a: is 1, not a text"),
        ({"size": 1, "labels": []}, "pot#/labels: is a list of 0, not an object"),
        ({"size": 1, "poured": [[1]]}, "pot#/poured/0: is a list of 1, not a list of 2"),
        ({"size": 1, "poured": [[1, [[["x"], 1]]]]}, "pot#/poured/0/1/0/0: is a list of 1, not a list of 2"),
        ({"size": 1, "times": ["soon"]}, "pot#/times/0: is 'soon', not a number"),
        ({"size": 1, "ids": {"a": 1}}, "pot#/ids/a: is 1, not null"),
        ({"size": "x" * 99}, f"pot#/size: is '{'x' * 56}…, not a number"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(document: Any, problem: str) -> None:
    assert problems(Pot, document) == [problem]


def test_everything_that_is_wrong_is_said_at_once_within_bounds() -> None:
    assert problems(Pot, {"lid": 1, "code": None}) == [
        "pot#/size: is missing",
        "pot#/code: is null, not a whole number or a text",
        "pot#/lid: is 1, not an object",
    ]
    assert len(problems(Pot, {"size": 1, "times": ["x"] * 100})) == LISTED


@pytest.mark.parametrize("document", [5, {"base64": "?"}, {"base64": 1}])
def test_bytes_are_a_text_or_base64(document: Any) -> None:
    assert len(problems(bytes, document)) == 1


def test_true_is_not_1() -> None:
    assert len(problems(Literal[1, 2], True)) == 1
    assert len(problems(int, True)) == 1
    assert load(bool, True, "x") is True


@pytest.mark.parametrize("hint", [complex, Retry | Ending])
def test_a_type_of_which_nothing_is_known_is_a_fault_of_ours(hint: Any) -> None:
    with pytest.raises(TypeError):
        dump(hint, None)
