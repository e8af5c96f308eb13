"""The package kingsoftcloud-sdk-python, unmodified: its common client in its three ways of calling."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ksyun.common.common_client import CommonClient
from ksyun.common.credential import Credential
from ksyun.common.exception.ksyun_sdk_exception import KsyunSDKException
from ksyun.common.profile.client_profile import ClientProfile
from ksyun.common.profile.http_profile import HttpProfile

from tests.support.remote import Remote, Sink

WAVE = {
    "Preset": "wave",
    "SrcInfo": [{"path": "/src-bucket/in/a b.mp3"}],
    "DstBucket": "dst-bucket",
    "DstObjectKey": "wave/波形.json",
    "points": 100,
}
TRANSCODE = {
    "Preset": "hd_mp4",
    "SrcInfo": [{"path": "/src-bucket/a.mp4", "index": 0}, {"path": "/src-bucket/b.mp4", "index": 1}],
    "DstBucket": "dst-bucket",
    "DstObjectKey": "out/a.mp4",
    "IsTop": 1,
}


def common_client(remote: Remote, method: str = "POST") -> Any:
    """The vendor's client, pointed at the emulator."""
    http = HttpProfile(endpoint=remote.url.removeprefix("http://"), protocol="http", reqMethod=method)
    key = Credential(remote.name, remote.secret)
    return CommonClient("kvs", "2017-01-01", key, "cn-beijing-6", profile=ClientProfile(httpProfile=http))


def by_form(remote: Remote, action: str, parameters: dict[str, Any]) -> Any:
    """POST with everything in the form body, the action too; lists flattened, numbers as text."""
    return json.loads(common_client(remote).call(action, dict(parameters)))


def by_query(remote: Remote, action: str, parameters: dict[str, Any]) -> Any:
    """GET with everything in the query; lists flattened, numbers as text."""
    return json.loads(common_client(remote, "GET").call(action, dict(parameters)))


def by_json(remote: Remote, action: str, parameters: dict[str, Any]) -> Any:
    """POST with a JSON body that holds the vendor's own fields too."""
    return json.loads(common_client(remote).call_json(action, dict(parameters)))


@pytest.fixture(name="call", params=[by_form, by_query, by_json], ids=["form", "query", "json"])
def _call(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_a_wave_task_is_created(call: Any, remote: Remote) -> None:
    answer = call(remote, "CreateWaveTask", WAVE)

    assert (answer["ErrNum"], answer["ErrMsg"]) == (0, "success")
    assert len(answer["TaskID"]) == 40


def test_the_parameters_of_a_wave_task_arrive_as_they_were_given(call: Any, remote: Remote) -> None:
    created = call(remote, "CreateWaveTask", WAVE)["TaskID"]

    parameters = remote.task(created)["parameters"]
    assert {name: parameters[name] for name in WAVE} == WAVE


def test_the_parameters_of_a_transcoding_task_with_two_sources_arrive_as_they_were_given(
    call: Any, remote: Remote
) -> None:
    created = call(remote, "CreateTask", TRANSCODE)["TaskID"]

    parameters = remote.task(created)["parameters"]
    # A number in a form or a query is a text, which IsTop may be.
    assert {**{name: parameters[name] for name in TRANSCODE}, "IsTop": int(parameters["IsTop"])} == TRANSCODE


def test_a_task_is_shown(call: Any, remote: Remote) -> None:
    created = call(remote, "CreateWaveTask", WAVE)["TaskID"]

    shown = call(remote, "GetTaskByTaskID", {"TaskID": created})

    assert (shown["TaskInfo"]["TaskID"], shown["TaskInfo"]["TaskStatus"]) == (created, "init")


def test_a_task_calls_back(call: Any, remote: Remote, sink: Sink) -> None:
    created = call(remote, "CreateWaveTask", {**WAVE, "CbUrl": sink.url})["TaskID"]

    remote.advance("10m")

    assert sink.bodies == [
        {
            "TaskID": created,
            "Status": 3,
            "Type": "audiowave",
            "Details": {"errnum": 0, "bucket": "dst-bucket", "items": [{"dstpath": "wave/波形.json"}]},
        }
    ]


def test_a_number_out_of_bounds_is_refused_with_1001(call: Any, remote: Remote) -> None:
    assert call(remote, "CreateWaveTask", {**WAVE, "points": 10}) == {"ErrNum": 1001, "ErrMsg": "参数不合法"}


def test_a_word_in_place_of_a_number_is_refused_with_1001(call: Any, remote: Remote) -> None:
    assert call(remote, "CreateWaveTask", {**WAVE, "points": "many"}) == {"ErrNum": 1001, "ErrMsg": "参数不合法"}


def test_its_signature_is_found_right(call: Any, remote: Remote) -> None:
    call(remote, "CreateWaveTask", WAVE)

    (entry,) = remote.journal()
    assert {"step": "authenticate", "found": "the signature is right"} in entry["trace"]


def test_a_refusal_of_the_gateway_is_raised_with_its_body(call: Any, remote: Remote) -> None:
    with pytest.raises(KsyunSDKException) as raised:
        call(remote, "NoSuchAction", WAVE)

    assert raised.value.code == "ServerNetworkError"
    assert json.loads(raised.value.message)["Error"]["Code"] == "InvalidActionOrVesion"
