"""Two validators, one verdict: on every shipped schema, for documents that fit and for many that just do not."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from emulator.core import resources
from emulator.core.schemas import BASE, Schema, SchemaRegistry

REGISTRY = SchemaRegistry(resources.load("schemas"))
PATHS = sorted(schema.id.removeprefix(BASE) for schema in REGISTRY)
ODD_TEXTS = [
    "\n",
    "\r\n",
    " ",
    "\t",
    "\x1c",
    "\x85",
    "\xa0",
    "\u2028",
    "\ufeff",
    "\u200b",
    "٣",
    "é",
    "𝟘",
    "\x00",
    "$",
    "\\",
]
ODD_NUMBERS = [0, 1, -1, 0.0, 1.0, -0.0, 0.5, 99.999999, 1e18, 2**53, 2**63, 2**64, 10**30, 1e308, -(2**63), 1e-300]
ODD_VALUES: list[Any] = [None, True, False, "", [], {}, "a", 0, 1.0, 0.5, -1, 2**64]


def _disagreement(schema: Schema, document: Any) -> str:
    """What the two validators say, where they do not say the same."""
    decides, explains = schema.is_valid(document), REGISTRY.reference(schema.id).is_valid(document)
    if decides == explains:
        return ""
    return f"{schema.id}: jsonschema_rs {decides}, jsonschema {explains}: {json.dumps(document)[:500]}"


def _documents(base: str, part: Any) -> st.SearchStrategy[Any]:
    """Documents that fit the schema ``part`` of the file ``base``, or nearly: conditions are not looked at."""
    if not isinstance(part, dict):
        return st.sampled_from(ODD_VALUES)
    while "$ref" in part:
        base, part = _followed(base, part)
    if "const" in part:
        return st.just(part["const"])
    if "enum" in part:
        return st.sampled_from(part["enum"])
    types = part.get("type", ())
    named = [types] if isinstance(types, str) else types
    kinds = [_GENERATORS[name](base, part) for name in named]
    return st.one_of(kinds) if kinds else st.sampled_from(ODD_VALUES)


def _text(base: str, part: dict[str, Any]) -> st.SearchStrategy[str]:
    if "pattern" in part:
        return st.from_regex(part["pattern"])
    return st.text(min_size=part.get("minLength", 0), max_size=min(part.get("maxLength", 20), 20))


def _whole(base: str, part: dict[str, Any]) -> st.SearchStrategy[int]:
    return st.integers(part.get("minimum"), part.get("maximum"))


def _number(base: str, part: dict[str, Any]) -> st.SearchStrategy[float]:
    least = part.get("minimum", part.get("exclusiveMinimum"))
    most = part.get("maximum", part.get("exclusiveMaximum"))
    return st.floats(least, most, allow_nan=False, allow_infinity=False)


def _list(base: str, part: dict[str, Any]) -> st.SearchStrategy[list[Any]]:
    least = part.get("minItems", 0)
    return st.lists(_documents(base, part.get("items")), min_size=least, max_size=min(part.get("maxItems", 3), 3))


def _object(base: str, part: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    members = {name: _documents(base, member) for name, member in part.get("properties", {}).items()}
    required = {name: members.get(name, st.none()) for name in part.get("required", ())}
    optional = {name: member for name, member in members.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)


_GENERATORS: dict[str, Any] = {
    "string": _text,
    "integer": _whole,
    "number": _number,
    "array": _list,
    "object": _object,
    "boolean": lambda base, part: st.booleans(),
    "null": lambda base, part: st.none(),
}


def _followed(base: str, part: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The file that a reference leads to, and the schema there with what stands beside the reference."""
    name, _, fragment = part["$ref"].partition("#")
    base = str(Path(base).parent / name) if name else base
    found: Any = REGISTRY.get(base).document
    for step in fragment.split("/")[1:]:
        found = found[step]
    return base, {**found, **{key: value for key, value in part.items() if key != "$ref"}}


