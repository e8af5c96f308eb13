"""Chance: drawn values depend on what they are for, and on nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.ids import Draw, digest, fresh_seed, fresh_token


def test_a_digest_is_the_same_on_every_version_of_python() -> None:
    assert digest(7, "default", "TaskID", 0) == "d2f651fe9323a7f45035e89498cb2a79"


def test_a_digest_is_as_long_as_asked_for() -> None:
    assert digest("a", size=4) == "ca234c55"


@given(st.lists(st.text(), min_size=1, max_size=4), st.integers(1, 64))
def test_a_digest_has_two_hex_digits_for_each_byte(meaning: list[str], size: int) -> None:
    found = digest(*meaning, size=size)

    assert len(found) == 2 * size
    assert set(found) <= set("0123456789abcdef")


def test_the_parts_of_a_meaning_are_kept_apart() -> None:
    assert digest("ab", "c") != digest("a", "bc")


def test_the_fractions_drawn_are_the_same_on_every_version_of_python() -> None:
    draw = Draw(7, "default", "tea")

    assert [draw.fraction() for _ in range(3)] == [0.9645620226238608, 0.5879714386056091, 0.81237292893817]


def test_every_other_draw_is_the_same_on_every_version_of_python() -> None:
    draw = Draw(7, "default", "tea")

    drawn = (draw.integer(1, 6), draw.between(0.5, 2.5), draw.choice(("green", "black", "white")), draw.digits("?#-##"))

    assert drawn == (6, 1.6759428772112182, "white", "A7-22")


def test_the_same_meaning_draws_the_same() -> None:
    first, second = Draw(1, "a"), Draw(1, "a")

    assert [first.fraction() for _ in range(20)] == [second.fraction() for _ in range(20)]


def test_another_meaning_draws_something_else() -> None:
    assert Draw(1, "a").fraction() != Draw(1, "b").fraction()


def test_what_is_drawn_for_one_meaning_does_not_depend_on_what_was_drawn_for_another_before() -> None:
    alone = Draw(1, "a").fraction()
    other = Draw(1, "b")
    for _ in range(10):
        other.fraction()

    assert Draw(1, "a").fraction() == alone


def test_draws_that_take_turns_do_not_disturb_each_other() -> None:
    alone = [Draw(1, "a").fraction(), Draw(1, "b").fraction()]
    first, second = Draw(1, "a"), Draw(1, "b")

    assert [first.fraction(), second.fraction()] == alone


@given(st.integers(), st.integers(-(10**9), 10**9), st.integers(0, 10**9))
def test_a_drawn_whole_number_lies_within_its_bounds(meaning: int, low: int, width: int) -> None:
    draw = Draw(meaning)

    assert all(low <= draw.integer(low, low + width) <= low + width for _ in range(10))


def test_both_bounds_of_a_whole_number_are_drawn() -> None:
    draw = Draw("dice")

    assert {draw.integer(1, 6) for _ in range(200)} == {1, 2, 3, 4, 5, 6}


@given(st.integers(), st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_a_drawn_number_lies_within_its_bounds(meaning: int, low: float, width: float) -> None:
    high = low + width
    draw = Draw(meaning)

    assert all(low <= draw.between(low, high) <= high for _ in range(10))


def test_between_two_equal_bounds_there_is_one_number() -> None:
    assert Draw("x").between(3.5, 3.5) == 3.5


@given(st.integers(), st.lists(st.integers(), min_size=1, max_size=20))
def test_a_choice_is_one_of_the_options(meaning: int, options: list[int]) -> None:
    draw = Draw(meaning)

    assert all(draw.choice(options) in options for _ in range(10))


def test_every_option_is_chosen_some_time() -> None:
    draw = Draw("tea")

    assert {draw.choice("abc") for _ in range(100)} == {"a", "b", "c"}


@given(st.integers(), st.text(alphabet="#?ab座-", max_size=20))
def test_a_pattern_keeps_its_length_and_all_but_its_two_signs(meaning: int, pattern: str) -> None:
    drawn = Draw(meaning).digits(pattern)

    assert len(drawn) == len(pattern)
    for sign, found in zip(pattern, drawn, strict=True):
        if sign == "#":
            assert found in "0123456789"
        elif sign == "?":
            assert found in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        else:
            assert found == sign


def test_faker_draws_the_same_name_for_the_same_meaning() -> None:
    assert Draw(7, "name").faker().name() == Draw(7, "name").faker().name()


def test_faker_draws_chinese_names() -> None:
    name = Draw(7, "name").faker().name()

    assert all("\u4e00" <= sign <= "\u9fff" for sign in name)


def test_what_faker_drew_for_one_meaning_does_not_disturb_another() -> None:
    alone = [Draw(7, "a").faker().name(), Draw(7, "b").faker().name()]
    first, second = Draw(7, "a"), Draw(7, "b")

    assert [first.faker().name(), second.faker().name()] == alone


def test_a_fresh_seed_may_be_given_as_a_setting() -> None:
    assert all(0 <= fresh_seed() < 10**9 for _ in range(20))


@pytest.mark.parametrize("make", [fresh_seed, fresh_token])
def test_what_is_fresh_is_never_the_same_twice(make: object) -> None:
    assert len({make() for _ in range(5)}) == 5  # type: ignore[operator]
