"""What an edge fetches before a request is decided: deciding waits for nothing, so it is done by then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from emulator.core.values import value_type

if TYPE_CHECKING:
    from emulator.core.exchange import RawRequest

FetchFault = Literal["slow", "too large", "unreachable"]


@value_type
class Fetched:
    """What was found behind a URL.

    Attributes:
        status: the HTTP status; ``None`` if there was no answer.
        content: the body.
        fault: why there is no body, in one word for the cloud to answer.
        reason: the same in plain words.

    """

    status: int | None
    content: bytes
    fault: FetchFault | None = None
    reason: str = ""


@value_type
class Wish:
    """What is to be fetched: a URL, and how many bytes may be behind it."""

    url: str
    limit: int


@runtime_checkable
class Wishing(Protocol):
    """A cloud whose requests may name something to be fetched."""

    def wants(self, request: RawRequest) -> Wish | None:
        """What is to be fetched before ``request`` is decided. Never raises."""
