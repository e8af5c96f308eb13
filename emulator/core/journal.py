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
from emulator.core.values import value_type

TraceLine = tuple[str, str]
"""A step of the pipeline and what it found."""


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
    """How much an account's journal keeps: entries, bytes of all bodies, bytes of one body."""

    entries: int = 10_000
    total: int = 32 * 2**20
    body: int = 64 * 2**10


class Journal:
    """One account's journal."""

    def __init__(self, limits: JournalLimits, changes: Changes | None = None) -> None:
        self._limits = limits
        self._entries: deque[Entry] = deque()
        self._bytes = 0
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
    ) -> RequestEntry:
        """Keep a request with what was decided."""
        self.created += 1
        kept = request.body
        if len(kept) > self._limits.body:
            kept = kept[: self._limits.body]
            request = replace(request, body=b"", content=b"")
        if request.fetched is not None:
            request = replace(request, fetched=None)
        entry = RequestEntry(
            self.created, at, operation, reply.status, code, reason, trace, request, kept, reply, latency
        )
        self._keep(entry)
        return entry

    def note_clock(self, came_from: float, at: float, events: int) -> None:
        """Keep a move of the clock."""
        self.created += 1
        self._keep(ClockEntry(self.created, at, came_from, events))

    def _keep(self, entry: Entry) -> None:
        entries = self._entries
        entries.append(entry)
        self._bytes += _weight(entry)
        while len(entries) > self._limits.entries or self._bytes > self._limits.total:
            self._bytes -= _weight(entries.popleft())
            self.evicted += 1
        self.changes.tell()


def _weight(entry: Entry) -> int:
    return len(entry.body) + len(entry.reply.body) if isinstance(entry, RequestEntry) else 0


HIDDEN = "***"
_SECRETS = (
    "client_secret|access_token|refresh_token|session_key|session_secret|secret_key"
    "|x-amz-signature|x-amz-security-token"
)
_IN_TEXT = re.compile(
    rf"(?is)(?P<form>\b(?:{_SECRETS})=)[^&\r\n]*"
    rf'|(?P<json>"(?:{_SECRETS})"\s*:\s*")(?:\\.|[^"\\])*'
    rf"|(?P<coded>%22(?:{_SECRETS})%22(?:%20|\+)*%3A(?:%20|\+)*%22)(?:%5C%..|(?!%22)[^&])*"
)
_SECRET_HEADERS = frozenset({"authorization", "cookie", "x-amz-security-token", "proxy-authorization"})
_SIGNATURE = re.compile(r"(?i)(signature=)[0-9a-f]+|(bce-auth-v1/(?:[^/]*/){4})[0-9a-f]+|((?:bearer|basic)\s+)\S+")


def redact(text: str) -> str:
    """``text`` (a query, a form or JSON) without the values of secrets and tokens."""
    return _IN_TEXT.sub(lambda found: f"{found['form'] or found['json'] or found['coded']}{HIDDEN}", text)


def redact_headers(headers: Mapping[str, str]) -> list[list[str]]:
    """Name and value pairs; of an ``Authorization`` all but the signature is kept, as that is what people look for."""
    return [
        [name, redact(_hidden(text) if name.lower() in _SECRET_HEADERS else text)] for name, text in headers.items()
    ]


def _hidden(text: str) -> str:
    """A secret header's value: what is around the secret, if it is of a form that is known."""
    shown = _SIGNATURE.sub(lambda found: f"{found[1] or found[2] or found[3]}{HIDDEN}", text)
    return shown if HIDDEN in shown else HIDDEN
