"""Values: frozen to the type checker, plain to the interpreter.

A frozen dataclass checks at run time what mypy has checked already, and takes four to six times as long to make; a
request is a dozen such values. It also takes three times as long to define, and there are a hundred of them to define
before the emulator is ready.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value_type(cls: type[T]) -> type[T]:
    """Make ``cls`` a dataclass with slots, equality and a hash, whose members are never assigned again."""
    made: Any = dataclass(slots=True, eq=False, repr=False)(cls)
    names = tuple(member.name for member in fields(made))
    parts = attrgetter(*names) if names else type

    def equal(self: Any, other: Any) -> Any:
        return parts(self) == parts(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(parts(self))

    def shown(self: Any) -> str:
        return f"{made.__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    made.__eq__, made.__hash__ = equal, hashed
    if cls.__repr__ is object.__repr__:
        made.__repr__ = shown
    found: type[T] = made
    return found
