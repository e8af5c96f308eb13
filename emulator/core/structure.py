"""Values as plain JSON and back, by their type hints: what a snapshot is written and read with.

Reading is strict: a member too many, one that is missing without a default, and one of another type are all found, each
with its pointer. What a type hint leaves open (``Any``) is taken as it is.

Infinities are the texts ``Infinity`` and ``-Infinity``; bytes are a text where they are UTF-8, else ``{"base64": …}``;
a mapping whose keys are no texts is a list of pairs. A member's leading underscore is not written.
"""

from __future__ import annotations

import binascii
import functools
import math
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from emulator.core.chaos import Chaos
from emulator.core.errors import ConfigurationError, Problem, nearest
from emulator.core.values import value_type

T = TypeVar("T")

LISTED = 20
"""Problems of one document that are told of."""

_INFINITE = {"Infinity": math.inf, "-Infinity": -math.inf}
_NAMED = {"Chaos": Chaos}
"""What some modules import for the type checker only."""
_Place = tuple[Any, str | int] | None
"""Where in a document: the place of what holds it, and the member's name or number."""
_Dump = Callable[[Any], Any]
_Load = Callable[[Any, _Place, list[tuple[_Place, str]]], Any]


@value_type
class _Shape:
    """How values of one type are written and read, and what they are called."""

    called: str
    dump: _Dump
    load: _Load


def dump(hint: Any, value: Any) -> Any:
    """``value``, which is of type ``hint``, as plain JSON. What is plain already is not copied."""
    return _shape(hint).dump(value)


def load(hint: Callable[..., T], document: Any, where: str, pointer: str = "") -> T:
    """The value of type ``hint`` that ``document`` was made of, which stands at ``pointer`` of ``where``.

    Raises:
        ConfigurationError: it is of another form.

    """
    mistakes: list[tuple[_Place, str]] = []
    found = _shape(hint).load(document, None, mistakes)
    if mistakes:
        listed = mistakes[:LISTED]
        raise ConfigurationError([Problem(where, pointer + _pointer(place), message) for place, message in listed])
    return cast("T", found)


def _pointer(place: _Place) -> str:
    parts: list[str] = []
    while place is not None:
        place, part = place
        parts.append("/" + str(part).replace("~", "~0").replace("/", "~1"))
    return "".join(reversed(parts))


@functools.cache
def _shape(hint: Any) -> _Shape:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if origin is Literal:
        return _one_of(arguments)
    if origin in (Union, UnionType):
        return _either([_shape(argument) for argument in arguments])
    if origin is tuple and arguments[-1] is not Ellipsis:
        return _row([_shape(argument) for argument in arguments])
    if origin in _LISTS:
        return _list(_LISTS[origin], _shape(arguments[0]), unordered=origin is set)
    if origin in (dict, Mapping):
        return _object(_shape(arguments[1])) if arguments[0] is str else _pairs(*map(_shape, arguments))
    if is_dataclass(hint):
        return _members(cast("type", hint))
    raise TypeError(f"nothing is known of how {hint} is written")


def _simple(called: str, fits: Callable[[Any], bool], dump: _Dump = lambda value: value) -> _Shape:
    def load(document: Any, place: _Place, mistakes: list[tuple[_Place, str]]) -> Any:
        if not fits(document):
            mistakes.append((place, f"is {_shown(document)}, not {called}"))
        return document

    return _Shape(called, dump, load)


def _dump_number(value: float) -> float | str:
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


def _load_number(document: Any, place: _Place, mistakes: list[tuple[_Place, str]]) -> Any:
    if document.__class__ in (float, int):
        return document
    if document.__class__ is str and document in _INFINITE:
        return _INFINITE[document]
    mistakes.append((place, f"is {_shown(document)}, not a number"))
    return 0.0


def _dump_bytes(value: bytes) -> Any:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(value).decode()}


def _load_bytes(document: Any, place: _Place, mistakes: list[tuple[_Place, str]]) -> bytes:
    match document:
        case str():
            return document.encode()
        case {"base64": str() as text}:
            try:
                return b64decode(text, validate=True)
            except (binascii.Error, ValueError) as error:
                mistakes.append(((place, "base64"), f"is no base64: {error}"))
        case _:
            mistakes.append((place, f"is {_shown(document)}, neither a text nor base64"))
    return b""


_NULL = _simple("null", lambda document: document is None)
_PLAIN: dict[Any, _Shape] = {
    None: _NULL,
    NoneType: _NULL,
    Any: _Shape("anything", lambda value: value, lambda document, place, mistakes: document),
    bool: _simple("true or false", lambda document: document.__class__ is bool),
    int: _simple("a whole number", lambda document: document.__class__ is int),
    float: _Shape("a number", _dump_number, _load_number),
    str: _simple("a text", lambda document: document.__class__ is str),
    bytes: _Shape("a text", _dump_bytes, _load_bytes),
    dict[str, Any]: _simple("an object", lambda document: document.__class__ is dict),
}
_LISTS: dict[Any, Callable[[Iterable[Any]], Any]] = {
    tuple: tuple,
    list: list,
    set: set,
    deque: deque,
    Sequence: tuple,
}


