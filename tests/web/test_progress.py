"""Transcoding tasks on the wire: their progress, their result, and what is drawn by chance."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import START
from tests.support.client import TRAIN_TICKET, TRANSCODE, WAVE, Client, Start
from tests.support.inbox import Inbox
from tests.support.pictures import encoded

RUN, UPLOAD, END = START + 1, START + 21, START + 25
"""When a transcoding task of the default plan that was created at ``START`` begins to run, to upload, and ends."""


def wish(inbox: Inbox, interval: int | None = None) -> str:
    """An ``ExtParam`` that asks for progress callbacks."""
    callback: dict[str, Any] = {"progress_cburl": f"{inbox.url}/progress", "progress_cbmethod": "POST"}
    if interval is not None:
        callback["progress_interval"] = interval
    return json.dumps({"Callback": callback})


async def transcode(client: Client, **parameters: Any) -> str:
    """The id of a new transcoding task."""
    created = await client.kingsoft("CreateTask", {**TRANSCODE, **parameters})
    found: str = created.json["TaskID"]
    return found


async def plan(client: Client, document: dict[str, Any]) -> None:
    """Let every task go by this plan."""
    made = await client.rule({"when": {"operation": "kingsoft.*"}, "then": {"plan": document}})
    assert made.status == 201, made.body


def told(inbox: Inbox) -> list[tuple[str, int]]:
    """Stage and percentage of every progress callback."""
    return [
        (body["Details"]["status"], body["Details"]["progress"]) for body in inbox.bodies if "status" in body["Details"]
    ]


async def instants(client: Client, event: str) -> list[float]:
    """When the deliveries of that kind fell due."""
    return [found["due"] for found in (await client.admin("GET", "deliveries", event=event)).json["deliveries"]]


async def result_of(client: Client, inbox: Inbox, **parameters: Any) -> Any:
    """The document inside ``outMediainfo`` of a finished task."""
    task = await transcode(client, CbUrl=inbox.url, **parameters)
    await client.advance("10m")
    body = next(body for body in reversed(inbox.bodies) if body["TaskID"] == task)
    return json.loads(body["Details"]["items"][0]["outMediainfo"])


# Who is told


async def test_a_progress_callback_carries_status_2_the_stage_and_whole_per_cents(client: Client, inbox: Inbox) -> None:
    task = await transcode(client, ExtParam=wish(inbox, 5))

    await client.advance("6s")

    assert inbox.bodies == [
        {
            "TaskID": task,
            "Status": 2,
            "Type": "avtrans",
            "Details": {"status": "transcoding", "progress": 25},
        }
    ]


async def test_progress_goes_to_its_own_address_and_the_end_to_cburl(client: Client, inbox: Inbox) -> None:
    await transcode(client, CbUrl=f"{inbox.url}/end", ExtParam=wish(inbox, 10))

    await client.advance("10m")

    assert [(received.path, received.json["Status"]) for received in inbox.received] == [
        ("/callback/progress", 2),
        ("/callback/progress", 2),
        ("/callback/end", 3),
    ]


async def test_without_a_wish_nothing_but_the_end_is_told(client: Client, inbox: Inbox) -> None:
    await transcode(client, CbUrl=inbox.url)

    await client.advance("10m")

    assert [body["Status"] for body in inbox.bodies] == [3]


async def test_without_cburl_progress_is_told_and_the_end_is_not(client: Client, inbox: Inbox) -> None:
    await transcode(client, ExtParam=wish(inbox, 10))

    await client.advance("10m")

    assert [body["Status"] for body in inbox.bodies] == [2, 2]


async def test_without_any_address_a_task_ends_and_nobody_is_told(client: Client) -> None:
    task = await transcode(client)

    await client.advance("10m")

    assert (await client.kingsoft("GetTaskByTaskID", TaskID=task)).json["TaskInfo"]["TaskStatus"] == "succ"
    assert (await client.admin("GET", "deliveries")).json["count"] == 0


async def test_progress_points_of_a_plan_tell_nobody_who_did_not_ask(client: Client, inbox: Inbox) -> None:
    await plan(client, {"progress": [10, 50]})
    await transcode(client, CbUrl=inbox.url)

    await client.advance("10m")

    assert [body["Status"] for body in inbox.bodies] == [3]


async def test_a_wave_task_tells_no_progress(client: Client, inbox: Inbox) -> None:
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url, "ExtParam": wish(inbox, 1)})

    await client.advance("10m")

    assert [body["Status"] for body in inbox.bodies] == [3]


async def test_extparam_may_be_an_object_in_place_of_json_in_a_string(client: Client, inbox: Inbox) -> None:
    await transcode(client, ExtParam=json.loads(wish(inbox, 10)))

    await client.advance("10m")

    assert told(inbox) == [("transcoding", 50), ("uploading", 0)]


# When


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (4, [("transcoding", 20), ("transcoding", 40), ("transcoding", 60), ("transcoding", 80), ("uploading", 0)]),
        (5, [("transcoding", 25), ("transcoding", 50), ("transcoding", 75), ("uploading", 0)]),
        (7, [("transcoding", 35), ("transcoding", 70), ("uploading", 0), ("uploading", 25)]),
        (19, [("transcoding", 95), ("uploading", 0)]),
        (3600, [("uploading", 0)]),
    ],
)
async def test_progress_is_told_at_the_interval_asked_for_and_when_the_upload_begins(
    client: Client, inbox: Inbox, interval: int, expected: list[tuple[str, int]]
) -> None:
    await transcode(client, ExtParam=wish(inbox, interval))

    await client.advance("10m")

    assert told(inbox) == expected


async def test_the_instants_of_progress_are_multiples_of_the_interval_from_the_start_of_the_run(
    client: Client, inbox: Inbox
) -> None:
    await transcode(client, ExtParam=wish(inbox, 7))

    await client.advance("10m")

    assert await instants(client, "progress") == [RUN + 7, RUN + 14, UPLOAD, RUN + 21]


async def test_without_an_interval_progress_is_told_every_two_seconds(client: Client, inbox: Inbox) -> None:
    await transcode(client, ExtParam=wish(inbox))

    await client.advance("10m")

    assert await instants(client, "progress") == [RUN + 2 * count for count in range(1, 12)]


async def test_progress_points_of_a_plan_take_the_place_of_the_interval(client: Client, inbox: Inbox) -> None:
    await plan(client, {"progress": [50, 10]})
    await transcode(client, ExtParam=wish(inbox, 1))

    await client.advance("10m")

    assert told(inbox) == [("transcoding", 10), ("transcoding", 50), ("uploading", 0)]
    assert await instants(client, "progress") == [RUN + 2, RUN + 10, UPLOAD]


async def test_progress_points_of_a_plan_can_be_given_for_each_stage(client: Client, inbox: Inbox) -> None:
    await plan(client, {"progress": {"transcoding": [40], "uploading": [25, 75]}})
    await transcode(client, ExtParam=wish(inbox))

    await client.advance("10m")

    assert told(inbox) == [("transcoding", 40), ("uploading", 25), ("uploading", 75)]


async def test_a_plan_without_progress_points_silences_progress(client: Client, inbox: Inbox) -> None:
    await plan(client, {"progress": {}})
    await transcode(client, CbUrl=inbox.url, ExtParam=wish(inbox))

    await client.advance("10m")

    assert [body["Status"] for body in inbox.bodies] == [3]


async def test_every_progress_point_is_told_with_its_own_per_cents(client: Client, inbox: Inbox) -> None:
    await plan(
        client, {"run": 3, "upload": 0.7, "progress": {"transcoding": [*range(100)], "uploading": [*range(100)]}}
    )
    await transcode(client, ExtParam=wish(inbox))

    await client.advance("10m")

    assert told(inbox) == [(stage, percent) for stage in ("transcoding", "uploading") for percent in range(100)]


async def test_a_task_that_fails_halfway_tells_no_progress_after_that(client: Client, inbox: Inbox) -> None:
    await plan(client, {"outcome": {"fail": 3150, "at": "50%"}})
    await transcode(client, CbUrl=inbox.url, ExtParam=wish(inbox, 4))

    await client.advance("10m")

    assert told(inbox) == [("transcoding", 20), ("transcoding", 40)]
    assert [body["Status"] for body in inbox.bodies] == [2, 2, 4]
    assert await instants(client, "failed") == [RUN + 10]


async def test_a_task_that_hangs_tells_progress_until_then_and_no_end(client: Client, inbox: Inbox) -> None:
    await plan(client, {"outcome": {"hang": True, "at": "50%"}})
    task = await transcode(client, CbUrl=inbox.url, ExtParam=wish(inbox, 4))

    await client.advance("30d")

    assert [body["Status"] for body in inbox.bodies] == [2, 2]
    assert (await client.kingsoft("GetTaskByTaskID", TaskID=task)).json["TaskInfo"]["TaskStatus"] == "exec"


async def test_a_task_that_vanishes_is_not_found_any_more_and_tells_no_end(client: Client, inbox: Inbox) -> None:
    await plan(client, {"outcome": "vanish"})
    task = await transcode(client, CbUrl=inbox.url)

    await client.advance("10m")

    assert inbox.received == []
    assert (await client.kingsoft("GetTaskByTaskID", TaskID=task)).json == {"ErrNum": 1200, "ErrMsg": "记录不存在"}


async def test_callbacks_of_one_task_come_in_the_order_of_their_instants_however_far_the_clock_jumps(
    client: Client, inbox: Inbox
) -> None:
    await transcode(client, CbUrl=inbox.url, ExtParam=wish(inbox, 1))

    await client.advance("300d")

    reports = told(inbox)
    assert reports == sorted(reports, key=lambda report: (report[0] == "uploading", report[1]))
    assert [body["Status"] for body in inbox.bodies] == [2] * (len(reports)) + [3]


# What came out


async def test_the_final_callback_of_a_transcoding_task_has_a_media_description_that_parses(
    client: Client, inbox: Inbox
) -> None:
    assert await result_of(client, inbox) == {
        "metadata": {"rotate": "0"},
        "streams": [
            {
                "index": 0,
                "codec_name": "h264",
                "codec_type": "video",
                "width": 1280,
                "height": 720,
                "bit_rate": 900000,
                "r_frame_rate": "25/1",
            },
            {
                "index": 1,
                "channels": 2,
                "sample_rate": 44100,
                "codec_name": "aac",
                "codec_type": "audio",
                "bit_rate": 64000,
            },
        ],
        "format": {"duration": "198.123", "format_name": "mp4", "size": 23873821, "bit_rate": "964000"},
    }


async def test_the_final_callback_of_a_transcoding_task_names_bucket_and_key(client: Client, inbox: Inbox) -> None:
    task = await transcode(client, CbUrl=inbox.url)

    await client.advance("10m")

    (body,) = inbox.bodies
    details = body["Details"]
    assert (body["TaskID"], body["Status"], body["Type"]) == (task, 3, "avtrans")
    assert (details["errnum"], details["bucket"], details["items"][0]["dstpath"]) == (0, "dst-bucket", "out/a.mp4")


async def test_rates_and_size_of_a_drawn_media_description_add_up(start: Start, inbox: Inbox) -> None:
    client = await start(responses="random")

    described = await result_of(client, inbox)

    rate = sum(stream["bit_rate"] for stream in described["streams"])
    assert described["format"]["bit_rate"] == str(rate)
    assert abs(described["format"]["size"] - float(described["format"]["duration"]) * rate / 8) < 1


@pytest.mark.parametrize(
    ("preset", "container"), [("hd_mp4", "mp4"), ("flv_480p", "flv"), ("hls_720p", "hls"), ("gif_320", "gif")]
)
async def test_the_container_follows_the_template(client: Client, inbox: Inbox, preset: str, container: str) -> None:
    assert (await result_of(client, inbox, Preset=preset))["format"]["format_name"] == container


async def test_an_output_that_is_only_sound_has_one_stream_with_index_0(client: Client, inbox: Inbox) -> None:
    described = await result_of(client, inbox, Preset="mp3_128k", DstObjectKey="out/a.mp3")

    assert [(stream["index"], stream["codec_type"]) for stream in described["streams"]] == [(0, "audio")]
    assert described["format"]["bit_rate"] == "128000"


# By chance


async def test_drawn_media_differ_by_the_source(start: Start, inbox: Inbox) -> None:
    client = await start(responses="random")

    first = await result_of(client, inbox, SrcInfo=[{"path": "/src-bucket/a.mp4"}])
    second = await result_of(client, inbox, SrcInfo=[{"path": "/src-bucket/b.mp4"}])

    assert first != second


async def test_drawn_media_repeat_for_the_same_source(start: Start, inbox: Inbox) -> None:
    client = await start(responses="random")

    assert await result_of(client, inbox) == await result_of(client, inbox)


async def test_drawn_media_repeat_for_the_same_seed_in_another_emulator(start: Start, inbox: Inbox) -> None:
    first = await start(responses="random", seed=11)
    second = await start(responses="random", seed=11)

    assert await result_of(first, inbox) == await result_of(second, inbox)


async def test_drawn_media_differ_by_the_seed(start: Start, inbox: Inbox) -> None:
    first = await start(responses="random", seed=11)
    second = await start(responses="random", seed=12)

    assert await result_of(first, inbox) != await result_of(second, inbox)


async def read(client: Client, image: str) -> Any:
    """The fields read in a picture."""
    answer = await client.recognise(await client.token(), templateSign=TRAIN_TICKET, image=image)
    return answer.json["data"]["ret"]


async def test_drawn_fields_differ_by_the_picture(start: Start) -> None:
    client = await start(responses="random")

    assert await read(client, encoded(200, 100)) != await read(client, encoded(100, 200))


async def test_drawn_fields_repeat_for_the_same_picture(start: Start) -> None:
    client = await start(responses="random")

    assert await read(client, encoded()) == await read(client, encoded())


async def test_drawn_fields_repeat_for_the_same_seed_in_another_emulator(start: Start) -> None:
    first = await start(responses="random", seed=11)
    second = await start(responses="random", seed=11)

    assert await read(first, encoded()) == await read(second, encoded())


async def test_drawn_fields_have_the_names_of_the_template_and_lie_within_the_picture(start: Start) -> None:
    client = await start(responses="random")

    fields = await read(client, encoded(200, 100))

    assert [found["word_name"] for found in fields] == [
        "终点站",
        "发车时间",
        "始发站",
        "车次",
        "乘车人",
        "座位号",
        "价格",
    ]
    boxes = [found["location"] for found in fields]
    assert all(box["left"] >= 0 and box["left"] + box["width"] <= 200 for box in boxes)
    assert all(box["top"] >= 0 and box["top"] + box["height"] <= 100 for box in boxes)


async def test_canned_fields_are_the_same_whatever_the_picture(client: Client) -> None:
    assert await read(client, encoded(200, 100)) == await read(client, encoded(100, 200))
