"""Reads Kingsoft's requests as real clients send them.

``Action`` and ``Version`` come in one of four places: the query, the headers ``X-Action`` and ``X-Version``
(the vendor's older Python SDK sends them nowhere else), a form body, a JSON body. Parameters come in the query,
in a JSON body, or in a form whose lists are flattened (``SrcInfo.0.path=…``).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from emulator.core.documents import read_json
from emulator.core.errors import ApiError
from emulator.core.exchange import JsonObject, RawRequest
from emulator.core.forms import read_form, read_query
from emulator.core.values import value_type
from emulator.kingsoft.signing import CredentialScope, read_scope

_COMMON = frozenset(
    {"Action", "Version", "Service", "SdkVersion", "Region", "Accesskey", "Language", "DryRun", "Authorization"}
)
BATCH = "BatchCreateTask"
"""The one operation whose body is a JSON array; its members are the parameter ``Tasks`` here. [sdk-php]"""
_PART = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|[^"/\s]|[/"]')
_JSON_STARTS = (b"{", b"[")
_UTF8_MARK = b"\xef\xbb\xbf"


@value_type
class Reading:
    """What a request says.

    Attributes:
        action, version: as sent; empty if not.
        scope: who signed.
        texts: parameters that came as text, not yet coerced.
        document: parameters that came as JSON.
        refusal: why the body could not be read.

    """

    action: str
    version: str
    scope: CredentialScope | None
    texts: JsonObject
    document: JsonObject
    refusal: ApiError | None


def read(request: RawRequest, *, lenient_json: bool) -> Reading:
    """Read ``request``; what is wrong with it is in the result."""
    query, own = _read_query(request.query)
    headers = request.headers
    body, texts, refusal = _read_body(request, lenient_json)
    document: JsonObject = body if isinstance(body, dict) else {}
    action = query.get("Action") or headers.get("X-Action") or _text(document, texts, "Action") or _target(headers)
    if isinstance(body, list):
        if action.strip() == BATCH:
            document = {"Tasks": body}
        else:
            refusal = ApiError(1010, "the body is a JSON array; an object is expected")
    version = query.get("Version") or headers.get("X-Version") or _text(document, texts, "Version")
    if own:
        texts = {**_unflattened(own), **texts}
    return Reading(
        action.strip(), version.strip(), read_scope(query, headers.get("Authorization")), texts, document, refusal
    )


@functools.lru_cache(maxsize=256)
def _read_query(query: str) -> tuple[Mapping[str, str], tuple[tuple[str, str], ...]]:
    """The members of a query, and those of them that are the operation's own parameters."""
    members = dict(read_query(query))
    own = ((name, value) for name, value in members.items() if name not in _COMMON and not name.startswith("X-Amz-"))
    return members, tuple(own)


def _read_body(request: RawRequest, lenient: bool) -> tuple[JsonObject | list[Any], JsonObject, ApiError | None]:
    """A JSON body, those of a form, and why neither could be read."""
    if request.fault is not None:
        return {}, {}, ApiError(1010, request.fault_reason)
    content = request.content.removeprefix(_UTF8_MARK).strip() if request.content else b""
    if not content:
        return {}, {}, None
    if not content.startswith(_JSON_STARTS) and _media_type(request) == "application/x-www-form-urlencoded":
        return {}, _unflattened(read_form(content)), None
    try:
        document = parse_json(content, lenient=lenient)
    except ValueError as error:
        return {}, {}, ApiError(1010, f"the body is not JSON: {error}{_advice(_media_type(request), content)}")
    if not isinstance(document, dict | list):
        return {}, {}, ApiError(1010, f"the body is a JSON {_kind(document)}; an object is expected")
    return document, {}, None


def parse_json(content: bytes | str, *, lenient: bool) -> Any:
    """Strict JSON, or, where ``lenient``, also JSON with trailing commas and ``//`` comments.

    Raises:
        ValueError: it is not JSON; the message says where.

    """
    try:
        return read_json(content)
    except ValueError:
        if not lenient:
            raise
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    return read_json(_without_slips(text))


def _without_slips(text: str) -> str:
    """``text`` without ``//`` comments and without the comma between a member and a closing bracket."""
    kept = [""]
    for part in _PART.findall(text):
        if part.startswith("//"):
            continue
        if part in "}]" and kept[-1] == "," and kept[-2] not in "[{,":
            kept.pop()
        kept.append(part)
    return "".join(kept)


def _media_type(request: RawRequest) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _advice(kind: str, content: bytes) -> str:
    if kind not in ("", "application/json"):
        return f" (Content-Type is {kind}; application/json is expected)"
    if re.search(rb",\s*[}\]]", content):
        return " (it has a trailing comma; --lenient-json accepts those)"
    return ""


def _kind(value: Any) -> str:
    return {list: "array", str: "string", bool: "boolean", type(None): "null"}.get(type(value), "number")


def _text(document: JsonObject, texts: JsonObject, name: str) -> str:
    value = document.get(name) or texts.get(name)
    return value if isinstance(value, str) else ""


def _target(headers: Any) -> str:
    """The action in ``X-Amz-Target: kvs.<Action>``."""
    target = headers.get("X-Amz-Target", "")
    return str(target).rpartition(".")[2]


def _unflattened(pairs: Iterable[tuple[str, str]]) -> JsonObject:
    """Nested members of flat names: ``SrcInfo.0.path`` is the member ``path`` of the first of ``SrcInfo``."""
    tree: JsonObject = {}
    for name, value in pairs:
        *path, last = name.split(".")
        place = tree
        for step in path[:8]:
            below = place.setdefault(step, {})
            if not isinstance(below, dict):
                below = place[step] = {}
            place = below
        place[last] = value
    return {name: _as_list(value) for name, value in tree.items()}


def _as_list(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    members = {name: _as_list(entry) for name, entry in value.items()}
    if members and all(name.isdecimal() and len(name) < 4 for name in members):
        return [members[name] for name in sorted(members, key=int)]
    return members
