"""Baidu's bodies. Errors of the API come with status 200; those of the token endpoint with their own."""

from __future__ import annotations

import json

from emulator.core.documents import write_json
from emulator.core.errors import ApiError, ErrorRow
from emulator.core.exchange import JsonObject, Reply

HEADERS = {"Content-Type": "application/json"}
TOKEN_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}
_DESCRIPTION_FIRST = frozenset({"unknown client id", "The request is missing a required parameter"})


def answer(payload: JsonObject) -> Reply:
    """A recognition's answer: Chinese as raw UTF-8, as in every real one."""
    return Reply(200, HEADERS, write_json(payload))


def token(payload: JsonObject) -> Reply:
    """A token: ASCII, and slashes escaped, as in every real one. [docs Pk38y8m7k]"""
    text = json.dumps(payload, separators=(",", ":")).replace("/", "\\/")
    return Reply(200, TOKEN_HEADERS, text.encode())


def failure(row: ErrorRow, error: ApiError, log_id: str, gateway_log_id: str | None) -> Reply:
    """The refusal ``error``, whose row is ``row``, in the shape that its source uses. [docs Ak3h7y8q6, forum 943599]

    Args:
        row: the row of its code.
        error: what is refused.
        log_id: the id in errors of the engine.
        gateway_log_id: the id in errors of the gateway; ``None``: they have none. [docs dk3h7y5vr]

    """
    message = row.says(error)
    if row.listed == "oauth":
        members: list[tuple[str, object]] = [("error", row.code), ("error_description", message)]
        ordered = reversed(members) if message in _DESCRIPTION_FIRST else members
        return Reply(row.status, TOKEN_HEADERS, write_json(dict(ordered)) + b"\n")
    body: JsonObject = {"error_code": row.code, "error_msg": message}
    if row.shape == "engine":
        data = {"isStructured": False, "logId": log_id}
        body = {"data": data, **body}
        if error.variant == "detector":  # the order of the one real answer [forum 951876]
            body = {"error_msg": message, "data": data, "error_code": row.code}
    elif gateway_log_id is not None:
        body = {"log_id": gateway_log_id, **body}
    return Reply(row.status, HEADERS, write_json(body))
