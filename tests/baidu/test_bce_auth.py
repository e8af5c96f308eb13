"""The signature bce-auth-v1, by what the vendor's SDKs really sent. [wire]"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from emulator.baidu import bce_auth
from emulator.baidu.bce_auth import Signed
from emulator.core.clock import parse_instant
from emulator.core.errors import ApiError
from emulator.core.exchange import RawRequest
from tests.support.clouds import raw

PATH = "/rest/2.0/solution/v1/iocr/recognise"
SECRET = "sk0"
FORM = "application/x-www-form-urlencoded"
VECTORS = [
    pytest.param(
        PATH + finance, query, {"Host": host, "x-bce-date": stamp, "Content-Type": FORM}, names, stamp, signature,
        id=f"{sdk}{finance}",
    )
    for sdk, query, host, names, stamp, finance, signature in (
        ("python", "aipSdk=python&aipVersion=4.15.13", "127.0.0.1", "host;x-bce-date", "2026-11-21T22:26:38Z", "",
         "01b3552221c331dfbeabbd2baaff114ef2218525edd4d6ab3c7a334b9b76f1e3"),
        ("python", "aipSdk=python&aipVersion=4.15.13", "127.0.0.1", "host;x-bce-date", "2026-11-21T22:26:38Z",
         "/finance", "f1a4b223dea3100952e064019fd290d0e3caf77341e7c627464ed074329c7e5a"),
        ("node", "aipSdk=node", "aip.baidubce.com", "content-type;host;x-bce-date", "2026-11-21T22:26:39Z", "",
         "f52186c7987933d1160d391d1efdb13df572f5d684e357f9901f188d403378eb"),
        ("node", "aipSdk=node", "aip.baidubce.com", "content-type;host;x-bce-date", "2026-11-21T22:26:39Z",
         "/finance", "686369104ea3321f06c20f3b9fae2969d08ab5309cc09365958faa81f2ed67a4"),
    )
]  # fmt: skip


def _request(path: str, query: str, headers: dict[str, str], stamp: str) -> RawRequest:
    arrived = parse_instant(stamp) + 1
    return replace(raw(path=path, query=query), headers=CIMultiDict(headers), arrived=arrived)


def _signed(names: str = "host;x-bce-date", stamp: str = "2026-01-01T00:00:00Z", signature: str = "") -> Signed:
    found = bce_auth.read(f"bce-auth-v1/ak0/{stamp}/1800/{names}/{signature}")
    assert found is not None
    return found


STAMP = "2026-01-01T00:00:00Z"
REQUEST = _request(PATH, "b=2&a=1", {"Host": "127.0.0.1:8640", "x-bce-date": STAMP, "Content-Type": FORM}, STAMP)


def _made(text: str, signed: Signed | None = None, secret: str = SECRET) -> Signed:
    signed = signed or _signed()
    return replace(signed, signature=bce_auth.signature(secret, signed, text))


def _refusal(request: RawRequest, signed: Signed, skew: float = 0) -> ApiError:
    with pytest.raises(ApiError) as caught:
        bce_auth.verify(request, signed, SECRET, skew=skew)
    return caught.value


@pytest.mark.parametrize(("path", "query", "headers", "names", "stamp", "signature"), VECTORS)
def test_what_an_sdk_signed_is_right(
    path: str, query: str, headers: dict[str, str], names: str, stamp: str, signature: str
) -> None:
    request = _request(path, query, headers, stamp)

    assert bce_auth.verify(request, _signed(names, stamp, signature), SECRET, skew=86_400) == (
        "the signature bce-auth-v1 is right"
    )


@pytest.mark.parametrize(("path", "query", "headers", "names", "stamp", "signature"), VECTORS)
def test_what_an_sdk_signed_is_wrong_for_another_secret(
    path: str, query: str, headers: dict[str, str], names: str, stamp: str, signature: str
) -> None:
    with pytest.raises(ApiError) as caught:
        bce_auth.verify(_request(path, query, headers, stamp), _signed(names, stamp, signature), "sk1", skew=0)

    assert caught.value.code == 14
    assert caught.value.reason.startswith("the secret is another, or the request was changed after it was signed")


def test_the_signing_key_is_that_of_the_node_sdk() -> None:
    signed = _signed(stamp="2026-11-21T22:26:39Z")

    assert bce_auth.signing_key(SECRET, signed) == "f44a330b76859b4cdc412175e33fa1aa689b020aa59044561837d89b83859cb6"


def test_a_canonical_request_has_four_parts_sorted_and_encoded() -> None:
    assert bce_auth.canonical(REQUEST, _signed()).text() == (
        f"POST\n{PATH}\na=1&b=2\nhost:127.0.0.1%3A8640\nx-bce-date:2026-01-01T00%3A00%3A00Z"
    )


def test_without_a_list_of_headers_the_default_set_is_signed_as_by_the_java_sdk() -> None:
    body = b"image=x"
    headers = {
        "Host": "aip.baidubce.com",
        "Content-MD5": hashlib.md5(body).hexdigest(),
        "Content-Length": "7",
        "Content-Type": FORM,
        "x-bce-date": STAMP,
        "Accept": "*/*",
    }
    request = replace(_request(PATH, "aipSdk=java", headers, STAMP), body=body)
    text = bce_auth.canonical(request, _signed("")).text()

    assert [line.partition(":")[0] for line in text.split("\n")[3:]] == [
        "content-length",
        "content-md5",
        "content-type",
        "host",
        "x-bce-date",
    ]
    assert bce_auth.verify(request, _made(text, _signed("")), SECRET, skew=0)


def test_a_body_that_is_not_that_of_its_content_md5_is_refused() -> None:
    headers = {**REQUEST.headers, "Content-MD5": "0" * 32}
    request = replace(REQUEST, headers=CIMultiDict(headers), body=b"image=x")

    assert _refusal(request, _made(bce_auth.canonical(request, _signed()).text())).reason == (
        "Content-MD5 is not the hash of the body that came"
    )


@pytest.mark.parametrize("hours", [-11.9, 0, 11.9, 12, 24])
def test_a_signing_time_may_be_off_by_a_day_since_the_java_sdk_writes_twelve_hour_times(hours: float) -> None:
    request = replace(REQUEST, arrived=parse_instant(STAMP) + hours * 3600)

    assert bce_auth.verify(request, _made(bce_auth.canonical(request, _signed()).text()), SECRET, skew=86_400)


@pytest.mark.parametrize(("hours", "when"), [(25, "90000 s ago"), (-25, "90000 s ahead")])
def test_a_signing_time_that_is_off_by_more_is_refused(hours: float, when: str) -> None:
    request = replace(REQUEST, arrived=parse_instant(STAMP) + hours * 3600)

    refusal = _refusal(request, _made(bce_auth.canonical(request, _signed()).text()), 86_400)

    assert (refusal.code, when in refusal.reason) == (14, True)


@pytest.mark.parametrize("stamp", ["", "yesterday", "2026-01-01 00:00:00", "2026-13-01T00:00:00Z"])
def test_a_signing_time_that_is_none_is_refused(stamp: str) -> None:
    signed = replace(_signed(), stamp=stamp)

    assert _refusal(REQUEST, _made(bce_auth.canonical(REQUEST, signed).text(), signed)).code == 14


def _without(name: str) -> str:
    kept = {known: value for known, value in REQUEST.headers.items() if known.lower() != name}
    return bce_auth.canonical(replace(REQUEST, headers=CIMultiDict(kept)), _signed()).text()


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        pytest.param(
            bce_auth.canonical(replace(REQUEST, query=""), _signed()).text(), "the query was left out", id="no query"
        ),
        pytest.param(
            bce_auth.canonical(replace(REQUEST, query="a=1"), _signed()).text(),
            "the secret is another",
            id="another query",
        ),
        pytest.param(
            bce_auth.canonical(
                replace(REQUEST, headers=CIMultiDict({**REQUEST.headers, "Host": "aip.baidubce.com"})), _signed()
            ).text(),
            "the host that was signed is aip.baidubce.com, the Host that came is 127.0.0.1:8640",
            id="the vendor's host",
        ),
        pytest.param(
            bce_auth.canonical(
                replace(REQUEST, headers=CIMultiDict({**REQUEST.headers, "Host": "127.0.0.1"})), _signed()
            ).text(),
            "the host that was signed is 127.0.0.1,",
            id="host without port",
        ),
        pytest.param(_without("x-bce-date"), "the header x-bce-date is listed as signed, but was not", id="header"),
        pytest.param(
            f"POST\n{PATH}\na=1&b=2\nhost:127.0.0.1:8640\nx-bce-date:{STAMP}", "not percent-encoded", id="plain headers"
        ),
        pytest.param(
            bce_auth.canonical(REQUEST, _signed()).text().replace("a=1&b=2", "b=2&a=1"), "not sorted", id="unsorted"
        ),
        pytest.param(bce_auth.canonical(REQUEST, _signed()).text() + "\n", "ends in a line break", id="line break"),
        pytest.param(bce_auth.canonical(REQUEST, _signed()).text().replace("POST", "post"), "lower case", id="method"),
    ],
)
def test_a_wrong_signature_is_explained_by_the_mistake_that_leads_to_it(text: str, mistake: str) -> None:
    refusal = _refusal(REQUEST, _made(text))

    assert refusal.code == 14
    assert mistake in refusal.reason.partition("\n")[0]


def test_a_token_that_was_added_after_signing_is_found_out() -> None:
    text = bce_auth.canonical(REQUEST, _signed()).text()
    request = replace(REQUEST, query=REQUEST.query + "&access_token=24.x")

    assert _refusal(request, _made(text)).reason.startswith("access_token was added to the query after signing")


def test_a_header_that_is_listed_and_was_not_sent_is_named() -> None:
    signed = _signed("host;x-bce-date;x-bce-request-id", signature="0" * 64)

    assert _refusal(REQUEST, signed).reason.startswith("the header x-bce-request-id is listed as signed but was not")


def test_a_refusal_shows_what_was_computed_here() -> None:
    refusal = _refusal(REQUEST, _made("something"))

    assert refusal.reason.endswith(bce_auth.canonical(REQUEST, _signed()).text())


@pytest.mark.parametrize(
    "header",
    ["", "bce-auth-v1", "bce-auth-v1/ak", "bce-auth-v1/a/b/c/d", "bce-auth-v2/a/b/c/d/e", "Bearer a/b/c/d/e/f"],
)
def test_a_header_of_another_form_is_none_of_these(header: str) -> None:
    assert bce_auth.read(header) is None


@given(st.text(max_size=40), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_whatever_is_signed_is_refused_and_never_an_accident(query: str, stamp: str, names: str, text: str) -> None:
    signed = bce_auth.read(f"bce-auth-v1/ak0/{stamp}/1800/{names}/{text}")
    if signed is not None:
        assert _refusal(replace(REQUEST, query=query), signed, 86_400).code == 14
