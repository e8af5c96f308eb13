"""Drawn values: amounts in capital figures, check digits, members that agree with each other."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.baidu import generators
from emulator.baidu.generators import Sheet, amount, capital
from emulator.core.ids import Draw

seeds = st.integers(0, 10**6)
_DIGITS = {sign: value for value, sign in enumerate("零壹贰叁肆伍陆柒捌玖")}
_UNITS = {"拾": 10, "佰": 100, "仟": 1000}


def _sheet(seed: int = 1, rows: dict[str, int] | None = None, **wishes: Any) -> Sheet:
    return Sheet({name: ("", wish) for name, wish in wishes.items()}, rows or {}, Draw(seed))


def _value(text: str) -> Decimal:
    """The amount that capital figures mean, read independently of how they are written."""
    text = text.removesuffix("整")
    yuan, _, rest = text.partition("圆") if "圆" in text else ("", "", text)
    total = group = digit = 0
    for sign in yuan:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
        elif sign in _UNITS:
            group += digit * _UNITS[sign]
            digit = 0
        else:
            total += (group + digit) * {"万": 10_000, "亿": 10**8}[sign]
            group = digit = 0
    whole = total + group + digit
    cents = digit = 0
    for sign in rest:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
        else:
            cents += digit * {"角": 10, "分": 1}[sign]
            digit = 0
    return Decimal(whole * 100 + cents) / 100


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0", "零圆整"),
        ("0.05", "伍分"),
        ("0.50", "伍角整"),
        ("1", "壹圆整"),
        ("10", "壹拾圆整"),
        ("100.05", "壹佰圆零伍分"),
        ("123.45", "壹佰贰拾叁圆肆角伍分"),
        ("1005", "壹仟零伍圆整"),
        ("10203.40", "壹万零贰佰零叁圆肆角整"),
        ("100000", "壹拾万圆整"),
        ("100005", "壹拾万零伍圆整"),
        ("360843.26", "叁拾陆万零捌佰肆拾叁圆贰角陆分"),
        ("100000000", "壹亿圆整"),
        ("100020000", "壹亿零贰万圆整"),
        ("-3", "负叁圆整"),
    ],
)
def test_an_amount_is_written_in_capital_figures_as_invoices_do(number: str, text: str) -> None:
    assert capital(Decimal(number)) == text


@given(st.integers(0, 10**12 - 1))
def test_capital_figures_mean_the_amount_that_they_were_made_of(cents: int) -> None:
    number = Decimal(cents) / 100

    assert _value(capital(number)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("54.50", "54.50"), ("￥54.5元", "54.5"), ("13%", "0.13"), ("CNY 1200.00", "1200.00"), ("", "0"), ("免税", "0")],
)
def test_the_number_in_a_text_is_found(text: str, number: str) -> None:
    assert amount(text) == Decimal(number)


@given(seeds)
def test_a_tax_number_has_a_valid_check_digit(seed: int) -> None:
    found = _sheet(seed, a={"checked": "tax_number"}).value("a")
    weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]
    signs = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    rest = sum(signs.index(sign) * weight for sign, weight in zip(found, weights, strict=False)) % 31

    assert len(found) == 18
    assert found[17] == signs[(31 - rest) % 31]


def test_the_check_digit_of_a_tax_number_is_that_of_a_real_one() -> None:
    assert generators.tax_number_check("91110000802100433") == "B"


def test_the_check_digit_of_an_identity_number_is_that_of_the_standards_example() -> None:
    assert generators.identity_check("11010519491231002") == "X"


def test_the_check_digit_of_a_bank_card_is_that_of_a_well_known_example() -> None:
    assert generators.card_check("7992739871") == "3"


def test_the_check_digit_of_a_vehicle_is_that_of_a_well_known_example() -> None:
    assert generators.vehicle_check("1M8GDM9AXKP042788") == "X"


@given(seeds)
def test_a_drawn_vehicle_number_has_a_valid_check_digit(seed: int) -> None:
    found = _sheet(seed, a={"checked": "vin"}).value("a")

    assert re.fullmatch(r"L[0-9A-HJ-NPR-Z]{12}\d{4}", found)
    assert found[8] == generators.vehicle_check(found)


@given(seeds)
def test_a_drawn_identity_number_has_a_valid_check_digit(seed: int) -> None:
    found = _sheet(seed, a={"checked": "identity"}).value("a")

    assert found[17] == generators.identity_check(found[:17])


@given(seeds)
def test_a_sum_is_that_of_its_fields_whichever_is_asked_for_first(seed: int) -> None:
    wishes = {"total": {"sum": ["net", "tax"]}, "net": {"number": [1, 99, 2]}, "tax": {"number": [1, 9, 2]}}
    sheet = _sheet(seed, **wishes)
    total, net, tax = (Decimal(sheet.value(name)) for name in ("total", "net", "tax"))

    assert total == net + tax


@given(seeds, st.integers(0, 6))
def test_a_sum_over_a_column_is_that_of_all_its_rows(seed: int, rows: int) -> None:
    sheet = _sheet(seed, {"T": rows}, **{"all": {"sum": "T#x"}, "T#x": {"number": [1, 99, 2]}})

    assert Decimal(sheet.value("all")) == sum((Decimal(sheet.value("T#x", row)) for row in range(rows)), Decimal())


def test_a_product_is_that_of_its_own_row() -> None:
    sheet = _sheet(3, {"T": 3}, **{
        "T#n": {"number": [1, 9, 0]}, "T#p": {"number": [1, 9, 2]}, "T#a": {"product": ["T#n", "T#p"]},
    })  # fmt: skip

    for row in range(3):
        assert Decimal(sheet.value("T#a", row)) == Decimal(sheet.value("T#n", row)) * Decimal(sheet.value("T#p", row))


def test_a_per_cent_is_a_hundredth_in_a_product() -> None:
    sheet = _sheet(a={"choices": ["200.00"]}, b={"choices": ["13%"]}, c={"product": ["a", "b"]})

    assert sheet.value("c") == "26.00"


@given(seeds)
def test_a_field_that_must_be_unlike_another_is(seed: int) -> None:
    sheet = _sheet(seed, a={"choices": ["北京", "上海"]}, b={"choices": ["北京", "上海"], "unlike": "a"})

    assert sheet.value("a") != sheet.value("b")


def test_fields_of_one_moment_show_the_same_time() -> None:
    sheet = _sheet(a={"time": "%Y%m%d%H", "moment": "m"}, b={"time": "%Y-%m-%d %H", "moment": "m"})

    assert sheet.value("a") == re.sub(r"\D", "", sheet.value("b"))


def test_a_value_is_drawn_once() -> None:
    sheet = _sheet(a={"pattern": "########"}, b={"same": "a"})

    assert sheet.value("b") == sheet.value("a") == sheet.value("a")
