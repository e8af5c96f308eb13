"""``plan.result``: what a task yields instead, wherever it is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.core.errors import ConfigurationError
from tests.support.clouds import data
from tests.support.desk import CALLBACK, Desk


async def _told(desk: Desk, **members: Any) -> dict[str, Any]:
    """The item of the callback of a new task."""
    desk.create(**members)
    await desk.finish()
    found: dict[str, Any] = desk.callbacks[-1]["Details"]["items"][0]
    return found


def _desk(**result: Any) -> Desk:
    desk = Desk()
    desk.plan(result=result)
    return desk


async def test_facts_of_the_media_are_told_with_what_follows_from_them() -> None:
    item = await _told(
        _desk(media={"duration": 3600, "video": {"width": 640, "height": 360, "bit_rate": 8000}, "audio": None})
    )
    media = json.loads(item["outMediainfo"])

    (video,) = media["streams"]
    assert (video["width"], video["height"]) == (640, 360)
    assert media["format"]["duration"] == "3600.000"
    assert media["format"]["size"] == 3600 * 1000


async def test_a_callback_with_other_facts_fits_the_schema() -> None:
    desk = _desk(media={"duration": 3600, "video": None})
    await _told(desk)

    data()[0].check("kingsoft/callback.task.json", desk.callbacks[-1], "callback")


async def test_what_is_left_out_stays_as_it_was_made() -> None:
    plain = json.loads((await _told(Desk()))["outMediainfo"])
    other = json.loads((await _told(_desk(media={"rotate": "90"})))["outMediainfo"])

    assert other == {**plain, "metadata": {"rotate": "90"}}


async def test_pieces_follow_the_length() -> None:
    item = await _told(_desk(media={"duration": 40}), Preset="segments_mp4")
    pieces = json.loads(item["segmentsinfo"])

    assert sum(float(piece["duration"]) for piece in pieces) == 40


async def test_statistics_follow_the_facts() -> None:
    desk = _desk(media={"duration": 3600, "video": {"width": 320, "height": 240}})
    await _told(desk)
    rows = desk.call("GetMediaTransDuration", Granularity=1000)["Datas"]

    assert [row["Duration"] for row in rows if row["Duration"]] == [3600]
    assert '"ResolutionType": "240P"' in json.dumps(rows)


async def test_a_probe_tells_the_facts_in_its_callback_and_when_asked() -> None:
    desk = _desk(media={"duration": 7})
    item = await _told(desk, Preset="info")
    (row,) = desk.call("GetTaskMetaInfo")["MetaList"]

    assert row["MetaInfo"] == item["metainfo"]
    assert json.loads(item["metainfo"])["format"]["duration"] == "7.000000"


async def test_pictures_are_counted_as_the_plan_says() -> None:
    desk = _desk(snapshots=3)
    await _told(desk, Preset="sample")
    rows = desk.call("GetScreenshotNumber", Granularity=1000)["Datas"]

    assert desk.callbacks[-1]["Details"]["snapshotNum"] == 3
    assert sum(row["Number"] for row in rows) == 3


async def test_each_step_of_a_flow_yields_it() -> None:
    desk = _desk(media={"duration": 5})
    steps = [
        {
            "Preset": "hd_mp4",
            "SrcInfo": [{"path": "/src-bucket/a.mp4"}],
            "DstBucket": "dst-bucket",
            "DstObjectKey": f"out/{number}.mp4",
        }
        for number in range(2)
    ]
    desk.call("CreateFlowTask", {"FlowData": steps, "CbUrl": CALLBACK})
    await desk.finish()
    told = [json.loads(entry["OutInfo"]["outMediainfo"]) for entry in desk.callbacks[-1]["Details"]]

    assert [media["format"]["duration"] for media in told] == ["5.000"] * 2


@pytest.mark.parametrize(
    ("patch", "member", "value"),
    [
        ({"dstpath": "elsewhere.mp4"}, "dstpath", "elsewhere.mp4"),
        ({"dstpath": None}, "dstpath", None),
        ({"outMediainfo": "garbage"}, "outMediainfo", "garbage"),
        ({"outMediainfo": {"streams": [], "format": None, "metadata": {"rotate": None}}}, "outMediainfo",
         '{"metadata":{},"streams":[]}'),
        ({"more": {"a": [1]}}, "more", '{"a":[1]}'),
    ],
)  # fmt: skip
async def test_an_item_can_be_patched_into_anything(patch: dict[str, Any], member: str, value: str | None) -> None:
    assert (await _told(_desk(item=patch))).get(member) == value


async def test_a_probe_that_is_asked_tells_what_was_patched() -> None:
    desk = _desk(item={"metainfo": {"streams": None, "format": {"size": "huge"}}})
    item = await _told(desk, Preset="info")
    (row,) = desk.call("GetTaskMetaInfo")["MetaList"]

    assert row["MetaInfo"] == item["metainfo"]
    assert json.loads(item["metainfo"])["format"]["size"] == "huge"


async def test_a_task_that_fails_yields_nothing_all_the_same() -> None:
    desk = Desk()
    desk.plan(outcome={"fail": 2032}, result={"item": {"dstpath": "x"}})
    desk.create()
    await desk.finish()

    assert desk.callbacks[-1]["Details"]["items"] == []


@pytest.mark.parametrize(
    ("result", "pointer"),
    [
        ({"media": {"duration": 0}}, "/then/plan/result/media/duration"),
        ({"media": {"duration": None}}, "/then/plan/result/media/duration"),
        ({"media": {"video": {"width": "wide"}}}, "/then/plan/result/media/video/width"),
        ({"media": {"streams": []}}, "/then/plan/result/media"),
        ({"duration": 5}, "/then/plan/result"),
        ({"snapshots": -1}, "/then/plan/result/snapshots"),
        ({"item": []}, "/then/plan/result/item"),
    ],
)
def test_a_result_that_makes_no_sense_is_refused_where_it_stands(result: dict[str, Any], pointer: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        _desk(**result)

    assert [problem.pointer for problem in refused.value.problems] == [pointer]
