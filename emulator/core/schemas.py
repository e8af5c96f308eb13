"""The schema registry: every JSON Schema compiled at boot, and what a violation means to the vendor.

Two validators, one verdict: ``jsonschema_rs`` decides (half a microsecond), ``jsonschema`` explains a refusal
and is imported when the first one happens (it takes 0.1 s). A test holds the two to the same verdict.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urldefrag, urljoin

import jsonschema_rs

from emulator.core.errors import Code, ConfigurationError, Problem, nearest
from emulator.core.resources import Resource
from emulator.core.values import value_type

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError
    from jsonschema_rs import Draft202012Validator as Validator

DIALECT = "https://json-schema.org/draft/2020-12/schema"
BASE = "https://emulator.invalid/"
_JSON_NUMBER = re.compile(
    r"-?(?:0|[1-9][0-9]{0,17})(?P<fraction>\.[0-9]{1,18}(?:[eE][+-]?[0-9]{1,2})?|[eE][+-]?[0-9]{1,2})?"
)


@value_type
class Violation:
    """The first rule that a document breaks, in the order of the schema.

    Attributes:
        pointer: where in the document.
        keyword: the rule's JSON Schema keyword; ``required`` points at the missing member.
        message: what was found and what is expected, in plain words.
        code: the vendor's code, where the schema names one (``x-error``).
        source: where the rule comes from (``x-source``).

    """

    pointer: str
    keyword: str
    message: str
    code: Code | None
    source: str

    def __str__(self) -> str:
        return f"{self.pointer or 'the document'}: {self.message}" + (f" [{self.source}]" if self.source else "")


class Schema:
    """One schema, compiled when it is first needed."""

    def __init__(self, registry: SchemaRegistry, document: dict[str, Any]) -> None:
        self._registry = registry
        self.document = document
        self.id: str = document.get("$id", "")

    @functools.cached_property
    def is_valid(self) -> Callable[[Any], bool]:
        """Whether a value fits."""
        return self._validator.is_valid

    @functools.cached_property
    def _validator(self) -> Validator:
        return self._registry.compiled(self.document)

    @functools.cached_property
    def _empty_is_absent(self) -> frozenset[str]:
        parts = self.document.get("properties", {})
        if self.document.get("x-empty") == "absent":
            return frozenset(parts)
        resolved = {name: self._registry.resolve(self.id, part)[1] for name, part in parts.items()}
        return frozenset(name for name, part in resolved.items() if part.get("x-empty") == "absent")

    def without_empty(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """``parameters`` without those whose empty text means that they were not sent (``x-empty``)."""
        if "" not in parameters.values():
            return parameters
        absent = self._empty_is_absent
        return {name: value for name, value in parameters.items() if value != "" or name not in absent}

    def coerced(self, value: Any) -> Any:
        """``value``, whose leaves are texts (from a query or a form), with numbers where the schema wants them.

        What does not convert stays a text, for the validation to name it.
        """
        return self._registry.coerce(self.id, self.document, value)

    def explain(self, instance: Any) -> Violation:
        """The violation that ``is_valid`` found: the first one in the order of the schema.

        Raises:
            ValueError: the document is valid.

        """
        errors = sorted(self._registry.reference(self.id).iter_errors(instance), key=self._order)
        if errors:
            return _violation(errors[0], lambda part: self._registry.resolve(self.id, part)[1])
        for found in self._validator.iter_errors(instance):  # the two disagree; the one that decides is right
            return Violation(_pointer(found.instance_path), found.kind.name, found.message[:200], None, "")
        raise ValueError(f"{self.id} has nothing against the document")

    def _order(self, error: ValidationError) -> tuple[Any, ...]:
        """Missing members first, in the order of ``required``; then conditions; then members in their order."""
        path = list(error.absolute_path)
        known = list(self.document.get("properties", {}))
        place = known.index(path[0]) if path and path[0] in known else -1
        steps = [(0, part, "") if isinstance(part, int) else (1, 0, part) for part in path]
        return (len(path) > 0, place, error.validator != "required", steps)


class SchemaRegistry:
    """Every schema in force, cross-checked.

    Args:
        resources: what was loaded.
        trusted: whether the shipped ones are compiled and their references followed when they are first needed, and
            not before: that takes a millisecond each, and the tests have done it. A user's own are compiled at once in
            any case; where there is one, all references are followed.

    Raises:
        ConfigurationError: with every file and pointer at fault.

    """

    def __init__(self, resources: Mapping[str, Resource], *, trusted: bool = False) -> None:
        self._documents: dict[str, dict[str, Any]] = {}
        self._origins: dict[str, str] = {}
        self._reference: dict[str, Draft202012Validator] = {}
        self._reference_registry: Any = None
        problems = list(self._register(resources.values()))
        if problems:
            raise ConfigurationError(problems)
        if not trusted or any(resource.user for resource in resources.values()):
            self._follow()
        self._registry = jsonschema_rs.Registry(list(self._documents.items()))
        self._schemas = {uri: Schema(self, document) for uri, document in self._documents.items()}
        own = {BASE + resource.path for resource in resources.values() if resource.user or not trusted}
        self._compile(uri for uri in self._schemas if uri in own)

    def __iter__(self) -> Iterator[Schema]:
        return iter(self._schemas.values())

    def matcher(self, document: dict[str, Any]) -> Callable[[Any], bool]:
        """Whether a value fits ``document``, a schema that may refer to the registered ones.

        Raises:
            ValueError: it is no schema, or it refers to nothing.

        """
        return self.compiled(document).is_valid

    def compiled(self, document: dict[str, Any]) -> Validator:
        """The deciding validator of ``document``.

        Raises:
            ValueError: it is no schema, or it refers to nothing.

        """
        return jsonschema_rs.Draft202012Validator(document, registry=self._registry, offline=True)

    def get(self, path: str) -> Schema:
        """The schema of ``path`` (``kingsoft/CreateTask.request.json``).

        Raises:
            LookupError: there is none; the message names the nearest.

        """
        try:
            return self._schemas[BASE + path]
        except KeyError:
            known = [uri.removeprefix(BASE) for uri in self._schemas]
            raise LookupError(f"no schema {path}{nearest(path, known)}") from None

    def has(self, path: str) -> bool:
        """Whether there is a schema of that path."""
        return BASE + path in self._schemas

    def check(self, path: str, document: Any, where: str) -> None:
        """Hold something that a person wrote against the schema of ``path``.

        Raises:
            ConfigurationError: it does not fit.

        """
        schema = self.get(path)
        if not schema.is_valid(document):
            found = schema.explain(document)
            raise ConfigurationError([Problem(where, found.pointer, found.message)])

    def _compile(self, uris: Iterable[str]) -> None:
        problems = []
        for uri in uris:
            try:
                _ = self._schemas[uri].is_valid
            except ValueError as error:
                problems.append(Problem(self._origins[uri], "", f"no valid schema: {_first_line(error)}"))
        if problems:
            raise ConfigurationError(problems)

    def _follow(self) -> None:
        problems = [problem for uri in self._documents for problem in self._dangling(uri)]
        if problems:
            raise ConfigurationError(problems)

    def recheck(self) -> None:
        """Follow every reference and compile every schema; hold each against its meta-schema, which says where.

        Raises:
            ConfigurationError: with every file at fault.

        """
        from jsonschema.exceptions import SchemaError

        self._follow()
        self._compile(self._schemas)
        problems = []
        for uri, document in self._documents.items():
            try:
                self.reference(uri).check_schema(document)
            except SchemaError as error:
                problems.append(Problem(self._origins[uri], _pointer(error.absolute_path), error.message))
        if problems:
            raise ConfigurationError(problems)

    def reference(self, uri: str) -> Draft202012Validator:
        """The explaining validator of a registered schema."""
        if uri not in self._reference:
            self._reference[uri] = self._explaining(self._documents[uri])
        return self._reference[uri]

    def _explaining(self, document: dict[str, Any]) -> Draft202012Validator:
        from jsonschema import Draft202012Validator
        from jsonschema.validators import extend
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012

        if self._reference_registry is None:
            # Without $schema: behind a $ref, that would bring back the library's own class with its own `pattern`.
            bare = {
                uri: {key: part for key, part in document.items() if key != "$schema"}
                for uri, document in self._documents.items()
            }
            resources = ((uri, DRAFT202012.create_resource(document)) for uri, document in bare.items())
            self._reference_registry = Registry().with_resources(resources)
        explaining: type[Draft202012Validator] = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]  # jsonschema's own
        return explaining(document, registry=self._reference_registry)

    def resolve(self, base: str, part: Any) -> tuple[str, dict[str, Any]]:
        """``part`` of the schema ``base`` with what it refers to underneath it, and the schema that that is in."""
        part = part if isinstance(part, dict) else {}
        while "$ref" in part:
            base, fragment = _joined(base, part["$ref"])
            target = _at(self._documents[base], fragment)
            beside = {key: value for key, value in part.items() if key != "$ref"}
            part = {**(target if isinstance(target, dict) else {}), **beside}
        return base, part

    def coerce(self, base: str, part: Any, value: Any) -> Any:
        """See :meth:`Schema.coerced`."""
        base, part = self.resolve(base, part)
        match value:
            case str():
                return _number(value, part.get("type", ()))
            case dict():
                members = part.get("properties", {})
                return {
                    name: self.coerce(base, members[name], entry) if name in members else entry
                    for name, entry in value.items()
                }
            case list() if "items" in part:
                return [self.coerce(base, part["items"], entry) for entry in value]
        return value

    def _register(self, resources: Iterable[Resource]) -> Iterator[Problem]:
        for resource in resources:
            document, expected = resource.document, BASE + resource.path
            if not isinstance(document, dict) or document.get("$schema") != DIALECT:
                yield Problem(resource.origin, "/$schema", f"must be {DIALECT}")
            elif document.get("$id") != expected:
                yield Problem(resource.origin, "/$id", f"must be {expected}, as the file's place says")
            else:
                self._documents[expected] = document
                self._origins[expected] = resource.origin

    def _dangling(self, uri: str) -> Iterator[Problem]:
        for pointer, reference in _references(self._documents[uri]):
            target, fragment = _joined(uri, reference)
            if target not in self._documents:
                hint = nearest(target, self._documents)
                yield Problem(self._origins[uri], pointer, f"$ref to {reference}: no such schema{hint}")
            elif (found := _at(self._documents[target], fragment)) is None:
                yield Problem(self._origins[uri], pointer, f"$ref to {reference}: nothing at #{fragment}")
            elif isinstance(found, dict) and "$ref" in found and self._is_endless(uri, reference):
                yield Problem(self._origins[uri], pointer, f"$ref to {reference}: it refers to itself without end")

    def _is_endless(self, base: str, reference: str) -> bool:
        """Whether ``reference`` leads to a reference that leads back to it. One that leads nowhere ends there."""
        seen: set[str] = set()
        place = urljoin(base, reference)
        while place not in seen:
            seen.add(place)
            target, fragment = urldefrag(place)
            found = _at(self._documents.get(target), fragment)
            if not isinstance(found, dict) or not isinstance(found.get("$ref"), str):
                return False
            place = urljoin(target, found["$ref"])
        return True


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword ``pattern`` by the expressions of the validator that decides: Python's mean other things."""
    from jsonschema.exceptions import ValidationError

    if not _pattern_alone(pattern)(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


@functools.cache
def _pattern_alone(pattern: str) -> Callable[[Any], bool]:
    return jsonschema_rs.Draft202012Validator({"pattern": pattern}).is_valid


@functools.lru_cache(maxsize=1024)
def _joined(base: str, reference: str) -> tuple[str, str]:
    """The schema that ``reference`` means in the schema ``base``, and the place in it."""
    target, fragment = urldefrag(urljoin(base, reference))
    return target, fragment


def _references(part: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref" and isinstance(value, str):
                yield f"{pointer}/$ref", value
            else:
                yield from _references(value, f"{pointer}/{key}")
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield from _references(value, f"{pointer}/{index}")


def _number(text: str, types: Any) -> Any:
    """``text`` as the JSON number that one of ``types`` wants, else ``text``."""
    wanted = (types,) if isinstance(types, str) else tuple(types)
    if "string" in wanted or not ({"integer", "number"} & set(wanted)):
        return text
    found = _JSON_NUMBER.fullmatch(text)
    if found is None:
        return text
    return int(text) if found["fraction"] is None else float(text) if "number" in wanted else text


def _at(document: Any, fragment: str) -> Any:
    """What the JSON pointer ``fragment`` of a reference leads to; ``None`` if nothing."""
    for step in unquote(fragment).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list):
            document = document[int(name)] if name.isdecimal() and int(name) < len(document) else None
        else:
            document = document.get(name) if isinstance(document, dict) else None
    return document


def _violation(error: ValidationError, resolve: Callable[[dict[str, Any]], dict[str, Any]]) -> Violation:
    keyword, rule = str(error.validator), cast("Any", error.validator_value)
    path = list(error.absolute_path)
    schema = error.schema if isinstance(error.schema, dict) else {}
    if keyword == "required":
        missing = next(name for name in rule if name not in cast("Any", error.instance))
        member = schema.get("properties", {}).get(missing, {})
        member = member if path else resolve(member)
        code, source = _code(member, keyword, missing=True), member.get("x-source", "")
        return Violation(_pointer([*path, missing]), keyword, f"{missing} is required but missing", code, source)
    code, parent = _code(schema, keyword), error.parent
    while code is None and parent is not None:
        code, parent = _code(parent.schema, keyword), parent.parent
    message = _wording(keyword, rule, error.instance, schema) or str(error.message)[:200]
    return Violation(_pointer(path), keyword, message, code, schema.get("x-source", ""))


def _code(schema: Any, keyword: str, *, missing: bool = False) -> Code | None:
    named = schema.get("x-error") if isinstance(schema, dict) else None
    if isinstance(named, dict):
        found: Code | None = named.get(keyword) if missing else named.get(keyword, named.get("default"))
        return found
    return None if missing else named


def _wording(keyword: str, rule: Any, instance: Any, schema: dict[str, Any]) -> str:
    """What was found and what is expected; empty for a keyword that needs no better words than the library's."""
    found = repr(instance)
    found = found if len(found) <= 80 else f"{found[:77]}…"
    match keyword:
        case "anyOf" if all(isinstance(option, dict) and "required" in option for option in rule):
            return f"one of {', '.join(' and '.join(option['required']) for option in rule)} is required"
        case "type":
            return f"{found} is no {rule if isinstance(rule, str) else ' or '.join(rule)}"
        case "minimum" | "maximum" if "minimum" in schema and "maximum" in schema:
            return f"{found} is not from {schema['minimum']} to {schema['maximum']}"
        case "const":
            return f"{found} is not {rule!r}"
        case "enum":
            return f"{found} is none of {', '.join(map(repr, rule))}"
        case "pattern":
            return f"{found} does not match {rule}"
        case "additionalProperties":
            known = schema.get("properties", {})
            extra = next((name for name in instance if name not in known), "")
            return f"{extra!r} is not known here{nearest(extra, known)}"
        case "minLength" | "maxLength":
            return f"{len(instance)} characters; {keyword} is {rule}"
        case "minItems" | "maxItems":
            return f"{len(instance)} elements; {keyword} is {rule}"
    return ""


def _pointer(path: Iterable[object]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
