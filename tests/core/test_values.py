"""Values of the hot path: equal if their members are, usable as keys, without room for more."""

from __future__ import annotations

import dataclasses

import pytest

from emulator.core.exchange import Credential
from emulator.core.values import value_type


@value_type
class Cup:
    size: int
    leaf: str = "green"


def test_a_value_is_made_of_its_members_in_order() -> None:
    assert (Cup(3).size, Cup(3).leaf, Cup(4, "black").leaf) == (3, "green", "black")


def test_values_are_equal_if_their_members_are() -> None:
    assert Cup(3) == Cup(3, "green") != Cup(4)


def test_equal_values_are_one_key() -> None:
    assert len({Cup(3), Cup(3, "green"), Cup(4)}) == 2


def test_a_value_has_no_room_for_other_members() -> None:
    with pytest.raises(AttributeError):
        Cup(3).milk = True  # type: ignore[attr-defined]


def test_a_value_with_another_member_is_another_value() -> None:
    assert dataclasses.replace(Cup(3), leaf="black") == Cup(3, "black")


def test_a_credential_is_a_key() -> None:
    assert {Credential("toy", "key", "K1"): 1}[Credential("toy", "key", "K1")] == 1
