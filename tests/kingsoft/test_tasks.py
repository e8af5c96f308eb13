"""Tasks are made, deleted, shown and listed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.desk import CALLBACK, Desk

DAY = 86400
JOB = {
    "Preset": "hd_mp4",
    "SrcInfo": [{"path": "/src-bucket/in/a.mp4"}],
    "DstBucket": "dst-bucket",
    "DstObjectKey": "out/a.mp4",
}


async def test_a_task_without_a_ready_template_is_refused() -> None:
    desk = Desk()

    assert desk.call("CreateTask", {**JOB, "Preset": "unheard_of"})["ErrNum"] == 1005
    assert "GetPresetList" in desk.last.reason


async def test_a_template_that_was_made_can_be_used() -> None:
    desk = Desk()
    desk.call("Preset", {"Preset": "mine", "PresetType": "avinfo", "Param": {}})
    desk.create(Preset="mine")
    await desk.finish()

    assert [body["Type"] for body in desk.callbacks] == ["avinfo"]


async def test_a_template_changed_later_does_not_change_a_task_that_was_made_before() -> None:
    desk = Desk()
    param = {"f": "mp4", "VIDEO": {"vcodec": "h265"}}
    desk.call("Preset", {"Preset": "mine", "PresetType": "avtrans", "Param": param})
    desk.create(Preset="mine")
    desk.call("DelPreset", Preset="mine")
    await desk.finish()

    item = desk.callbacks[0]["Details"]["items"][0]
    assert json.loads(item["outMediainfo"])["streams"][0]["codec_name"] in ("h265", "hevc")


# Deleting.


@pytest.mark.parametrize("seconds", [0, 5])
async def test_a_deleted_task_is_no_longer_shown(seconds: float) -> None:
    desk = Desk()
    task = desk.create()
    await desk.advance(seconds)
    assert desk.call("DelTaskByTaskID", TaskID=task) == {"ErrNum": 0, "ErrMsg": "success"}

    assert desk.call("GetTaskByTaskID", TaskID=task)["ErrNum"] == 1200
    assert desk.call("GetTaskList")["Total"] == 0


async def test_a_deleted_task_reports_that_the_user_shut_it_down_and_nothing_else() -> None:
    desk = Desk()
    task = desk.create()
    await desk.advance(5)
    desk.call("DelTaskByTaskID", TaskID=task)
    await desk.finish()

    assert [(body["Status"], body["Details"]["errnum"]) for body in desk.callbacks] == [(4, 2005)]


async def test_a_deleted_task_gives_its_place_to_the_next() -> None:
    desk = Desk(concurrency=1)
    first, second = desk.create(1), desk.create(2)
    desk.call("DelTaskByTaskID", TaskID=first)
    await desk.advance(2)

    assert desk.statuses(second) == ["exec"]


async def test_a_task_that_waits_can_be_deleted() -> None:
    desk = Desk(concurrency=1)
    desk.create(1)
    second, third = desk.create(2), desk.create(3)
    desk.call("DelTaskByTaskID", TaskID=second)
    await desk.finish()

    assert desk.statuses(third) == ["succ"]
    assert [body["Status"] for body in desk.callbacks if body["TaskID"] == second] == [4]


@pytest.mark.parametrize("action", ["DelTaskByTaskID", "TopTaskByTaskID"])
async def test_a_task_that_was_deleted_cannot_be_touched_again(action: str) -> None:
    desk = Desk()
    task = desk.create()
    desk.call("DelTaskByTaskID", TaskID=task)

    assert desk.call(action, TaskID=task)["ErrNum"] == 1205


@pytest.mark.parametrize("action", ["DelTaskByTaskID", "TopTaskByTaskID"])
async def test_a_task_that_is_over_cannot_be_touched(action: str) -> None:
    desk = Desk()
    task = desk.create()
    await desk.finish()

    assert desk.call(action, TaskID=task)["ErrNum"] == 1205


@pytest.mark.parametrize("action", ["DelTaskByTaskID", "TopTaskByTaskID", "GetTaskByTaskID"])
async def test_a_task_that_never_was_has_no_record(action: str) -> None:
    assert Desk().call(action, TaskID="0" * 40)["ErrNum"] == 1200


@pytest.mark.parametrize("action", ["DelTaskByTaskID", "TopTaskByTaskID", "GetTaskByTaskID"])
async def test_a_task_id_that_is_none_is_refused(action: str) -> None:
    assert Desk().call(action, TaskID="short")["ErrNum"] == 1009


# Lists.


@given(st.integers(0, 45), st.integers(1, 20))
def test_pages_have_each_task_once(count: int, limit: int) -> None:
    desk = Desk()
    tasks = [desk.create(number) for number in range(count)]
    listed: list[str] = []
    for marker in range(0, count + limit, limit):
        answer = desk.call("GetTaskList", Marker=marker, Limit=limit)
        listed += [info["TaskID"] for info in answer["TaskInfo"]]
        assert (answer["Total"], answer["Marker"]) == (count, marker)
        assert answer["Count"] == len(answer["TaskInfo"]) <= limit

    assert listed == tasks


async def test_a_page_has_a_hundred_tasks_at_most() -> None:
    desk = Desk()
    for number in range(105):
        desk.create(number)
    answer = desk.call("GetTaskList", Limit=1000)

    assert (answer["Count"], answer["Total"]) == (100, 105)


async def test_a_longer_page_is_refused_where_that_is_asked_for() -> None:
    assert Desk(list_limit="refuse").call("GetTaskList", Limit=101)["ErrNum"] == 1001


async def test_zero_and_nothing_mean_the_default() -> None:
    desk = Desk()
    desk.create()
    given = {"StartDate": 0, "EndDate": 0, "StartTime": 0, "EndTime": "", "Marker": 0, "Limit": 0, "TaskStatus": ""}

    answer = desk.call("GetTaskList", **given)

    assert answer == desk.call("GetTaskList")
    assert (answer["StartDate"], answer["EndDate"], answer["Total"]) == ("20260101", "20260101", 1)


async def test_tasks_are_listed_by_status() -> None:
    desk = Desk()
    done = desk.create(1)
    await desk.finish()
    waits = desk.create(2)

    for status, expected in (("succ", [done]), ("init", [waits]), ("fail", [])):
        assert [info["TaskID"] for info in desk.call("GetTaskList", TaskStatus=status)["TaskInfo"]] == expected


async def test_tasks_are_listed_by_error() -> None:
    desk = Desk()
    desk.plan(outcome={"fail": 3255})
    failed = desk.create()
    await desk.finish()

    assert [info["TaskID"] for info in desk.call("GetTaskList", ErrorCode="3255")["TaskInfo"]] == [failed]
    assert desk.call("GetTaskList", ErrorCode="3150")["TaskInfo"] == []


async def test_tasks_are_listed_by_day() -> None:
    desk = Desk()
    desk.create(1)
    await desk.advance(2 * DAY)
    later = desk.create(2)

    answer = desk.call("GetTaskList", StartDate=20260102, EndDate=20260103)

    assert [info["TaskID"] for info in answer["TaskInfo"]] == [later]
    assert (answer["StartDate"], answer["EndDate"]) == ("20260102", "20260103")


async def test_tasks_are_listed_by_the_second() -> None:
    desk = Desk()
    now = int(desk.account.clock.now())
    desk.create(1)
    await desk.advance(60)
    later = desk.create(2)

    answer = desk.call("GetTaskList", StartTime=now + 1, EndTime=now + 60)

    assert [info["TaskID"] for info in answer["TaskInfo"]] == [later]


async def test_a_span_of_more_than_ninety_days_is_refused() -> None:
    assert Desk().call("GetTaskList", StartDate=20250101, EndDate=20251231)["ErrNum"] == 1019


async def test_what_is_older_than_ninety_days_is_not_shown() -> None:
    desk = Desk()
    desk.create()
    await desk.advance(100 * DAY)

    assert desk.call("GetTaskList", StartDate=20260101, EndDate=20260201)["Total"] == 0


@pytest.mark.parametrize("day", [20261301, 20260230])
async def test_a_day_that_is_none_is_refused(day: int) -> None:
    assert Desk().call("GetTaskList", StartDate=day)["ErrNum"] == 1001


# Media information.


async def test_the_meta_information_of_a_task_that_succeeded_is_shown() -> None:
    desk = Desk()
    desk.call("Preset", {"Preset": "look", "PresetType": "avinfo", "Param": {}})
    task = desk.create(Preset="look")
    await desk.finish()

    (entry,) = desk.call("GetTaskMetaInfo", TaskID=task)["MetaList"]

    assert entry["TaskID"] == task
    assert entry["MetaInfo"] == desk.callbacks[0]["Details"]["items"][0]["metainfo"]


async def test_a_task_of_another_type_has_no_meta_information() -> None:
    desk = Desk()
    task = desk.create()
    await desk.finish()

    assert desk.call("GetTaskMetaInfo", TaskID=task)["ErrNum"] == 1200
    assert desk.call("GetTaskMetaInfo")["MetaList"] == []


async def test_a_task_that_is_not_over_has_no_meta_information() -> None:
    desk = Desk()
    desk.call("Preset", {"Preset": "look", "PresetType": "avinfo", "Param": {}})

    assert desk.call("GetTaskMetaInfo", TaskID=desk.create(Preset="look"))["ErrNum"] == 1200


@pytest.mark.parametrize("path", ["/src-bucket/in/a.mp4", "src-bucket/in/a.mp4"])
async def test_a_source_is_looked_at_at_once(path: str) -> None:
    answer = Desk().call("FetchMetaInfo", {"SrcPath": path})

    assert {stream["codec_type"] for stream in json.loads(answer["MetaInfo"])["streams"]} == {"video", "audio"}


async def test_a_drawn_source_is_the_same_whenever_it_is_looked_at() -> None:
    desk = Desk(responses="random")
    seen = [desk.call("FetchMetaInfo", {"SrcPath": path})["MetaInfo"] for path in ("/bu/a", "/bu/b", "/bu/a")]

    assert seen[0] == seen[2] != seen[1]


# Several at once.


async def test_a_batch_makes_a_task_of_each_and_says_which_was_refused() -> None:
    desk = Desk()

    answer = desk.call("BatchCreateTask", [{**JOB, "CbUrl": CALLBACK}, {**JOB, "Preset": "unheard_of"}])

    assert answer["ErrNum"] == 0
    assert [row["ErrNum"] for row in answer["Tasks"]] == [0, 1005]
    assert desk.statuses(answer["Tasks"][0]["TaskID"]) == ["init"]


async def test_an_array_is_the_body_of_a_batch_only() -> None:
    desk = Desk()

    assert desk.call("CreateTask", [JOB])["ErrNum"] == 1010


async def test_an_object_process_is_a_task_under_a_second_id() -> None:
    desk = Desk()
    made = desk.call("FetchObjectMediaProcess", JOB)

    shown = desk.call("GetFetchObjectMediaProcess", ProcessTaskId=made["ProcessTaskId"])["ProcessTaskInfo"]
    listed = desk.call("ListFetchObjectMediaProcess")["ProcessTaskList"]

    assert shown["TaskID"] == made["TaskID"]
    assert [row["ProcessTaskId"] for row in listed] == [made["ProcessTaskId"]]


# The world.

WORLD = {
    "buckets": {
        "src-bucket": {"objects": {"in/a.mp4": {}}},
        "dst-bucket": {},
        "far-bucket": {"region": "cn-shanghai-2"},
        "shut-bucket": {"accessible": False},
        "own-bucket": {"policy": False},
    }
}


def _desk_in_a_world() -> Desk:
    desk = Desk()
    desk.emulation.providers["kingsoft"].set_options(desk.account, {"world": WORLD})
    return desk


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({}, 0),
        ({"SrcInfo": [{"path": "/nowhere/in/a.mp4"}]}, 1011),
        ({"SrcInfo": [{"path": "/src-bucket/in/b.mp4"}]}, 1210),
        ({"DstBucket": "nowhere"}, 1011),
        ({"DstBucket": "far-bucket"}, 1012),
        ({"DstBucket": "shut-bucket"}, 1013),
        ({"DstBucket": "own-bucket"}, 1212),
    ],
)
async def test_a_world_of_buckets_refuses_what_is_not_in_it(members: dict[str, object], code: int) -> None:
    assert _desk_in_a_world().call("CreateTask", {**JOB, **members})["ErrNum"] == code


async def test_a_step_of_a_flow_may_read_what_an_earlier_one_made() -> None:
    second = {**JOB, "SrcInfo": [{"path": "/dst-bucket/out/a.mp4"}], "DstObjectKey": "out/b.mp4"}

    assert _desk_in_a_world().call("CreateFlowTask", {"FlowData": [JOB, second]})["ErrNum"] == 0
    assert _desk_in_a_world().call("CreateTask", second)["ErrNum"] == 1210


# Flows.


async def test_a_flow_is_one_task_of_all_its_steps() -> None:
    desk = Desk()
    second = {**JOB, "Preset": "cover", "DstObjectKey": "out/a.jpg"}
    answer = desk.call("CreateFlowTask", {"FlowData": [JOB, second], "CbUrl": CALLBACK})
    info = desk.info(answer["TaskID"])
    await desk.finish()

    assert info["IsFlow"] == 1
    assert [step["Preset"] for step in info["FlowData"]] == ["hd_mp4", "cover"]
    (body,) = desk.callbacks
    assert [(step["Order"], step["Type"], step["Status"]) for step in body["Details"]] == [
        (0, "avtrans", 3),
        (1, "avsnapshot", 3),
    ]
    assert "Type" not in body


async def test_a_failing_step_leaves_out_those_behind_it() -> None:
    desk = Desk()
    desk.plan("kingsoft.CreateFlowTask", outcome={"fail": 3150, "at": "50%"})
    desk.call("CreateFlowTask", {"FlowData": [JOB, JOB, JOB], "CbUrl": CALLBACK})
    await desk.finish()

    (body,) = desk.callbacks
    assert body["Status"] == 4
    assert [(step["Status"], step["Errnum"]) for step in body["Details"]] == [(3, 0), (4, 3150)]


async def test_the_steps_behind_a_failing_one_run_where_that_is_asked_for() -> None:
    desk = Desk(flow_failure="continue")
    desk.plan("kingsoft.CreateFlowTask", outcome={"fail": 3150, "at": "50%"})
    desk.call("CreateFlowTask", {"FlowData": [JOB, JOB, JOB], "CbUrl": CALLBACK})
    await desk.finish()

    (body,) = desk.callbacks
    assert body["Status"] == 4
    assert [step["Status"] for step in body["Details"]] == [3, 4, 3]


# Options of an account.


async def test_a_plan_may_name_the_dialect_of_its_tasks_callbacks() -> None:
    desk = Desk()
    desk.plan("kingsoft.CreateTask", dialect="legacy")
    task = desk.create()
    await desk.finish()

    assert desk.callbacks[0]["taskid"] == task


async def test_the_answers_of_the_legacy_dialect_have_the_keys_of_2016() -> None:
    desk = Desk(dialect="legacy")
    answer = desk.call("CreateTask", JOB)

    assert set(answer) == {"taskid", "errNum", "errMsg"}
    assert desk.call("GetTaskByTaskID", TaskID=answer["taskid"])["taskInfo"]["taskStatus"] == "init"


async def test_a_single_source_with_another_index_than_zero_fails() -> None:
    desk = Desk()
    desk.create(SrcInfo=[{"path": "/src-bucket/in/a.mp4", "index": 1}])
    await desk.finish()

    assert desk.callbacks[0]["Details"]["errnum"] == 2003


async def test_the_same_request_yields_the_same_output_to_the_byte() -> None:
    desk = Desk(responses="random")
    for _ in range(2):
        desk.create(Preset="segments_mp4")
    await desk.finish()

    first, second = (body["Details"] for body in desk.callbacks)
    assert first == second
