"""Every operation answers, and every answer and callback fits its schema; a poll never contradicts a callback."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.ids import Draw
from emulator.kingsoft.dialects import PROFILES
from tests.support.clouds import data
from tests.support.desk import CALLBACK, Desk
from tests.support.shapes import misfits

JOB = {
    "Preset": "hd_mp4",
    "SrcInfo": [{"path": "/src-bucket/in/a.mp4", "index": 0, "type": "video"}],
    "DstBucket": "dst-bucket",
    "DstObjectKey": "out/a.mp4",
    "CbUrl": CALLBACK,
    "ExtParam": '{"Callback":{"progress_cburl":"http://127.0.0.1:9/progress","progress_interval":3}}',
}
WAVE = {**JOB, "Preset": "wave", "points": 1000}
NEW = {"Preset": "mine", "PresetType": "avtrans", "Param": {"f": "mp4", "video": {"vb": "1m"}}}
READY = [preset["Preset"] for preset in data()[1].get("kingsoft/presets.json")["presets"]]


def _everything(desk: Desk) -> dict[str, Any]:
    """An answer of each operation: what is asked for is there."""
    answers = {
        "Preset": desk.call("Preset", NEW),
        "UpdatePreset": desk.call("UpdatePreset", NEW),
        "GetPresetList": desk.call("GetPresetList", WithDetail=1),
        "GetPresetDetail": desk.call("GetPresetDetail", Preset="mine"),
        "DelPreset": desk.call("DelPreset", Preset="mine"),
        "CreateTask": desk.call("CreateTask", JOB),
        "CreateWaveTask": desk.call("CreateWaveTask", WAVE),
        "CreateFlowTask": desk.call("CreateFlowTask", {"FlowData": [JOB, {**JOB, "Preset": "cover"}], "IsTop": "1"}),
        "BatchCreateTask": desk.call("BatchCreateTask", [JOB, {**JOB, "Preset": "none"}]),
        "FetchObjectMediaProcess": desk.call("FetchObjectMediaProcess", JOB),
        "FetchMetaInfo": desk.call("FetchMetaInfo", {"SrcPath": "/src-bucket/in/a.mp4"}),
        "UpdatePipeline": desk.call("UpdatePipeline", {"PipelineName": "usual", "State": "Active"}),
        "QueryPipeline": desk.call("QueryPipeline", PipelineName="usual"),
        "GetTaskList": desk.call("GetTaskList"),
        "GetTaskMetaInfo": desk.call("GetTaskMetaInfo"),
        "QueryTaskStats": desk.call("QueryTaskStats", Preset="hd_mp4"),
        "GetMediaTransDuration": desk.call("GetMediaTransDuration", StartUnixTime=0, Granularity="60"),
        "GetScreenshotNumber": desk.call("GetScreenshotNumber"),
        "GetInterfaceNumber": desk.call("GetInterfaceNumber"),
        "ListFetchObjectMediaProcess": desk.call("ListFetchObjectMediaProcess", Marker="0"),
    }
    process = answers["FetchObjectMediaProcess"]
    answers["GetFetchObjectMediaProcess"] = desk.call(
        "GetFetchObjectMediaProcess", ProcessTaskId=process["ProcessTaskId"]
    )
    answers["GetTaskByTaskID"] = desk.call("GetTaskByTaskID", TaskID=process["TaskID"])
    answers["TopTaskByTaskID"] = desk.call("TopTaskByTaskID", TaskID=process["TaskID"])
    answers["DelTaskByTaskID"] = desk.call("DelTaskByTaskID", TaskID=process["TaskID"])
    return answers


def test_every_operation_is_asked_here() -> None:
    desk = Desk()

    assert set(_everything(desk)) == {row.name for row in desk.emulation.providers["kingsoft"].operations}


@pytest.mark.parametrize("dialect", ["docs", "real-2020", "ks3"])
@pytest.mark.parametrize("responses", ["canned", "random"])
def test_every_operation_succeeds_and_its_answer_fits(dialect: str, responses: str) -> None:
    for action, answer in _everything(Desk(dialect=dialect, responses=responses)).items():
        assert answer["ErrNum"] == 0, action
        assert misfits(f"kingsoft/{action}.response.json", answer) == [], action


def test_the_meta_information_of_tasks_that_are_over_fits() -> None:
    async def run() -> None:
        desk = Desk(responses="random")
        desk.create(Preset="info")
        desk.call("CreateFlowTask", {"FlowData": [JOB]})
        await desk.finish()
        for action in ("GetTaskMetaInfo", "GetTaskList"):
            answer = desk.call(action)
            assert answer["Count"] > 0
            assert misfits(f"kingsoft/{action}.response.json", answer) == []

    asyncio.run(run())


@pytest.mark.parametrize("dialect", PROFILES)
@pytest.mark.parametrize("outcome", ["succeed", {"fail": 3150, "at": "70%"}])
async def test_every_callback_of_every_ready_template_fits(dialect: str, outcome: Any) -> None:
    desk = Desk(dialect=dialect, responses="random", concurrency=0)
    desk.plan(outcome=outcome, progress={"transcoding": [10, 50], "uploading": [50]})
    for preset in READY:
        assert desk.call("CreateTask", {**JOB, "Preset": preset}).get("ErrNum", 0) == 0
    await desk.finish()
    legacy = "legacy." if dialect == "legacy" else ""

    assert len(desk.callbacks) >= 2 * len(READY)
    for body in desk.callbacks:
        kind = "progress" if (body.get("Status") or body.get("status")) in (0, 2) else "task"
        assert misfits(f"kingsoft/callback.{legacy}{kind}.json", body) == [], body


@pytest.mark.parametrize("dialect", PROFILES)
@pytest.mark.parametrize("outcome", ["succeed", {"fail": 3150, "at": "70%"}])
async def test_every_callback_of_a_flow_fits(dialect: str, outcome: Any) -> None:
    desk = Desk(dialect=dialect, responses="random")
    desk.plan(outcome=outcome)
    desk.call("CreateFlowTask", {"FlowData": [{**JOB, "Preset": preset} for preset in READY], "CbUrl": CALLBACK})
    await desk.finish()

    (body,) = desk.callbacks
    legacy = "legacy." if dialect == "legacy" else ""
    assert misfits(f"kingsoft/callback.{legacy}flow.json", body) == []


SPANS = st.floats(0, 20).map(lambda seconds: round(seconds, 3))
PLANS = st.fixed_dictionaries(
    {"queue": SPANS, "run": SPANS, "upload": SPANS},
    optional={
        "progress": st.lists(st.integers(0, 99), max_size=4, unique=True),
        "outcome": st.sampled_from(
            [
                "succeed",
                "hang",
                "vanish",
                {"fail": 3150, "at": "30%"},
                {"fail": 2033, "at": "upload"},
                {"fail": 2001, "at": "queue"},
            ]
        ),
    },
)
SAID = {2: {"exec"}, 3: {"succ"}, 4: {"fail"}}


@settings(max_examples=60)
@given(st.lists(PLANS, min_size=1, max_size=5), st.integers(0, 3), st.lists(SPANS, min_size=1, max_size=8))
def test_at_any_instant_the_poll_says_what_the_callbacks_have_said(
    plans: list[dict[str, Any]], concurrency: int, moves: list[float]
) -> None:
    async def run() -> None:
        desk = Desk(concurrency=concurrency)
        for number, plan in enumerate(plans):
            desk.account.rules.clear()
            desk.plan(**plan)
            desk.create(number, ExtParam=JOB["ExtParam"])
        for seconds in [0.0, *moves]:
            await desk.advance(seconds)
            heard: dict[str, int] = {body["TaskID"]: body["Status"] for body in desk.callbacks}
            shown = {info["TaskID"]: info["TaskStatus"] for info in desk.call("GetTaskList")["TaskInfo"]}
            for task_id, status in shown.items():
                assert status in SAID.get(heard.get(task_id, 0), {"init", "exec"})
            assert all(status == 2 for task_id, status in heard.items() if task_id not in shown)

    asyncio.run(run())


# Keys, rates, options.


def test_two_keys_may_belong_to_one_account() -> None:
    desk = Desk()
    given = {"access_key": "FIRST", "secret_key": "a", "keys": [{"access_key": "SECOND"}]}
    provider = desk.emulation.providers["kingsoft"]
    account = desk.emulation.accounts.create(
        {"name": "both"}, None, lambda name, seed: provider.credentials(given, Draw("keys"))
    )

    assert [credential.id for credential in account.spec.credentials] == ["FIRST", "SECOND"]
    assert all(desk.emulation.accounts.of(credential) is account for credential in account.spec.credentials)


async def test_more_than_five_hundred_requests_a_minute_are_refused_where_limits_are_on() -> None:
    desk = Desk(limits="on")
    for _ in range(6):
        answers = [desk.call("GetPresetList") for _ in range(100)]
        await desk.advance(1)

    assert answers[-1]["Error"]["Code"] == "LimitExceeded"
    assert desk.last.status == 409
    await desk.advance(60)
    assert desk.call("GetPresetList")["ErrNum"] == 0


async def test_more_than_a_hundred_submissions_a_second_are_refused_where_limits_are_on() -> None:
    desk = Desk(limits="on")
    answers = [desk.call("CreateTask", JOB) for _ in range(101)]

    assert [answer.get("ErrNum") for answer in answers[:100]] == [0] * 100
    assert answers[100]["Error"]["Code"] == "LimitExceeded"


def test_without_limits_no_rate_is_too_high() -> None:
    desk = Desk()

    assert {desk.call("GetPresetList")["ErrNum"] for _ in range(600)} == {0}
