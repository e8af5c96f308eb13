"""Holds answers of the admin API against its own description."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema_rs

from tests.support.client import Answered, Client

PREFIX = "/_emulator"


class Described:
    """The admin API of a running emulator, with what its OpenAPI document says of it.

    Attributes:
        document: that document.
        seen: each operation and status that was answered so far.

    """

    def __init__(self, client: Client, document: Any) -> None:
        self.document = document
        self.seen: set[tuple[str, int]] = set()
        self._client = client

    @classmethod
    async def of(cls, client: Client) -> Described:
        return cls(client, (await client.request("GET", f"{PREFIX}/openapi.json")).json)

    async def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> Answered:
        """Ask, and demand that the answer is one that is described: status, media type, schema, headers."""
        if body is not None:
            options["json"] = body
        answered = await self._client.request(method, PREFIX + path, **options)
        operation = self._operation(method, path.partition("?")[0])
        name = operation["operationId"]
        described = operation["responses"].get(str(answered.status))
        assert described is not None, f"{name} answers {answered.status}, which is not described: {answered.body!r}"
        self.seen.add((name, answered.status))
        if "$ref" in described:
            described = self.document["components"]["responses"][described["$ref"].rpartition("/")[2]]
        for header, of in described.get("headers", {}).items():
            assert not of.get("required") or header in answered.headers
        self._hold(answered, described.get("content"), name)
        return answered

    def _hold(self, answered: Answered, content: Any, name: str) -> None:
        if content is None:
            assert answered.body == b""
            return
        media = answered.headers["Content-Type"].partition(";")[0]
        assert media in content, f"{name} answers {media}, described is {', '.join(content)}"
        value = json.loads(answered.body) if media.endswith("json") else answered.body.decode()
        validator = jsonschema_rs.Draft202012Validator(
            {**content[media]["schema"], "components": self.document["components"]}
        )
        errors = [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(value)]
        assert not errors, f"{name}, {answered.status}: {errors}"

    def _operation(self, method: str, path: str) -> Any:
        def specific(template: str) -> int:
            return -template.count("{")

        for template in sorted(self.document["paths"], key=specific, reverse=True):
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path):
                found = self.document["paths"][template].get(method.lower())
                if found is not None:
                    return found
        raise AssertionError(f"{method} {path} is not described")
