"""Fixtures: each names its schema and is held against it."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.core.errors import ConfigurationError
from emulator.core.fixtures import Fixtures
from emulator.core.resources import Resource
from emulator.core.schemas import BASE, SchemaRegistry
from tests.support.toy_cloud import resource

CUP = {"$schema": BASE + "toy/cup.json", "size": 3}


def _schemas() -> SchemaRegistry:
    cup = {"type": "object", "required": ["size"], "properties": {"$schema": {}, "size": {"type": "integer"}}}
    return SchemaRegistry({"toy/cup.json": resource("toy/cup.json", cup)})


def _fixtures(documents: dict[str, Any], known: tuple[str, ...] = ("toy/*.json",)) -> Fixtures:
    loaded = {path: Resource(path, f"/data/{path}", document) for path, document in documents.items()}
    return Fixtures(loaded, _schemas(), known)


def _problems(documents: dict[str, Any], known: tuple[str, ...] = ("toy/*.json",)) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        _fixtures(documents, known)
    return [str(problem) for problem in caught.value.problems]


def test_a_document_is_found_by_its_path() -> None:
    assert _fixtures({"toy/big.json": CUP}).get("toy/big.json") == CUP


def test_a_document_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        _fixtures({}).get("toy/big.json")


def test_the_documents_of_a_folder_are_listed_by_path() -> None:
    fixtures = _fixtures({"toy/b/2.json": CUP, "toy/b/1.json": CUP, "toy/a.json": CUP})

    assert [entry.path for entry in fixtures.under("toy/b/")] == ["toy/b/1.json", "toy/b/2.json"]


def test_a_document_that_does_not_fit_its_schema_is_a_problem_with_file_and_pointer() -> None:
    assert _problems({"toy/big.json": {**CUP, "size": "3"}}) == ["/data/toy/big.json#/size: '3' is no integer"]


def test_a_document_that_misses_a_member_is_a_problem() -> None:
    assert _problems({"toy/big.json": {"$schema": CUP["$schema"]}}) == [
        "/data/toy/big.json#/size: size is required but missing"
    ]


@pytest.mark.parametrize("document", [{"size": 3}, {"$schema": "https://json-schema.org/x"}, {"$schema": 1}, [CUP], 3])
def test_a_document_that_names_no_schema_of_ours_is_a_problem(document: Any) -> None:
    assert _problems({"toy/big.json": document}) == [
        "/data/toy/big.json#/$schema: must name the schema of this fixture (https://emulator.invalid/…)"
    ]


def test_a_document_that_names_a_schema_that_is_not_there_is_a_problem_with_the_nearest() -> None:
    assert _problems({"toy/big.json": {"$schema": BASE + "toy/cap.json"}}) == [
        "/data/toy/big.json#/$schema: no schema toy/cap.json; did you mean 'toy/cup.json'?"
    ]


def test_a_document_that_nobody_reads_is_a_problem_with_the_nearest() -> None:
    assert _problems({"toy/cpu.json": CUP}, ("toy/cup.json",)) == [
        "/data/toy/cpu.json: nothing reads toy/cpu.json; did you mean 'toy/cup.json'?"
    ]


def test_every_problem_is_told() -> None:
    assert len(_problems({"toy/1.json": 1, "toy/2.json": CUP, "toy/3.json": {**CUP, "size": None}})) == 2
