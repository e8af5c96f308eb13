"""The signature of Kingsoft's requests: AWS Signature Version 4, over the request exactly as it came in.

It travels in the query (``X-Amz-Credential=…``) or in the ``Authorization`` header. [docs 2386, docs 37587, docs 40308]
Everything here is a pure function.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import quote

from emulator.core.clock import parse_instant
from emulator.core.exchange import RawRequest
from emulator.core.forms import read_query
from emulator.core.values import value_type

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
EMPTY_HASH = hashlib.sha256(b"").hexdigest()
SERVICES = ("kvs", "offline", "ket")
REGIONS = ("cn-beijing-6", "cn-shanghai-2", "us-east-1")
_FIELD = re.compile(r"\b(Credential|SignedHeaders|Signature)\s*=\s*([^,\s]*)")
_BLANKS = re.compile(r"\s+")


@value_type
class CredentialScope:
    """``<access key>/<yyyymmdd>/<region>/<service>/aws4_request`` and the carrier that brought it.

    Parts that the client left out are empty; ``signature`` and ``signed_headers`` are as sent.
    """

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: str
    signature: str
    carrier: Literal["query", "header"]


def read_scope(query: Mapping[str, str], authorization: str | None) -> CredentialScope | None:
    """Who signed a request, by its query or its ``Authorization`` header; ``None`` if nobody did."""
    if credential := query.get("X-Amz-Credential"):
        signed, signature = query.get("X-Amz-SignedHeaders", ""), query.get("X-Amz-Signature", "")
        return _scope(credential, signed, signature, "query")
    if authorization is not None and authorization.startswith(ALGORITHM):
        fields = dict(_FIELD.findall(authorization))
        if credential := fields.get("Credential"):
            return _scope(credential, fields.get("SignedHeaders", ""), fields.get("Signature", ""), "header")
    return None


def _scope(
    credential: str, signed_headers: str, signature: str, carrier: Literal["query", "header"]
) -> CredentialScope:
    key, *rest = credential.rsplit("/", 4) if credential.count("/") >= 4 else credential.split("/")
    date, region, service = (*rest[:3], "", "", "")[:3]
    return CredentialScope(key, date, region, service, signed_headers, signature, carrier)


@value_type
class Signable:
    """The parts of a request that a signature covers, as they stand in the canonical request.

    Attributes:
        stamp: the signing time, ``yyyymmddThhmmssZ``.
        query: encoded pairs, sorted, without the signature itself.
        headers: the signed ones, by lower-case name, values trimmed and runs of blanks folded.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    payload_hash: str
    stamp: str
    date: str
    region: str
    service: str

    def canonical_request(self) -> str:
        """What is hashed into the string to sign."""
        query = "&".join(f"{name}={value}" for name, value in self.query)
        headers = "".join(f"{name}:{value}\n" for name, value in self.headers)
        names = ";".join(name for name, _ in self.headers)
        return "\n".join((self.method, self.path, query, headers, names, self.payload_hash))

    def string_to_sign(self) -> str:
        """What is signed."""
        scope = f"{self.date}/{self.region}/{self.service}/{TERMINATOR}"
        return "\n".join((ALGORITHM, self.stamp, scope, _hash(self.canonical_request().encode())))

    def signature(self, secret: str) -> str:
        """The signature by ``secret``."""
        key = f"AWS4{secret}".encode()
        for part in (self.date, self.region, self.service, TERMINATOR):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, self.string_to_sign().encode(), "sha256").hex()


class Unsignable(Exception):
    """The request lacks something without which its signature means nothing. The text says what."""


def signable(request: RawRequest, scope: CredentialScope) -> Signable:
    """The covered parts of ``request``.

    Raises:
        Unsignable: a part of the signature is missing or malformed, or a signed header was not sent.
    """
    if not re.fullmatch(r"\d{8}", scope.date) or not scope.region or not scope.service:
        raise Unsignable("the credential is not ACCESS_KEY/yyyymmdd/REGION/SERVICE/aws4_request")
    if not re.fullmatch(r"[0-9a-f]{64}", scope.signature):
        raise Unsignable(f"the signature is not 64 hex digits but {len(scope.signature)} characters")
    names = [name for name in scope.signed_headers.split(";") if name]
    if "host" not in names:
        raise Unsignable(f"host is not among the signed headers ({scope.signed_headers or 'none'})")
    if missing := [name for name in names if name not in request.headers]:
        raise Unsignable(f"the signed header {missing[0]} was not sent")
    query = read_query(request.query)
    stamp = _stamp(request, dict(query), scope)
    return Signable(
        method=request.method,
        path=request.path or "/",
        query=tuple(sorted((_encoded(n), _encoded(v)) for n, v in query if n != "X-Amz-Signature")),
        headers=tuple((name, _folded(request.headers[name])) for name in names),
        payload_hash=_hash(request.body),
        stamp=stamp,
        date=scope.date,
        region=scope.region,
        service=scope.service,
    )


