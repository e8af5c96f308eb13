"""How the value of a field is drawn: plausible Chinese data, whose members agree with each other.

A generator is one member of a field's ``draw``. Those that look at other fields name them; a column of a table is named
``table#column``: within its own row, or all its rows where they are added up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from emulator.core.clock import beijing
from emulator.core.exchange import JsonObject
from emulator.core.ids import Draw

_YEARS = 3 * 365 * 86400
_EPOCH = 1_700_000_000
"""Drawn moments lie in the three years before this instant, so that they do not depend on when they are drawn."""
_CENT = Decimal("0.01")
_REFERRING = ("same", "capital", "sum", "product")
_TRIES = 20


def references(wish: JsonObject) -> list[str]:
    """The fields that a ``draw`` looks at."""
    named = [name for kind in _REFERRING if kind in wish for name in _listed(wish[kind])]
    return [*named, *_listed(wish.get("unlike", []))]


class Sheet:
    """The values of one document, each drawn when it is first asked for.

    Args:
        wishes: for each field its canned word and its ``draw``; columns under ``table#column``.
        rows: for each table, how many rows it has.
        draw: what they are drawn from.

    """

    def __init__(
        self, wishes: Mapping[str, tuple[str, JsonObject | None]], rows: Mapping[str, int], draw: Draw
    ) -> None:
        self._wishes = wishes
        self._rows = rows
        self._draw = draw
        self._known: dict[tuple[str, int], str] = {}
        self._moments: dict[str, int] = {}

    def value(self, name: str, row: int = 0) -> str:
        """The value of the field ``name``; of a column, in its row ``row``."""
        key = (name, row if "#" in name else 0)
        if key not in self._known:
            word, wish = self._wishes[name]
            self._known[key] = word if wish is None else self._drawn(wish, row)
        return self._known[key]

    def _drawn(self, wish: JsonObject, row: int) -> str:
        others = {self.value(name, row) for name in _listed(wish.get("unlike", []))}
        text = self._once(wish, row)
        for _ in range(_TRIES):
            if text not in others:
                break
            text = self._once(wish, row)
        return text

    def _once(self, wish: JsonObject, row: int) -> str:
        draw = self._draw
        prefix, suffix = draw.choice(wish.get("prefix", ("",))), draw.choice(wish.get("suffix", ("",)))
        kind = next((name for name in _GENERATORS if name in wish), None)
        middle = _GENERATORS[kind](self, wish, row) if kind is not None else ""
        return f"{prefix}{middle}{suffix}"

    def _time(self, wish: JsonObject, row: int) -> str:
        named = wish.get("moment")
        ago = self._moments.get(named) if named is not None else None
        if ago is None:
            ago = self._draw.integer(0, _YEARS)
            if named is not None:
                self._moments[named] = ago
        return beijing(_EPOCH - ago, wish["time"])

    def _capital(self, wish: JsonObject, row: int) -> str:
        return capital(amount(self.value(wish["capital"], row)))

    def _sum(self, wish: JsonObject, row: int) -> str:
        return money(
            sum((amount(self.value(name, line)) for name, line in self._lines(_listed(wish["sum"]))), Decimal())
        )

    def _product(self, wish: JsonObject, row: int) -> str:
        found = Decimal(1)
        for name in _listed(wish["product"]):
            found *= amount(self.value(name, row))
        return money(found)

    def _lines(self, names: Iterable[str]) -> Iterable[tuple[str, int]]:
        for name in names:
            table, column, _ = name.partition("#")
            for line in range(self._rows[table] if column else 1):
                yield name, line

    def _number(self, wish: JsonObject, row: int) -> str:
        least, greatest, decimals = wish["number"]
        return f"{self._draw.between(least, greatest):.{int(decimals)}f}"

    def _faker(self, wish: JsonObject, row: int) -> str:
        return str(getattr(self._draw.faker(), wish["faker"])())

    def _same(self, wish: JsonObject, row: int) -> str:
        return self.value(wish["same"], row)

    def _pattern(self, wish: JsonObject, row: int) -> str:
        return self._draw.digits(wish["pattern"])

    def _choices(self, wish: JsonObject, row: int) -> str:
        return str(self._draw.choice(wish["choices"]))

    def _checked(self, wish: JsonObject, row: int) -> str:
        return CHECKED[wish["checked"]](self._draw)


_GENERATORS: dict[str, Callable[[Sheet, JsonObject, int], str]] = {
    "faker": Sheet._faker,
    "pattern": Sheet._pattern,
    "choices": Sheet._choices,
    "number": Sheet._number,
    "time": Sheet._time,
    "same": Sheet._same,
    "capital": Sheet._capital,
    "sum": Sheet._sum,
    "product": Sheet._product,
    "checked": Sheet._checked,
}


# Amounts


def amount(text: str) -> Decimal:
    """The number in ``text``: ``13%`` is 0.13; signs of currency are passed over; what is none is 0."""
    digits = "".join(sign for sign in text if sign.isascii() and (sign.isdigit() or sign in ".-"))
    try:
        found = Decimal(digits)
    except ArithmeticError:
        return Decimal()
    return found / 100 if text.rstrip().endswith("%") else found


def money(number: Decimal) -> str:
    """``number`` with two decimals."""
    return str(number.quantize(_CENT, ROUND_HALF_UP))


_FIGURES = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")


def capital(number: Decimal) -> str:
    """``number`` of yuan as invoices write it: ``壹佰贰拾叁圆肆角伍分``, ``壹仟零伍圆整``."""
    cents = int(abs(number.quantize(_CENT, ROUND_HALF_UP)) * 100)
    yuan, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    text = "负" if number < 0 else ""
    if yuan:
        text += f"{_whole(yuan)}圆"
    if not cents:
        return "零圆整"
    if jiao:
        text += f"{_FIGURES[jiao]}角"
    elif yuan and fen:
        text += "零"
    return text + (f"{_FIGURES[fen]}分" if fen else "整")


def _whole(number: int) -> str:
    groups: list[int] = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    text = ""
    gap = False
    for place in reversed(range(len(groups))):
        group = groups[place]
        if group and text and (gap or group < 1000):
            text += "零"
        gap = not group
        if group:
            text += _group(group) + _GROUPS[place]
    return text


def _group(number: int) -> str:
    text = ""
    pending = False
    for place in reversed(range(4)):
        figure = number // 10**place % 10
        if figure:
            text += ("零" if pending and text else "") + _FIGURES[figure] + _PLACES[place]
            pending = False
        else:
            pending = True
    return text


# Numbers with a check digit

_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VIN = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
_VIN_VALUES = {sign: value for signs, value in zip(
    ("0", "1AJ", "2BKS", "3CLT", "4DMU", "5ENV", "6FW", "7GPX", "8HY", "9RZ"), range(10), strict=True
) for sign in signs}  # fmt: skip
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_REGIONS = ("110105", "310115", "440305", "330106", "510107", "420111", "320106", "610113", "370202", "500112")


def tax_number_check(seventeen: str) -> str:
    """The check digit of a unified social credit code. [GB 32100]"""
    total = sum(_USCC.index(sign) * pow(3, place, 31) for place, sign in enumerate(seventeen))
    return _USCC[-total % 31]


def identity_check(seventeen: str) -> str:
    """The check digit of a citizen's identity number. [GB 11643]"""
    total = sum(int(sign) * pow(2, 17 - place, 11) for place, sign in enumerate(seventeen))
    return "10X98765432"[total % 11]


