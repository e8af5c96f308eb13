"""What can go wrong, in two families that never meet.

::

    EmulatorError            ours: the emulator cannot do what it was told
    └── ConfigurationError   a file, a setting or an admin request is wrong; lists every problem found
    ApiError                 a cloud's "no": a code of its table, to be said in its own words

Codes are rows of one data file per cloud (``fixtures/<cloud>/errors.json``), never classes.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, Literal

from emulator.core.values import value_type

Code = int | str
Stage = Literal["gate", "business"]


@value_type
class Problem:
    """One thing that is wrong, and where: a file or the name of an input, and a JSON pointer into it."""

    where: str
    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}{'#' + self.pointer if self.pointer else ''}: {self.message}"


class EmulatorError(Exception):
    """The emulator cannot do what it was told.

    Attributes:
        exit_code: what a verb that fails with it ends with.

    """

    exit_code = 2


class ConfigurationError(EmulatorError):
    """Something that a person wrote is wrong. ``problems`` has everything that was found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class ApiError(Exception):
    """The cloud refuses.

    Attributes:
        code: a code of the cloud's table.
        reason: for people, in plain words: what was found, where, and what to do. Goes to the journal and to
            the ``X-Emulator-Reason`` header, never into the vendor's body.
        variant: which of the row's texts, where the vendor has several for one code.
        message: replaces the row's text.

    """

    def __init__(self, code: Code, reason: str, *, variant: str | None = None, message: str | None = None) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.variant = variant
        self.message = message


@value_type
class ErrorRow:
    """One documented code.

    Attributes:
        cloud: whose code it is.
        listed: the list it stands in (``api``, ``callback``, ``gateway``, ``oauth``).
        code: the number, or the name where the vendor has names.
        text: what the vendor prints, to the letter.
        gloss: the same in English.
        status: the HTTP status it travels with.
        stage: ``gate`` is said before a request is looked at in detail, ``business`` after it was validated.
        shape: which body carries it, where a cloud has several.
        source: where the fact comes from.
        variants: further texts of the same code, by name.

    """

    cloud: str
    listed: str
    code: Code
    text: str
    gloss: str
    status: int = 200
    stage: Stage = "business"
    shape: str = ""
    source: str = ""
    note: str = ""
    variants: Mapping[str, str] = field(default_factory=dict)

    def says(self, error: ApiError) -> str:
        """The text for ``error``: its own message, else the variant it names, else the row's text."""
        if error.message is not None:
            return error.message
        return self.variants.get(error.variant or "", self.text)


SUCCESS = 0
"""Listed by the vendors among their codes; not found when an error is looked for."""


class ErrorTable:
    """Every documented code of one cloud."""

    def __init__(self, cloud: str, document: Mapping[str, Any]) -> None:
        self.cloud = cloud
        self.rows = tuple(
            ErrorRow(cloud=cloud, listed=listed, **row) for listed, rows in document["lists"].items() for row in rows
        )
        self._by_list: dict[str, dict[Code, ErrorRow]] = {}
        for row in self.rows:
            codes = self._by_list.setdefault(row.listed, {})
            if row.code != SUCCESS:
                codes[row.code] = row

    def row(self, code: Code, *lists: str) -> ErrorRow:
        """The row of ``code`` in the first of ``lists`` that has it (all lists if none is named).

        Raises:
            LookupError: no such code; the message names the nearest ones.

        """
        searched = lists or tuple(self._by_list)
        for name in searched:
            if (found := self._by_list.get(name, {}).get(code)) is not None:
                return found
        return self._named(code, searched)

    def _named(self, name: Code, lists: tuple[str, ...]) -> ErrorRow:
        """A row by its text, its gloss or the digits of its number."""
        rows = [row for listed in lists for row in self._by_list.get(listed, {}).values()]
        wanted = str(name).strip().casefold()
        for row in rows if wanted else ():
            if wanted in (str(row.code).casefold(), row.text.casefold(), row.gloss.casefold()):
                return row
        known = {word.casefold(): row for row in rows for word in (str(row.code), row.text, row.gloss) if word}
        near = {known[word].code: known[word] for word in difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)}
        hint = ", ".join(f"{row.code} ({row.text})" for row in near.values())
        raise LookupError(
            f"{self.cloud} has no code {name!r} in its {' and '.join(lists)} list{'s' if len(lists) > 1 else ''}"
            + (f"; nearest: {hint}" if hint else "")
        )


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for the known name nearest to ``name``, or an empty text."""
    names = {entry.casefold(): entry for entry in known}
    found = difflib.get_close_matches(name.casefold(), names, n=1, cutoff=0.5)
    return f"; did you mean {names[found[0]]!r}?" if found else ""
