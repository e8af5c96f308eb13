"""The journal: what happened in an account, in order: requests with their trace, and moves of the clock.

Bounded by count and by bytes; what was forgotten is counted. Secrets are blotted out when an entry is shown.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace

from emulator.core.callbacks import Changes
from emulator.core.errors import Code
from emulator.core.exchange import RawRequest, Reply
from emulator.core.feed import Feed
from emulator.core.values import value_type

TraceLine = tuple[str, str]
"""A step of the pipeline and what it found."""

UNCLAIMED = "unclaimed"
"""The code of a request that no cloud owns."""
OWN = "emulator"
"""The code of a request that the emulator refused in its own name, or at which it failed."""


@value_type
class RequestEntry:
    """One request.

    Attributes:
        number: its place in the account's journal, from 1, never used twice.
        at: account time.
        operation: what was called, with its cloud; ``None`` if that could not be told.
        status: the HTTP status of the reply.
        code: the cloud's code if the request was refused.
        reason: the same in plain words.
        trace: what each step found.
        body: the first bytes of the request's body.
        latency: how long the reply was held back (machine seconds).
        rules: the ids of the rules that acted on it.

    """

    number: int
    at: float
    operation: str | None
    status: int
    code: Code | None
    reason: str
    trace: tuple[TraceLine, ...]
    request: RawRequest
    body: bytes
    reply: Reply
    latency: float
    rules: tuple[str, ...] = ()


@value_type
class ClockEntry:
    """A move of the clock: from where, to where, and how many events it set off."""

    number: int
    at: float
    came_from: float
    events: int


Entry = RequestEntry | ClockEntry


@value_type
class JournalLimits:
    """How much an account's journal keeps: entries, bytes of all bodies, bytes of one body.

    Beside that, the latest bodies that are cut stay whole, in ``whole`` bytes (no more than all bodies may have).
    """

    entries: int = 10_000
    total: int = 32 * 2**20
    body: int = 64 * 2**10
    whole: int = 8 * 2**20


class Journal:
    """One account's journal. What is kept is told to its ``feed``, and counted there."""

    def __init__(self, limits: JournalLimits, changes: Changes | None = None, feed: Feed | None = None) -> None:
        self._limits = limits
        self._feed = feed or Feed()
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._whole: dict[int, bytes] = {}
        self.created = 0
        self.evicted = 0
        self.changes = changes or Changes()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def requests(self) -> Iterator[RequestEntry]:
        """The entries that are requests, oldest first."""
        return (entry for entry in self._entries if isinstance(entry, RequestEntry))

    def note_request(
        self,
        at: float,
        operation: str | None,
        code: Code | None,
        reason: str,
        trace: tuple[TraceLine, ...],
        request: RawRequest,
        reply: Reply,
        latency: float,
        rules: tuple[str, ...] = (),
    ) -> RequestEntry:
        """Keep a request with what was decided."""
        self.created += 1
        kept = request.body
        if len(kept) > self._limits.body:
            self._keep_whole(self.created, request.content)
            kept = kept[: self._limits.body]
            request = replace(request, body=b"", content=b"")
        if request.fetched is not None:
            request = replace(request, fetched=None)
        entry = RequestEntry(
            self.created, at, operation, reply.status, code, reason, trace, request, kept, reply, latency, rules
        )
        self._keep(entry)
        feed = self._feed
        if code is None:
            feed.tally.accepted[operation or ""] += 1
        else:
            feed.tally.refused[operation or _cloud(code, trace), code] += 1
        feed.note("request", at, entry.number, operation, reply.status, code)
        return entry

    def note_clock(self, came_from: float, at: float, events: int) -> None:
        """Keep a move of the clock."""
        self.created += 1
        self._keep(ClockEntry(self.created, at, came_from, events))
        self._feed.note("clock", at, "frozen", came_from, events)

    def content(self, entry: RequestEntry) -> bytes | None:
        """The whole body of a request, its content coding undone; ``None`` if only its first bytes are still kept."""
        if entry.request.body or not entry.body:
            return entry.request.content
        return self._whole.get(entry.number)

    def _keep_whole(self, number: int, content: bytes) -> None:
        whole = self._whole
        whole[number] = content
        while sum(map(len, whole.values())) > min(self._limits.whole, self._limits.total):
            del whole[next(iter(whole))]

    def _keep(self, entry: Entry) -> None:
        entries = self._entries
        entries.append(entry)
        self._bytes += _weight(entry)
        while len(entries) > self._limits.entries or self._bytes > self._limits.total:
            forgotten = entries.popleft()
            self._bytes -= _weight(forgotten)
            self._whole.pop(forgotten.number, None)
            self.evicted += 1
            self._feed.tally.evicted += 1
        self.changes.tell()


