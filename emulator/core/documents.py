"""JSON: read from outside, strictly and within bounds; written."""

from __future__ import annotations

from typing import Any

import orjson

DEEPEST = 64
"""Levels of nesting that a document may have; what is deeper could be read, but not everywhere written again."""


def read_json(content: bytes | str, deepest: int = DEEPEST) -> Any:
    """The document in ``content``, which may have ``deepest`` levels of nesting.

    Raises:
        ValueError: it is not JSON, or nested too deeply; the message says where or how.

    """
    document = orjson.loads(content)
    if (content.count(b"[") + content.count(b"{") if isinstance(content, bytes) else len(content)) > deepest:
        _bound_depth(document, deepest)
    return document


def write_json(document: Any) -> bytes:
    """``document`` as compact JSON, in a block of its own size: what a journal or a ledger keeps has to be small.

    The library's block is at least a kilobyte, of which most is empty.
    """
    return bytes(memoryview(orjson.dumps(document)))


def _bound_depth(document: Any, deepest: int) -> None:
    level, depth = [document], 0
    while level:
        depth += 1
        if depth > deepest:
            raise ValueError(f"it is nested more than {deepest} levels deep")
        level = [
            member
            for entry in level
            if isinstance(entry, (dict, list))
            for member in (entry.values() if isinstance(entry, dict) else entry)
            if isinstance(member, (dict, list))
        ]
