"""The package ksc-sdk-python, unmodified: it names the action in headers and nowhere else."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.remote import Remote, Sink

pytest.importorskip("kscore", reason="ksc-sdk-python needs the module cgi, which Python has had up to 3.12")
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from kscore.exceptions import ClientError
    from kscore.session import get_session

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
TASK = {
    "Preset": "hd_mp4",
    "SrcInfo": [{"path": "/src-bucket/in/a.mp4", "index": 0}],
    "DstBucket": "dst-bucket",
    "DstObjectKey": "out/a.mp4",
}


@contextmanager
def vendors_client(remote: Remote, secret: str) -> Iterator[Any]:
    """The vendor's client, pointed at the emulator. Its connections, which it has no way to close, are closed."""
    client = get_session().create_client(
        "kvs",
        "cn-beijing-6",
        use_ssl=False,
        endpoint_url=remote.url,
        ks_access_key_id=remote.name,
        ks_secret_access_key=secret,
    )
    yield client
    client._endpoint.http_session.close()


@pytest.fixture(name="kvs")
def _kvs(remote: Remote) -> Iterator[Any]:
    with vendors_client(remote, remote.secret) as client:
        yield client


def test_a_transcoding_task_is_created_and_shown(kvs: Any) -> None:
    created = kvs.create_task(**TASK)["TaskID"]

    shown = kvs.get_task_by_task_id(TaskID=created)["TaskInfo"]

    assert (shown["TaskID"], shown["TaskStatus"], shown["Preset"]) == (created, "init", "hd_mp4")
    assert shown["SrcInfo"] == [{"path": "/src-bucket/in/a.mp4", "index": 0}]


def test_a_task_is_shown_as_ended_once_its_clock_has_moved_past_its_end(kvs: Any, remote: Remote) -> None:
    created = kvs.create_task(**TASK)["TaskID"]

    remote.advance("10m")

    assert kvs.get_task_by_task_id(TaskID=created)["TaskInfo"]["TaskStatus"] == "succ"


def test_a_task_calls_back(kvs: Any, remote: Remote, sink: Sink) -> None:
    created = kvs.create_task(**TASK, CbUrl=sink.url)["TaskID"]

    remote.advance("10m")

    assert [(body["TaskID"], body["Status"], body["Type"]) for body in sink.bodies] == [(created, 3, "avtrans")]


def test_its_action_travels_in_headers_alone(kvs: Any, remote: Remote) -> None:
    kvs.create_task(**TASK)

    (entry,) = remote.journal()
    assert (entry["operation"], entry["query"]) == ("kingsoft.CreateTask", "")
    assert "Action" not in entry["body"]


def test_its_signature_is_found_right(kvs: Any, remote: Remote) -> None:
    kvs.create_task(**TASK)

    (entry,) = remote.journal()
    assert {"step": "authenticate", "found": "the signature is right"} in entry["trace"]


def test_a_refusal_with_a_number_is_an_answer_to_it(kvs: Any) -> None:
    answer = kvs.get_task_by_task_id(TaskID="f" * 40)

    assert (answer["ErrNum"], answer["ErrMsg"]) == (1200, "记录不存在")


def test_a_refusal_of_the_gateway_is_raised_with_its_code(remote: Remote) -> None:
    with vendors_client(remote, "another") as kvs, pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        kvs.create_task(**TASK)
