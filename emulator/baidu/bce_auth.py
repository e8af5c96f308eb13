"""The signature ``bce-auth-v1``, as pure functions, and why one is wrong. [sdk-python, sdk-node, sdk-java, sdk-dotnet]

The SDKs sign with it, with the same pair of keys, when their token does not have the scope that they look for.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import quote, unquote

from emulator.core.clock import parse_instant
from emulator.core.errors import ApiError
from emulator.core.exchange import RawRequest
from emulator.core.forms import read_query
from emulator.core.values import value_type

SCHEME = "bce-auth-v1/"
WIDEST_SKEW = 86_400.0
"""Seconds by which a signing time may be off. The Java SDK writes the hour by a twelve-hour clock. [sdk-java]"""

_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_BY_DEFAULT = ("content-length", "content-md5", "content-type", "host")
_VENDORS_HOST = "aip.baidubce.com"


@value_type
class Signed:
    """What the ``Authorization`` header says.

    Attributes:
        access_key: who signed: the API key.
        stamp: when.
        expire: for how many seconds.
        names: the headers that were signed; none means the default set.
        signature: 64 hex digits.

    """

    access_key: str
    stamp: str
    expire: str
    names: tuple[str, ...]
    signature: str

    @property
    def prefix(self) -> str:
        """What the signing key is made of."""
        return f"bce-auth-v1/{self.access_key}/{self.stamp}/{self.expire}"


@value_type
class Canonical:
    """A request as it is signed."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]

    def text(self) -> str:
        """The canonical request."""
        query = "&".join(sorted(f"{encoded(name)}={encoded(value)}" for name, value in self.query))
        headers = "\n".join(sorted(f"{encoded(name)}:{encoded(value)}" for name, value in self.headers))
        return f"{self.method}\n{quote(unquote(self.path), safe='/-_.~')}\n{query}\n{headers}"


def read(header: str) -> Signed | None:
    """The parts of an ``Authorization`` header; ``None`` if it is not of this kind."""
    parts = header.strip().split("/")
    if len(parts) != 6 or parts[0] != "bce-auth-v1":
        return None
    _, access_key, stamp, expire, names, signature = parts
    listed = tuple(name.strip().lower() for name in names.split(";") if name.strip())
    return Signed(access_key, stamp, expire, listed, signature)


def canonical(request: RawRequest, signed: Signed) -> Canonical:
    """The request as ``signed`` says that it was signed: the ``Host`` as received, every parameter of the query."""
    given = {name.lower(): value.strip() for name, value in request.headers.items()}
    names = signed.names or (*_BY_DEFAULT, *(name for name in given if name.startswith("x-bce-")))
    headers = tuple((name, given[name]) for name in dict.fromkeys(names) if given.get(name))
    query = tuple(pair for pair in read_query(request.query) if pair[0].lower() != "authorization")
    return Canonical(request.method, request.path, query, headers)


def signing_key(secret: str, signed: Signed) -> str:
    """The key, whose hex digits are used as they stand."""
    return hmac.new(secret.encode(), signed.prefix.encode(), hashlib.sha256).hexdigest()


def signature(secret: str, signed: Signed, text: str) -> str:
    """The signature of the canonical request ``text``."""
    return hmac.new(signing_key(secret, signed).encode(), text.encode(), hashlib.sha256).hexdigest()


