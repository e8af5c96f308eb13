"""Numbers come as numbers or as text, and nonsense is as good as nothing."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.kingsoft import figures

anything = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()))
NONSENSE = [None, "", "x", True, [], {}, "nan", "inf", float("inf"), float("nan"), 10**400]


@pytest.mark.parametrize(
    ("given", "bits"),
    [
        ("900k", 900_000),
        ("900kb", 900_000),
        ("1m", 1_000_000),
        ("1.5MB", 1_500_000),
        (" 64K ", 64_000),
        ("64000", 64_000),
        (64_000, 64_000),
        ("0", None),
        (-1, None),
        ("k", None),
        ("1e30", 10**10),
        *[(given, None) for given in NONSENSE],
    ],
)
def test_a_rate_may_have_a_unit(given: Any, bits: int | None) -> None:
    assert figures.bits(given) == bits


@pytest.mark.parametrize(
    ("given", "milliseconds"),
    [
        ("12.5", 12_500),
        (12.5, 12_500),
        (3, 3000),
        ("01:30", 90_000),
        ("00:01:02.250", 62_250),
        ("1:0:0:0", 0),
        ("-5", 0),
        ("00:-1", 0),
        ("1e300", 10**12),
        *[(given, 0) for given in NONSENSE],
    ],
)
def test_a_time_is_seconds_or_a_clock_time(given: Any, milliseconds: int) -> None:
    assert figures.instant(given) == milliseconds


def test_the_first_time_that_is_one_counts() -> None:
    assert figures.instant(None, "", "0", "5") == 0


@pytest.mark.parametrize(
    ("given", "rate"),
    [
        ("25", Fraction(25)),
        (30, Fraction(30)),
        ("29.97", Fraction(2997, 100)),
        ("30000/1001", Fraction(30000, 1001)),
        ("5000", Fraction(1000)),
        ("0", None),
        ("1/0", None),
        ("/", None),
        ("-1/-1", None),
        *[(given, None) for given in NONSENSE],
    ],
)
def test_a_frame_rate_is_a_number_or_a_fraction(given: Any, rate: Fraction | None) -> None:
    assert figures.frame_rate(given) == rate


@pytest.mark.parametrize(
    ("given", "number"), [(5, 5), ("5", 5), ("5.9", 5), (0, None), ("0", None), (-3, None), (5000, 100), ("", None)]
)
def test_a_side_or_count_is_a_whole_number_above_nothing(given: Any, number: int | None) -> None:
    assert figures.positive(given, 100) == number


@given(anything)
def test_whatever_a_client_writes_is_read(value: Any) -> None:
    figures.text(value)
    figures.whole(value)
    figures.positive(value, 10)
    figures.frame_rate(value)
    figures.bits(value)
    figures.instant(value)
