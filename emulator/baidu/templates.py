"""Templates: what they read, canned or drawn, and in which shape that is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal

import orjson

from emulator.baidu.generators import Sheet, references
from emulator.baidu.images import Picture
from emulator.core.errors import Problem, nearest
from emulator.core.exchange import JsonObject
from emulator.core.ids import Draw
from emulator.core.resources import Resource
from emulator.core.values import value_type

FOLDER = "baidu/templates/"
Shape = Literal["full", "short"]
"""Elements with box and probability, tables by row; or names and words alone, tables by column (finance)."""

_UNREAD: JsonObject = {"average": 0.0, "min": 0.0, "variance": 0.0}
_ROWS = (1, 4)


@value_type
class Element:
    """One element of an answer.

    Attributes:
        name: its ``word_name``.
        word: what was read.
        location: its box, if it has one.
        probability: how sure the reading is, if that is said.
        column: its place among the columns of its table.
        row: its row, from 1; 0 for a field outside of tables.

    """

    name: str
    word: str
    location: JsonObject | None
    probability: JsonObject | None
    column: int = 0
    row: int = 0


@value_type
class Overrides:
    """What a fixture says about one picture, in place of the template.

    Attributes:
        words: words by the name of their element.
        tables: the rows of tables, each a word a column.

    """

    words: Mapping[str, str]
    tables: Mapping[str, list[list[str]]]


NOTHING = Overrides({}, {})


class Template:
    """One template. Its canned answers are put together once."""

    def __init__(self, resource: Resource) -> None:
        document: JsonObject = resource.document
        self.resource = resource
        self.document = document
        self.sign: str = document["templateSign"]
        self.name = str(document.get("templateName", document["title"]))
        self.receipts: list[str] = document.get("receipts", [])
        self._fields: list[JsonObject] = document.get("fields", [])
        self._tables: list[JsonObject] = document.get("tables", [])
        self._wishes = dict(self._named())
        self._canned: dict[Shape, orjson.Fragment] = {}

    def launched(self) -> bool:
        """Whether it may be used at all."""
        return bool(self.document.get("launched", True))

    def belongs_to(self, account: str) -> bool:
        """Whether ``account`` may use it."""
        owners = self.document.get("accounts")
        return owners is None or account in owners

    def names(self) -> set[str]:
        """The names of its fields, and of the columns of its tables as ``table#column``."""
        return set(self._wishes)

    def tables(self) -> dict[str, int]:
        """How many columns each of its tables has."""
        return {table["name"]: len(table["columns"]) for table in self._tables}

    def canned(self, shape: Shape) -> orjson.Fragment:
        """Its elements as the fixture has them."""
        if shape not in self._canned:
            self._canned[shape] = shown(self._read(NOTHING), shape)
        return self._canned[shape]

    def lines(self) -> list[JsonObject]:
        """Its elements with a word, without their names: what is read in a picture that was not structured."""
        read = (element for element in self._read(NOTHING) if element.word)
        return [{"word": part.word, "location": part.location, "probability": part.probability} for part in read]

    def bound(self, shape: Shape, overrides: Overrides) -> orjson.Fragment:
        """Its elements with what a fixture says about the picture."""
        return shown(self._read(overrides), shape)

    def drawn(self, shape: Shape, picture: Picture, draw: Draw, overrides: Overrides = NOTHING) -> orjson.Fragment:
        """Its elements with words of their kinds, read somewhere in ``picture``."""
        rows = {
            table["name"]: len(overrides.tables[table["name"]])
            if table["name"] in overrides.tables
            else draw.integer(*table.get("draw_rows", _ROWS))
            for table in self._tables
        }
        sheet = Sheet(self._wishes, rows, draw)
        elements = self._elements(lambda name, row: sheet.value(name, row), rows, overrides)
        if shape == "short":
            return shown(elements, shape)
        return shown([_placed(element, self.document["page"], picture, draw) for element in elements], shape)

    def problems(self, templates: Mapping[str, Template]) -> Iterator[Problem]:
        """Everything that does not fit together."""
        origin = self.resource.origin
        expected = f"{FOLDER}{self.sign}.json"
        if self.resource.path != expected:
            yield Problem(origin, "/templateSign", f"the file of template {self.sign} is called {expected}")
        for index, sign in enumerate(self.receipts):
            if sign not in templates or templates[sign].receipts:
                hint = nearest(sign, templates)
                yield Problem(origin, f"/receipts/{index}", f"there is no template {sign!r} of one receipt{hint}")
        for number, table in enumerate(self._tables):
            for index, row in enumerate(table["rows"]):
                if len(row) != len(table["columns"]):
                    message = f"it has {len(row)} words; the table has {len(table['columns'])} columns"
                    yield Problem(origin, f"/tables/{number}/rows/{index}", message)
        for pointer, name, wish in self._pointed():
            for other in references(wish):
                if other not in self._wishes:
                    yield Problem(origin, pointer, f"there is no field {other!r}{nearest(other, self._wishes)}")
                elif self._leads_back(other, name):
                    yield Problem(origin, pointer, f"{name!r} and {other!r} are drawn from each other")
            alone = [wish[kind] for kind in ("same", "capital") if kind in wish] + list(wish.get("product", []))
            table_of = name.partition("#")[0] if "#" in name else None
            for other in alone:
                if "#" in other and other.partition("#")[0] != table_of:
                    yield Problem(origin, pointer, f"{other!r} is a column of another table; only sum adds one up")

    def _leads_back(self, start: str, goal: str) -> bool:
        pending, seen = [start], set[str]()
        while pending:
            name = pending.pop()
            if name == goal:
                return True
            wish = self._wishes.get(name, ("", None))[1]
            if name not in seen and wish is not None:
                seen.add(name)
                pending += references(wish)
        return False

    def _named(self) -> Iterator[tuple[str, tuple[str, JsonObject | None]]]:
        for field in self._fields:
            yield field["word_name"], (field["word"], field.get("draw"))
        for table in self._tables:
            for column in table["columns"]:
                yield f"{table['name']}#{column['name']}", ("", column.get("draw"))

    def _pointed(self) -> Iterator[tuple[str, str, JsonObject]]:
        """Every ``draw`` with its pointer and the name of its field."""
        for index, field in enumerate(self._fields):
            if "draw" in field:
                yield f"/fields/{index}/draw", field["word_name"], field["draw"]
        for number, table in enumerate(self._tables):
            for index, column in enumerate(table["columns"]):
                if "draw" in column:
                    name = f"{table['name']}#{column['name']}"
                    yield f"/tables/{number}/columns/{index}/draw", name, column["draw"]

    def _read(self, overrides: Overrides) -> Iterator[Element]:
        """The elements as the fixture has them."""
        tables = {table["name"]: overrides.tables.get(table["name"], table["rows"]) for table in self._tables}
        cells = {
            f"{table['name']}#{column['name']}": [row[index] for row in tables[table["name"]]]
            for table in self._tables
            for index, column in enumerate(table["columns"])
        }
        rows = {name: len(found) for name, found in tables.items()}
        words = {field["word_name"]: field["word"] for field in self._fields}
        return self._elements(lambda name, row: cells[name][row] if name in cells else words[name], rows, overrides)

    def _elements(
        self, word: Callable[[str, int], str], rows: Mapping[str, int], overrides: Overrides
    ) -> Iterator[Element]:
        for field in self._fields:
            name = field["word_name"]
            said = overrides.words.get(name)
            text = word(name, 0) if said is None else said
            probability = field.get("probability") if text or said is None else None
            yield Element(name, text, field.get("location"), probability)
        for table in self._tables:
            columns, count = table["columns"], rows[table["name"]]
            given = overrides.tables.get(table["name"])
            for row in range(count):
                for index, column in enumerate(columns):
                    name = f"{table['name']}#{row + 1}#{column['name']}"
                    text = given[row][index] if given is not None else word(f"{table['name']}#{column['name']}", row)
                    text = overrides.words.get(name, text)
                    box = _cell(table.get("location"), row, count, index, len(columns)) if text else None
                    probability = table.get("probability") if text else _UNREAD
                    yield Element(name, text, box, probability, index, row + 1)


