"""Signatures: the scheme by vectors and by an independent signer, the explanation of a wrong one by mutation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from multidict import CIMultiDict

from emulator.core.errors import ApiError
from emulator.core.exchange import RawRequest
from emulator.core.forms import read_query
from emulator.kingsoft.authentication import verify
from emulator.kingsoft.signing import CredentialScope, Memory, read_scope, signable, signed_at

KEY, SECRET = "AKLTEXAMPLE0000000000", "SKEXAMPLE/0123456789abcdefghijklmnopqrstuv"
HOST = "kvs.cn-beijing-6.api.ksyun.com"
BODY = b'{"Preset":"demo_mp4","SrcInfo":[{"path":"/src/a.mp4"}],"DstBucket":"dst","DstObjectKey":"out/a.mp4"}'


def request(method: str, query: str, headers: dict[str, str], body: bytes = b"", arrived: float = 0.0) -> RawRequest:
    return RawRequest(method, "/", query, CIMultiDict(headers), body, body, HOST, "127.0.0.1", arrived)


def scope_of(raw: RawRequest) -> CredentialScope:
    scope = read_scope(dict(read_query(raw.query)), raw.headers.get("Authorization"))
    assert scope is not None
    return scope


def refusal(raw: RawRequest, secret: str = SECRET, memory: Memory | None = None, skew: float = 0) -> ApiError:
    with pytest.raises(ApiError) as caught:
        verify(raw, scope_of(raw), secret, memory or Memory(), skew=skew)
    return caught.value


def test_the_header_form_gives_the_signature_of_the_worked_example() -> None:
    authorization = f"AWS4-HMAC-SHA256 Credential={KEY}/20220215/cn-beijing-6/kvs/aws4_request, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"  # noqa: E501
    headers = {"Host": HOST, "X-Amz-Date": "20220215T081513Z", "Authorization": authorization}
    raw = request("POST", "Action=CreateTask&Version=2017-01-01", headers, BODY)

    signed = signable(raw, scope_of(raw))

    assert signed.signature(SECRET) == "91962fc43045386543ed6d208f56ef906733ad0d01ee679ef9ac6247d4ae4fdb"


def test_the_query_form_gives_the_signature_of_the_worked_example() -> None:
    query = (
        "Action=GetTaskByTaskID&TaskID=40d309d3b2bf373cd3f08e5b5e1bddf720160816&Version=2017-01-01"
        "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20220215T081513Z&X-Amz-SignedHeaders=host"
        f"&X-Amz-Credential={KEY}%2F20220215%2Fcn-beijing-6%2Fkvs%2Faws4_request&X-Amz-Signature={'0' * 64}"
    )
    raw = request("GET", query, {"Host": HOST})

    signed = signable(raw, scope_of(raw))

    assert signed.signature(SECRET) == "b077b5f99bf92ef6952dd3e699aa7bb79b141f84ad1c22abc03b376eb146c4c9"


def by_header() -> RawRequest:
    """A call signed in its headers, by botocore."""
    url = f"http://{HOST}:8640/?Action=CreateTask&Version=2017-01-01&Note=a%20b%2Bc"
    signed = AWSRequest("POST", url, data=BODY, headers={"Content-Type": "application/json", "Host": f"{HOST}:8640"})
    SigV4Auth(Credentials(KEY, SECRET), "kvs", "cn-beijing-6").add_auth(signed)
    headers = {**dict(signed.headers), "Host": f"{HOST}:8640"}
    return request("POST", urlsplit(url).query, headers, BODY, signed_at(headers["X-Amz-Date"]))


def by_query() -> RawRequest:
    """A call signed in its query, by botocore."""
    signed = AWSRequest("GET", f"http://{HOST}/?Action=GetTaskByTaskID&Version=2017-01-01&TaskID={'a' * 40}")
    SigV4QueryAuth(Credentials(KEY, SECRET), "kvs", "cn-beijing-6", expires=300).add_auth(signed)
    query = urlsplit(signed.url).query
    return request("GET", query, {"Host": HOST}, arrived=signed_at(dict(read_query(query))["X-Amz-Date"]))


@pytest.mark.parametrize("signed", [by_header, by_query])
def test_what_an_independent_signer_signs_is_right(signed: object) -> None:
    raw = signed()  # type: ignore[operator]

    assert verify(raw, scope_of(raw), SECRET, Memory(), skew=900) == "the signature is right"


def test_a_name_without_a_value_counts_as_empty_and_an_empty_segment_not_at_all() -> None:
    raw = by_header()

    for query in (f"&&{raw.query}&", raw.query.replace("Note=", "&Note=")):
        assert verify(replace(raw, query=query), scope_of(raw), SECRET, Memory(), skew=0)


@pytest.mark.parametrize("late", [901, -901])
def test_a_signing_time_too_far_from_the_machines_is_refused_as_expired(late: float) -> None:
    raw = by_header()

    assert refusal(replace(raw, arrived=raw.arrived + late), skew=900).code == "RequestExpired"


def test_a_refusal_never_names_the_secret() -> None:
    error = refusal(replace(by_header(), body=b"other"))

    assert SECRET not in error.reason
    assert "canonical request as computed here:\nPOST\n/\nAction=CreateTask&" in error.reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"headers": {"Host": HOST}}, "Host was signed without its port"),
        ({"body": b""}, "the body was not signed"),
        ({"query": "Version=2017-01-01&Action=CreateTask"}, "the query was not sorted"),
        ({"region": "cn-shanghai-2"}, "the region was cn-shanghai-2 when it was signed"),
        ({"service": "ket"}, "the service was ket when it was signed"),
        ({"method": "GET"}, "the method was GET when it was signed"),
        ({"query": "Action=CreateTask&Note=a%2520b&Version=2017-01-01"}, "percent-encoded twice"),
        ({"query": "Action=CreateTask&Version=2017-01-01"}, "Note was added to the query after it was signed"),
    ],
)
def test_a_mistake_that_clients_are_known_to_make_is_named(change: dict[str, object], words: str) -> None:
    sent_query = "Version=2017-01-01&Action=CreateTask"
    if "Note" in str(change.get("query", "")) or "Note" in words:
        sent_query = "Action=CreateTask&Note=a%20b&Version=2017-01-01"
    region, service = change.get("region", "cn-beijing-6"), change.get("service", "kvs")
    stamp = "20220215T081513Z"

    def scoped(area: object, what: object, signature: str) -> str:
        return f"AWS4-HMAC-SHA256 Credential={KEY}/20220215/{area}/{what}/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}"  # noqa: E501

    base = {"Host": f"{HOST}:8640", "X-Amz-Date": stamp}
    imagined = request(
        str(change.get("method", "POST")),
        str(change.get("query", sent_query)),
        {**base, **change.get("headers", {}), "Authorization": scoped(region, service, "0" * 64)},  # type: ignore[dict-item]
        change.get("body", BODY),  # type: ignore[arg-type]
    )
    covered = signable(imagined, scope_of(imagined))
    if words == "the query was not sorted":
        covered = replace(covered, query=tuple(reversed(covered.query)))
    if words == "percent-encoded twice":
        covered = replace(covered, query=(("Action", "CreateTask"), ("Note", "a%2520b"), ("Version", "2017-01-01")))
    sent = request(
        "POST", sent_query, {**base, "Authorization": scoped("cn-beijing-6", "kvs", covered.signature(SECRET))}, BODY
    )

    assert words in refusal(sent).reason.partition("\n")[0]


def mutants(raw: RawRequest) -> Iterator[tuple[str, RawRequest]]:
    """``raw`` with one signed part altered, and a word that names the part."""
    for method in ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"):
        if method != raw.method:
            yield "method", replace(raw, method=method)
    for path in ("/x", "//", "/?", "/index", "/%20"):
        yield "path", replace(raw, path=path)
    segments = raw.query.split("&")
    for index, segment in enumerate(segments):
        name, _, value = segment.partition("=")
        if name in ("X-Amz-Signature", "X-Amz-Credential", "X-Amz-SignedHeaders"):
            continue
        others = [f"{name}={value}x", f"{name}=", f"{name}x={value}", f"{name}={value[1:]}y", None]
        for other in others:
            changed = [*segments[:index], *([other] if other is not None else []), *segments[index + 1 :]]
            if name != "X-Amz-Date":
                yield name, replace(raw, query="&".join(changed))
    for extra in ("Added=1", "A=", "zz=%20", "Action=Other", "Version=2016-09-19", "=x"):
        yield extra.partition("=")[0] or "query", replace(raw, query=f"{raw.query}&{extra}")
    scope = scope_of(raw)
    for name in scope.signed_headers.split(";"):
        if name == "x-amz-date":
            continue
        value = raw.headers[name]
        for other in (f"{value}x", value[:-1], value.swapcase(), f"x{value}", "other"):
            headers = CIMultiDict(raw.headers)
            headers[name] = other
            yield name, replace(raw, headers=headers)
    if raw.body:
        for index in range(0, len(raw.body), 2):
            body = raw.body[:index] + bytes([raw.body[index] ^ 1]) + raw.body[index + 1 :]
            yield "body", replace(raw, body=body)
        yield "body", replace(raw, body=raw.body + b" ")
        yield "body", replace(raw, body=json.dumps(json.loads(raw.body)).encode())
    stamp = raw.headers.get("X-Amz-Date") or dict(read_query(raw.query))["X-Amz-Date"]
    for other in (
        f"{stamp[:9]}{(int(stamp[9:11]) + 1) % 24:02}{stamp[11:]}",
        f"{stamp[:13]}{(int(stamp[13:15]) + 7) % 60:02}Z",
    ):
        yield "X-Amz-Date", _with(raw, stamp, other)
    for part, other in (
        (scope.date, "20200101"),
        (scope.region, "cn-north-9"),
        (scope.service, "offline"),
        (scope.region, "us-east-1"),
    ):
        yield (
            {scope.date: "date", scope.region: "region", scope.service: "service"}[part],
            _with_scope(raw, part, other),
        )
    for index in range(0, 64, 2):
        digit = "0" if scope.signature[index] != "0" else "1"
        yield "signature", _with(raw, scope.signature, scope.signature[:index] + digit + scope.signature[index + 1 :])


def _with(raw: RawRequest, old: str, new: str) -> RawRequest:
    headers = CIMultiDict({name: value.replace(old, new) for name, value in raw.headers.items()})
    return replace(raw, headers=headers, query=raw.query.replace(old, new))


def _with_scope(raw: RawRequest, part: str, other: str) -> RawRequest:
    for separator in ("/", quote("/", safe="")):
        raw = _with(raw, f"{separator}{part}{separator}", f"{separator}{other}{separator}")
    return raw


def test_every_alteration_of_a_signed_part_is_refused_and_nearly_every_one_is_named() -> None:
    refused, named, tried = 0, 0, 0
    unnamed = []
    for good in (by_header(), by_query()):
        memory = Memory()
        verify(good, scope_of(good), SECRET, memory, skew=900)
        for word, mutant in mutants(good):
            tried += 1
            reason = refusal(mutant, memory=memory, skew=900).reason.partition("\n")[0]
            refused += 1
            if word.lower() in reason.lower():
                named += 1
            else:
                unnamed.append((word, reason))

    assert (tried >= 200, refused) == (True, tried)
    assert named >= 0.95 * tried, unnamed
