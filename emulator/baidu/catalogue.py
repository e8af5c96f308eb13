"""The fixtures that recognition reads, cross-checked at boot: templates, classifiers, and pictures that are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

from emulator.baidu.images import Picture
from emulator.baidu.templates import FOLDER as TEMPLATES
from emulator.baidu.templates import Overrides, Template
from emulator.core.errors import ConfigurationError, ErrorTable, Problem, nearest
from emulator.core.exchange import JsonObject
from emulator.core.fixtures import Fixtures
from emulator.core.ids import Draw
from emulator.core.resources import Resource
from emulator.core.schemas import SchemaRegistry
from emulator.core.values import value_type

CLASSIFIERS, PICTURES = "baidu/classifiers/", "baidu/pictures/"
READ = (f"{TEMPLATES}*.json", f"{CLASSIFIERS}*.json", f"{PICTURES}*.json")
"""The fixtures that are read here."""

_ENDINGS = ("", ".png", ".jpg", ".jpeg", ".bmp", ".pdf")


@value_type
class Found:
    """What a classifier makes of a picture.

    Attributes:
        sign: the template of its class; ``None`` if it is of none.
        scores: how sure that is.
        matches: whether the template then fits the picture.

    """

    sign: str | None
    scores: float
    matches: bool = True


@value_type
class Known:
    """A picture that a fixture describes.

    Attributes:
        document: the fixture.
        overrides: what is read in it.

    """

    document: JsonObject
    overrides: Overrides

    @property
    def sign(self) -> str | None:
        """The template that fits it, if the fixture says so."""
        return self.document.get("template")


class Classifier:
    """One classifier: the first entry of its list that fits the picture decides, then ``otherwise``."""

    def __init__(self, resource: Resource, schemas: SchemaRegistry) -> None:
        self.resource = resource
        self.document: JsonObject = resource.document
        self.id: str = self.document["classifierId"]
        self.templates: list[str] = self.document["templates"]
        self._scores: float | None = self.document.get("scores")
        self._otherwise: str = self.document.get("otherwise", "seed")
        self._choices: list[tuple[Callable[[Any], bool], JsonObject]] = []
        self._broken: list[Problem] = []
        for index, entry in enumerate(self.document.get("choose", [])):
            try:
                self._choices.append((schemas.matcher(entry["when"]), entry))
            except ValueError as error:
                message = f"no valid JSON Schema: {str(error).strip().partition(chr(10))[0]}"
                self._broken.append(Problem(resource.origin, f"/choose/{index}/when", message))

    def classify(self, picture: Picture, known: Known | None, draw: Callable[..., Draw]) -> Found:
        """The class of ``picture``: what a fixture knows, what a rule says, or what the seed gives."""
        chance = draw("classifier", self.id, blake2b(picture.content, digest_size=16).hexdigest())
        sure = round(chance.between(0.85, 0.9999), 14)
        scores = self._scores if self._scores is not None else sure
        if known is not None and (known.sign is not None or "lines" in known.document):
            given = known.document.get("scores", scores)
            return Found(known.sign if known.sign in self.templates else None, given)
        if self._choices:
            facts = facts_of(picture)
            for fits, entry in self._choices:
                if fits(facts):
                    return Found(entry["template"], entry.get("scores", scores), entry.get("matches", True))
        if self._otherwise == "none":
            return Found(None, scores)
        return Found(chance.choice(self.templates) if self._otherwise == "seed" else self._otherwise, scores)

    def problems(self, templates: Mapping[str, Template]) -> Iterator[Problem]:
        """Everything that does not fit together."""
        origin = self.resource.origin
        expected = f"{CLASSIFIERS}{self.id}.json"
        if self.resource.path != expected:
            yield Problem(origin, "/classifierId", f"the file of classifier {self.id} is called {expected}")
        yield from self._broken
        for index, sign in enumerate(self.templates):
            if sign not in templates:
                yield Problem(origin, f"/templates/{index}", f"there is no template {sign!r}{nearest(sign, templates)}")
        named = [(f"/choose/{index}/template", entry["template"]) for index, (_, entry) in enumerate(self._choices)]
        if self._otherwise not in ("seed", "none"):
            named.append(("/otherwise", self._otherwise))
        for pointer, sign in named:
            if sign is not None and sign not in self.templates:
                hint = nearest(sign, self.templates)
                yield Problem(origin, pointer, f"{sign!r} is none of the classifier's templates{hint}")


class Library:
    """Every template, classifier and known picture in force.

    Raises:
        ConfigurationError: with every file and pointer at fault.

    """

    def __init__(self, fixtures: Fixtures, schemas: SchemaRegistry, errors: ErrorTable) -> None:
        found = [Template(resource) for resource in fixtures.under(TEMPLATES)]
        self.templates = {template.sign: template for template in found}
        sorters = [Classifier(resource, schemas) for resource in fixtures.under(CLASSIFIERS)]
        self.classifiers = {classifier.id: classifier for classifier in sorters}
        self._pictures: dict[str, Known] = {}
        self._urls: dict[str, Known] = {}
        problems = [problem for template in found for problem in template.problems(self.templates)]
        problems += [problem for sorter in sorters for problem in sorter.problems(self.templates)]
        for resource in fixtures.under(PICTURES):
            problems += self._learn(resource, errors)
        if problems:
            raise ConfigurationError(problems)

    def known(self, picture: Picture) -> Known | None:
        """What a fixture says about ``picture``: by its bytes, else by its URL."""
        if self._pictures and (found := self._pictures.get(picture.sha256())) is not None:
            return found
        return self._urls.get(picture.url) if picture.url else None

    def _learn(self, resource: Resource, errors: ErrorTable) -> Iterator[Problem]:
        """Take in what a fixture says about a picture."""
        document: JsonObject = resource.document
        known = Known(document, Overrides(document.get("words", {}), document.get("tables", {})))
        hashes = [document["sha256"]] if "sha256" in document else _beside(resource)
        if "url" in document:
            self._urls[document["url"]] = known
        elif not hashes:
            message = "it says neither sha256 nor url, and no picture is beside it (scan.png beside scan.png.json)"
            yield Problem(resource.origin, "", message)
        for number in hashes:
            if number in self._pictures:
                yield Problem(resource.origin, "", "another file describes the same picture")
            self._pictures[number] = known
        if "error" in document:
            try:
                errors.row(document["error"], "api")
            except LookupError as error:
                yield Problem(resource.origin, "/error", str(error))
        yield from self._misfits(resource.origin, "", document)
        for index, receipt in enumerate(document.get("receipts", [])):
            yield from self._misfits(resource.origin, f"/receipts/{index}", receipt)

    def _misfits(self, origin: str, pointer: str, said: JsonObject) -> Iterator[Problem]:
        """What is said about a template that there is not, or that it does not have."""
        sign = said.get("template")
        if sign is None:
            for member in said.keys() & {"words", "tables"}:
                yield Problem(origin, f"{pointer}/{member}", "say which template they are of: template")
            return
        template = self.templates.get(sign)
        if template is None:
            hint = nearest(sign, self.templates)
            yield Problem(origin, f"{pointer}/template", f"there is no template {sign!r}{hint}")
            return
        columns = template.tables()
        for table, rows in said.get("tables", {}).items():
            if table not in columns:
                yield Problem(origin, f"{pointer}/tables/{table}", f"{sign} has no such table{nearest(table, columns)}")
            elif any(len(row) != columns[table] for row in rows):
                yield Problem(origin, f"{pointer}/tables/{table}", f"each row has {columns[table]} words")
        names = template.names()
        for name in said.get("words", {}):
            if "#".join(name.split("#")[::2]) not in names:
                yield Problem(origin, f"{pointer}/words/{name}", f"{sign} has no such field{nearest(name, names)}")


def facts_of(picture: Picture) -> JsonObject:
    """What a classifier's rules can ask about a picture."""
    return {
        "sha256": picture.sha256(),
        "format": picture.format,
        "width": picture.width,
        "height": picture.height,
        "bytes": 0 if picture.format == "" else len(picture.content),
        "url": picture.url,
    }


def _beside(resource: Resource) -> list[str]:
    """The SHA-256 of the picture that lies beside the file ``scan.png.json``: ``scan.png``."""
    if not resource.user:
        return []
    stem = resource.origin.removesuffix(".json")
    found: Iterable[Path] = (Path(stem + ending) for ending in _ENDINGS)
    return [sha256(path.read_bytes()).hexdigest() for path in found if path.is_file()]
