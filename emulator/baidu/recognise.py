"""Recognition: which picture, which template, and what is answered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Literal
from urllib.parse import urlsplit

from emulator.baidu import images
from emulator.baidu.behaviour import Behaviour
from emulator.baidu.catalogue import Found, Known, Library
from emulator.baidu.images import Picture
from emulator.baidu.templates import FOLDER, NOTHING, Overrides, Shape, Template, lines
from emulator.baidu.tokens import BaiduState
from emulator.core.errors import ApiError, nearest
from emulator.core.exchange import Call, JsonObject
from emulator.core.fetching import Fetched
from emulator.core.ids import digest
from emulator.core.provider import Context
from emulator.core.triggers import ADVICE, MARK, Trigger, find

BODY_LIMIT = 10 * 2**20
"""Bytes of a body beyond which the service does not look at it. [consumer: OcrTableReq wrapper]"""
URL_LIMIT = 1024
"""Bytes of a url. [seed]"""
FETCH_LIMIT = images.ENCODED_LIMIT // 4 * 3
"""Bytes of a picture behind a url, whose base64 may have 4M. [seed]"""
MIXED = "mixed_receipt"
"""The template that takes a sheet with several receipts apart. [consumer: #39261940432]"""
STAND_IN = "train_ticket"
"""The template of a request whose ``templateSign`` is made of triggers alone, unless the picture's fixture says."""
UNSTRUCTURED = Trigger(
    "unstructured",
    "the picture fits no template: isStructured is false, and ret has its lines",
    "emu-unstructured",
)

Edition = Literal["general", "finance"]
_DETECTOR = "0"
_MIXED_COUNT = (1, 4)
_URL = re.compile(r"https?://[^\s/?#]+[^\s]*", re.ASCII | re.IGNORECASE)


class Recognition:
    """The handlers of ``iocr.recognise`` and ``iocr.finance``. [seed, docs yk3h7y9u3]"""

    def __init__(self, library: Library) -> None:
        self._library = library

    def recognise(self, call: Call, context: Context) -> JsonObject:
        """Look at the picture, choose the template, answer with its fields."""
        return _Reading(self._library, "general", call, context).answer()

    def finance(self, call: Call, context: Context) -> JsonObject:
        """The same for the finance edition: short elements, and sheets with several receipts."""
        return _Reading(self._library, "finance", call, context).answer()


class _Reading:
    """One recognition."""

    def __init__(self, library: Library, edition: Edition, call: Call, context: Context) -> None:
        self._library = library
        self._state: BaiduState = context.account.state(call.cloud)
        self._behaviour = self._state.behaviour
        self._edition = edition
        self._call = call
        self._context = context
        self._parameters: JsonObject = call.parameters or {}

    def answer(self) -> JsonObject:
        """The whole of it, in the order of the checks."""
        sign, classifier = chosen(self._parameters, self._edition, self._behaviour)
        picture = self._picture()
        known = self._library.known(picture)
        template: Template | None
        found: Found | None = None
        if classifier:
            template, found = self._classified(classifier, picture, known)
        else:
            template = self._template(sign or (known.sign if known is not None else None) or STAND_IN)
        if known is not None and "error" in known.document:
            raise ApiError(known.document["error"], "the fixture of this picture says so")
        read: Sequence[Any] = known.document.get("lines", ()) if known is not None else ()
        if template is not None and MARK + UNSTRUCTURED.word in _parted(self._parameters, self._behaviour)[1]:
            read = read or [line for part in self._single(template) for line in part.lines()]
            template = None
        if known is not None and template is not None and not template.receipts:
            if known.sign not in (None, template.sign) and "lines" not in known.document:
                reason = f"the fixture of this picture says that it fits {known.sign}, not {template.sign}"
                raise ApiError(272000, reason)
            if known.sign != template.sign and "lines" in known.document:
                template = None
        self._state.answered += 1
        number = log_id(self._context.now, self._state.answered)
        if template is None:
            data: JsonObject = {"ret": lines(read)}
            return self._enveloped({**data, "isStructured": False, "logId": number}, number, dated=True)
        if template.receipts:
            return self._mixed(template, picture, known, number)
        return self._structured(template, found, picture, known, number)

    # The picture

    def _picture(self) -> Picture:
        """The picture in the parameter that is heeded: image, else url, else pdf_file. [seed; pdf_file: inference]"""
        parameters, base64 = self._parameters, self._behaviour.base64
        if "image" in parameters:
            return images.accept(parameters["image"], base64)
        if "url" in parameters:
            return self._linked(parameters["url"])
        return images.accept_pdf(parameters["pdf_file"], base64)

    def _linked(self, url: str) -> Picture:
        check_url(url)
        if not self._behaviour.fetches:  # not looked at: the answer is for the URL
            return Picture(url.encode(), "", 0, 0, url)
        fetched = self._call.request.fetched
        if fetched is None:
            raise ApiError(282110, "nothing was fetched for this request")
        return images.accept_fetched(downloaded(fetched), url)

    # The template

    def _template(self, sign: str) -> Template:
        """The template that the client named, or that a classifier found.

        Raises:
            ApiError: 282004, there is none, or it is not launched; 216110, it is of another account.

        """
        known = self._library.templates
        template = known.get(sign)
        if template is None:
            hint = nearest(sign, known) or f"; there are {', '.join(known)}"
            advice = f"; --fixtures DIR with {FOLDER}{sign}.json adds it{f'; {ADVICE}' if MARK in sign else ''}"
            raise ApiError(282004, f"there is no template {sign!r}{hint}{advice}", variant="template")
        if not template.launched():
            raise ApiError(282004, f"template {sign!r} is not launched (launched: false)", variant="template")
        account = self._context.account.name
        if not template.belongs_to(account):
            raise ApiError(216110, f"template {sign!r} does not belong to account {account!r} (accounts)")
        return template

    def _single(self, template: Template) -> list[Template]:
        """``template``, or those of the single receipts that it takes apart."""
        return [self._template(sign) for sign in template.receipts] or [template]

    def _classified(self, number: str, picture: Picture, known: Known | None) -> tuple[Template | None, Found]:
        """The template that the classifier ``number`` chooses.

        Raises:
            ApiError: 272004, there is no such classifier; 272001, it finds no class; 272002 or 282103, it finds one
                whose template does not fit.

        """
        classifiers = self._library.classifiers
        classifier = classifiers.get(number)
        if classifier is None:
            hint = nearest(number, classifiers) or f"; there are {', '.join(classifiers) or 'none'}"
            raise ApiError(
                272004,
                f"there is no classifier {number}{hint}; --fixtures DIR with baidu/classifiers/{number}.json adds it",
            )
        found = classifier.classify(picture, known, self._context.draw)
        if found.sign is None:
            if known is not None and "lines" in known.document and known.sign is None:
                return None, found
            raise ApiError(272001, f"classifier {number} finds no class for this picture")
        template = self._template(found.sign)
        if not found.matches:
            reason = f"classifier {number} finds {found.sign}, whose template does not fit (matches: false)"
            newer = self._behaviour.errors == "newer"
            raise ApiError(282103, reason, variant="newer") if newer else ApiError(272002, reason)
        return template, found

    # The answer

    def _structured(
        self, template: Template, found: Found | None, picture: Picture, known: Known | None, number: str
    ) -> JsonObject:
        document, context = template.document, self._context
        era = self._era(template)
        shape: Shape = "short" if era == "finance" else "full"
        said: JsonObject = {}
        degree: float = document.get("templateMatchDegree", 0.95)
        angle: float = document.get("clockwiseAngle", 0.0)
        if known is not None and known.sign == template.sign:
            said = known.document
            ret = template.bound(shape, known.overrides)
        elif context.responses == "random":
            content = blake2b(picture.content, digest_size=16).hexdigest()
            draw = context.draw("iocr.recognise", template.sign, content)
            ret = template.drawn(shape, picture, draw)
            degree, angle = round(draw.between(0.86, 0.999), 6), round(draw.between(0, 4), 2)
        else:
            ret = template.canned(shape)
            number = document.get("logId", number)
        sure = (document.get("scores") or (1 if era == "2018" else 1.0)) if found is None else found.scores
        data: JsonObject = {"ret": ret, "templateSign": template.sign}
        if era != "2018":
            data["templateName"] = template.name
        data["scores"] = said.get("scores", sure)
        data["isStructured"] = True
        data["logId"] = number
        if era == "2020":
            data["templateMatchDegree"] = float(said.get("templateMatchDegree", degree))
            data["clockwiseAngle"] = float(said.get("clockwiseAngle", angle))
        elif era == "finance":
            data["version"] = document.get("version", 1)
        return self._enveloped(data, number, dated=era != "2018")

    def _mixed(self, template: Template, picture: Picture, known: Known | None, number: str) -> JsonObject:
        """A sheet taken apart: each element of ``ret`` is a receipt. [forum 955800, consumer: #38979709135]"""
        context = self._context
        content = blake2b(picture.content, digest_size=16).hexdigest()
        draw = context.draw("iocr.mixed", content)
        if known is not None and known.sign is not None and "receipts" not in known.document:
            described = [known.document]
        elif known is not None and ("receipts" in known.document or "lines" in known.document):
            described = known.document.get("receipts", [])
        elif context.responses == "random":
            count = draw.integer(*_MIXED_COUNT)
            described = [{"template": draw.choice(template.receipts)} for _ in range(count)]
        else:
            described = [{"template": sign} for sign in template.receipts]
        if not described:
            raise ApiError(272003, "the fixture of this picture says that there is no receipt on it")
        receipts = []
        for index, receipt in enumerate(described):
            single = self._template(receipt["template"])
            overrides = Overrides(receipt.get("words", {}), receipt.get("tables", {}))
            if context.responses == "random" and overrides == NOTHING:
                ret = single.drawn("short", picture, context.draw("iocr.mixed", single.sign, content, index))
            else:
                ret = single.bound("short", overrides)
            sure = receipt.get("scores", round(draw.between(0.9, 0.9999), 14))
            receipts.append({"ret": ret, "templateSign": single.sign, "scores": sure, "isStructured": True})
        data: JsonObject = {"ret": receipts}
        if self._behaviour.era != "2018":
            data["templateSign"] = template.sign
        return self._enveloped(data, number, dated=self._behaviour.era != "2018")

    def _era(self, template: Template) -> str:
        """The shape of the answer."""
        if self._edition == "finance":
            return "finance"
        wanted = self._behaviour.era
        return str(template.document.get("era", "2020")) if wanted == "template" else wanted

    def _enveloped(self, data: JsonObject, number: str, *, dated: bool) -> JsonObject:
        """``data`` with what stands around it; ``dated``: with the ``log_id`` of answers since 2020."""
        answer: JsonObject = {"data": data, "error_code": 0, "error_msg": ""}
        if self._behaviour.logid:
            answer["logid"] = int(number)
        if dated:
            answer["log_id"] = number
        return answer


def chosen(parameters: JsonObject, edition: Edition, behaviour: Behaviour) -> tuple[str, str]:
    """The template and the classifier that a request names, of which one is empty: the template goes first. [seed]

    Both are empty if its ``templateSign`` is made of triggers alone.

    Raises:
        ApiError: 282004 or 216100, it names neither, or a classifier that is no number. [forum 943599, consumer:
            xiaowu0203/FinAuditAgentPlatform]

    """
    sign, triggers = _parted(parameters, behaviour)
    if sign:
        return sign, ""
    detector = parameters.get("detectorId") if edition == "finance" else None
    if detector == _DETECTOR and behaviour.era == "2018":  # as documented in 2019 [forum 951876]
        return MIXED, ""
    number = parameters.get("classifierId", "").strip()
    if number.isascii() and number.isdigit():
        return "", number
    if triggers and not number:
        return "", ""
    reason = (
        f"classifierId is {number!r}, which is no number" if number else "one of templateSign, classifierId is required"
    )
    if not number and detector is not None and behaviour.errors == "classic":
        raise ApiError(282004, f"{reason}; a detectorId does not do", variant="detector")
    if edition == "finance" or behaviour.errors == "newer":
        raise ApiError(216100, reason, variant="classifierId")
    raise ApiError(282004, reason)


def _parted(parameters: JsonObject, behaviour: Behaviour) -> tuple[str, list[str]]:
    """``templateSign`` without its triggers, and those."""
    sign: str = parameters.get("templateSign", "")
    if MARK not in sign or not behaviour.triggers:
        return sign, []
    rest: list[str] = []
    triggers: list[str] = []
    for part in sign.split("/"):
        word = part.removeprefix(MARK)
        known = word != part and (word == UNSTRUCTURED.word or find(word, starts_task=False) is not None)
        (triggers if known else rest).append(part)
    return "/".join(rest).strip("/"), triggers


def log_id(now: float, count: int) -> str:
    """Fifteen digits: unix seconds and five more. [every dump]"""
    return f"{int(now):010d}{count % 100_000:05d}"


def long_log_id(now: float, count: int) -> str:
    """Nineteen digits, as in newer errors of the gateway. [docs dk3h7y5vr]"""
    return f"1{int(digest('log_id', int(now), count, size=8), 16) % 10**18:018d}"


def check_url(url: str) -> None:
    """Let a URL pass that can be fetched at all.

    Raises:
        ApiError: 282114, it is too long; 282111, it is none.

    """
    size = len(url.encode())
    if size > URL_LIMIT:
        raise ApiError(282114, f"the url has {size} bytes; {URL_LIMIT} are allowed")
    try:
        host = urlsplit(url).hostname if _URL.fullmatch(url) else None
        port = urlsplit(url).port if host else None
    except ValueError as error:
        raise ApiError(282111, f"{url!r} is no URL: {error}") from None
    if not host or port == 0:
        raise ApiError(282111, f"{url!r} is no URL; it must start with http:// or https:// and name a host")


def downloaded(fetched: Fetched) -> bytes:
    """What was behind a url.

    Raises:
        ApiError: 282110, nothing; 282112, it came too slowly, was too large or protected; 282113, another answer.

    """
    if fetched.fault in ("slow", "too large"):
        raise ApiError(282112, fetched.reason)
    if fetched.fault is not None or fetched.status in (404, 410):
        raise ApiError(282110, fetched.reason or f"the server of the picture answered {fetched.status}")
    if fetched.status in (401, 403):
        raise ApiError(282112, f"the server of the picture answered {fetched.status}: it protects it against hot links")
    if fetched.status != 200 or not fetched.content:
        what = "an empty body" if fetched.status == 200 else str(fetched.status)
        raise ApiError(282113, f"the server of the picture answered {what}")
    return fetched.content
