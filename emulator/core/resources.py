"""Where the data files are: the shipped ones, and the user's in front of them.

A whole file replaces a whole file, by its path relative to the root of its layer; nothing is merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from emulator.core.errors import ConfigurationError, Problem, nearest
from emulator.core.values import value_type

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_PACKAGE = Path(__file__).parents[1]


@value_type
class Resource:
    """A data file in force.

    Attributes:
        path: relative to its layer, with ``/``: ``kingsoft/CreateTask.request.json``.
        origin: the file's full name, for messages.
        document: its content.
        hides: the full names of the files that it replaces.
        user: whether it is from a folder of the user's.

    """

    path: str
    origin: str
    document: Any
    hides: tuple[str, ...] = ()
    user: bool = False


def shipped(kind: str) -> Traversable:
    """The folder ``kind`` (``schemas``, ``fixtures``) that came with this package.

    In a wheel, also one imported from a zip, it lies inside the package; in a checkout beside it.

    Raises:
        ConfigurationError: it is in neither place.

    """
    inside, beside = _PACKAGE / "_data" / kind, _PACKAGE.parent / kind
    for folder in (inside, beside):
        if folder.is_dir():
            return folder
    from importlib.resources import files

    zipped = files("emulator").joinpath("_data", kind)
    if zipped.is_dir():
        return zipped
    raise ConfigurationError([Problem(str(inside), "", f"the shipped {kind} are missing, here and in {beside}")])


def load(kind: str, user_folders: tuple[Path, ...] = ()) -> dict[str, Resource]:
    """Every JSON file of ``kind`` by its path; a file of an earlier folder hides that of a later one.

    Raises:
        ConfigurationError: a folder is missing or a file is not JSON.

    """
    problems: list[Problem] = []
    found: dict[str, Resource] = {}
    folders: tuple[Traversable, ...] = (*user_folders, shipped(kind))
    for place, folder in enumerate(folders):
        if not folder.is_dir():
            problems.append(Problem(str(folder), "", "no such folder"))
            continue
        for path, file in _json_files(folder):
            origin = str(file)
            if path in found:
                found[path] = replace(found[path], hides=(*found[path].hides, origin))
                continue
            try:
                found[path] = Resource(path, origin, orjson.loads(file.read_bytes()), user=place < len(folders) - 1)
            except orjson.JSONDecodeError as error:
                problems.append(Problem(origin, "", f"not JSON: {error}"))
    if problems:
        raise ConfigurationError(problems)
    return found


def unread(resource: Resource, known: Iterable[str]) -> Problem:
    """The complaint about a file whose path nothing reads."""
    return Problem(resource.origin, "", f"nothing reads {resource.path}{nearest(resource.path, known)}")


def _json_files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _json_files(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".json"):
            yield prefix + entry.name, entry
