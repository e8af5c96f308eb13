"""Baidu's bodies. Errors of the API come with status 200; those of the token endpoint with their own."""

from __future__ import annotations

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
    """A token. [docs Pk38y8m7k]"""
    return Reply(200, TOKEN_HEADERS, write_json(payload))


def failure(row: ErrorRow, error: ApiError, log_id: str) -> Reply:
    """The refusal ``error``, whose row is ``row``, in the shape that its source uses. [docs Ak3h7y8q6, forum 943599]"""
    message = row.says(error)
    if row.listed == "oauth":
        members: list[tuple[str, object]] = [("error", row.code), ("error_description", message)]
        ordered = reversed(members) if message in _DESCRIPTION_FIRST else members
        return Reply(row.status, TOKEN_HEADERS, write_json(dict(ordered)) + b"\n")
    body: JsonObject = {"error_code": row.code, "error_msg": message}
    if row.shape == "engine":
        body = {"data": {"isStructured": False, "logId": log_id}, **body}
    return Reply(row.status, HEADERS, write_json(body))
