"""Snapshots of what Kingsoft remembers."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.errors import ConfigurationError
from emulator.core.exchange import JsonObject
from emulator.core.snapshot import Snapshots
from tests.support.desk import Desk
from tests.support.machine import START
from tests.support.sender import REFUSED

PRESET = {
    "Preset": "mine",
    "PresetType": "avtrans",
    "Description": "my own",
    "Param": {"f": "mp4", "VIDEO": {"vr": 25, "vb": 800000, "vcodec": "h264", "width": 640, "height": 360}},
}
FLOW = {
    "FlowData": [
        {
            "Preset": "hd_mp4",
            "SrcInfo": [{"path": "/src-bucket/in/a.mp4"}],
            "DstBucket": "dst-bucket",
            "DstObjectKey": "out/a.mp4",
        },
        {
            "Preset": "hd_mp4",
            "SrcInfo": [{"path": "/dst-bucket/out/a.mp4"}],
            "DstBucket": "dst-bucket",
            "DstObjectKey": "out/b.mp4",
        },
    ],
    "CbUrl": "http://127.0.0.1:9/callback",
}


def _keeper(desk: Desk) -> Snapshots:
    emulation = desk.emulation
    return Snapshots(emulation.accounts, emulation.providers, emulation.schemas, emulation.rules, desk._driver)


def saved(desk: Desk) -> JsonObject:
    """The account as a file would hold it."""
    document: JsonObject = orjson.loads(orjson.dumps(_keeper(desk).save(desk.account)))
    return document


async def twin(desk: Desk, **settings: Any) -> Desk:
    """A fresh emulator with a snapshot of the account, where receivers answer alike."""
    other = Desk(desk.key, **settings)
    keeper = _keeper(other)
    await keeper.load(keeper.read(saved(desk)))
    other.sender.answers = list(desk.sender.answers)
    return other


async def go_on_alike(desk: Desk, other: Desk) -> list[Any]:
    """Move both until nothing is pending, and hold them together; what the second one sent."""
    sent = len(desk.sender.orders)
    assert await desk.finish() == await other.finish()
    assert desk.sender.orders[sent:] == other.sender.orders
    assert saved(desk) == saved(other)
    return other.callbacks


@pytest.fixture(name="desk")
def _desk() -> Desk:
    return Desk(concurrency=2)


async def test_tasks_that_wait_get_their_turn_in_the_same_order(desk: Desk) -> None:
    tasks = [desk.create(number) for number in range(6)]
    desk.call("TopTaskByTaskID", TaskID=tasks[4])
    desk.call("DelTaskByTaskID", TaskID=tasks[3])
    await desk.advance(5)
    other = await twin(desk)
    assert desk.statuses(*tasks[:3]) == other.statuses(*tasks[:3]) == ["exec", "exec", "init"]
    sent = await go_on_alike(desk, other)
    assert [body["TaskID"] for body in sent] == [tasks[0], tasks[1], tasks[4], tasks[2], tasks[5]]


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.booleans()),
        st.tuples(st.sampled_from(["TopTaskByTaskID", "DelTaskByTaskID"]), st.integers(0, 9)),
        st.tuples(st.just("pause"), st.sampled_from(["Active", "Paused"])),
        st.tuples(st.just("advance"), st.sampled_from([0, 1, 13, 27])),
    ),
    max_size=10,
)


async def _play(desk: Desk, moves: list[Any]) -> list[Any]:
    seen: list[Any] = []
    for what, value in moves:
        tasks = list(desk.account.tasks)
        if what == "create":
            seen.append(desk.create(len(tasks), Pipeline="usual" if value else ""))
        elif what == "pause":
            seen.append(desk.call("UpdatePipeline", {"PipelineName": "usual", "State": value}))
        elif what == "advance":
            seen.append(await desk.advance(value))
        elif tasks:
            seen.append(desk.call(what, TaskID=tasks[value % len(tasks)].id))
    return seen


@settings(max_examples=40)
@given(MOVES, MOVES)
def test_whatever_was_done_a_loaded_account_goes_on_alike(before: Any, after: Any) -> None:
    async def scenario() -> None:
        desk = Desk(concurrency=2)
        await _play(desk, before)
        other = await twin(desk)
        sent = len(desk.sender.orders)
        assert await _play(desk, after) == await _play(other, after)
        assert await desk.finish() == await other.finish()
        assert desk.sender.orders[sent:] == other.sender.orders
        assert saved(desk) == saved(other)

    asyncio.run(scenario())


async def test_a_retry_goes_on(desk: Desk) -> None:
    desk.plan(deliver={"attempts": 3, "backoff": "10s"})
    desk.sender.answers = [REFUSED, REFUSED]
    desk.create()
    await desk.advance(25)
    other = await twin(desk)
    assert len(await go_on_alike(desk, other)) == 2


async def test_a_flow_task_goes_on(desk: Desk) -> None:
    desk.call("CreateFlowTask", FLOW)
    await desk.advance(5)
    (sent,) = await go_on_alike(desk, await twin(desk))
    assert len(sent["Details"]) == 2


async def test_progress_goes_on(desk: Desk) -> None:
    ext = json.dumps({"Callback": {"progress_cburl": "http://127.0.0.1:9/p", "progress_interval": 3}})
    desk.create(ExtParam=ext)
    await desk.advance(8)
    assert len(await go_on_alike(desk, await twin(desk))) > 2


async def test_the_next_task_has_the_same_id_and_answers_are_the_same(desk: Desk) -> None:
    desk.create(1)
    other = await twin(desk)
    assert desk.create(2) == other.create(2)
    assert desk.call("GetTaskList") == other.call("GetTaskList")
    assert desk.call("NoSuchAction") == other.call("NoSuchAction")


async def test_templates_of_the_user_are_kept(desk: Desk) -> None:
    assert desk.call("Preset", PRESET)["ErrNum"] == 0
    desk.call("DelPreset", Preset="hd_mp4")
    other = await twin(desk)
    assert desk.call("GetPresetList") == other.call("GetPresetList")
    task = other.create(Preset="mine")
    assert other.statuses(task) == ["init"]


async def test_templates_that_nobody_changed_are_shared_again(desk: Desk) -> None:
    other = await twin(desk)
    presets = other.account.state("kingsoft").presets
    fresh = other.emulation.providers["kingsoft"].new_state({})
    assert presets._presets is fresh.presets._presets  # type: ignore[attr-defined]


async def test_queues_with_their_windows_are_kept(desk: Desk) -> None:
    desk.call("UpdatePipeline", {"PipelineName": "night", "State": "Active", "RegularStart": "02:00:00"})
    desk.call("UpdatePipeline", {"PipelineName": "shut", "State": "Paused"})
    other = await twin(desk)
    assert desk.call("QueryPipeline") == other.call("QueryPipeline")


async def test_statistics_go_on(desk: Desk) -> None:
    desk.create()
    await desk.finish()
    other = await twin(desk)
    span = {"StartUnixTime": str(int(START)), "EndUnixTime": str(int(START) + 600), "Granularity": "5"}
    for action in ("GetMediaTransDuration", "GetScreenshotNumber", "GetInterfaceNumber"):
        assert desk.call(action, span) == other.call(action, span)


async def test_dialect_world_and_concurrency_are_kept() -> None:
    desk = Desk(dialect="docs,itmes=on")
    provider = desk.emulation.providers["kingsoft"]
    world = {"buckets": {"src-bucket": {"objects": {"in/1.mp4": {}}}, "dst-bucket": {}}}
    provider.set_options(desk.account, {"world": world, "concurrency": 1})
    desk.create(1)
    other = await twin(desk)
    assert other.emulation.providers["kingsoft"].options(other.account) == provider.options(desk.account)
    assert desk.call("GetTaskList") == other.call("GetTaskList")
    await go_on_alike(desk, other)


async def test_rates_go_on() -> None:
    desk = Desk(limits="on")
    for _ in range(100):
        desk.call("GetPresetList")
    other = await twin(desk, limits="on")
    assert desk.call("GetPresetList") == other.call("GetPresetList")
    assert other.last.code == "LimitExceeded"


async def test_credentials_are_not_in_it() -> None:
    desk = Desk("AK1")
    emulation = desk.emulation
    secret = "very secret"
    given = {"access_key": "AK1", "secret_key": secret, "concurrency": 3}
    emulation.accounts.create(
        {"name": "AK1", "kingsoft": given},
        None,
        lambda name, seed: emulation.providers["kingsoft"].credentials(given, None),  # type: ignore[arg-type]
    )
    document = saved(desk)
    assert secret not in json.dumps(document)
    assert document["account"]["options"] == {"kingsoft": {"concurrency": 3}}


@pytest.mark.parametrize(
    ("value", "path", "pointer"),
    [
        ("x", ("queues", "concurrency"), "/queues/concurrency"),
        ({}, ("queues", "named"), "/queues/waiting/{}/queue"),
        ({"buckets": 5}, ("world",), "/world/buckets"),
        ("on", ("dialect", "itmes"), None),
        ("perhaps", ("dialect", "itmes"), "/dialect/itmes"),
        ([["a", 1]], ("statistics", "calls"), "/statistics/calls/0/0"),
        ([{"name": "x"}], ("presets",), "/presets/0/type"),
    ],
)
async def test_a_broken_part_is_refused_where_it_is_broken(
    desk: Desk, value: Any, path: tuple[str, ...], pointer: str | None
) -> None:
    tasks = [desk.create(number) for number in range(3)]
    document = copy.deepcopy(saved(desk))
    part = document["account"]["clouds"]["kingsoft"]
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    keeper = _keeper(desk)
    if pointer is None:
        keeper.read(document)
        return
    with pytest.raises(ConfigurationError) as refusal:
        keeper.read(document)
    assert refusal.value.problems[0].pointer == "/account/clouds/kingsoft" + pointer.format(tasks[2])


async def test_a_task_that_waits_but_is_not_there_is_refused(desk: Desk) -> None:
    document = saved(desk)
    waiting = {"task_id": "t9", "queue": "", "plan": {}, "every": None, "place": 1}
    document["account"]["clouds"]["kingsoft"]["queues"]["waiting"] = {"t9": waiting}
    with pytest.raises(ConfigurationError, match="waiting/t9: waits, but there is no such task"):
        _keeper(desk).read(document)