def shown(elements: Iterable[Element], shape: Shape) -> orjson.Fragment:
    """The elements as they are answered: ``ret``."""
    if shape == "full":
        return orjson.Fragment(b"[" + b",".join(map(_full, elements)) + b"]")
    kept = list(elements)
    tables = {element.name.partition("#")[0]: None for element in kept if element.row}
    ordered = [element for element in kept if not element.row]
    for table in tables:
        cells = [element for element in kept if element.row and element.name.partition("#")[0] == table]
        ordered += sorted((cell for cell in cells if cell.word), key=lambda cell: (cell.column, cell.row))
    return orjson.Fragment(orjson.dumps([{"word_name": element.name, "word": element.word} for element in ordered]))


def lines(read: Iterable[Any]) -> orjson.Fragment:
    """The lines of a picture that was not structured: like elements, but without names."""
    entries: Iterable[JsonObject] = ({"word": line} if isinstance(line, str) else line for line in read)
    parts = (_element(entry.get("probability"), entry.get("location"), {"word": entry["word"]}) for entry in entries)
    return orjson.Fragment(b"[" + b",".join(parts) + b"]")


def _full(element: Element) -> bytes:
    return _element(element.probability, element.location, {"word_name": element.name, "word": element.word})


def _element(probability: JsonObject | None, location: JsonObject | None, rest: JsonObject) -> bytes:
    """One element. Its numbers are written without exponents, as in real answers: ``0.000002``. [seed]"""
    parts = []
    if probability is not None:
        numbers = ",".join(f'"{name}":{Decimal(repr(probability[name])):f}' for name in ("average", "min", "variance"))
        parts.append(f'"probability":{{{numbers}}}'.encode())
    if location is not None:
        sides = ",".join(f'"{name}":{location[name]}' for name in ("height", "left", "top", "width"))
        parts.append(f'"location":{{{sides}}}'.encode())
    parts.append(orjson.dumps(rest)[1:-1])
    return b"{" + b",".join(parts) + b"}"


