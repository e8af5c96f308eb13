"""A call of Baidu's API as a client sends it: a form, with an access token in the query. [docs Tk6z52d7c]"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from emulator.baidu.operations import TOKEN
from emulator.core.documents import write_json
from emulator.core.exchange import Credential, Draft, JsonObject
from emulator.core.operations import Operation

UNKNOWN = "secret-unknown-here"
"""The secret of an API key that the emulator was never told."""
_FORM = "application/x-www-form-urlencoded"


def draft(
    operation: Operation, parameters: JsonObject, credential: Credential | None, secret: str | None, token: str
) -> Draft:
    """The call: of the token with key and secret, where ``parameters`` leaves them out; of all else with ``token``."""
    given = {name: _text(value) for name, value in parameters.items()}
    note = ""
    if credential is None:
        note = "it carries no credential: the default account has none for Baidu; make an account to have a token"
    if operation.name == TOKEN:
        own = {"client_id": credential.id, "client_secret": secret or UNKNOWN} if credential is not None else {}
        if credential is not None and secret is None and "client_secret" not in given:
            note = f"the secret of API key {credential.id} is not known here, so any other one does"
        return Draft(operation.methods[0], f"{operation.wire}?{urlencode({**own, **given})}", {}, b"", note)
    target = operation.wire
    if token and "access_token" not in given:
        target += f"?{urlencode({'access_token': token})}"
    return Draft(operation.methods[0], target, {"Content-Type": _FORM}, urlencode(given).encode(), note)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else write_json(value).decode()
