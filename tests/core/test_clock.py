"""Time: the clock of an account, and instants as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.clock import Clock, ClockSpec, SystemMachine, beijing, beijing_day, iso, parse_instant
from tests.support.machine import START, FakeMachine


def _clock(mode: str = "real", speed: float = 1.0, now: float | None = None) -> tuple[Clock, FakeMachine]:
    machine = FakeMachine()
    return Clock(machine, ClockSpec(mode, speed, now)), machine  # type: ignore[arg-type]


def test_a_clock_runs_with_the_machine_unless_told_otherwise() -> None:
    machine = FakeMachine()
    clock = Clock(machine)

    machine.move(5)

    assert clock.now() == START + 5


def test_a_real_clock_may_show_another_instant_than_the_machine() -> None:
    clock, machine = _clock("real", now=1000.0)

    machine.move(5)

    assert clock.now() == 1005.0


def test_a_real_clock_does_not_follow_when_the_machine_is_put_right() -> None:
    clock, machine = _clock("real")

    machine.step(-3600)

    assert clock.now() == START


def test_a_scaled_clock_runs_so_many_times_as_fast() -> None:
    clock, machine = _clock("scaled", speed=60)

    machine.move(2)

    assert clock.now() == START + 120


def test_a_scaled_clock_may_run_slowly() -> None:
    clock, machine = _clock("scaled", speed=0.5)

    machine.move(2)

    assert clock.now() == START + 1


def test_a_frozen_clock_stands_still() -> None:
    clock, machine = _clock("frozen", now=1000.0)

    machine.move(5)

    assert clock.now() == 1000.0


def test_a_frozen_clock_starts_at_the_machines_instant_if_none_is_given() -> None:
    clock, _ = _clock("frozen")

    assert clock.now() == START


def test_a_frozen_clock_is_moved_to_an_instant() -> None:
    clock, _ = _clock("frozen", now=1000.0)

    clock.move_to(1500.5)

    assert clock.now() == 1500.5


def test_a_frozen_clock_is_never_moved_back() -> None:
    clock, _ = _clock("frozen", now=1000.0)

    clock.move_to(999.0)

    assert clock.now() == 1000.0


@pytest.mark.parametrize("mode", ["real", "frozen"])
def test_the_speed_counts_for_a_scaled_clock_only(mode: str) -> None:
    clock, _ = _clock(mode, speed=60)

    assert clock.speed == 1.0


@pytest.mark.parametrize("speed", [0, -1])
def test_a_speed_that_is_not_above_zero_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match=r"^a clock's speed is above 0, not "):
        _clock("scaled", speed=speed)


def test_a_clock_that_is_set_starts_again_from_the_instant_given() -> None:
    clock, machine = _clock("real")
    machine.move(5)

    clock.set(ClockSpec("scaled", 10, 2000.0))
    machine.move(1)

    assert (clock.mode, clock.speed, clock.now()) == ("scaled", 10, 2010.0)


def test_a_clock_may_be_set_back() -> None:
    clock, _ = _clock("frozen", now=1000.0)

    clock.set(ClockSpec("frozen", now=500.0))

    assert clock.now() == 500.0


def test_a_frozen_clock_never_reaches_an_instant_by_itself() -> None:
    clock, _ = _clock("frozen", now=1000.0)

    assert clock.real_seconds_until(1001.0) is None


def test_a_scaled_clock_reaches_an_instant_sooner_than_the_machine_would() -> None:
    clock, _ = _clock("scaled", speed=60, now=1000.0)

    assert clock.real_seconds_until(1120.0) == 2.0


def test_an_instant_that_is_over_is_no_time_away() -> None:
    clock, _ = _clock("real", now=1000.0)

    assert clock.real_seconds_until(900.0) == 0.0


def test_reading_a_clock_changes_nothing() -> None:
    clock, machine = _clock("scaled", speed=3)
    machine.move(1)

    readings = {clock.now() for _ in range(5)}

    assert readings == {START + 3}


@given(st.lists(st.floats(0, 1e6), max_size=10), st.floats(0.001, 1000))
def test_no_clock_ever_goes_back_by_itself(moves: list[float], speed: float) -> None:
    clock, machine = _clock("scaled", speed=speed)
    readings = [clock.now()]
    for move in moves:
        machine.move(move)
        readings.append(clock.now())

    assert readings == sorted(readings)


def test_the_systems_time_is_of_this_century_and_does_not_go_back() -> None:
    machine = SystemMachine()

    assert machine.wall() > 1_700_000_000
    assert machine.monotonic() <= machine.monotonic()


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (START, "2026-01-01T00:00:00.000Z"),
        (START + 0.1234, "2026-01-01T00:00:00.123Z"),
    ],
)
def test_an_instant_is_shown_in_utc_with_milliseconds(instant: float, text: str) -> None:
    assert iso(instant) == text


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-01T00:00:00Z", START),
        ("2026-01-01T08:00:00+08:00", START),
        ("2026-01-01T00:00:00", START),
        ("2026-01-01", START),
        ("2026-01-01T00:00:00.250Z", START + 0.25),
        (1767225600, START),
        (0.5, 0.5),
    ],
)
def test_an_instant_is_read_from_a_number_or_an_iso_text(text: str | float, instant: float) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize("text", ["", "tomorrow", "1767225600", "2026-13-01", "2026-01-01T25:00:00Z"])
def test_what_is_no_instant_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no instant; write 2026-01-31T09:00:00Z or unix seconds$"):
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "instant"),
    [(0, 0.0), ("1970-01-01", 0.0), (32503680000, 32503680000.0), ("3000-01-01T00:00:00Z", 32503680000.0)],
)
def test_instants_are_from_1970_to_2999(text: str | float, instant: float) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text", [-1, 32503680001, "1969-12-31T23:59:59Z", "3000-01-01T00:00:01Z", "0001-01-01", "9999-12-31"]
)
def test_an_instant_out_of_bounds_is_refused(text: str | float) -> None:
    with pytest.raises(ValueError, match=r" is out of bounds: instants are from 1970 to 2999$"):
        parse_instant(text)


@given(st.integers(0, 32_503_680_000_000).map(lambda milliseconds: milliseconds / 1000))
def test_an_instant_that_is_shown_is_read_as_the_same_to_the_millisecond(instant: float) -> None:
    assert abs(parse_instant(iso(instant)) - instant) < 0.001


@given(st.floats(0, 32_503_680_000))
def test_a_day_in_beijing_begins_eight_hours_before_the_day_in_utc(instant: float) -> None:
    assert beijing_day(instant) == beijing(instant, "%Y%m%d")


def test_beijing_is_eight_hours_ahead_of_utc() -> None:
    assert beijing(START, "%Y-%m-%d %H:%M:%S") == "2026-01-01 08:00:00"
