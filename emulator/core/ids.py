"""Chance: every id and every drawn value comes from a hash of what it is for.

The same seed, account, operation and meaning give the same value in any order, in any process and on any
version of Python. Nothing outside this module asks the machine for chance.
"""

from __future__ import annotations

import functools
import math
import secrets
from collections.abc import Sequence
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from faker import Faker

T = TypeVar("T")


def fresh_seed() -> int:
    """A seed that nobody chose; printed at start so that the run can be repeated."""
    return secrets.randbelow(10**9)


def fresh_token() -> str:
    """A secret that cannot be guessed, for the admin API."""
    return secrets.token_urlsafe(24)


def digest(*meaning: object, size: int = 16) -> str:
    """``size`` bytes, as lower-case hex, that depend on ``meaning`` alone."""
    return blake2b("\x1f".join(map(str, meaning)).encode(), digest_size=size).hexdigest()


class Draw:
    """Values drawn for one purpose.

    Only ``random()`` of the standard generator is used: it is the one method whose sequence Python promises
    to keep between versions.
    """

    __slots__ = ("_next", "_random", "seed")

    def __init__(self, *meaning: object) -> None:
        self.seed = int(digest(*meaning, size=8), 16)
        self._random = Random(self.seed)
        self._next = self._random.random

    def fraction(self) -> float:
        """A number from 0 up to, not including, 1."""
        return self._next()

    def between(self, low: float, high: float) -> float:
        """A number from ``low`` to ``high``."""
        return low if high <= low else low + self._next() * (high - low)

    def integer(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + int(self._next() * (high - low + 1))

    def normal(self) -> float:
        """A number of the standard normal distribution."""
        return math.sqrt(-2 * math.log(1 - self._next())) * math.cos(2 * math.pi * self._next())

    def choice(self, options: Sequence[T]) -> T:
        """One of ``options``."""
        return options[int(self._next() * len(options))]

    def digits(self, pattern: str) -> str:
        """``pattern`` with each ``#`` replaced by a digit and each ``?`` by a capital letter."""
        return "".join(
            str(self.integer(0, 9)) if sign == "#" else chr(65 + self.integer(0, 25)) if sign == "?" else sign
            for sign in pattern
        )

    def faker(self) -> Faker:
        """Faker for Chinese data, seeded for this purpose (imported when first needed: it takes 0.1 s)."""
        chinese = _chinese_faker()
        chinese.seed_instance(int(self._next() * 2**53))
        return chinese


@functools.cache
def _chinese_faker() -> Faker:
    from faker import Faker

    return Faker("zh_CN")
