"""Rules that stand in files: read at boot, and again whenever the files change.

The rules of all files are taken over at once or not at all: a file that makes no sense leaves those of before in force.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from emulator.core.documents import write_json
from emulator.core.errors import ConfigurationError, Problem, nearest
from emulator.core.ids import digest
from emulator.core.rule_reader import RuleReader
from emulator.core.rules import Rule, SharedRules
from emulator.core.written import SUFFIXES, Written, read

Signature = tuple[tuple[str, int, int, int], ...]
"""What tells that files have changed: of each its name, its inode, its size, when it was written."""

_log = logging.getLogger("emulator")
_BESIDE = ("rules", "version", "$schema")
_NOT_TRUTHS = frozenset({"yes", "no", "on", "off", "y", "n"})


class RuleFiles:
    """The rule files, and what is wrong with them.

    Attributes:
        problems: what was wrong when they were read last; while there is any, the rules of before are in force.

    """

    def __init__(self, paths: Sequence[Path], reader: RuleReader, rules: SharedRules) -> None:
        self._paths = tuple(paths)
        self._reader = reader
        self._rules = rules
        self.problems: tuple[Problem, ...] = ()
        self._known = self._seen = self._signature()

    def __bool__(self) -> bool:
        """Whether any file or folder was named."""
        return bool(self._paths)

    def load(self) -> int:
        """Read all files and put their rules in the place of those of before; says how many there are now.

        Raises:
            ConfigurationError: something is wrong with a file. All of it is told, and nothing has changed.

        """
        self._known = self._signature()
        try:
            rules = self._all()
        except ConfigurationError as error:
            self.problems = error.problems
            raise
        self.problems = ()
        self._rules.replace(rules)
        return len(rules)

    def look(self) -> None:
        """Read the files again if they have changed, and have not changed since the last look: nobody writes now."""
        signature, before = self._signature(), self._seen
        self._seen = signature
        if signature == self._known or signature != before:
            return
        try:
            count = self.load()
        except ConfigurationError as error:
            _log.error("the rule files have changed, but are not in order; the rules of before stay:\n%s", error)
        else:
            _log.info("the rule files have changed and were read again; rules: %d", count)

    def _all(self) -> list[Rule]:
        rules: list[Rule] = []
        problems: list[Problem] = []
        seen: Counter[tuple[str, bytes]] = Counter()
        for short, path in self._files():
            try:
                written = _read(path)
                pairs = list(_documents(path, written))
            except ConfigurationError as error:
                problems += error.problems
                continue
            for below, document in pairs:
                said = write_json(document)
                rule_id = f"f{digest(short, said.decode(), seen[short, said], size=5)}"
                seen[short, said] += 1
                origin = f"{path}:{written.line(below)}"
                try:
                    rules.append(self._reader.read(rule_id, document, origin=origin, below=below))
                except ConfigurationError as error:
                    problems += (_placed(problem, path, written) for problem in error.problems)
        if problems:
            raise ConfigurationError(problems)
        return rules

    def _files(self) -> Iterator[tuple[str, Path]]:
        """Every file once: its name as far as it was not given, so that ids are the same wherever it lies; its path."""
        known: set[str] = set()
        for path in self._paths:
            inside = sorted(_inside(path)) if path.is_dir() else [path]
            for file in inside:
                real = os.path.realpath(file)
                if real not in known:
                    known.add(real)
                    yield file.name if file is path else file.relative_to(path).as_posix(), file

    def _signature(self) -> Signature:
        found = []
        for _, path in self._files():
            try:
                state = path.stat()
            except OSError:
                found.append((str(path), 0, 0, 0))
            else:
                found.append((str(path), state.st_ino, state.st_size, state.st_mtime_ns))
        return tuple(found)


def _inside(folder: Path) -> Iterator[Path]:
    """The rule files of a folder; hidden ones, which editors and mounts leave there, are none."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place, name) for name in names if name.endswith(SUFFIXES) and not name.startswith("."))


def _read(path: Path) -> Written:
    if path.suffix not in SUFFIXES:
        raise ConfigurationError([Problem(str(path), "", f"no rule file: they end with {', '.join(SUFFIXES)}")])
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError([Problem(str(path), "", error.strerror or str(error))]) from None
    return read(str(path), content)


def _documents(path: Path, written: Written) -> Iterator[tuple[str, Any]]:
    """Each rule with its pointer: the document is a rule, a list of them, or an object with ``rules``."""
    document = written.document
    if isinstance(document, dict) and "rules" in document:
        extra = [name for name in document if name not in _BESIDE]
        if extra:
            raise _wrong(path, written, f"/{extra[0]}", f"{extra[0]!r} is not known here{nearest(extra[0], _BESIDE)}")
        if document.get("version", 1) != 1:
            raise _wrong(
                path, written, "/version", f"{document['version']!r} is not known; rule files are of version 1"
            )
        below, document = "/rules", document["rules"]
        if not isinstance(document, list):
            raise _wrong(path, written, below, "must be a list of rules")
    else:
        below = ""
    if isinstance(document, list):
        yield from ((f"{below}/{place}", rule) for place, rule in enumerate(document))
    elif isinstance(document, dict):
        yield "", document
    else:
        what = "nothing is in it" if document is None else "this is no rule"
        raise _wrong(path, written, "", f"{what}; write a rule, a list of rules, or [] for none")


def _placed(problem: Problem, path: Path, written: Written) -> Problem:
    """``problem`` with its file and line; with a word on the YAML of old where somebody wrote it."""
    found: Any = written.document
    for step in problem.pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        found = found[int(name)] if isinstance(found, list) else found.get(name) if isinstance(found, dict) else None
    hint = "; write true or false" if isinstance(found, str) and found.lower() in _NOT_TRUTHS else ""
    return Problem(f"{path}:{written.line(problem.pointer)}", problem.pointer, problem.message + hint)


def _wrong(path: Path, written: Written, pointer: str, message: str) -> ConfigurationError:
    return ConfigurationError([Problem(f"{path}:{written.line(pointer)}", pointer, message)])
