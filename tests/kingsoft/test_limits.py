"""Request rates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.errors import ApiError
from emulator.kingsoft.limits import RateLimits
from tests.support.desk import Desk
from tests.support.machine import START


def _passes(limits: RateLimits, now: float, *, submits: bool = False) -> bool:
    try:
        limits.check(now, submits)
    except ApiError:
        return False
    return True


def _taken(limits: RateLimits, times: int, now: float, *, submits: bool = False) -> int:
    return sum(_passes(limits, now, submits=submits) for _ in range(times))


@pytest.mark.parametrize("submits", [True, False])
def test_a_hundred_of_a_kind_pass_in_a_second(submits: bool) -> None:
    assert _taken(RateLimits(), 150, START, submits=submits) == 100


def test_the_two_kinds_are_counted_apart() -> None:
    limits = RateLimits()
    _taken(limits, 100, START, submits=True)

    assert _taken(limits, 150, START, submits=False) == 100


def test_five_hundred_pass_in_a_minute() -> None:
    limits = RateLimits()

    assert sum(_taken(limits, 100, START + second) for second in range(10)) == 500


def test_there_is_room_when_the_oldest_is_a_second_old() -> None:
    limits = RateLimits(queries=2)
    _taken(limits, 1, START)
    _taken(limits, 1, START + 0.5)

    assert [_taken(limits, 3, START + later) for later in (0.75, 1.0, 1.25, 1.5)] == [0, 1, 0, 1]


def test_there_is_room_when_the_oldest_is_a_minute_old() -> None:
    limits = RateLimits(per_minute=2)
    _taken(limits, 2, START)

    assert [_taken(limits, 3, START + later) for later in (59.5, 60.0)] == [0, 2]


def test_a_refused_request_does_not_count() -> None:
    limits = RateLimits(per_minute=3, queries=1)
    _taken(limits, 5, START)

    assert [_taken(limits, 5, START + second) for second in (1, 2, 3)] == [1, 1, 0]


def test_the_reason_says_which_rate_and_when_there_is_room() -> None:
    limits = RateLimits(submissions=1)
    limits.check(START, True)

    with pytest.raises(ApiError) as caught:
        limits.check(START + 0.25, True)
    assert caught.value.reason.startswith("1 submissions per second")
    assert "0.750 s" in caught.value.reason


def test_a_limit_of_zero_is_none() -> None:
    assert _taken(RateLimits(0, 0, 0), 1000, START) == 1000


def test_a_clock_that_was_set_back_starts_anew() -> None:
    limits = RateLimits(queries=2)
    _taken(limits, 2, START)

    assert _taken(limits, 3, START - 3600) == 2


@given(st.lists(st.floats(0, 3, allow_nan=False), max_size=60), st.integers(1, 5))
def test_no_second_has_more_than_the_limit(instants: list[float], limit: int) -> None:
    limits = RateLimits(queries=limit)
    passed = [instant for instant in sorted(instants) if _passes(limits, instant)]

    assert all(later - earlier >= 1 for earlier, later in zip(passed, passed[limit:], strict=False))


def test_nothing_is_refused_unless_a_setting_says_so() -> None:
    desk = Desk()

    assert {desk.call("GetPresetList")["ErrNum"] for _ in range(150)} == {0}


def test_one_request_too_many_is_refused_by_the_gateway() -> None:
    desk = Desk(limits="on")
    answers = [desk.call("GetPresetDetail", Preset="wave") for _ in range(101)]

    assert answers[99]["ErrNum"] == 0
    assert answers[100]["Error"]["Code"] == "LimitExceeded"


async def test_the_account_s_clock_makes_room_again() -> None:
    desk = Desk(limits="on")
    for _ in range(101):
        desk.call("GetPresetDetail", Preset="wave")
    await desk.advance(1)

    assert desk.call("GetPresetDetail", Preset="wave")["ErrNum"] == 0
