"""The shipped data files: complete, consistent, and said where each fact is from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from emulator.core.schemas import BASE
from tests.support.clouds import data, emulation

CLOUDS = ("kingsoft", "baidu")
SCHEMAS, FIXTURES = data()
PROVIDERS = emulation().providers
LISTS = [
    pytest.param(rows, id=f"{cloud}.{name}")
    for cloud in CLOUDS
    for name, rows in FIXTURES.get(f"{cloud}/errors.json")["lists"].items()
]
OF_CLOUDS = [schema for schema in SCHEMAS if schema.id.removeprefix(BASE).startswith(CLOUDS)]


def _name(schema: Any) -> str:
    return str(schema.id.removeprefix(BASE))


def _rows(cloud: str, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = FIXTURES.get(f"{cloud}/errors.json")["lists"][name]
    return found


def _parts(part: Any, pointer: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every subschema with its pointer."""
    if not isinstance(part, dict):
        return
    yield pointer, part
    for keyword in ("properties", "$defs", "patternProperties"):
        for name, member in part.get(keyword, {}).items():
            yield from _parts(member, f"{pointer}/{keyword}/{name}")
    for keyword in ("items", "additionalProperties", "propertyNames", "if", "then", "else", "not"):
        yield from _parts(part.get(keyword), f"{pointer}/{keyword}")
    for keyword in ("allOf", "anyOf", "oneOf", "prefixItems"):
        for index, member in enumerate(part.get(keyword, ())):
            yield from _parts(member, f"{pointer}/{keyword}/{index}")


def _properties(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for pointer, part in _parts(schema.document):
        for name, member in part.get("properties", {}).items():
            yield f"{pointer}/properties/{name}", member


def _codes(named: Any) -> list[Any]:
    return list(named.values()) if isinstance(named, dict) else [named]


@pytest.mark.parametrize("rows", LISTS)
def test_no_code_stands_twice_in_a_list(rows: list[dict[str, Any]]) -> None:
    codes = [row["code"] for row in rows]

    assert sorted(set(codes)) == sorted(codes)


@pytest.mark.parametrize("rows", LISTS)
def test_the_numbers_of_a_list_ascend(rows: list[dict[str, Any]]) -> None:
    numbers = [row["code"] for row in rows if isinstance(row["code"], int)]

    assert all(earlier < later for earlier, later in pairwise(numbers))


def test_all_codes_of_kingsofts_manual_are_there() -> None:
    counts = {
        name: sum(row["code"] != 0 and "seed" in row["source"] for row in _rows("kingsoft", name))
        for name in ("api", "callback")
    }

    assert counts == {"api": 29, "callback": 163}


@pytest.mark.parametrize(("cloud", "name"), [("kingsoft", "api"), ("kingsoft", "callback"), ("baidu", "api")])
def test_success_is_the_first_of_a_list_of_numbers(cloud: str, name: str) -> None:
    first = _rows(cloud, name)[0]

    assert (first["code"], first["gloss"]) == (0, "success")


@pytest.mark.parametrize("schema", OF_CLOUDS, ids=_name)
def test_every_code_that_a_schema_names_is_documented(schema: Any) -> None:
    provider = PROVIDERS[_name(schema).partition("/")[0]]
    known = {row.code for row in provider.errors.rows if row.listed in provider.reply_lists}
    named = {
        (pointer, code)
        for pointer, part in _parts(schema.document)
        for code in _codes(part.get("x-error", []))
        if code != []
    }

    assert {(pointer, code) for pointer, code in named if code not in known} == set()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_code_for_a_violation_is_documented(cloud: str) -> None:
    provider = PROVIDERS[cloud]

    assert "default" in provider.violations
    for code in provider.violations.values():
        assert provider.errors.row(code, *provider.reply_lists).code == code


@pytest.mark.parametrize("schema", OF_CLOUDS, ids=_name)
def test_every_property_says_what_it_means(schema: Any) -> None:
    assert [pointer for pointer, member in _properties(schema) if not member.get("description")] == []


@pytest.mark.parametrize("schema", OF_CLOUDS, ids=_name)
def test_every_property_says_where_it_is_known_from(schema: Any) -> None:
    assert [pointer for pointer, member in _properties(schema) if not member.get("x-source")] == []


@pytest.mark.parametrize("schema", list(SCHEMAS), ids=_name)
def test_every_schema_says_what_it_is(schema: Any) -> None:
    assert schema.document.get("title")
    assert schema.document.get("description")


@pytest.mark.parametrize("schema", list(SCHEMAS), ids=_name)
def test_every_schema_is_one_by_the_book(schema: Any) -> None:
    SCHEMAS.reference(schema.id).check_schema(schema.document)


@pytest.mark.parametrize("schema", list(SCHEMAS), ids=_name)
def test_every_pattern_of_a_schema_holds_for_the_whole_text(schema: Any) -> None:
    patterns = [part["pattern"] for _, part in _parts(schema.document) if "pattern" in part]

    assert [pattern for pattern in patterns if not (pattern.startswith("^") and pattern.endswith("$"))] == []


@pytest.mark.parametrize("path", sorted(FIXTURES.resources))
def test_every_fixture_fits_its_schema_by_both_validators(path: str) -> None:
    document = FIXTURES.get(path)
    uri = document["$schema"]

    assert SCHEMAS.get(uri.removeprefix(BASE)).is_valid(document)
    assert SCHEMAS.reference(uri).is_valid(document)


def test_the_templates_are_named_by_their_sign() -> None:
    named = {resource.path: resource.document["templateSign"] for resource in FIXTURES.under("baidu/templates/")}

    assert {path: f"baidu/templates/{sign}.json" for path, sign in named.items()} == {path: path for path in named}
