"""What an account has used is counted, and told by the minute."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.exchange import JsonObject
from emulator.kingsoft.statistics import KEPT, MINUTE, Statistics, resolution
from tests.support.desk import Desk
from tests.support.machine import START
from tests.support.shapes import misfits

NOW = int(START)
DAY = 86400
USAGE = ["GetMediaTransDuration", "GetScreenshotNumber", "GetInterfaceNumber"]


def _film(statistics: Statistics, now: float = START, duration: float = 10.0, **members: Any) -> None:
    output: dict[str, Any] = {"codec": "h264", "width": 1280, "height": 720, "pictures": 0, **members}
    statistics.note_output("avtrans", now, duration=duration, **output)


def _pictures(statistics: Statistics, kind: str, pictures: int, now: float = START) -> None:
    statistics.note_output(kind, now, duration=0.0, codec="", width=640, height=360, pictures=pictures)


def _happened(rows: list[JsonObject]) -> list[JsonObject]:
    return [row for row in rows if row.get("Number") or row.get("Duration")]


# What is counted.


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (426, 240, "240P"),
        (240, 426, "240P"),
        (320, 180, "240P"),
        (640, 360, "360P"),
        (854, 480, "480P"),
        (856, 482, "720P"),
        (1280, 720, "720P"),
        (1920, 1080, "1080P"),
        (1080, 1920, "1080P"),
        (2560, 1440, "2K"),
        (3840, 2160, "4K"),
        (7680, 4320, "4K"),
        (0, 0, "AUDIO"),
    ],
)
def test_the_resolution_goes_by_the_shorter_side(width: int, height: int, expected: str) -> None:
    assert resolution(width, height) == expected


def test_seconds_are_told_by_codec_and_resolution() -> None:
    statistics = Statistics()
    _film(statistics, duration=10)
    _film(statistics, duration=20, width=640, height=360)
    _film(statistics, duration=5, codec="h265")

    assert statistics.durations(START, START + 60, 1) == [
        {
            "TimeStamp": str(NOW),
            "Duration": 35,
            "VCodecs": [
                {
                    "VCodec": "h264",
                    "Duration": 30,
                    "Resolutions": [
                        {"ResolutionType": "360P", "Duration": 20},
                        {"ResolutionType": "720P", "Duration": 10},
                    ],
                },
                {"VCodec": "h265", "Duration": 5, "Resolutions": [{"ResolutionType": "720P", "Duration": 5}]},
            ],
        }
    ]


def test_a_second_that_has_begun_counts() -> None:
    statistics = Statistics()
    _film(statistics, duration=10.001)

    assert statistics.durations(START, START + 60, 1)[0]["Duration"] == 11


def test_an_output_without_a_picture_counts_as_sound() -> None:
    statistics = Statistics()
    _film(statistics, codec="", width=0, height=0)
    codec = statistics.durations(START, START + 60, 1)[0]["VCodecs"][0]

    assert (codec["VCodec"], codec["Resolutions"][0]["ResolutionType"]) == ("AUDIO", "AUDIO")


def test_pictures_are_told_by_type() -> None:
    statistics = Statistics()
    _pictures(statistics, "avsnapshot", 1)
    _pictures(statistics, "avsample", 12)
    _pictures(statistics, "avsample", 3)

    assert statistics.screenshots(START, START + 60, 1) == [
        {
            "TimeStamp": str(NOW),
            "Number": 16,
            "Types": [{"Type": "avsample", "Number": 15}, {"Type": "avsnapshot", "Number": 1}],
        }
    ]


def test_pictures_are_no_seconds_and_seconds_are_no_pictures() -> None:
    statistics = Statistics()
    _pictures(statistics, "avsample", 12)
    _film(statistics, now=START + 60)

    assert len(_happened(statistics.durations(START, START + 120, 1))) == 1
    assert len(_happened(statistics.screenshots(START, START + 120, 1))) == 1


def test_calls_are_told_by_action() -> None:
    statistics = Statistics()
    for action in ("CreateTask", "CreateTask", "GetTaskList"):
        statistics.note_call(action, START)

    assert statistics.calls(START, START + 60, 1)[0]["Types"] == [
        {"Type": "CreateTask", "Number": 2},
        {"Type": "GetTaskList", "Number": 1},
    ]


# Rows.


def test_a_row_has_what_happened_from_its_beginning_up_to_the_next() -> None:
    statistics = Statistics()
    for second in (0, 299, 300, 600):
        statistics.note_call("CreateTask", START + second)
    rows = statistics.calls(START, START + 900, 5)

    assert [(row["TimeStamp"], row["Number"]) for row in rows] == [
        (str(NOW), 2),
        (str(NOW + 300), 1),
        (str(NOW + 600), 1),
    ]


def test_what_happened_at_the_end_of_the_span_is_not_in_it() -> None:
    statistics = Statistics()
    statistics.note_call("CreateTask", START + 300)

    assert _happened(statistics.calls(START, START + 300, 5)) == []


def test_a_stretch_in_which_nothing_happened_has_a_row() -> None:
    assert Statistics().calls(START, START + 600, 5)[1] == {"TimeStamp": str(NOW + 300), "Number": 0, "Types": []}


def test_what_happened_ninety_days_ago_is_forgotten_when_something_new_happens() -> None:
    statistics = Statistics()
    statistics.note_call("CreateTask", START)
    statistics.note_call("CreateTask", START + (KEPT - 1) * MINUTE)
    assert len(_happened(statistics.calls(START, START + 60, 1))) == 1
    statistics.note_call("CreateTask", START + KEPT * MINUTE)

    assert _happened(statistics.calls(START, START + 60, 1)) == []


@given(
    st.lists(st.tuples(st.floats(0, 7200), st.floats(0.001, 5000), st.sampled_from(["h264", "h265"]))),
    st.integers(1, 200),
)
def test_the_sum_does_not_depend_on_the_length_of_a_row(
    outputs: list[tuple[float, float, str]], granularity: int
) -> None:
    statistics = Statistics()
    for later, duration, codec in outputs:
        _film(statistics, START + later, duration, codec=codec)
    by_minute = statistics.durations(START, START + 7260, 1)
    by_more = statistics.durations(START, START + 7260, granularity)

    assert sum(row["Duration"] for row in by_minute) == sum(row["Duration"] for row in by_more)


@given(st.lists(st.tuples(st.floats(0.001, 5000), st.integers(0, 4000), st.integers(0, 4000)), max_size=20))
def test_the_parts_of_a_row_add_up_to_it(outputs: list[tuple[float, int, int]]) -> None:
    statistics = Statistics()
    for duration, width, height in outputs:
        _film(statistics, START, duration, width=width, height=height)
    (row,) = statistics.durations(START, START + 60, 1)

    assert row["Duration"] == sum(codec["Duration"] for codec in row["VCodecs"])
    for codec in row["VCodecs"]:
        assert codec["Duration"] == sum(size["Duration"] for size in codec["Resolutions"])


# Asking.


@pytest.mark.parametrize("action", USAGE)
def test_the_default_is_the_day_in_beijing_until_now_in_rows_of_five_minutes(action: str) -> None:
    answer = Desk().call(action)  # it is 8 o'clock in Beijing

    assert (answer["StartUnixTime"], answer["EndUnixTime"]) == (str(NOW - 8 * 3600), str(NOW))
    assert answer["Granularity"] == "5"
    assert [row["TimeStamp"] for row in answer["Datas"]][:2] == [str(NOW - 8 * 3600), str(NOW - 8 * 3600 + 300)]
    assert len(answer["Datas"]) == 8 * 12 + 1


@pytest.mark.parametrize("action", USAGE)
def test_zero_and_an_empty_text_mean_the_default(action: str) -> None:
    asked = {"StartUnixTime": "0", "EndUnixTime": "", "Granularity": "0", "ResultType": "0"}

    assert Desk().call(action, **asked) == Desk().call(action)


@pytest.mark.parametrize("action", USAGE)
async def test_an_answer_with_something_in_it_fits_its_schema(action: str) -> None:
    desk = Desk()
    desk.create()
    desk.create(2, Preset="sample", DstDir="pictures")
    desk.create(3, Preset="mp3_128k", DstObjectKey="out/3.mp3")
    await desk.finish()
    answer = desk.call(action)

    assert _happened(answer["Datas"])
    assert misfits(f"kingsoft/{action}.response.json", answer) == []


def test_the_span_that_was_asked_for_is_repeated() -> None:
    answer = Desk().call("GetInterfaceNumber", StartUnixTime=NOW - 7200, EndUnixTime=NOW - 3600, Granularity=30)

    assert (answer["StartUnixTime"], answer["EndUnixTime"], answer["Granularity"]) == (
        str(NOW - 7200),
        str(NOW - 3600),
        "30",
    )
    assert [row["TimeStamp"] for row in answer["Datas"]] == [str(NOW - 7200), str(NOW - 5400)]


def test_what_happened_this_very_moment_is_counted() -> None:
    desk = Desk()
    desk.create()

    assert desk.call("GetInterfaceNumber", EndUnixTime=NOW)["Datas"][-1]["Types"] == [
        {"Type": "CreateTask", "Number": 1},
        {"Type": "GetInterfaceNumber", "Number": 1},
    ]


async def test_the_seconds_of_a_task_count_when_it_has_ended() -> None:
    desk = Desk()
    desk.create()
    assert _happened(desk.call("GetMediaTransDuration")["Datas"]) == []
    await desk.finish()

    (row,) = _happened(desk.call("GetMediaTransDuration")["Datas"])
    assert [codec["VCodec"] for codec in row["VCodecs"]] == ["h264"]


async def test_the_pictures_of_a_task_count_when_it_has_ended() -> None:
    desk = Desk()
    desk.create(Preset="cover")
    await desk.finish()
    (row,) = _happened(desk.call("GetScreenshotNumber")["Datas"])

    assert row["Types"] == [{"Type": "avsnapshot", "Number": 1}]


async def test_a_task_that_fails_yields_nothing() -> None:
    desk = Desk()
    desk.plan(outcome={"fail": 3150})
    desk.create()
    await desk.finish()

    assert _happened(desk.call("GetMediaTransDuration")["Datas"]) == []


@pytest.mark.parametrize("action", USAGE)
def test_a_span_that_ends_before_it_begins_is_refused(action: str) -> None:
    assert Desk().call(action, StartUnixTime=NOW, EndUnixTime=NOW - 1)["ErrNum"] == 1001


@pytest.mark.parametrize("action", USAGE)
def test_a_span_of_more_than_ninety_days_is_refused(action: str) -> None:
    asked = {"EndUnixTime": NOW, "Granularity": 1440}

    assert Desk().call(action, StartUnixTime=NOW - 90 * DAY, **asked)["ErrNum"] == 0
    assert Desk().call(action, StartUnixTime=NOW - 90 * DAY - 1, **asked)["ErrNum"] == 1019


@pytest.mark.parametrize("action", USAGE)
def test_an_answer_of_more_than_ten_thousand_rows_is_refused(action: str) -> None:
    asked = {"EndUnixTime": NOW, "Granularity": 1}

    assert Desk().call(action, StartUnixTime=NOW - 10_000 * 60, **asked)["ErrNum"] == 0
    assert Desk().call(action, StartUnixTime=NOW - 10_000 * 60 - 1, **asked)["ErrNum"] == 1019


# Tasks.


async def _busy() -> Desk:
    """One task is over, one has failed, one runs, one waits."""
    desk = Desk(concurrency=1)
    desk.create(1)
    await desk.finish()
    desk.plan(outcome={"fail": 3150})
    desk.create(2, Preset="cover")
    await desk.finish()
    desk.create(3)
    desk.create(4)
    await desk.advance(2)
    return desk


async def test_tasks_are_counted_by_their_state() -> None:
    answer = (await _busy()).call("QueryTaskStats")
    counts = {name: answer[name] for name in ("Total", "Init", "Exec", "Succ", "Fail")}

    assert counts == {"Total": 4, "Init": 1, "Exec": 1, "Succ": 1, "Fail": 1}
    assert misfits("kingsoft/QueryTaskStats.response.json", answer) == []


async def test_tasks_of_one_preset_can_be_counted() -> None:
    answer = (await _busy()).call("QueryTaskStats", Preset="cover")

    assert (answer["Preset"], answer["Total"], answer["Fail"]) == ("cover", 1, 1)


def test_a_flow_task_counts_for_the_preset_of_each_step() -> None:
    desk = Desk()
    step = {"SrcInfo": [{"path": "/s-bucket/a.mp4"}], "DstBucket": "d-bucket", "DstObjectKey": "o/a.mp4"}
    desk.call("CreateFlowTask", {"FlowData": [{**step, "Preset": "hd_mp4"}, {**step, "Preset": "cover"}]})
    totals = [desk.call("QueryTaskStats", Preset=name)["Total"] for name in ("hd_mp4", "cover", "wave", "")]

    assert totals == [1, 1, 0, 1]


async def test_tasks_are_counted_from_a_day_on() -> None:
    desk = Desk()
    desk.create(1)
    await desk.advance(DAY)
    desk.create(2)
    totals = [desk.call("QueryTaskStats", StartDate=day)["Total"] for day in (0, 20260101, 20260102, 20260103)]

    assert totals == [2, 2, 1, 0]


def test_the_first_day_is_repeated() -> None:
    desk = Desk()

    assert desk.call("QueryTaskStats", StartDate=20260101)["StartDate"] == "20260101"
    assert desk.call("QueryTaskStats")["StartDate"] == "20170101"


def test_a_deleted_task_does_not_count() -> None:
    desk = Desk()
    desk.call("DelTaskByTaskID", TaskID=desk.create())

    assert desk.call("QueryTaskStats")["Total"] == 0
