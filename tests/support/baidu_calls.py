"""Calls of Baidu's operations without a server."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from emulator.core.emulation import Emulation
from emulator.core.exchange import Outcome
from emulator.core.fetching import Fetched
from tests.support.client import RECOGNISE
from tests.support.clouds import emulation, raw

FORM = "application/x-www-form-urlencoded"
FINANCE = RECOGNISE + "/finance"
TOKEN = "/oauth/2.0/token"
SCHEMA = "https://emulator.invalid/baidu/"


def ask(
    cloud: Emulation, form: dict[str, str], path: str = RECOGNISE, query: str = "", fetched: Fetched | None = None
) -> Outcome:
    """What a form is answered."""
    request = raw(path=path, query=query, body=urlencode(form).encode(), kind=FORM)
    return cloud.pipeline.decide(replace(request, fetched=fetched))


def answer(cloud: Emulation, form: dict[str, str], path: str = RECOGNISE, fetched: Fetched | None = None) -> Any:
    """The JSON of it."""
    return json.loads(ask(cloud, form, path, fetched=fetched).reply.body)


def token(cloud: Emulation, key: str = "KEY", secret: str = "any") -> str:
    """An access token."""
    query = urlencode({"grant_type": "client_credentials", "client_id": key, "client_secret": secret})
    found: str = json.loads(cloud.pipeline.decide(raw("GET", TOKEN, query)).reply.body)["access_token"]
    return found


def fixture(folder: Path, path: str, **document: Any) -> None:
    """Drop a fixture into ``folder``; ``path`` is below ``baidu/``, and its first part names its schema."""
    file = folder / "baidu" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    schema = f"{SCHEMA}{path.partition('/')[0].removesuffix('s')}.json"
    file.write_text(json.dumps({"$schema": schema, **document}, ensure_ascii=False), "utf-8")


def stocked(folder: Path, **settings: Any) -> Emulation:
    """An emulator that does not check tokens and has the fixtures in ``folder`` too."""
    return emulation(**{"auth": "off", "fixtures": (str(folder),), **settings})


def sha(encoded: str) -> str:
    """The SHA-256 of a picture."""
    return hashlib.sha256(base64.b64decode(encoded)).hexdigest()


def words(found: Any) -> dict[str, str]:
    """The words of an answer by their names."""
    return {element["word_name"]: element["word"] for element in found["data"]["ret"]}