def verify(request: RawRequest, signed: Signed, secret: str, *, skew: float) -> str:
    """Let a rightly signed request pass, and say in a few words what was found.

    Args:
        request: as it came in.
        signed: what its header says.
        secret: the Secret Key.
        skew: seconds by which the signing time may differ from the machine's; 0 does not look at it.

    Raises:
        ApiError: 14, the signature is incomplete, wrong or too old.

    """
    if not _STAMP.fullmatch(signed.stamp) or not signed.expire.isdecimal():
        raise ApiError(14, f"the signing time {signed.stamp!r} is not like 2026-01-31T09:00:00Z, or has no duration")
    seen = canonical(request, signed)
    right = signature(secret, signed, seen.text())
    if not hmac.compare_digest(right.encode(), signed.signature.encode()):
        missing = [name for name in signed.names if not dict(seen.headers).get(name)]
        cause = (
            f"the header {missing[0]} is listed as signed but was not sent"
            if missing
            else _cause(seen, signed, secret) or "the secret is another, or the request was changed after it was signed"
        )
        raise ApiError(14, f"{cause}\ncanonical request as computed here:\n{seen.text()}")
    stated = request.headers.get("Content-MD5", "").lower()
    if re.fullmatch("[0-9a-f]{32}", stated) and stated != hashlib.md5(request.body, usedforsecurity=False).hexdigest():
        raise ApiError(14, "Content-MD5 is not the hash of the body that came")
    try:
        late = request.arrived - parse_instant(signed.stamp)
    except ValueError as error:
        raise ApiError(14, str(error)) from None
    if skew and abs(late) > skew + int(signed.expire[:9]):
        when = f"{late:.0f} s ago" if late > 0 else f"{-late:.0f} s ahead"
        raise ApiError(14, f"the request was signed {when} ({signed.stamp}); {skew:.0f} s are allowed")
    return "the signature bce-auth-v1 is right"


def encoded(text: str) -> str:
    """``text`` percent-encoded, the slash too."""
    return quote(text, safe="-_.~")


def _cause(seen: Canonical, signed: Signed, secret: str) -> str:
    """The mistake that would explain the signature; empty if none of the known ones does."""
    for mistake, made in _guesses(seen, signed):
        if hmac.compare_digest(made(secret).encode(), signed.signature.encode()):
            return mistake
    return ""


def _guesses(seen: Canonical, signed: Signed) -> Iterator[tuple[str, Callable[[str], str]]]:
    """Mistakes that are easily made, each with the signature it leads to."""

    def of(text: str) -> Callable[[str], str]:
        return lambda secret: signature(secret, signed, text)

    def raw_key(secret: str) -> str:
        key = hmac.new(secret.encode(), signed.prefix.encode(), hashlib.sha256).digest()
        return hmac.new(key, seen.text().encode(), hashlib.sha256).hexdigest()

    def plain_secret(secret: str) -> str:
        return hmac.new(secret.encode(), seen.text().encode(), hashlib.sha256).hexdigest()

    yield "the signing key is used as raw bytes; its hex digits, as text, are the key", raw_key
    yield "the secret itself is the key; the key is the HMAC of the prefix bce-auth-v1/…", plain_secret
    yield "the secret has blanks around it", lambda secret: signature(secret.strip(), signed, seen.text())
    headers = dict(seen.headers)
    host = headers.get("host", "")
    for other in {host.rpartition(":")[0] or host, _VENDORS_HOST, f"{_VENDORS_HOST}:443"} - {host}:
        changed = replace(seen, headers=tuple({**headers, "host": other}.items()))
        yield f"the host that was signed is {other}, the Host that came is {host}", of(changed.text())
    yield "the query was left out of the canonical request", of(replace(seen, query=()).text())
    token = tuple(pair for pair in seen.query if pair[0] != "access_token")
    if token != seen.query:
        yield "access_token was added to the query after signing", of(replace(seen, query=token).text())
    for name in headers:
        fewer = tuple((known, value) for known, value in headers.items() if known != name)
        yield f"the header {name} is listed as signed, but was not", of(replace(seen, headers=fewer).text())
    unencoded = "\n".join(sorted(f"{name}:{value}" for name, value in seen.headers))
    lead = seen.text().split("\n")[:3]
    yield "the values of the headers were not percent-encoded", of("\n".join([*lead, unencoded]))
    given = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in seen.query)
    yield "the query was not sorted", of("\n".join([*lead[:2], given, *seen.text().split("\n")[3:]]))
    yield "the canonical request ends in a line break", of(seen.text() + "\n")
    yield "the method was signed in lower case", of(replace(seen, method=seen.method.lower()).text())
