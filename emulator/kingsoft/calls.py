"""A call of Kingsoft's API as a client sends it: signed in its query. [docs 2386]"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from emulator.core.documents import write_json
from emulator.core.exchange import Credential, Draft, JsonObject
from emulator.core.operations import Operation
from emulator.kingsoft.requests import BATCH
from emulator.kingsoft.signing import presigned

UNKNOWN = "secret-unknown-here"
"""What signs for an access key whose secret the emulator was never told."""


def draft(
    operation: Operation,
    version: str,
    parameters: JsonObject,
    credential: Credential | None,
    secret: str | None,
    service: str,
    host: str,
    at: float,
) -> Draft:
    """The call, by the documented method: parameters in the query of a GET, else as the JSON of the body."""
    method = operation.methods[0]
    query = {"Action": operation.wire, "Version": version}
    headers: dict[str, str] = {}
    body = b""
    if method == "GET":
        query |= dict(_flat(parameters))
    else:
        alone = operation.wire == BATCH and parameters.keys() == {"Tasks"}
        body = write_json(parameters["Tasks"] if alone else parameters)
        headers["Content-Type"] = "application/json"
    if credential is None:
        note = "it carries no credential: the default account is whose requests have none; make an account to sign"
        return Draft(method, f"/?{urlencode(query)}", headers, body, note)
    note = ""
    if secret is None:
        note = (
            f"the secret of access key {credential.id} is not known here, so another one signs, and nobody verifies it;"
            " make an account to have one"
        )
    text = presigned(method, query, body, host, at, credential.id, secret or UNKNOWN, service)
    return Draft(method, f"/?{text}", headers, body, note)


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Nested members under flat names: ``SrcInfo.0.path``."""
    if isinstance(value, (dict, list)):
        for step, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _flat(member, f"{name}.{step}" if name else str(step))
    elif isinstance(value, str):
        yield name, value
    else:
        yield name, write_json(value).decode()
