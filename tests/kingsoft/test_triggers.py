"""Triggers in Kingsoft's requests: segments of the keys of objects."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from emulator.core.exchange import Outcome
from emulator.core.triggers import TABLE, Trigger
from tests.support.clouds import raw
from tests.support.desk import CALLBACK, Desk

CODE = 2032


def _task(**members: Any) -> dict[str, Any]:
    return {
        "Preset": "hd_mp4",
        "SrcInfo": [{"path": "/src-bucket/in/a.mp4"}],
        "DstBucket": "dst-bucket",
        "DstObjectKey": "out/a.mp4",
        "CbUrl": CALLBACK,
        **members,
    }


def _asked(desk: Desk, action: str, document: Any) -> Outcome:
    query = urlencode({"Action": action, "Version": "2017-01-01"})
    body = json.dumps(document).encode()
    return desk.emulation.pipeline.decide(raw("POST", "/", query, body, "application/json"))


async def _ends(desk: Desk, **members: Any) -> str:
    """The code with which a new task ends."""
    task_id = desk.create(**members)
    await desk.finish()
    found: str = desk.info(task_id)["ErrorCode"]
    return found


@pytest.mark.parametrize(
    "members",
    [
        {"SrcInfo": [{"path": f"/src-bucket/emu-fail-{CODE}/a.mp4"}]},
        {"SrcInfo": [{"path": f"src-bucket/in/emu-fail-{CODE}"}]},
        {"SrcInfo": {"path": f"/src-bucket/emu-fail-{CODE}.mp4"}},
        {"SrcInfo": [{"path": "/b/a.mp4"}, {"path": f"/b/emu-fail-{CODE}/b.mp4"}]},
        {"DstObjectKey": f"emu-fail-{CODE}/a.mp4"},
        {"DstObjectKey": f"/out/emu-fail-{CODE}.3gp"},
        {"DstDir": f"out/emu-fail-{CODE}/"},
    ],
)
async def test_a_segment_of_any_key_is_looked_at(members: dict[str, Any]) -> None:
    assert await _ends(Desk(), **members) == str(CODE)


@pytest.mark.parametrize(
    "members",
    [
        {"SrcInfo": [{"path": f"/emu-fail-{CODE}/a.mp4"}]},
        {"SrcInfo": [{"path": "/src-bucket/emu-photos/a.mp4"}]},
        {"DstObjectKey": f"out/my-emu-fail-{CODE}.mp4"},
        {"CbUrl": f"{CALLBACK}/emu-fail-{CODE}"},
    ],
)
async def test_a_bucket_another_word_and_a_part_of_a_segment_are_no_triggers(members: dict[str, Any]) -> None:
    assert await _ends(Desk(), **members) == "0"


async def test_turned_off_they_are_keys_like_any_other() -> None:
    assert await _ends(Desk(triggers="off"), DstObjectKey=f"emu-fail-{CODE}/a.mp4") == "0"


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.word)
def test_every_example_is_understood(row: Trigger) -> None:
    outcome = _asked(Desk(), "CreateTask", _task(DstObjectKey=f"{row.example}/a.mp4"))

    assert outcome.reply.status != 400, outcome.reason


def test_the_request_can_be_refused() -> None:
    answer = Desk().call("CreateTask", _task(DstObjectKey="emu-error-1011/a.mp4"))

    assert answer["ErrNum"] == 1011


def test_a_code_of_the_gateway_goes_by_its_name() -> None:
    outcome = _asked(Desk(), "CreateTask", _task(DstObjectKey="emu-error-SignatureDoesNotMatch/a.mp4"))

    assert (outcome.reply.status, b"SignatureDoesNotMatch" in outcome.reply.body) == (403, True)


async def test_a_task_can_run_long_and_then_fail() -> None:
    desk = Desk()
    task_id = desk.create(DstObjectKey="emu-slow-90s/emu-fail-2032.mp4")
    await desk.advance(80)
    before = desk.info(task_id)["TaskStatus"]
    await desk.finish()

    assert (before, desk.info(task_id)["ErrorCode"]) == ("exec", "2032")


async def test_a_fraction_of_a_duration_is_no_ending_of_a_file() -> None:
    desk = Desk()
    task_id = desk.create(DstObjectKey="emu-slow-1.5s")
    timeline = desk.account.tasks.get(task_id).timeline  # type: ignore[union-attr]

    assert timeline.upload - timeline.run == 1.5


async def test_a_task_can_follow_a_named_plan() -> None:
    desk = Desk()
    task_id = desk.create(DstObjectKey="emu-plan-slow/a.mp4")
    timeline = desk.account.tasks.get(task_id).timeline  # type: ignore[union-attr]

    assert timeline.upload - timeline.run == 3600


async def test_a_step_of_a_flow_may_name_it() -> None:
    desk = Desk()
    steps = [_task(), _task(DstObjectKey=f"emu-fail-{CODE}/b.mp4")]
    task_id = desk.call("CreateFlowTask", {"FlowData": steps, "CbUrl": CALLBACK})["TaskID"]
    await desk.finish()

    assert desk.info(task_id)["ErrorCode"] == str(CODE)


async def test_in_a_batch_it_acts_on_the_whole_call() -> None:
    desk = Desk()
    created = desk.call("BatchCreateTask", [_task(), _task(DstObjectKey=f"emu-fail-{CODE}/b.mp4")])["Tasks"]
    await desk.finish()

    assert [desk.info(row["TaskID"])["ErrorCode"] for row in created] == [str(CODE)] * 2


@pytest.mark.parametrize(("word", "latency"), [("emu-slow-3s", 3), ("emu-latency-3s", 3), (f"emu-fail-{CODE}", 0)])
def test_looking_at_a_source_is_slow_but_does_not_fail_with_its_tasks(word: str, latency: float) -> None:
    outcome = _asked(Desk(), "FetchMetaInfo", {"SrcPath": f"/src-bucket/{word}.mp4"})

    assert (json.loads(outcome.reply.body)["ErrNum"], outcome.latency) == (0, latency)


async def test_parameters_in_the_query_are_looked_at_too() -> None:
    desk = Desk()
    given = {"Preset": "hd_mp4", "SrcInfo.0.path": f"/src-bucket/emu-fail-{CODE}/a.mp4"}
    task_id = desk.call("CreateTask", **given, DstBucket="dst-bucket", DstObjectKey="a.mp4")["TaskID"]
    await desk.finish()

    assert desk.info(task_id)["ErrorCode"] == str(CODE)


def test_drawn_media_can_be_asked_for() -> None:
    found = [
        json.loads(_asked(Desk(), "FetchMetaInfo", {"SrcPath": f"/b/{word}/a.mp4"}).reply.body)["MetaInfo"]
        for word in ("emu-random", "emu-canned")
    ]

    assert found[0] != found[1]


def test_an_unknown_code_is_refused_with_the_nearest() -> None:
    outcome = _asked(Desk(), "CreateTask", _task(DstObjectKey="emu-fail-2999/a.mp4"))

    assert outcome.reply.status == 400
    assert "trigger emu-fail-2999: kingsoft has no code '2999' in its callback list; nearest: " in outcome.reason


@pytest.mark.parametrize("source", [None, 7, "text", [None], [{"path": 7}], {"path": ["emu-hang"]}, [{}, {}]])
def test_parameters_of_another_type_are_no_triggers(source: Any) -> None:
    outcome = _asked(Desk(), "CreateTask", _task(SrcInfo=source, DstObjectKey=["emu-hang"]))

    assert json.loads(outcome.reply.body)["ErrNum"] != 0
