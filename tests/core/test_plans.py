"""Plans: durations, ranges, endings, and a plan revised by a document."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.chaos import Chaos, Trouble
from emulator.core.tasks import Ending, Plan, Retry, Span, seconds


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (0, 0.0),
        (1.5, 1.5),
        ("500ms", 0.5),
        ("20s", 20.0),
        ("1.5m", 90.0),
        ("2h", 7200.0),
        ("1d", 86400.0),
        (" 5 s ", 5.0),
        ("0s", 0.0),
    ],
)
def test_a_duration_is_a_number_of_seconds_or_a_text_with_a_unit(duration: float | str, expected: float) -> None:
    assert seconds(duration) == expected


@pytest.mark.parametrize("duration", ["", "5", "s", "5 weeks", "-1s", "1.s", ".5s", "5s5s", "1e3s", "fast"])
def test_what_is_no_duration_is_refused_with_examples(duration: str) -> None:
    with pytest.raises(ValueError, match=r"is no duration; write 500ms, 20s, 5m, 2h, 1d or a number of seconds$"):
        seconds(duration)


def test_a_single_duration_is_a_span_of_fixed_length() -> None:
    assert Span.of("5s") == Span(5.0, 5.0)


def test_two_durations_are_the_bounds_of_a_span() -> None:
    assert Span.of(["500ms", 2]) == Span(0.5, 2.0)


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^the range \['5s', '4s'\] ends before it starts$"):
        Span.of(["5s", "4s"])


def test_a_fixed_span_has_its_length_for_whatever_meaning() -> None:
    assert Span(5, 5).length("a") == 5


def test_a_range_has_the_same_length_for_the_same_meaning() -> None:
    span = Span(1, 100)

    assert span.length(7, "t1", "run") == span.length(7, "t1", "run")


def test_a_range_has_another_length_for_another_meaning() -> None:
    span = Span(1, 100)

    assert span.length(7, "t1", "run") != span.length(7, "t2", "run")


@given(st.integers(), st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_length_of_a_range_lies_within_its_bounds_and_is_whole_milliseconds(
    meaning: int, low: int, width: int
) -> None:
    length = Span(low, low + width).length(meaning)

    assert low <= length <= low + width
    assert round(length, 3) == length


@pytest.mark.parametrize(
    ("document", "ending"),
    [
        ("succeed", Ending("succeed", 0, "upload", 1.0)),
        ("hang", Ending("hang", 0, "run", 1.0)),
        ("vanish", Ending("vanish", 0, "run", 1.0)),
        ({"hang": True, "at": "queue"}, Ending("hang", 0, "queue", 1.0)),
        ({"vanish": True, "at": "upload"}, Ending("vanish", 0, "upload", 1.0)),
        ({"fail": 70}, Ending("fail", 70, "run", 1.0)),
        ({"fail": "boiled over", "at": "queue"}, Ending("fail", "boiled over", "queue", 1.0)),
        ({"fail": 70, "at": "0%"}, Ending("fail", 70, "run", 0.0)),
        ({"fail": 70, "at": "12.5%"}, Ending("fail", 70, "run", 0.125)),
        ({"fail": 70, "at": "100%"}, Ending("fail", 70, "run", 1.0)),
    ],
)
def test_an_ending_says_how_and_where(document: object, ending: Ending) -> None:
    assert Ending.of(document) == ending


@pytest.mark.parametrize(
    ("document", "plan"),
    [
        ({}, Plan()),
        ({"queue": "2s"}, Plan(queue=Span(2, 2))),
        ({"run": ["1m", "2m"]}, Plan(run=Span(60, 120))),
        ({"upload": 0}, Plan(upload=Span(0, 0))),
        ({"progress": [80, 10, 40]}, Plan(progress=(10, 40, 80))),
        ({"progress": []}, Plan(progress=())),
        ({"progress": {"transcoding": [50, 5]}}, Plan(progress=(5, 50), uploading=())),
        ({"progress": {"uploading": [90, 20]}}, Plan(progress=(), uploading=(20, 90))),
        ({"outcome": "hang"}, Plan(ending=Ending("hang", 0, "run", 1.0))),
        ({"deliver": {"attempts": 3}}, Plan(retry=Retry(3, 1.0, None))),
        ({"deliver": {"backoff": "500ms", "timeout": "2s"}}, Plan(retry=Retry(1, 0.5, 2.0))),
        ({"deliver": {"drop": True}}, Plan(chaos=Chaos(drop=Trouble()))),
        ({"result": {"media": {"duration": 5}}}, Plan(result={"media": {"duration": 5}})),
    ],
)
def test_a_revised_plan_keeps_what_the_document_leaves_out(document: dict[str, object], plan: Plan) -> None:
    assert Plan().revised(document) == plan


def test_a_revision_is_made_of_the_plan_it_revises() -> None:
    plan = Plan(queue=Span(3, 3), progress=(5.0,), uploading=(7.0,), retry=Retry(4, 2.0, 9.0))

    revised = plan.revised({"run": "1s", "deliver": {"attempts": 2}})

    assert revised == Plan(Span(3, 3), Span(1, 1), plan.upload, (5.0,), (7.0,), Ending(), Retry(2, 2.0, 9.0))


def test_a_revision_leaves_the_plan_that_it_revises_as_it_is() -> None:
    plan = Plan()

    plan.revised({"queue": "9s", "progress": [1]})

    assert plan == Plan()


@pytest.mark.parametrize(
    "document",
    [{"queue": "soon"}, {"run": ["2s", "1s"]}, {"upload": "5"}, {"deliver": {"backoff": "x"}}],
)
def test_a_revision_with_a_duration_that_makes_no_sense_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"is no duration|ends before it starts"):
        Plan().revised(document)