def _stamp(request: RawRequest, query: Mapping[str, str], scope: CredentialScope) -> str:
    stamp = query.get("X-Amz-Date") if scope.carrier == "query" else request.headers.get("X-Amz-Date")
    if stamp is None and (date := request.headers.get("Date")) is not None:
        try:
            stamp = parsedate_to_datetime(date).strftime("%Y%m%dT%H%M%SZ")
        except ValueError:
            raise Unsignable(f"the header Date is no date: {date!r}") from None
    if stamp is None:
        raise Unsignable("there is no X-Amz-Date, and no Date header either")
    try:
        signed_at(stamp)
    except ValueError:
        raise Unsignable(f"X-Amz-Date is {stamp!r}, not an instant as yyyymmddThhmmssZ") from None
    return stamp


def signed_at(stamp: str) -> float:
    """Unix seconds of a signing time.

    Raises:
        ValueError: it is no instant of the form ``yyyymmddThhmmssZ``.
    """
    if not re.fullmatch(r"[0-9]{8}T[0-9]{6}Z", stamp):
        raise ValueError(stamp)
    return parse_instant(stamp)


@value_type
class Guess:
    """A known mistake: what the client did, and what it would then have signed."""

    mistake: str
    signed: Signable
    secret: str | None = None


def guesses(request: RawRequest, seen: Signable, secret: str) -> Iterator[Guess]:
    """What clients are known to get wrong, most frequent first."""
    if seen.payload_hash != EMPTY_HASH:
        yield Guess(
            "the body was not signed (the signature covers an empty one)", replace(seen, payload_hash=EMPTY_HASH)
        )
        latin = request.body.decode("utf-8", "replace").encode("latin-1", "replace")
        yield Guess("the body was signed in ISO-8859-1 but sent in UTF-8", replace(seen, payload_hash=_hash(latin)))
        unsigned = replace(seen, payload_hash="UNSIGNED-PAYLOAD")
        yield Guess("the body was signed as UNSIGNED-PAYLOAD, which this service does not know", unsigned)
    stated = request.headers.get("X-Amz-Content-Sha256")
    if stated is not None and stated != seen.payload_hash:
        yield Guess("the body was changed after X-Amz-Content-Sha256 was made", replace(seen, payload_hash=stated))
    yield from _host_guesses(seen)
    yield from _query_guesses(request, seen)
    for index, (name, _) in enumerate(seen.headers):
        raw = request.headers[name]
        swapped = (*seen.headers[:index], (name, raw), *seen.headers[index + 1 :])
        if swapped != seen.headers:
            yield Guess(f"the blanks in the header {name} were not folded", replace(seen, headers=swapped))
        fewer = (*seen.headers[:index], *seen.headers[index + 1 :])
        yield Guess(f"the header {name} is named as signed but was not", replace(seen, headers=fewer))
    for method in ("GET", "POST", "PUT", "DELETE", "HEAD"):
        if method != seen.method:
            yield Guess(f"the method was {method} when it was signed", replace(seen, method=method))
    if seen.path != "":
        yield Guess("the path was signed as empty instead of /", replace(seen, path=""))
    if seen.path != "/":
        yield Guess("the path was / when it was signed", replace(seen, path="/"))
    if seen.stamp[:8] != seen.date:
        yield Guess("the date in the credential is not that of X-Amz-Date", replace(seen, date=seen.stamp[:8]))
    for region in REGIONS:
        if region != seen.region:
            yield Guess(f"the region was {region} when it was signed", replace(seen, region=region))
    for service in SERVICES:
        if service != seen.service:
            yield Guess(f"the service was {service} when it was signed", replace(seen, service=service))
    if secret.strip() != secret:
        yield Guess("the client signs with its secret without the blanks around it", seen, secret.strip())
    yield Guess("the client's secret has a line break at its end", seen, secret + "\n")


