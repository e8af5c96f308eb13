"""Holds documents against ``schemas/`` with the reference validator, JSON inside strings included."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

_SCHEMAS = Path(__file__).parents[2] / "schemas"


def misfits(path: str, document: Any) -> list[str]:
    """Everything that the schema of ``path`` has against ``document``."""
    return [f"{error.json_path}: {error.message}" for error in _validator(path).iter_errors(document)]


@functools.cache
def _validator(path: str) -> Any:
    documents = [json.loads(file.read_text("utf-8")) for file in sorted(_SCHEMAS.rglob("*.json"))]
    registry = Registry().with_resources((found["$id"], DRAFT202012.create_resource(found)) for found in documents)
    checking = extend(Draft202012Validator, {"contentSchema": _content})
    schema = next(found for found in documents if found["$id"].endswith(f"/{path}"))
    return checking(schema, registry=registry)


def _content(validator: Any, schema: Any, text: Any, _: Any) -> Iterator[ValidationError]:
    """The keyword ``contentSchema``, which by itself checks nothing. An empty text holds no document."""
    if not isinstance(text, str) or not text:
        return
    try:
        document = json.loads(text)
    except ValueError as error:
        yield ValidationError(f"{text!r} is not JSON: {error}")
        return
    yield from validator.descend(document, schema)
