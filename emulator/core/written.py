"""Documents that people write, in YAML or JSON, with the line of each place in them.

YAML is read as its version 1.2 has it, where it means what the same signs mean in JSON: ``on``, ``yes``, ``010`` and
``2026-01-01`` are no booleans, octals and dates. Keys are texts, each there once; tags of programs are refused.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, cast

from emulator.core.documents import read_json, write_json
from emulator.core.errors import ConfigurationError, Problem
from emulator.core.values import value_type

if TYPE_CHECKING:
    from yaml import MappingNode, Node, SafeLoader

SUFFIXES = (".yaml", ".yml", ".json")
MOST_PLACES = 100_000
"""Members and elements that a document may have, each alias counted as what it stands for."""
_TAG = "tag:yaml.org,2002:"
_PLAIN: tuple[tuple[str, str, str], ...] = (
    ("null", r"(?:~|null|Null|NULL|)$", "~nN\0"),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
)
_VALUES: dict[str, Callable[[str], Any]] = {
    "str": str,
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": int,
    "float": float,
}


@value_type
class Written:
    """A document, and the line of each place in it by its JSON pointer."""

    document: Any
    lines: Mapping[str, int]

    def line(self, pointer: str) -> int:
        """The line of the place, or of what it would be in."""
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 1)


def read(name: str, content: bytes) -> Written:
    """The document in ``content``; ``name`` says by its ending whether it is JSON, and is named in problems.

    Raises:
        ConfigurationError: it is malformed; with the lines.

    """
    reading = _Reading(name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError([Problem(name, "", f"not UTF-8: byte {error.start} is {error.reason}")]) from None
    if PurePath(name).suffix != ".json":
        return reading.yaml(text)
    return reading.json(text)


class _Reading:
    """One document being read."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: dict[str, int] = {}
        self._problems: list[Problem] = []

    def yaml(self, text: str) -> Written:
        from yaml import YAMLError

        try:
            node = _loader()(text).get_single_node()
            value = None if node is None else self._value(node, "", ())
            document = read_json(write_json(value))
        except YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            said = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
            where = self._name if mark is None else f"{self._name}:{mark.line + 1}"
            raise ConfigurationError([Problem(where, "", f"not YAML: {said}")]) from None
        except RecursionError:
            raise ConfigurationError([Problem(self._name, "", "it is nested too deeply")]) from None
        except (TypeError, ValueError) as error:
            if not self._problems:
                self._problems.append(Problem(self._name, "", f"it could not be JSON: {error}"))
        if self._problems:
            raise ConfigurationError(self._problems)
        return Written(document, self._lines)

    def json(self, text: str) -> Written:
        from yaml import YAMLError

        try:
            document = read_json(text)
        except ValueError as error:
            found = re.search(r"line (\d+)", str(error))
            where = f"{self._name}:{found[1]}" if found else self._name
            raise ConfigurationError([Problem(where, "", f"not JSON: {error}")]) from None
        try:  # JSON is YAML but for some odd signs: where they are, there are no lines
            node = _loader()(text.replace("\t", " ")).get_single_node()
        except YAMLError:
            return Written(document, {})
        if node is not None:
            self._value(node, "", ())
        if self._problems:
            raise ConfigurationError(self._problems)
        return Written(document, self._lines)

    def _value(self, node: Node, pointer: str, above: tuple[Node, ...]) -> Any:
        if len(self._lines) >= MOST_PLACES:
            raise ValueError(f"it has more than {MOST_PLACES} members and elements")
        self._lines[pointer] = node.start_mark.line + 1
        if any(node is one for one in above):
            return self._wrong(node, pointer, "this stands inside itself")
        above = (*above, node)
        form: str = cast("Any", node).id
        kind = node.tag.removeprefix(_TAG)
        if form == "mapping" and kind == "map":
            return self._members(cast("MappingNode", node), pointer, above)
        if form == "sequence" and kind == "seq":
            return [self._value(part, f"{pointer}/{place}", above) for place, part in enumerate(node.value)]
        if form != "scalar" or kind not in _VALUES:
            return self._wrong(node, pointer, f"the tag {node.tag.replace(_TAG, '!!')} means nothing here")
        try:
            value = _VALUES[kind](node.value)
        except ValueError:
            return self._wrong(node, pointer, f"{node.value[:80]!r} is no {kind}")
        if isinstance(value, float) and not isfinite(value):
            return self._wrong(node, pointer, f"{node.value[:80]!r} is too large a number")
        return value

    def _members(self, node: MappingNode, pointer: str, above: tuple[Node, ...]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        members: dict[str, Any] = {}
        for key, part in node.value:
            if key.id != "scalar":
                self._wrong(key, pointer, "a key must be a text")
                continue
            name: str = key.value
            place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            if name in members:
                line = self._lines[place]
                self._wrong(key, place, f"{name!r} is here already, in line {line}; one of the two has to go")
                continue
            value = self._value(part, place, above)
            if name == "<<" and key.style is None:
                others = value if isinstance(value, list) else [value]
                if not all(isinstance(other, dict) for other in others):
                    self._wrong(key, place, "<< takes over members of other objects, and this is none")
                else:
                    merged = {name: one for other in reversed(others) for name, one in other.items()}
                continue
            self._lines[place] = key.start_mark.line + 1
            members[name] = value
        return {**merged, **members}

    def _wrong(self, node: Node, pointer: str, message: str) -> None:
        self._problems.append(Problem(f"{self._name}:{node.start_mark.line + 1}", pointer, message))


@functools.cache
def _loader() -> type[SafeLoader]:
    """A reader of YAML 1.2's plain values (imported when first needed)."""
    from yaml import SafeLoader

    class Loader(SafeLoader):
        yaml_implicit_resolvers = {}  # noqa: RUF012  the library's own way

    for kind, pattern, first in _PLAIN:
        signs = ["" if sign == "\0" else sign for sign in first]
        Loader.add_implicit_resolver(_TAG + kind, re.compile(pattern), signs)
    return Loader