def _cloud(code: Code, trace: tuple[TraceLine, ...]) -> str:
    """The cloud that was asked for something it does not have; empty if none was."""
    return trace[0][1] if trace and trace[0][0] == "claim" and code != UNCLAIMED else ""


def _weight(entry: Entry) -> int:
    return len(entry.body) + len(entry.reply.body) if isinstance(entry, RequestEntry) else 0


HIDDEN = "***"
_WORDS = (
    "client_secret",
    "access_token",
    "refresh_token",
    "session_key",
    "session_secret",
    "secret_key",
    "x-amz-signature",
    "x-amz-security-token",
)
_SECRETS = "|".join(_WORDS)
_BEFORE = 64
"""Signs before the name of a secret in which all begins that says what it is."""
_IN_TEXT = re.compile(
    r'(?is)(?=["%;\\acrsx])(?:'
    rf"(?P<form>\b(?:{_SECRETS})=)[^&\r\n]*"
    rf'|(?P<json>"(?:{_SECRETS})"\s*:\s*")(?:\\.|[^"\\])*'
    rf"|(?P<coded>%22(?:{_SECRETS})%22(?:%20|\+)*%3A(?:%20|\+)*%22)(?:%5C%..|(?!%22)[^&])*"
    # JSON in a text of JSON: its quotes have as many backslashes as it is deep; a value ends at the next such quote
    rf'|(?P<inner>(?<!\\)(?P<slashes>\\++)"(?:{_SECRETS})(?P=slashes)"'
    r'(?:\s|\\++[nrt])*+:(?:\s|\\++[nrt])*+(?P=slashes)")'
    r'(?:(?!(?<!\\)(?P=slashes)").)*'
    rf"|(?P<innercoded>(?<!%5C)(?P<codes>(?:%5C)++)%22(?:{_SECRETS})(?P=codes)%22"
    r"(?:%20|\+)*+%3A(?:%20|\+)*+(?P=codes)%22)"
    r"(?:(?!(?<!%5C)(?P=codes)%22)[^&])*"
    # a part of a multipart form: its headers, an empty line, the value up to the boundary
    rf'|(?P<part>;\s?name="?(?:{_SECRETS})\b[^\r\n]{{0,200}}\r?\n(?:[^\r\n]{{1,200}}\r?\n){{0,9}}\r?\n)(?:(?!\r?\n--).)*'
    r")"
)
_SECRET_HEADERS = frozenset({"authorization", "cookie", "x-amz-security-token", "proxy-authorization"})
_SIGNATURE = re.compile(r"(?i)(signature=)[0-9a-f]+|(bce-auth-v1/(?:[^/]*/){4})[0-9a-f]+|((?:bearer|basic)\s+)\S+")


def redact(text: str) -> str:
    """``text`` (a query, a form of either kind, JSON, or JSON in one of these) without secrets and tokens."""
    lowered = text.lower()
    first = min((at for word in _WORDS if (at := lowered.find(word)) >= 0), default=None)
    if first is None:
        return text
    begin = max(0, first - _BEFORE) if len(lowered) == len(text) else 0
    return text[:begin] + _IN_TEXT.sub(_blotted, text[begin:])


def _blotted(found: re.Match[str]) -> str:
    """What stands before the secret, and the blot."""
    return f"{found[found.lastgroup or 0]}{HIDDEN}"


def redact_headers(headers: Mapping[str, str]) -> list[list[str]]:
    """Name and value pairs; of an ``Authorization`` all but the signature is kept, as that is what people look for."""
    return [
        [name, redact(_hidden(text) if name.lower() in _SECRET_HEADERS else text)] for name, text in headers.items()
    ]


def _hidden(text: str) -> str:
    """A secret header's value: what is around the secret, if it is of a form that is known."""
    shown = _SIGNATURE.sub(lambda found: f"{found[1] or found[2] or found[3]}{HIDDEN}", text)
    return shown if HIDDEN in shown else HIDDEN
