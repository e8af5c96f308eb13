"""Recognition: which template, and what is read with it."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from emulator.baidu import images
from emulator.baidu.images import Picture
from emulator.baidu.tokens import BaiduState
from emulator.core.clock import beijing
from emulator.core.errors import ApiError, nearest
from emulator.core.exchange import Call, JsonObject
from emulator.core.fixtures import Fixtures
from emulator.core.ids import Draw
from emulator.core.provider import Context

FOLDER = "baidu/templates/"
BODY_LIMIT = 10 * 2**20
"""Bytes of a body beyond which the service does not look at it. [consumer: OcrTableReq wrapper]"""
_YEARS = 3 * 365 * 86400
_EPOCH = 1_700_000_000
"""Drawn moments lie in the three years before this instant, so that they do not depend on when they are drawn."""


class Recognition:
    """The handler of ``iocr.recognise``. [seed]"""

    def __init__(self, fixtures: Fixtures) -> None:
        documents = (resource.document for resource in fixtures.under(FOLDER))
        self._templates: dict[str, JsonObject] = {document["templateSign"]: document for document in documents}
        self._canned = {sign: [_canned(field) for field in t["fields"]] for sign, t in self._templates.items()}

    def recognise(self, call: Call, context: Context) -> JsonObject:
        """Check the picture, choose the template, answer with its fields."""
        parameters = call.parameters or {}
        if len(call.request.body) > BODY_LIMIT:
            size = len(call.request.body)
            raise ApiError(
                images.SIZE, f"the body has {size} bytes; {BODY_LIMIT} (10M) are allowed", variant="oversize"
            )
        if "image" not in parameters:
            raise ApiError(216102, "only image is emulated in this version, not url and pdf_file")
        picture = images.accept(parameters["image"])
        template = self._template(parameters)
        state: BaiduState = context.account.state(call.cloud)
        state.answered += 1
        if context.responses == "random":
            content = blake2b(picture.content, digest_size=16).hexdigest()
            draw = context.draw("iocr.recognise", template["templateSign"], content)
            fields = [_drawn(field, template["page"], picture, draw) for field in template["fields"]]
            fixed = None
        else:
            fields = self._canned[template["templateSign"]]
            fixed = template.get("logId")
        return {
            "data": {
                "ret": fields,
                "templateSign": template["templateSign"],
                "scores": template.get("scores", 1),
                "isStructured": True,
                "logId": fixed or log_id(context.now, state.answered),
            },
            "error_code": 0,
            "error_msg": "",
        }

    def _template(self, parameters: JsonObject) -> JsonObject:
        sign = parameters.get("templateSign")
        if sign is None:
            raise ApiError(
                272004, f"there is no classifier {parameters['classifierId']}; none is emulated in this version"
            )
        template = self._templates.get(sign)
        if template is None:
            hint = nearest(sign, self._templates) or f"; there are {', '.join(self._templates)}"
            advice = f"; --fixtures DIR with {FOLDER}{sign}.json adds it"
            raise ApiError(282004, f"there is no template {sign!r}{hint}{advice}", variant="template")
        return template


def log_id(now: float, count: int) -> str:
    """Fifteen digits: unix seconds and five more. [every dump]"""
    return f"{int(now):010d}{count % 100_000:05d}"


def _canned(field: JsonObject) -> JsonObject:
    return {name: field[name] for name in ("probability", "location", "word_name", "word") if name in field}


def _drawn(field: JsonObject, page: JsonObject, picture: Picture, draw: Draw) -> JsonObject:
    """The field with a word of its kind, read somewhere in ``picture``."""
    shown: JsonObject = {}
    if "probability" in field:
        average = round(draw.between(0.93, 0.9999), 6)
        least = round(average - draw.between(0, 0.2), 6)
        shown["probability"] = {"average": average, "min": least, "variance": round((average - least) ** 2 / 4, 6)}
    if "location" in field:
        shown["location"] = _box(field["location"], page, picture, draw)
    return {**shown, "word_name": field["word_name"], "word": _word(field, draw)}


def _box(canned: JsonObject, page: JsonObject, picture: Picture, draw: Draw) -> JsonObject:
    """A box of the canned one's relative size, inside the picture."""
    width = max(1, min(picture.width, round(canned["width"] * picture.width / page["width"])))
    height = max(1, min(picture.height, round(canned["height"] * picture.height / page["height"])))
    return {
        "height": height,
        "left": draw.integer(0, picture.width - width),
        "top": draw.integer(0, picture.height - height),
        "width": width,
    }


def _word(field: JsonObject, draw: Draw) -> str:
    wish = field.get("draw")
    if wish is None:
        return str(field["word"])
    prefix, suffix = draw.choice(wish.get("prefix", ("",))), draw.choice(wish.get("suffix", ("",)))
    kind = next((name for name in _GENERATORS if name in wish), None)
    return f"{prefix}{_GENERATORS[kind](wish[kind], draw) if kind is not None else ''}{suffix}"


def _number(bounds: list[float], draw: Draw) -> str:
    least, greatest, decimals = bounds
    return f"{draw.between(least, greatest):.{int(decimals)}f}"


_GENERATORS: dict[str, Callable[[Any, Draw], str]] = {
    "faker": lambda method, draw: str(getattr(draw.faker(), method)()),
    "pattern": lambda pattern, draw: draw.digits(pattern),
    "choices": lambda options, draw: str(draw.choice(options)),
    "number": _number,
    "time": lambda form, draw: beijing(_EPOCH - draw.integer(0, _YEARS), form),
}