def _one_of(values: tuple[Any, ...]) -> _Shape:
    allowed = {(value.__class__, value) for value in values}
    return _simple(
        "one of " + ", ".join(str(value) for value in values),
        lambda document: document.__class__ in (str, int, bool) and (document.__class__, document) in allowed,
    )


def _either(arms: list[_Shape]) -> _Shape:
    others = [arm for arm in arms if arm is not _NULL]
    if len(others) == 1:
        only = others[0]
        return _Shape(
            f"{only.called} or null",
            lambda value: None if value is None else only.dump(value),
            lambda document, place, mistakes: None if document is None else only.load(document, place, mistakes),
        )
    if any(arm not in _PLAIN.values() for arm in arms):
        raise TypeError(f"cannot tell {' from '.join(arm.called for arm in arms)}")
    called = " or ".join(arm.called for arm in arms)

    def load(document: Any, place: _Place, mistakes: list[tuple[_Place, str]]) -> Any:
        for arm in arms:
            found: list[tuple[_Place, str]] = []
            value = arm.load(document, place, found)
            if not found:
                return value
        mistakes.append((place, f"is {_shown(document)}, not {called}"))
        return None

    return _Shape(called, lambda value: value, load)


def _row(parts: list[_Shape]) -> _Shape:
    called = f"a list of {len(parts)}"

    def load(document: Any, place: _Place, mistakes: list[tuple[_Place, str]]) -> Any:
        if document.__class__ is not list or len(document) != len(parts):
            mistakes.append((place, f"is {_shown(document)}, not {called}"))
            return None
        return tuple(
            part.load(entry, (place, number), mistakes)
            for number, (part, entry) in enumerate(zip(parts, document, strict=True))
        )

    return _Shape(called, lambda value: [part.dump(entry) for part, entry in zip(parts, value, strict=True)], load)


def _list(make: Callable[[Iterable[Any]], Any], entry: _Shape, *, unordered: bool) -> _Shape:
    def load(document: Any, place: _Place, mistakes: list[tuple[_Place, str]]) -> Any:
        if document.__class__ is not list:
            mistakes.append((place, f"is {_shown(document)}, not a list"))
            return make(())
        return make([entry.load(member, (place, number), mistakes) for number, member in enumerate(document)])

    return _Shape(
        "a list", lambda value: [entry.dump(member) for member in (sorted(value) if unordered else value)], load
    )


def _object(entry: _Shape) -> _Shape:
    def load(document: Any, place: _Place, mistakes: list[tuple[_Place, str]]) -> Any:
        if document.__class__ is not dict:
            mistakes.append((place, f"is {_shown(document)}, not an object"))
            return {}
        return {name: entry.load(member, (place, name), mistakes) for name, member in document.items()}

    return _Shape("an object", lambda value: {name: entry.dump(member) for name, member in value.items()}, load)


def _pairs(key: _Shape, entry: _Shape) -> _Shape:
    pair = _list(list, _row([key, entry]), unordered=False)

    def load(document: Any, place: _Place, mistakes: list[tuple[_Place, str]]) -> Any:
        before = len(mistakes)
        found = pair.load(document, place, mistakes)
        return dict(found) if len(mistakes) == before else {}

    return _Shape("a list of pairs", lambda value: pair.dump(value.items()), load)


def _members(cls: type) -> _Shape:
    hints = get_type_hints(cls, localns=_NAMED)
    rows = [(member.name.lstrip("_"), member.name, _shape(hints[member.name]), member) for member in fields(cls)]
    known = {name for name, *_ in rows}
    readers = [(name, shape.load, _default(member)) for name, _, shape, member in rows]
    writers = [(name, inner, shape.dump) for name, inner, shape, _ in rows]

    def write(value: Any) -> Any:
        return {name: dump(getattr(value, inner)) for name, inner, dump in writers}

    def load(document: Any, place: _Place, mistakes: list[tuple[_Place, str]]) -> Any:
        if document.__class__ is not dict:
            mistakes.append((place, f"is {_shown(document)}, not an object"))
            return None
        given: list[Any] = []
        for name, read, default in readers:
            if name in document:
                given.append(read(document[name], (place, name), mistakes))
            elif default is not None:
                given.append(default())
            else:
                mistakes.append(((place, name), "is missing"))
                given.append(None)
        if unknown := document.keys() - known:
            mistakes.extend(((place, name), f"is not known{nearest(name, known)}") for name in sorted(unknown))
        return cls(*given)

    return _Shape("an object", write, load)


def _default(member: Any) -> Callable[[], Any] | None:
    if member.default is not MISSING:
        value = member.default
        return lambda: value
    if member.default_factory is not MISSING:
        made: Callable[[], Any] = member.default_factory
        return made
    return None


def _shown(document: Any) -> str:
    """``document`` in a message: itself if it is short, else what it is."""
    match document:
        case None:
            return "null"
        case dict():
            return "an object"
        case list():
            return f"a list of {len(document)}"
        case bool():
            return "true" if document else "false"
    text = repr(document)
    return text if len(text) <= 60 else text[:57] + "…"
