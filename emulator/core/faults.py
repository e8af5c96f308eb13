"""What may happen to a reply on its way: it is late, damaged, or never arrives.

A fault is decided here and performed at the edge, after everything else was done: a task whose creation is answered
by a broken connection has been created.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field, replace
from http import HTTPStatus
from typing import Any, Literal, get_args

from emulator.core.documents import write_json
from emulator.core.errors import nearest
from emulator.core.exchange import Reply
from emulator.core.ids import Draw
from emulator.core.tasks import Span, seconds
from emulator.core.values import value_type

FaultKind = Literal["reset", "empty", "truncate", "garble", "trickle", "hang", "status"]
FAULTS: tuple[FaultKind, ...] = get_args(FaultKind)
IN_BYTES = frozenset({"garble", "status"})
"""Faults that are but another reply; the others are done by the connection."""
_BARE = tuple(kind for kind in FAULTS if kind != "status")
_THERE_ARE = f"; there are {', '.join(_BARE)}, and an HTTP status"
LONGEST = 3600.0
"""Machine seconds that a reply is held back at most."""
_GARBLED_SHARE = 0.1


@value_type
class Fault:
    """What happens to a reply.

    Attributes:
        kind: ``reset`` (the connection is torn down), ``empty`` (it is closed without a byte), ``truncate`` (the body
            breaks off), ``garble`` (bytes of the body are wrong), ``trickle`` (the body comes in drops), ``hang``
            (nothing ever comes), ``status`` (somebody on the way answers with an HTTP status).
        share: for ``truncate``: the share of the body that is sent, 0 to 1.
        over: for ``trickle``: machine seconds that the body takes; for ``hang``: after which the connection is closed.
        status, headers, body: for ``status``: the answer of whoever is on the way.

    """

    kind: FaultKind
    share: float = 0.5
    over: float = 10.0
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, document: Any) -> Fault:
        """From what a rule says (checked against ``schemas/emulator/rule.json``).

        Raises:
            ValueError: it says nothing, several things, or a header that nobody may set.

        """
        if isinstance(document, (int, float)):  # 404.0 is an integer, too, to a schema
            return cls._status(int(document), None, {})
        if isinstance(document, str):
            if document not in _BARE:
                raise ValueError(f"no fault is called {document!r}{nearest(document, _BARE) or _THERE_ARE}")
            return cls(document, over=LONGEST if document == "hang" else 10.0)
        named = document.keys() & set(FAULTS)
        if len(named) != 1:
            raise ValueError(f"a fault is exactly one of {', '.join(FAULTS)}")
        (kind,) = named
        if kind != "status" and (extra := sorted(document.keys() - named)):
            raise ValueError(f"{' and '.join(extra)} mean nothing beside {kind}, only beside status")
        match kind:
            case "status":
                return cls._status(int(document["status"]), document.get("body"), document.get("headers", {}))
            case "truncate":
                return cls(kind, share=float(document[kind].rstrip("%")) / 100)
            case "trickle" | "hang":
                return cls(kind, over=min(LONGEST, seconds(document[kind])))
        return cls(kind)

    @classmethod
    def _status(cls, status: int, body: Any, headers: Mapping[str, str]) -> Fault:
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = "Unknown"
        if body is None:
            page = f"<html>\r\n<head><title>{status} {phrase}</title></head>\r\n<body>\r\n"
            page += f"<center><h1>{status} {phrase}</h1></center>\r\n</body>\r\n</html>\r\n"
            headers = typed(None, headers, "text/html")
            return cls("status", status=status, headers=headers, body=page.encode())
        return cls("status", status=status, headers=typed(body, headers), body=content(body))

    def applied(self, reply: Reply, draw: Draw) -> Reply:
        """``reply`` with what of this fault can be said in bytes: another answer, or a garbled body."""
        if self.kind == "status":
            return Reply(self.status, self.headers, self.body)
        if self.kind == "garble":
            return replace(reply, body=garbled(reply.body, draw))
        return reply

    def __str__(self) -> str:
        """In words, for the trace."""
        match self.kind:
            case "truncate":
                return f"truncate: {self.share:.0%} of the body is sent"
            case "trickle" | "hang":
                return f"{self.kind}: for {self.over:g} s"
            case "status":
                return f"status: somebody on the way answers {self.status}"
        return self.kind


@value_type
class Latency:
    """How long a reply is held back: a fixed time or one between two bounds, or drawn from a lognormal distribution.

    Attributes:
        span: the bounds, in machine seconds.
        median: of the lognormal distribution, in machine seconds; 0: there is none.
        sigma: its spread (the standard deviation of the logarithm).

    """

    span: Span = Span(0, 0)
    median: float = 0.0
    sigma: float = 0.0

    @classmethod
    def of(cls, document: Any) -> Latency:
        """From what a rule says (checked against ``schemas/emulator/rule.json``).

        Raises:
            ValueError: a duration makes no sense, or several distributions are named.

        """
        if not isinstance(document, dict):
            return cls(Span.of(document))
        if len(document) != 1:
            raise ValueError("exactly one of fixed, uniform, lognormal")
        if "lognormal" in document:
            shape = document["lognormal"]
            return cls(median=seconds(shape["median"]), sigma=float(shape.get("sigma", 0.5)))
        return cls(Span.of(document.get("fixed", document.get("uniform"))))

    def length(self, *meaning: object) -> float:
        """The time drawn for ``meaning``, to the millisecond, an hour at most."""
        if not self.median:
            return min(LONGEST, self.span.length(*meaning))
        return min(LONGEST, round(self.median * math.exp(self.sigma * Draw(*meaning).normal()), 3))


def garbled(body: bytes, draw: Draw) -> bytes:
    """``body`` with some of its bytes replaced by others, one at least; of the same length."""
    damaged = bytearray(body)
    for _ in range(max(1, int(len(damaged) * _GARBLED_SHARE)) if damaged else 0):
        place = draw.integer(0, len(damaged) - 1)
        damaged[place] ^= draw.integer(1, 255)
    return bytes(damaged)


def content(body: Any) -> bytes:
    """A body that a rule says: a text as it is, anything else as JSON."""
    return body.encode() if isinstance(body, str) else write_json(body)


def typed(body: Any, headers: Mapping[str, str], kind: str = "") -> dict[str, str]:
    """``headers``, with the type of ``body`` (or ``kind``) unless they say another.

    Raises:
        ValueError: one of them says how long the body is, which is told from the body itself.

    """
    names = {name.lower() for name in headers}
    if told := sorted(names & _FRAMING):
        raise ValueError(f"{' and '.join(told)} are told from the body; for a body that breaks off: fault: truncate")
    if "content-type" in names:
        return dict(headers)
    text = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json; charset=utf-8"
    return {"Content-Type": kind or text, **headers}


_FRAMING = frozenset({"content-length", "transfer-encoding"})
