"""Requests signed by botocore, an independent implementation of the signature."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.client import WAVE
from tests.support.remote import Remote, Sink

QUERY = "Action=CreateWaveTask&Version=2017-01-01"
JSON = {"Content-Type": "application/json"}
SCOPE = ("kvs", "cn-beijing-6")


class BodyKept(SigV4QueryAuth):
    """Signs a body that is attached afterwards: else it would move into the query."""

    def __init__(self, credentials: Credentials, *scope: str, body: bytes) -> None:
        super().__init__(credentials, *scope, expires=300)
        self._body = body

    def payload(self, request: AWSRequest) -> str:
        return hashlib.sha256(self._body).hexdigest()


class Dated(SigV4Auth):
    """Signs as if it were another time: ``stamp`` as it stands in the header ``X-Amz-Date``."""

    def __init__(self, credentials: Credentials, *scope: str, stamp: str) -> None:
        super().__init__(credentials, *scope)
        self._stamp = stamp

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        request.context["timestamp"] = self._stamp
        super()._modify_request_before_signing(request)


def dated(remote: Remote, stamp: str) -> requests.Response:
    """A CreateWaveTask call that says to have been signed at ``stamp``."""
    body = json.dumps(WAVE).encode()
    request = AWSRequest("POST", f"{remote.url}/?{QUERY}", data=body, headers=JSON)
    Dated(Credentials(remote.name, remote.secret), *SCOPE, stamp=stamp).add_auth(request)
    return requests.post(request.url, data=body, headers=dict(request.headers), timeout=30)


def by_header(remote: Remote, body: bytes, secret: str) -> requests.Response:
    """A CreateWaveTask call with its signature in the header ``Authorization``."""
    request = AWSRequest("POST", f"{remote.url}/?{QUERY}", data=body, headers=JSON)
    SigV4Auth(Credentials(remote.name, secret), *SCOPE).add_auth(request)
    return requests.post(request.url, data=body, headers=dict(request.headers), timeout=30)


def by_query(remote: Remote, body: bytes, secret: str) -> requests.Response:
    """The same with its signature in the query."""
    request = AWSRequest("POST", f"{remote.url}/?{QUERY}", headers=JSON)
    BodyKept(Credentials(remote.name, secret), *SCOPE, body=body).add_auth(request)
    return requests.post(request.url, data=body, headers=dict(request.headers), timeout=30)


@pytest.fixture(name="signed", params=[by_header, by_query], ids=["header", "query"])
def _signed(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_a_signed_call_creates_a_task_whose_callback_arrives(signed: Any, remote: Remote, sink: Sink) -> None:
    created = signed(remote, json.dumps({**WAVE, "CbUrl": sink.url}).encode(), remote.secret)

    remote.advance("10m")

    assert created.status_code == 200, created.text
    assert [(body["TaskID"], body["Status"]) for body in sink.bodies] == [(created.json()["TaskID"], 3)]


def test_the_signature_of_a_signed_call_is_found_right(signed: Any, remote: Remote) -> None:
    signed(remote, json.dumps(WAVE).encode(), remote.secret)

    (entry,) = remote.journal()
    assert {"step": "authenticate", "found": "the signature is right"} in entry["trace"]


def test_a_call_signed_with_another_secret_is_refused_with_403(signed: Any, remote: Remote) -> None:
    answer = signed(remote, json.dumps(WAVE).encode(), "another")

    assert answer.status_code == 403
    assert answer.json()["Error"]["Code"] == "SignatureDoesNotMatch"


def test_the_account_of_a_signed_call_is_that_of_its_access_key(signed: Any, remote: Remote) -> None:
    before = _tasks(remote)

    signed(remote, json.dumps(WAVE).encode(), remote.secret)

    assert _tasks(remote) == {**before, remote.name: 1}


def test_an_access_key_that_nobody_knows_opens_an_account_of_its_name(signed: Any, remote: Remote) -> None:
    stranger = f"{remote.name}STRANGER"
    known, remote.name = remote.name, stranger
    created = signed(remote, json.dumps(WAVE).encode(), "any")
    remote.name = known

    accounts = {account["name"]: account for account in remote.admin("GET", "/accounts")["accounts"]}
    assert created.json()["ErrNum"] == 0
    assert accounts[stranger]["tasks"] == 1
    assert accounts[stranger]["configured"] is False
    remote.admin("DELETE", f"/accounts/{stranger}")


def test_parameters_that_travel_in_a_signed_query_are_read(remote: Remote) -> None:
    created = by_header(remote, json.dumps(WAVE).encode(), remote.secret).json()["TaskID"]
    request = AWSRequest("GET", f"{remote.url}/?Action=GetTaskByTaskID&Version=2017-01-01&TaskID={created}")
    SigV4QueryAuth(Credentials(remote.name, remote.secret), *SCOPE, expires=300).add_auth(request)

    shown = requests.get(request.url, timeout=30).json()

    assert shown["TaskInfo"]["TaskID"] == created


@pytest.mark.parametrize("stamp", ["20150830T123600Z", "29990101T000000Z"])
def test_a_call_signed_at_another_time_is_refused_as_expired(remote: Remote, stamp: str) -> None:
    answer = dated(remote, stamp)

    assert (answer.status_code, answer.json()["Error"]["Code"]) == (400, "RequestExpired")
    assert f"({stamp}); 900 s are allowed" in answer.headers["X-Emulator-Reason"]


@pytest.mark.parametrize("stamp", ["20261399T999999Z", "00010101T000000Z", "20260230T000000Z"])
def test_a_call_signed_at_a_time_that_there_never_was_is_refused(remote: Remote, stamp: str) -> None:
    answer = dated(remote, stamp)

    assert answer.status_code in (400, 403)
    assert stamp in answer.headers["X-Emulator-Reason"]


def test_each_key_of_an_account_has_its_own_secret(remote: Remote) -> None:
    second = {"access_key": f"{remote.name}SECOND", "secret_key": "another secret"}
    account = {"name": f"{remote.name}-both", "kingsoft": {"access_key": f"{remote.name}FIRST", "keys": [second]}}
    remote.admin("POST", "/accounts", account)
    body = json.dumps(WAVE).encode()

    def signed(secret: str) -> requests.Response:
        request = AWSRequest("POST", f"{remote.url}/?{QUERY}", data=body, headers=JSON)
        SigV4Auth(Credentials(second["access_key"], secret), *SCOPE).add_auth(request)
        return requests.post(request.url, data=body, headers=dict(request.headers), timeout=30)

    assert signed(second["secret_key"]).json()["ErrNum"] == 0
    assert signed("a third secret").json()["Error"]["Code"] == "SignatureDoesNotMatch"


def _tasks(remote: Remote) -> dict[str, int]:
    """How many tasks each account has."""
    return {account["name"]: account["tasks"] for account in remote.admin("GET", "/accounts")["accounts"]}
