"""The whole example of the package ksc-sdk-python, presets to statistics, with its own client, signed and verified."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.server import ThreadedServer
from emulator.settings import Settings
from tests.support.machine import START
from tests.support.remote import Remote

pytest.importorskip("kscore", reason="ksc-sdk-python needs the module cgi, which Python has had up to 3.12")
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from kscore.kvs import KvsClient
    from kscore.session import get_session

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
PRESET = {
    "Preset": "testpreset",
    "Description": "just a demo",
    "PresetType": "avop",
    "Param": {
        "f": "mp4",
        "AUDIO": {"acodec": "aac", "ar": "44100", "ab": "64k"},
        "VIDEO": {"vr": 25, "vb": "500k", "vcodec": "h264", "width": 640, "height": 360},
    },
}
TASK = {
    "DstDir": "",
    "DstObjectKey": "4.mp4",
    "DstBucket": "autotestoffline",
    "DstAcl": "public-read",
    "Preset": "testpreset",
    "SrcInfo": [{"path": "/autotestoffline/11.mp4", "type": "video", "index": 0}],
    "CbMethod": "POST",
    "CbUrl": "http://10.4.2.38:19090/",
}
DONE = {"ErrNum": 0, "ErrMsg": "success"}


@pytest.fixture(name="remote", scope="module")
def _remote() -> Iterator[Remote]:
    """An account of an emulator that refuses whatever is not rightly signed."""
    with ThreadedServer(Settings(port=0, seed=7, auth="strict", legacy_presets=True)) as server:
        remote = Remote(server.url, "AKEXAMPLE", START)
        yield remote
        remote.close()


@pytest.fixture(name="client")
def _client(remote: Remote) -> Iterator[Any]:
    """The vendor's own wrapper, its connections pointed at the emulator."""
    client = KvsClient.__new__(KvsClient)
    client.client = get_session().create_client(
        "kvs",
        "cn-beijing-6",
        use_ssl=False,
        endpoint_url=remote.url,
        ks_access_key_id=remote.name,
        ks_secret_access_key=remote.secret,
    )
    yield client
    client.client._endpoint.http_session.close()


def _plain(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what the SDK adds to it."""
    return {name: value for name, value in answer.items() if name not in ("ResponseMetadata", "RequestId")}


def test_the_whole_example_runs(client: Any, remote: Remote) -> None:
    assert _plain(client.Preset(PRESET)) == DONE
    assert _plain(client.UpdatePreset(PRESET)) == DONE
    listed = client.GetPresetList(WithDetail=1, PresetType="avop")["PresetList"]
    assert [(row["Preset"], row["Param"]) for row in listed] == [("testpreset", PRESET["Param"])]
    assert client.GetPresetDetail(Preset="testpreset")["PresetDetail"]["Description"] == "just a demo"

    pipeline = {
        "PipelineName": "usual",
        "Description": "test pipeline",
        "State": "Active",
        "RegularStart": "01:00:00",
        "RegularDuration": 7200,
    }
    assert _plain(client.UpdatePipeline(pipeline)) == DONE
    assert client.QueryPipeline(PipelineName="usual")["RegularDuration"] == 7200

    task = client.CreateTask(TASK)["TaskID"]
    flow = client.CreateFlowTask({"FlowData": [TASK], "CbUrl": "", "CbMethod": "POST"})["TaskID"]
    assert client.GetTaskByTaskID(TaskID=task)["TaskInfo"]["TaskStatus"] == "init"
    assert client.GetTaskByTaskID(TaskID=flow)["TaskInfo"]["IsFlow"] == 1
    assert _plain(client.TopTaskByTaskID(TaskID=flow)) == DONE
    assert _plain(client.DelTaskByTaskID(TaskID=flow)) == DONE
    remote.advance("10m")
    assert client.GetTaskByTaskID(TaskID=task)["TaskInfo"]["TaskStatus"] == "succ"
    assert client.GetTaskList(StartDate=20170100, EndDate=20170112, Marker=0, Limit=50)["Total"] == 0
    assert client.GetTaskList(StartDate=20260101, Marker=0, Limit=50)["Total"] == 1
    assert client.GetTaskMetaInfo(StartDate=20260101, Marker=0, Limit=50)["ErrNum"] == 0

    span = (int(START), int(START) + 3600, 5, 1)
    assert sum(row["Duration"] for row in client.GetMediaTransDuration(*span)["Datas"]) > 0
    calls = client.GetInterfaceNumber(*span)["Datas"]
    assert {"Preset", "CreateTask"} <= {kind["Type"] for row in calls for kind in row["Types"]}
    assert sum(row["Number"] for row in client.GetScreenshotNumber(*span)["Datas"]) == 0
    assert client.QueryTaskStats(Preset="testpreset", StartDate=20260101)["ErrNum"] == 0

    process = client.FetchObjectMediaProcess(TASK)["ProcessTaskId"]
    api = client.client
    assert api.list_fetch_object_media_process(StartUnixTime=span[0], EndUnixTime=span[1])["Total"] == 1
    assert api.get_fetch_object_media_process(ProcessTaskId=process)["ProcessTaskInfo"]["ProcessTaskId"] == process
    assert client.FetchMetaInfo({"SrcPath": "/autotestoffline/11.mp4"})["ErrNum"] == 0

    assert _plain(client.DelPreset(Preset="testpreset")) == DONE
    assert client.CreateTask(TASK)["ErrNum"] == 1005


def test_every_request_of_the_example_was_verified(client: Any, remote: Remote) -> None:
    client.GetPresetList()

    assert {"step": "authenticate", "found": "the signature is right"} in remote.journal()[-1]["trace"]


def test_the_example_as_it_is_printed_deletes_its_template_before_it_uses_it(client: Any) -> None:
    client.Preset(PRESET)
    client.DelPreset(Preset="testpreset")

    assert client.CreateTask(TASK)["ErrNum"] == 1005
    assert client.CreateFlowTask(TASK)["ErrNum"] == 1000
