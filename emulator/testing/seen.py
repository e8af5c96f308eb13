"""What a test sees of requests, tasks and callbacks: small values, made from what the admin API shows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from emulator.core.exchange import JsonObject
from emulator.core.values import value_type


def instant(seconds: float) -> datetime:
    """Unix seconds as a moment."""
    return datetime.fromtimestamp(seconds, UTC)


@value_type
class Request:
    """One request of the journal.

    Attributes:
        operation: with its cloud; ``None`` if it is for nothing that there is.
        status: the HTTP status of the reply.
        code: what it was refused with; ``None`` if it was not.
        reason: why, in plain words.
        body: as it came, secrets blotted out.
        document: all that the admin API shows.

    """

    number: int
    at: datetime
    operation: str | None
    status: int
    code: int | str | None
    reason: str
    method: str
    path: str
    body: str
    reply: str
    headers: Mapping[str, str] = field(repr=False)
    document: JsonObject = field(repr=False)

    @classmethod
    def of(cls, row: JsonObject) -> Request:
        """From what the admin API shows."""
        kept = {name: row[name] for name in ("number", "operation", "status", "code", "reason", "method", "path")}
        reply = row["reply"]["body"]
        headers = dict(row["headers"])
        return cls(at=instant(row["at"]), headers=headers, body=row["body"], reply=reply, document=row, **kept)

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@value_type
class Task:
    """One task as it is now.

    Attributes:
        status: ``queued``, ``running``, ``uploading``, ``succeeded``, ``failed``, ``vanished``, ….
        parameters: of the request that created it.
        document: all that the admin API shows.

    """

    id: str
    operation: str
    kind: str
    status: str
    percent: float
    parameters: JsonObject
    document: JsonObject = field(repr=False)

    @classmethod
    def of(cls, row: JsonObject) -> Task:
        """From what the admin API shows."""
        kept = {name: row[name] for name in ("id", "operation", "kind", "status", "percent", "parameters")}
        return cls(document=row, **kept)


@value_type
class Delivery:
    """One callback of the ledger.

    Attributes:
        status: ``pending``, ``sending``, ``delivered``, ``failed``, ``cancelled`` or ``dropped``.
        event: ``progress``, ``succeeded`` or ``failed``.
        chaos: what went wrong with it on purpose.
        attempts: each with what came back.
        document: all that the admin API shows.

    """

    number: int
    task: str
    operation: str
    status: str
    event: str
    chaos: Sequence[str]
    url: str
    body: str
    due: datetime
    attempts: Sequence[JsonObject]
    document: JsonObject = field(repr=False)

    @classmethod
    def of(cls, row: JsonObject) -> Delivery:
        """From what the admin API shows."""
        kept = {name: row[name] for name in ("number", "task", "operation", "status", "event", "attempts")}
        sent = row["request"]
        due = instant(row["due"])
        return cls(chaos=tuple(row["chaos"]), url=sent["url"], body=sent["body"], due=due, document=row, **kept)

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@value_type
class Fired:
    """One thing that happened while a clock was moved."""

    at: datetime
    what: str
    task: str | None
    delivery: int | None
    status: str | None

    @classmethod
    def of(cls, row: JsonObject) -> Fired:
        """From what the admin API shows."""
        return cls(instant(row["at"]), row["what"], row["task"], row["delivery"], row["status"])
