"""Kingsoft's requests, as real clients send them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.exchange import Call, RawRequest
from emulator.kingsoft.handlers.tasks import TaskOptions
from emulator.kingsoft.provider import Kingsoft, KingsoftOptions
from emulator.kingsoft.requests import parse_json
from emulator.kingsoft.signing import CredentialScope, read_scope
from tests.support.clouds import data, raw

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
NAMED = "Action=GetTaskByTaskID&Version=2017-01-01"
WAVE = "Action=CreateWaveTask&Version=2017-01-01"
SCOPE = "AKTEST/20260101/cn-beijing-6/kvs/aws4_request"


def _read(request: RawRequest, *, lenient_json: bool = False) -> Call:
    schemas, fixtures = data()
    cloud = Kingsoft(schemas, fixtures, KingsoftOptions(auth="off", tasks=TaskOptions(lenient_json=lenient_json)))
    return cloud.identify(request)


def _refusal(request: RawRequest) -> tuple[object, str]:
    refusal = _read(request).refusal
    assert refusal is not None
    return refusal.code, refusal.reason


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(raw("GET", query=NAMED), id="query"),
        pytest.param(raw("POST", x_action="GetTaskByTaskID", x_version="2017-01-01"), id="headers"),
        pytest.param(raw("POST", body=NAMED.encode(), kind=FORM), id="form"),
        pytest.param(raw("POST", body=NAMED.encode(), kind=FORM + "; charset=utf-8"), id="form with a character set"),
        pytest.param(
            raw("POST", body=b'{"Action": "GetTaskByTaskID", "Version": "2017-01-01"}', kind=JSON), id="JSON body"
        ),
        pytest.param(raw("POST", query="Version=2017-01-01", x_amz_target="kvs.GetTaskByTaskID"), id="X-Amz-Target"),
        pytest.param(raw("GET", query="Action=+GetTaskByTaskID%20&Version=%202017-01-01"), id="blanks around"),
        pytest.param(raw("GET", path="", query=NAMED), id="no path"),
    ],
)
def test_the_action_and_its_version_are_found_wherever_clients_put_them(request_: RawRequest) -> None:
    call = _read(request_)

    assert call.refusal is None
    assert call.operation is not None
    assert call.operation.qualified == "kingsoft.GetTaskByTaskID"


def test_the_query_counts_more_than_the_headers() -> None:
    assert _read(raw(query=NAMED, x_action="CreateTask")).named == "GetTaskByTaskID"


def test_the_headers_count_more_than_the_body() -> None:
    call = _read(raw(body=b'{"Action": "CreateTask"}', x_action="GetTaskByTaskID", x_version="2017-01-01"))

    assert call.named == "GetTaskByTaskID"


def test_an_action_that_is_no_text_is_none() -> None:
    assert _refusal(raw(body=b'{"Action": ["CreateTask"]}'))[0] == "MissingParameter"


def test_a_request_without_an_action_says_where_it_was_looked_for() -> None:
    assert _refusal(raw()) == (
        "MissingParameter",
        "no Action: not in the query, not in X-Action, not in the body",
    )


def test_an_action_that_does_not_exist_is_refused_with_the_nearest() -> None:
    assert _refusal(raw(query="Action=CreateWavTask&Version=2017-01-01")) == (
        "InvalidActionOrVesion",
        "there is no Action 'CreateWavTask'; did you mean 'CreateWaveTask'?",
    )


@pytest.mark.parametrize("query", ["Action=CreateTask", "Action=CreateTask&Version=2016-01-01"])
def test_another_version_is_refused(query: str) -> None:
    assert _refusal(raw(query=query))[0] == "InvalidActionOrVesion"


def test_another_path_is_refused() -> None:
    assert _refusal(raw(path="/kvs", query=NAMED)) == (
        "InvalidActionOrVesion",
        "the path is /kvs; this API lives at /",
    )


def test_another_method_is_refused() -> None:
    assert _refusal(raw("DELETE", query=NAMED)) == (
        "InvalidActionOrVesion",
        "GetTaskByTaskID is called by GET or POST",
    )


@pytest.mark.parametrize("member", ["Service", "SdkVersion", "Region", "Accesskey", "Language", "X-Amz-Date"])
def test_what_every_request_may_carry_is_no_parameter(member: str) -> None:
    assert _read(raw("GET", query=f"{NAMED}&TaskID=t&{member}=x")).parameters == {"TaskID": "t"}


def test_parameters_in_the_query_are_given_the_types_of_the_schema() -> None:
    assert _read(raw("GET", query=f"{WAVE}&points=100&Preset=100")).parameters == {"points": 100, "Preset": "100"}


def test_parameters_in_a_json_body_stay_as_they_are() -> None:
    assert _read(raw(query=WAVE, body=b'{"points": "100"}', kind=JSON)).parameters == {"points": "100"}


def test_the_body_counts_more_than_the_query() -> None:
    call = _read(raw(query=f"{WAVE}&points=100&DstBucket=other", body=b'{"points": 200}', kind=JSON))

    assert call.parameters == {"points": 200, "DstBucket": "other"}


def test_a_form_counts_more_than_the_query() -> None:
    call = _read(raw(query=f"{WAVE}&points=100", body=b"points=200", kind=FORM))

    assert call.parameters == {"points": 200}


def test_a_form_with_flattened_members_is_unfolded() -> None:
    body = f"{WAVE}&SrcInfo.path=%2Fsrc%2Fa.mp3&points=100"

    parameters = _read(raw(body=body.encode(), kind=FORM)).parameters

    assert parameters is not None
    assert (parameters["SrcInfo"], parameters["points"]) == ({"path": "/src/a.mp3"}, 100)


def test_a_form_with_flattened_lists_is_unfolded_with_the_types_of_the_schema() -> None:
    body = "Action=CreateTask&Version=2017-01-01&SrcInfo.1.path=b&SrcInfo.1.index=1&SrcInfo.0.path=a&SrcInfo.0.index=0"

    parameters = _read(raw(body=body.encode(), kind=FORM)).parameters

    assert parameters is not None
    assert parameters["SrcInfo"] == [{"path": "a", "index": 0}, {"path": "b", "index": 1}]


def test_the_elements_of_a_flattened_list_are_in_the_order_of_their_numbers() -> None:
    body = "&".join(f"SrcInfo.{number}.path={number}" for number in (10, 9, 2, 1))

    parameters = _read(raw(query="Action=CreateTask&Version=2017-01-01", body=body.encode(), kind=FORM)).parameters

    assert parameters is not None
    assert [entry["path"] for entry in parameters["SrcInfo"]] == ["1", "2", "9", "10"]


@pytest.mark.parametrize(
    ("member", "source"),
    [("SrcInfo.path=a", {"path": "a"}), ("SrcInfo.0.path=a", [{"path": "a"}])],
)
def test_names_in_a_query_may_be_flattened_as_well(member: str, source: object) -> None:
    assert _read(raw("GET", query=f"{WAVE}&{member}")).parameters == {"SrcInfo": source}


@pytest.mark.parametrize(
    "body",
    [
        b"SrcInfo=a&SrcInfo.path=b",
        b"SrcInfo.path=b&SrcInfo=a",
        b"...=1",
        b".=1",
        b"=1",
        b"a.b.c.d.e.f.g.h.i.j.k.l.m=1",
        b"SrcInfo.0=a&SrcInfo.x=b",
        b"SrcInfo.99999.path=a",
        b"SrcInfo.\xd9\xa3.path=a",
        b"%ff=%ff",
    ],
)
def test_a_form_with_odd_names_is_read_all_the_same(body: bytes) -> None:
    assert _read(raw(query=WAVE, body=body, kind=FORM)).parameters is not None


@given(st.lists(st.tuples(st.text("ab.01", max_size=8), st.text("ab1", max_size=2)), max_size=6))
def test_any_form_is_read(pairs: list[tuple[str, str]]) -> None:
    body = "&".join(f"{name}={value}" for name, value in pairs).encode()

    assert _read(raw(query=WAVE, body=body, kind=FORM)).parameters is not None


@pytest.mark.parametrize("kind", ["", JSON, "text/plain", FORM, "application/json; charset=utf-8", "nonsense"])
def test_a_body_that_is_json_is_read_as_such_whatever_its_type(kind: str) -> None:
    assert _read(raw(query=WAVE, body=b' {"points": 100} ', kind=kind)).parameters == {"points": 100}


def test_a_mark_of_utf_8_in_front_of_json_is_passed_over() -> None:
    assert _read(raw(query=WAVE, body=b'\xef\xbb\xbf{"points": 100}')).parameters == {"points": 100}


@pytest.mark.parametrize("body", [b"", b"  \r\n"])
def test_an_empty_body_has_no_parameters(body: bytes) -> None:
    assert _read(raw(query=WAVE, body=body, kind=JSON)).parameters == {}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[1]", "the body is a JSON array; an object is expected"),
        (b'"a"', "the body is a JSON string; an object is expected"),
        (b"true", "the body is a JSON boolean; an object is expected"),
        (b"null", "the body is a JSON null; an object is expected"),
        (b"1.5", "the body is a JSON number; an object is expected"),
    ],
)
def test_json_that_is_no_object_is_refused(body: bytes, reason: str) -> None:
    assert _refusal(raw(query=WAVE, body=body, kind=JSON)) == (1010, reason)


def test_a_body_that_is_not_json_is_refused_with_the_place() -> None:
    code, reason = _refusal(raw(query=WAVE, body=b'{"a": }', kind=JSON))

    assert code == 1010
    assert reason.startswith("the body is not JSON: ")
    assert "line 1 column 7" in reason


def test_a_trailing_comma_is_refused_with_the_switch_that_accepts_it() -> None:
    assert _refusal(raw(query=WAVE, body=b'{"points": 100,}', kind=JSON))[1].endswith(
        " (it has a trailing comma; --lenient-json accepts those)"
    )


def test_a_body_of_another_type_that_is_not_json_is_refused_with_the_type() -> None:
    assert _refusal(raw(query=WAVE, body=b"points=100", kind="text/plain"))[1].endswith(
        " (Content-Type is text/plain; application/json is expected)"
    )


def test_a_body_that_could_not_be_read_is_refused_with_the_reason() -> None:
    request = replace(raw(query=WAVE, kind=JSON), fault="too large", fault_reason="the body is over 10 bytes")

    call = _read(request)

    assert (call.operation is not None, call.parameters) == (True, None)
    assert call.refusal is not None
    assert (call.refusal.code, call.refusal.reason) == (1010, "the body is over 10 bytes")


def test_a_body_that_is_not_json_and_should_have_named_the_action_is_refused_as_such() -> None:
    assert _refusal(raw(body=b"{", kind=JSON))[0] == 1010


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ('{"a": 1,}', {"a": 1}),
        ('{"a": [1, 2,],}', {"a": [1, 2]}),
        ('{"a": 1, // one\n}', {"a": 1}),
        ('{// first\n"a": 1}', {"a": 1}),
        ('{"a": 1, // one\n // two\n}', {"a": 1}),
        ('{"a": 1} // end', {"a": 1}),
        ('{"a": "x,}",}', {"a": "x,}"}),
        ('{"a": "http://x.test/",}', {"a": "http://x.test/"}),
        ('{"a": "\\",}//",}', {"a": '",}//'}),
        ('{"a": "\\\\",}', {"a": "\\"}),
        ('{"a": "你好,]",}', {"a": "你好,]"}),
        ('{"a": 1}', {"a": 1}),
    ],
)
def test_lenient_json_accepts_trailing_commas_and_comments_and_leaves_texts_alone(text: str, document: object) -> None:
    assert parse_json(text, lenient=True) == document
    assert parse_json(text.encode(), lenient=True) == document


@pytest.mark.parametrize("text", ["{", '{"a" 1}', '{"a": 1,,}', "{'a': 1}", "", "//", '{"a": 1 /* x */}'])
def test_lenient_json_is_still_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"line \d+ column \d+|empty|input"):
        parse_json(text, lenient=True)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(',}]/"\\ n\n{[a'),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(',}/"\\ab'), inner, max_size=3),
    )
)
def test_lenient_json_reads_strict_json_as_it_is(document: object) -> None:
    assert parse_json(json.dumps(document) + " // end\n", lenient=True) == document


def test_lenient_json_is_off_unless_asked_for() -> None:
    assert _read(raw(query=WAVE, body=b'{"points": 100,}')).parameters is None
    assert _read(raw(query=WAVE, body=b'{"points": 100,}'), lenient_json=True).parameters == {"points": 100}


# Who calls.


def test_the_access_key_in_the_query_says_who_calls() -> None:
    credential = _read(raw("GET", query=f"{NAMED}&X-Amz-Credential={SCOPE.replace('/', '%2F')}")).credential

    assert credential is not None
    assert (credential.cloud, credential.kind, credential.id, credential.opens) == (
        "kingsoft",
        "access_key",
        "AKTEST",
        True,
    )


def test_the_access_key_in_the_authorization_header_says_who_calls() -> None:
    header = f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host, Signature=0a1b"
    credential = _read(raw("GET", query=NAMED, authorization=header)).credential

    assert credential is not None
    assert credential.id == "AKTEST"


def test_nobody_calls_if_there_is_no_signature() -> None:
    assert _read(raw("GET", query=NAMED)).credential is None


def test_a_credential_in_the_query_is_read_with_all_its_parts() -> None:
    query = {"X-Amz-Credential": SCOPE, "X-Amz-SignedHeaders": "host", "X-Amz-Signature": "0a1b"}

    assert read_scope(query, None) == CredentialScope(
        "AKTEST", "20260101", "cn-beijing-6", "kvs", "host", "0a1b", "query"
    )


@pytest.mark.parametrize(
    "header",
    [
        f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature=0a1b",
        f"AWS4-HMAC-SHA256 Credential={SCOPE},SignedHeaders=host;x-amz-date,Signature=0a1b",
        f"AWS4-HMAC-SHA256  Signature=0a1b, SignedHeaders = host;x-amz-date, Credential = {SCOPE}",
    ],
)
def test_a_credential_in_the_header_is_read_with_all_its_parts(header: str) -> None:
    assert read_scope({}, header) == CredentialScope(
        "AKTEST", "20260101", "cn-beijing-6", "kvs", "host;x-amz-date", "0a1b", "header"
    )


def test_the_query_counts_more_than_the_authorization_header() -> None:
    header = "AWS4-HMAC-SHA256 Credential=OTHER/20260101/r/s/aws4_request, SignedHeaders=host, Signature=0a1b"
    scope = read_scope({"X-Amz-Credential": SCOPE}, header)

    assert scope is not None
    assert (scope.access_key, scope.carrier) == ("AKTEST", "query")


@pytest.mark.parametrize(
    ("credential", "parts"),
    [
        ("AKTEST", ("AKTEST", "", "", "")),
        ("AKTEST/20260101", ("AKTEST", "20260101", "", "")),
        ("AKTEST/20260101/r/s", ("AKTEST", "20260101", "r", "s")),
        ("AK/WITH/SLASHES/20260101/r/s/aws4_request", ("AK/WITH/SLASHES", "20260101", "r", "s")),
    ],
)
def test_a_credential_that_is_short_or_has_slashes_in_its_key_is_read_as_far_as_it_goes(
    credential: str, parts: tuple[str, ...]
) -> None:
    scope = read_scope({"X-Amz-Credential": credential}, None)

    assert scope is not None
    assert (scope.access_key, scope.date, scope.region, scope.service) == parts


@pytest.mark.parametrize("header", [None, "", "Bearer abc", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential="])
def test_another_authorization_names_nobody(header: str | None) -> None:
    assert read_scope({}, header) is None