def _host_guesses(seen: Signable) -> Iterator[Guess]:
    for index, (name, value) in enumerate(seen.headers):
        if name != "host":
            continue
        bare = value.rpartition(":")[0] if ":" in value else value
        others = [("without its port", bare), ("with :80", f"{bare}:80"), ("with :443", f"{bare}:443")]
        others += [("as the vendor's", "kvs.cn-beijing-6.api.ksyun.com"), ("as the vendor's", "kvs.api.ksyun.com")]
        for how, host in others:
            if host != value:
                headers = (*seen.headers[:index], (name, host), *seen.headers[index + 1 :])
                yield Guess(f"Host was signed {how}: {host} instead of {value}", replace(seen, headers=headers))


def _query_guesses(request: RawRequest, seen: Signable) -> Iterator[Guess]:
    raw = [part.partition("=") for part in request.query.split("&") if part]
    pairs = tuple((name, value) for name, _, value in raw if name != "X-Amz-Signature")
    yield Guess(
        "the query was not sorted", replace(seen, query=tuple((_encoded_raw(n), _encoded_raw(v)) for n, v in pairs))
    )
    yield Guess(
        "the query was signed as it is sent, not percent-encoded by RFC 3986", replace(seen, query=tuple(sorted(pairs)))
    )
    twice = tuple(sorted((quote(n, safe="-_.~"), quote(v, safe="-_.~")) for n, v in pairs))
    yield Guess("the query was percent-encoded twice before it was signed", replace(seen, query=twice))
    plus = tuple(sorted((_encoded_raw(n, plus=True), _encoded_raw(v, plus=True)) for n, v in pairs))
    yield Guess("a + in the query, which means a space, was signed as a plus", replace(seen, query=plus))
    if seen.query:
        yield Guess("the query was not signed", replace(seen, query=()))
    for index, (name, _) in enumerate(seen.query):
        fewer = (*seen.query[:index], *seen.query[index + 1 :])
        yield Guess(f"{name} was added to the query after it was signed", replace(seen, query=fewer))


def _encoded_raw(text: str, *, plus: bool = False) -> str:
    """A part of a raw query, decoded and encoded again."""
    decoded = dict(read_query("x=" + (text.replace("+", "%2B") if plus else text)))["x"]
    return _encoded(decoded)


def difference(seen: Signable, known: Signable) -> str:
    """The first part in which ``seen`` differs from a request that was signed rightly; empty if in none."""
    for part in ("method", "path", "stamp", "date", "region", "service"):
        now, then = getattr(seen, part), getattr(known, part)
        if now != then:
            return f"{_PARTS[part]} is {now!r}; it was {then!r}"
    for kind, now_pairs, then_pairs in (("query", seen.query, known.query), ("header", seen.headers, known.headers)):
        now_named, then_named = dict(now_pairs), dict(then_pairs)
        for name in [*then_named, *now_named]:
            if name not in now_named:
                return f"{name} is missing from the {kind}"
            if name not in then_named:
                return f"{name} was added to the {kind}"
            if now_named[name] != then_named[name]:
                return f"{name} in the {kind} is {now_named[name]!r}; it was {then_named[name]!r}"
    if seen.payload_hash != known.payload_hash:
        return "the body is another"
    return "" if seen == known else "the order or number of the query's parts is another"


_PARTS = {
    "method": "the method",
    "path": "the path",
    "stamp": "the signing time (X-Amz-Date)",
    "date": "the date of the credential",
    "region": "the region of the credential",
    "service": "the service of the credential",
}


@dataclass(slots=True)
class Memory:
    """What was signed rightly of late, by signature: what a refused request is compared with."""

    known: dict[str, Signable] = field(default_factory=dict)

    def keep(self, signature: str, signed: Signable, limit: int = 256) -> None:
        """Remember a request whose signature was right."""
        self.known.pop(signature, None)
        self.known[signature] = signed
        if len(self.known) > limit:
            del self.known[next(iter(self.known))]


def presigned(
    method: str, query: Mapping[str, str], body: bytes, host: str, at: float, key: str, secret: str, service: str
) -> str:
    """The query of a request to ``/`` with its signature in it, as ``key`` makes it at the instant ``at``."""
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    date, region = stamp[:8], REGIONS[0]
    members = {
        **query,
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{key}/{date}/{region}/{service}/{TERMINATOR}",
        "X-Amz-Date": stamp,
        "X-Amz-SignedHeaders": "host",
    }
    pairs = tuple(sorted((_encoded(name), _encoded(value)) for name, value in members.items()))
    signed = Signable(method, "/", pairs, (("host", host),), _hash(body), stamp, date, region, service)
    return "&".join(f"{name}={value}" for name, value in (*pairs, ("X-Amz-Signature", signed.signature(secret))))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def _folded(value: str) -> str:
    return _BLANKS.sub(" ", value.strip())