def _cell(table: JsonObject | None, row: int, rows: int, column: int, columns: int) -> JsonObject | None:
    """The box of a cell, where all are of one size."""
    if table is None:
        return None
    left, right = (table["width"] * place // columns for place in (column, column + 1))
    top, bottom = (table["height"] * place // rows for place in (row, row + 1))
    return {
        "height": max(1, bottom - top),
        "left": table["left"] + left,
        "top": table["top"] + top,
        "width": max(1, right - left),
    }


def _placed(element: Element, page: JsonObject, picture: Picture, draw: Draw) -> Element:
    """The element with a probability that was drawn, and a box inside ``picture``."""
    probability, location = element.probability, element.location
    if probability is not None and element.word:
        average = round(draw.between(0.93, 0.9999), 6)
        least = round(average - draw.between(0, 0.2), 6)
        probability = {"average": average, "min": least, "variance": round((average - least) ** 2 / 4, 6)}
    if location is not None:
        location = _box(location, page, picture, draw)
    return Element(element.name, element.word, location, probability, element.column, element.row)


def _box(canned: JsonObject, page: JsonObject, picture: Picture, draw: Draw) -> JsonObject:
    """A box of the canned one's relative size, inside the picture."""
    across, down = picture.width or page["width"], picture.height or page["height"]
    width = max(1, min(across, round(canned["width"] * across / page["width"])))
    height = max(1, min(down, round(canned["height"] * down / page["height"])))
    return {
        "height": height,
        "left": draw.integer(0, across - width),
        "top": draw.integer(0, down - height),
        "width": width,
    }
