"""Values of the hot path: frozen to the type checker, plain to the interpreter.

A frozen dataclass checks at run time what mypy has checked already, and takes four to six times as long to make;
a request is a dozen such values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value_type(cls: type[T]) -> type[T]:
    """Make ``cls`` a dataclass with slots, equality and a hash, whose members are never assigned again."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
