"""The values of one request, each saying what is known by then: ``RawRequest`` → ``Call`` → ``Outcome``.

All are frozen: a step makes the next value and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from emulator.core.errors import ApiError
from emulator.core.fetching import Fetched
from emulator.core.values import value_type

if TYPE_CHECKING:
    from emulator.core.accounts import Account
    from emulator.core.faults import Fault
    from emulator.core.operations import Operation

JsonObject = dict[str, Any]

BodyFault = Literal["too large", "not decodable"]


@value_type
class RawRequest:
    """A request as it came in.

    Attributes:
        method: upper case.
        path: the path as sent, still percent-encoded.
        query: the query as sent, without the ``?``.
        headers: as sent; look-ups ignore case.
        body: the body as sent (signatures are over these bytes); empty if it was not read.
        content: the body after its content coding (gzip, deflate) was undone.
        host: the ``Host`` header without its port, lower case.
        peer: the client's address.
        arrived: unix seconds, by the machine's clock.
        fault: why ``content`` is empty although a body was sent, in one word for the cloud to answer.
        fault_reason: the same in plain words.
        fetched: what was behind the URL that the cloud wanted to have fetched for this request, if any.

    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    content: bytes
    host: str
    peer: str
    arrived: float
    fault: BodyFault | None = None
    fault_reason: str = ""
    fetched: Fetched | None = None


@value_type
class Credential:
    """Who calls, as the request says: a cloud, a kind of credential of that cloud, and its public part.

    ``opens`` is true for a kind that may open an account by itself (an access key), false for one that the
    emulator must have issued (a token).
    """

    cloud: str
    kind: str
    id: str
    opens: bool = True


@value_type
class Call:
    """A request that a cloud has read.

    Attributes:
        request: what came in.
        cloud: the cloud that claimed it.
        operation: what is called; ``None`` if the cloud has no such thing.
        named: the name that the client used for it.
        credential: who calls; ``None`` if the request does not say.
        parameters: the operation's parameters, decoded, coerced to the types of the schema where they came as
            text; ``None`` if they could not be read.
        refusal: why the operation could not be told (never ``None`` then), or why the parameters could not be read.

    """

    request: RawRequest
    cloud: str
    operation: Operation | None
    named: str
    credential: Credential | None
    parameters: JsonObject | None
    refusal: ApiError | None = None


@value_type
class Reply:
    """What goes back: status, headers, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@value_type
class Draft:
    """A request that a client would send.

    Attributes:
        target: path and query.
        headers: those beside ``Host``.
        note: what a person should know of its credential; empty if it is what a client would have sent.

    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    note: str = ""


@value_type
class Outcome:
    """What was decided, for the edge to perform.

    Attributes:
        reply: what goes back.
        latency: how long to wait before it, in machine seconds.
        reason: why the request was refused, in plain words; empty if it was not.
        entry: the number of the request in its account's journal.
        fault: what happens to the reply on its way.
        early: an account some of whose callbacks go out before the reply does.

    """

    reply: Reply
    latency: float = 0.0
    reason: str = ""
    entry: int = 0
    fault: Fault | None = None
    early: Account | None = None
