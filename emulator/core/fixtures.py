"""Canned documents: each names the schema that it must fit, and is held against it at boot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from emulator.core.errors import ConfigurationError, Problem
from emulator.core.resources import Resource, unread
from emulator.core.schemas import BASE, SchemaRegistry


class Fixtures:
    """The documents in force, by path.

    Args:
        resources: what was loaded.
        schemas: what each document is held against: the schema that its ``$schema`` member names.
        known: the paths that somebody reads; ``*`` stands for any run of characters.

    Raises:
        ConfigurationError: with every file at fault.

    """

    def __init__(self, resources: Mapping[str, Resource], schemas: SchemaRegistry, known: tuple[str, ...]) -> None:
        self.resources = resources
        problems: list[Problem] = []
        for resource in resources.values():
            if not any(fnmatchcase(resource.path, pattern) for pattern in known):
                problems.append(unread(resource, [*known, *(path for path in resources if path != resource.path)]))
                continue
            problems += _misfit(resource, schemas)
        if problems:
            raise ConfigurationError(problems)

    def get(self, path: str) -> Any:
        """The document at ``path``; a ``KeyError`` means that the shipped files are incomplete."""
        return self.resources[path].document

    def under(self, folder: str) -> Iterator[Resource]:
        """The documents of a folder, by path."""
        return (resource for path, resource in sorted(self.resources.items()) if path.startswith(folder))


def _misfit(resource: Resource, schemas: SchemaRegistry) -> Iterator[Problem]:
    document = resource.document
    named = document.get("$schema") if isinstance(document, dict) else None
    if not isinstance(named, str) or not named.startswith(BASE):
        yield Problem(resource.origin, "/$schema", f"must name the schema of this fixture ({BASE}…)")
        return
    try:
        schemas.check(named.removeprefix(BASE), document, resource.origin)
    except ConfigurationError as error:
        yield from error.problems
    except LookupError as error:
        yield Problem(resource.origin, "/$schema", str(error))