def _places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every part of a document and the way to it."""
    yield path, document
    entries = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in entries:
        yield from _places(value, (*path, key))


def _replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(document)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


def _without(document: Any, path: tuple[Any, ...]) -> Any:
    changed = copy.deepcopy(document)
    place = changed
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return changed


def _neighbours(value: Any) -> list[Any]:
    """Values that are almost ``value``."""
    if isinstance(value, bool):
        return [int(value), str(value)]
    if isinstance(value, (int, float)):
        near = [value + 1, value - 1, float(value), str(value), value + 0.5, *ODD_NUMBERS]
        return [*near, math.nextafter(value, math.inf)] if abs(value) < 1e300 else near
    if isinstance(value, str):
        odd = [value + sign for sign in ODD_TEXTS] + [sign + value for sign in ODD_TEXTS[::4]]
        return [*odd, value[:-1], value * 50, value.upper(), [value]]
    if isinstance(value, list):
        return [value + value, value * 21, [value], [*value, None], {}]
    if isinstance(value, dict):
        return [{**value, "unknown": 1}, {**value, "": None}, [value], list(value)]
    return []


def _mutations(document: Any) -> Iterator[Any]:
    """Documents that differ from ``document`` in one place."""
    for path, value in _places(document):
        for other in [*_neighbours(value), *ODD_VALUES]:
            yield _replaced(document, path, other)
        if path:
            yield _without(document, path)


VALID: dict[str, list[Any]] = {
    "emulator/plan.json": [
        {
            "queue": "1s",
            "run": ["500ms", 20],
            "upload": 2.5,
            "progress": [10, 99.5],
            "outcome": {"fail": "boiled over", "at": "80%"},
            "deliver": {"attempts": 3, "backoff": "1m", "timeout": 0.5},
        },
        {"progress": {"transcoding": [1], "uploading": [0]}, "outcome": "hang"},
        {"outcome": {"vanish": True, "at": "99.999%"}},
    ],
    "emulator/rule.json": [
        {
            "name": "the second one fails",
            "when": {"operation": "kingsoft.*", "params": {"type": "object"}},
            "times": {"skip": 1, "first": 1, "every": 2, "probability": 0.5},
            "then": {"error": {"code": 1001, "message": "no"}, "plan": {"run": "1s"}, "latency": ["1s", "2s"]},
        },
    ],
    "emulator/clock.json": [
        {"mode": "scaled", "speed": 60, "now": 1767225600},
        {"mode": "frozen", "now": "2026-01-01"},
    ],
    "emulator/account.json": [
        {
            "name": "mine",
            "kingsoft": {"access_key": "AK", "secret_key": "s"},
            "baidu": {"api_key": "AK", "secret_key": "s"},
            "seed": 7,
            "responses": "random",
            "clock": {"mode": "real"},
        }
    ],
    "emulator/advance.json": [{"seconds": "10m"}, {"to": 1767225600}, {"until": "idle"}],
    "kingsoft/CreateTask.request.json": [
        {
            "Preset": "hd_mp4",
            "SrcInfo": [{"path": "/src/in.mp4", "index": 0, "type": "video"}],
            "DstBucket": "dst-bucket",
            "DstDir": "out",
            "DstObjectKey": "out/a.mp4",
            "DstAcl": "private",
            "Pipeline": "usual",
            "IsTop": 1,
            "CbMethod": "POST",
            "CbUrl": "http://cup.test/",
            "ExtParam": "{}",
        }
    ],
    "kingsoft/CreateWaveTask.request.json": [
        {
            "Preset": "wave",
            "SrcInfo": {"path": "/src/in.mp3"},
            "DstBucket": "dst-bucket",
            "DstObjectKey": "a.json",
            "points": 11,
        },
        {
            "Preset": "wave",
            "SrcInfo": [{"path": "/src/in.mp3"}],
            "DstBucket": "dst-bucket",
            "DstObjectKey": "a.json",
            "points": 4095,
        },
    ],
    "kingsoft/GetTaskByTaskID.request.json": [{"TaskID": "0" * 32 + "20260101"}],
    "kingsoft/ExtParam.json": [
        {
            "Callback": {"progress_cburl": "http://cup.test/", "progress_cbmethod": "POST", "progress_interval": 2},
            "ss": "1.5",
            "duration": 3,
            "vol_percent": 100,
            "mulHlsRate": 1,
            "passParams": {"a": "b"},
            "LOGOS": [[{"dx": "0.1", "dy": 3, "disable_scale": 0}]],
            "ts_acl": "private",
        }
    ],
    "baidu/iocr.recognise.request.json": [
        {"templateSign": "a", "image": "AA=="},
        {"classifierId": "1", "url": "http://cup.test/a.png"},
        {"classifierId": "1", "pdf_file": "AA=="},
    ],
    "baidu/oauth.token.request.json": [
        {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"},
    ],
}
"""Documents that fit and use every member; their mutations are tried one by one."""


@pytest.mark.parametrize("path", sorted(VALID))
def test_both_validators_accept_documents_that_fit(path: str) -> None:
    schema = REGISTRY.get(path)

    assert [(schema.is_valid(document), _disagreement(schema, document)) for document in VALID[path]] == [
        (True, "") for _ in VALID[path]
    ]


@pytest.mark.parametrize("path", sorted(VALID))
def test_both_validators_say_the_same_of_documents_that_differ_in_one_place(path: str) -> None:
    schema = REGISTRY.get(path)
    found = [_disagreement(schema, changed) for document in VALID[path] for changed in _mutations(document)]

    assert [line for line in found if line] == []


@pytest.mark.parametrize("path", sorted(VALID))
def test_every_document_that_is_refused_can_be_explained(path: str) -> None:
    schema = REGISTRY.get(path)

    for changed in _mutations(VALID[path][0]):
        assert schema.is_valid(changed) or schema.explain(changed).message


@pytest.mark.parametrize("path", sorted(resources.load("fixtures")))
def test_both_validators_say_the_same_of_fixtures_that_differ_in_one_place(path: str) -> None:
    document = resources.load("fixtures")[path].document
    schema = REGISTRY.get(document["$schema"].removeprefix(BASE))
    short = _shortened(document)
    found = [_disagreement(schema, changed) for changed in _mutations(short)]

    assert [line for line in found if line] == []


def _shortened(document: Any) -> Any:
    """A few elements of each list stand for all."""
    if isinstance(document, list):
        return [_shortened(entry) for entry in document[:2]]
    if isinstance(document, dict):
        return {name: _shortened(entry) for name, entry in document.items()}
    return document


@pytest.mark.parametrize("path", PATHS)
def test_both_validators_say_the_same_of_generated_documents(path: str) -> None:
    schema = REGISTRY.get(path)

    @settings(max_examples=20, phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        document = data.draw(_documents(path, schema.document))
        assert _disagreement(schema, document) == ""
        place, value = data.draw(st.sampled_from(list(_places(document))))
        other = data.draw(st.sampled_from([*_neighbours(value), *ODD_VALUES]))
        assert _disagreement(schema, _replaced(document, place, other)) == ""

    check()