def vehicle_check(vin: str) -> str:
    """The check digit of a vehicle's identification number, which stands in its ninth place. [GB 16735]"""
    total = sum(_VIN_VALUES[sign] * weight for sign, weight in zip(vin, _VIN_WEIGHTS, strict=True))
    return "0123456789X"[total % 11]


def card_check(digits: str) -> str:
    """The check digit of a bank card. [ISO 7812]"""
    doubled = (int(sign) * (2 - place % 2) for place, sign in enumerate(reversed(digits)))
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def _tax_number(draw: Draw) -> str:
    body = "91" + draw.choice(_REGIONS) + "MA" + "".join(draw.choice(_USCC) for _ in range(7))
    return body + tax_number_check(body)


def _identity(draw: Draw) -> str:
    born = beijing(631_152_000 + draw.integer(0, 15 * 365) * 86400, "%Y%m%d")
    body = draw.choice(_REGIONS) + born + draw.digits("###")
    return body + identity_check(body)


def _vehicle(draw: Draw) -> str:
    drawn = "L" + "".join(draw.choice(_VIN) for _ in range(12)) + draw.digits("####")
    return drawn[:8] + vehicle_check(drawn) + drawn[9:]


def _card(draw: Draw) -> str:
    body = draw.choice(("622202", "621700", "622848", "621661")) + draw.digits("############")
    return body + card_check(body)


CHECKED: dict[str, Callable[[Draw], str]] = {
    "tax_number": _tax_number,
    "identity": _identity,
    "vin": _vehicle,
    "bank_card": _card,
}
"""Generators of numbers with a valid check digit."""


def _listed(named: Any) -> list[str]:
    return [named] if isinstance(named, str) else list(named)
