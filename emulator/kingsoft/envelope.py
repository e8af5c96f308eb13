"""Kingsoft's bodies: a flat object with ``ErrNum`` and ``ErrMsg``; the gateway's ``Error`` object. [seed, docs 82]"""

from __future__ import annotations

from typing import Any

from emulator.core.documents import write_json
from emulator.core.errors import ApiError, ErrorRow
from emulator.core.exchange import JsonObject, Reply
from emulator.core.ids import digest

HEADERS = {"Content-Type": "application/json;charset=UTF-8", "Server": "ksyun-open-platform"}


def success(payload: JsonObject, *, camel: bool = False) -> Reply:
    """A payload, with the success members behind it."""
    return _reply(200, {**payload, "ErrNum": 0, "ErrMsg": "success"}, camel)


def failure(row: ErrorRow, error: ApiError, request_meaning: object, *, camel: bool = False) -> Reply:
    """The refusal ``error``, whose row is ``row``.

    Numbered codes come with status 200 and ``ErrNum``. [ksc-kvs-sdk, sdk-php] Named ones come from the gateway in
    front of the service, with their own status and a ``RequestId``. [docs 82, docs 1077]
    """
    message = row.says(error)
    if row.listed != "gateway":
        return _reply(row.status, {"ErrNum": row.code, "ErrMsg": message}, camel)
    side = "Receiver" if row.status >= 500 else "Sender"
    body = {"RequestId": _request_id(request_meaning), "Error": {"Type": side, "Code": row.code, "Message": message}}
    return Reply(row.status, HEADERS, write_json(body))


def _reply(status: int, document: JsonObject, camel: bool) -> Reply:
    return Reply(status, HEADERS, write_json(_legacy(document) if camel else document))


_WHOLE_LOWER = {"TaskID": "taskid", "PresetDetail": "presetdetail", "PresetType": "presettype"}


def _legacy(part: Any) -> Any:
    """``part`` with the keys of 2016, which begin in lower case; a template's ``Param`` stays. [book, sdk-java]"""
    if isinstance(part, list):
        return [_legacy(entry) for entry in part]
    if not isinstance(part, dict):
        return part
    return {
        _WHOLE_LOWER.get(name, name[:1].lower() + name[1:]): value if name == "Param" else _legacy(value)
        for name, value in part.items()
    }


def _request_id(meaning: object) -> str:
    text = digest("RequestId", meaning)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
