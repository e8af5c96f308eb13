"""Kingsoft's bodies: a flat object with ``ErrNum`` and ``ErrMsg``; the gateway's ``Error`` object. [seed, docs 82]"""

from __future__ import annotations

from emulator.core.documents import write_json
from emulator.core.errors import ApiError, ErrorRow
from emulator.core.exchange import JsonObject, Reply
from emulator.core.ids import digest

HEADERS = {"Content-Type": "application/json;charset=UTF-8", "Server": "ksyun-open-platform"}


def success(payload: JsonObject) -> Reply:
    """A payload, with the success members behind it."""
    return Reply(200, HEADERS, write_json({**payload, "ErrNum": 0, "ErrMsg": "success"}))


def failure(row: ErrorRow, error: ApiError, request_meaning: object) -> Reply:
    """The refusal ``error``, whose row is ``row``.

    Numbered codes come with status 200 and ``ErrNum``. [ksc-kvs-sdk, sdk-php] Named ones come from the gateway in
    front of the service, with their own status and a ``RequestId``. [docs 82, docs 1077]
    """
    message = row.says(error)
    if row.listed != "gateway":
        return Reply(row.status, HEADERS, write_json({"ErrNum": row.code, "ErrMsg": message}))
    side = "Receiver" if row.status >= 500 else "Sender"
    body = {"RequestId": _request_id(request_meaning), "Error": {"Type": side, "Code": row.code, "Message": message}}
    return Reply(row.status, HEADERS, write_json(body))


def _request_id(meaning: object) -> str:
    text = digest("RequestId", meaning)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
