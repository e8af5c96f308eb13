"""The admin API described by OpenAPI 3.1, from its routes and the schemas: what is described is what is served."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import urldefrag, urljoin

from aiohttp import web

from emulator import __version__
from emulator.core.emulation import Emulation
from emulator.core.exchange import JsonObject
from emulator.core.schemas import BASE, SchemaRegistry
from emulator.web.admin.site import PREFIX, PROBES, Route, Section, answer

ANSWERS = "emulator/answers.json"
REFUSALS = {
    400: "The query or the body cannot be read.",
    401: "The token is missing or wrong.",
    403: "The admin API does not answer to that host name, or to pages of that origin.",
    404: "There is no such thing.",
    409: "It cannot be done as things stand.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "The body says something that makes no sense; problems has all of it.",
}
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_OF_A_FILE = frozenset({"$schema", "$id", "$defs"})
_NAMES: dict[str, JsonObject] = {
    "account": {"type": "string", "description": "The name of an account."},
    "task": {"type": "string", "description": "The id of a task."},
    "rule": {"type": "string", "description": "The id of a rule."},
    "offer": {"type": "string", "description": "The id of a callback that was handed over."},
    "number": {"type": "integer", "minimum": 1, "description": "The number of an entry."},
    "operation": {"type": "string", "description": "The name of an operation, with its cloud."},
    "cloud": {"type": "string", "description": "A cloud with options of an account."},
}
"""What stands in the braces of paths."""


class OpenApi(Section):
    """This description.

    Args:
        emulation: has the schemas.
        described: the routes of every section, this one's too.
        secured: whether a token is demanded.

    """

    def __init__(self, emulation: Emulation, described: Sequence[Route], *, secured: bool) -> None:
        super().__init__(emulation)
        self._described = described
        self._secured = secured

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [Route("GET", "/openapi.json", self.openapi, {200: "OpenApi"})]

    async def openapi(self, request: web.BaseRequest) -> web.Response:
        """The admin API as an OpenAPI document."""
        server = {"url": f"{request.scheme}://{request.host}{PREFIX}", "description": "This emulator."}
        return answer({**self._document, "servers": [server]})

    @cached_property
    def _document(self) -> JsonObject:
        parts = _Parts(self.emulation.schemas)
        paths: JsonObject = {}
        tags: dict[str, JsonObject] = {}
        for route in self._described:
            section = type(getattr(route.handler, "__self__", self))
            tags[section.__name__] = {"name": section.__name__, "description": _first_line(section.__doc__)}
            operation = self._operation(route, section.__name__, parts)
            paths.setdefault(route.path, {})[route.method.lower()] = operation
        components: JsonObject = {"responses": dict(_refusals(parts)), "schemas": parts.found}
        document: JsonObject = {
            "openapi": "3.1.0",
            "info": {
                "title": "Emulator: admin API",
                "version": __version__,
                "description": "Accounts, clocks, rules, tasks, and what happened, of an emulator of two clouds.",
            },
            "tags": list(tags.values()),
            "paths": paths,
            "components": components,
        }
        if self._secured:
            components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
            document["security"] = [{"bearer": []}]
        return document

    def _operation(self, route: Route, section: str, parts: _Parts) -> JsonObject:
        names = re.findall(r"{(\w+)}", route.path)
        operation: JsonObject = {
            "tags": [section],
            "operationId": getattr(route.handler, "__name__", ""),
            "summary": _first_line(route.handler.__doc__),
            "parameters": [
                *(self._in_path(name) for name in names),
                *(
                    {"name": each.name, "in": each.place, "description": each.meaning, "schema": each.schema}
                    for each in route.query
                ),
            ],
        }
        if route.body:
            needed = not parts.schema(route.body).is_valid({})
            content = {"application/json": {"schema": parts.reference(route.body)}}
            operation["requestBody"] = {"required": needed, "content": content}
        probe = PREFIX + route.path in PROBES
        if probe and self._secured:
            operation["security"] = []
        statuses = {403, *route.refusals}
        statuses |= {401} if self._secured and not probe else set()
        statuses |= {404} if names else set()
        statuses |= {400} if route.query or route.body else set()
        statuses |= {413, 422} if route.body else set()
        statuses |= {415} if route.method in _CHANGING else set()
        responses = {status: parts.answer(name) for status, name in route.answers.items()}
        responses |= {status: {"$ref": f"#/components/responses/Refused{status}"} for status in statuses}
        operation["responses"] = {str(status): responses[status] for status in sorted(responses)}
        return operation

    def _in_path(self, name: str) -> JsonObject:
        schema = {key: value for key, value in _NAMES[name].items() if key != "description"}
        if name == "cloud":
            schemas = self.emulation.schemas
            schema["enum"] = [cloud for cloud in self.emulation.providers if schemas.has(f"{cloud}/options.json")]
        return {
            "name": name,
            "in": "path",
            "required": True,
            "description": _NAMES[name]["description"],
            "schema": schema,
        }


class _Parts:
    """The schemas that a document refers to, as its components; found as they are referred to."""

    def __init__(self, schemas: SchemaRegistry) -> None:
        self._schemas = schemas
        self._answers = schemas.get(ANSWERS).document["$defs"]
        self.found: dict[str, JsonObject] = {}

    def schema(self, name: str) -> Any:
        """The compiled schema of a file, or of a name in ``answers.json``."""
        return self._schemas.get(name) if name.endswith(".json") else self._schemas.compiled({"$ref": _uri(name)})

    def reference(self, name: str) -> JsonObject:
        """A reference to the component of a file, or of a name in ``answers.json``."""
        return {"$ref": self._component(_uri(name))}

    def answer(self, name: str) -> JsonObject:
        """What an answer is; an empty name: it has no body."""
        if not name:
            return {"description": "Done."}
        meant = self._answers[name]
        media = meant.get("x-content-type", "application/json")
        return {"description": meant["description"], "content": {media: {"schema": self.reference(name)}}}

    def _component(self, uri: str) -> str:
        """Where the component is of which ``uri`` is, or is a part."""
        target, fragment = urldefrag(uri)
        path = target.removeprefix(BASE)
        part: Any = self._schemas.get(path).document
        rest = fragment
        if fragment.startswith("/$defs/"):
            defined, _, rest = fragment.removeprefix("/$defs/").partition("/")
            rest = rest and f"/{rest}"
            name = defined if path == ANSWERS else _joined(path) + _capital(defined)
            part = part["$defs"][defined]
        else:
            name = _joined(path) + "Document"
            part = {key: value for key, value in part.items() if key not in _OF_A_FILE}
        if name not in self.found:
            self.found[name] = {}
            self.found[name] = self._moved(target, part)
        return f"#/components/schemas/{name}{rest}"

    def _moved(self, base: str, part: Any) -> Any:
        """``part`` of the schema ``base`` with its references leading to components."""
        if isinstance(part, list):
            return [self._moved(base, each) for each in part]
        if not isinstance(part, dict):
            return part
        return {
            key: self._component(urljoin(base, value))
            if key == "$ref" and isinstance(value, str)
            else self._moved(base, value)
            for key, value in part.items()
            if key != "x-content-type"
        }


def _refusals(parts: _Parts) -> Iterator[tuple[str, JsonObject]]:
    for status, meaning in REFUSALS.items():
        refusal = {**parts.answer("Problem"), "description": f"{HTTPStatus(status).phrase}. {meaning}"}
        if status == 401:
            challenge = {"description": "How to say who you are.", "required": True, "schema": {"type": "string"}}
            refusal["headers"] = {"WWW-Authenticate": challenge}
        yield f"Refused{status}", refusal


def _uri(name: str) -> str:
    return BASE + (name if name.endswith(".json") else f"{ANSWERS}#/$defs/{name}")


def _joined(path: str) -> str:
    """The path of a schema as one word: ``kingsoft/options.json`` is ``KingsoftOptions``."""
    words = re.split(r"[^A-Za-z0-9]+", path.removeprefix("emulator/").removesuffix(".json"))
    return "".join(map(_capital, words))


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0].replace("``", "`")
