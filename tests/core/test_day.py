"""One virtual day: a thousand tasks of ten progress callbacks and an end each."""

from __future__ import annotations

import json
from itertools import pairwise

from emulator.core.ids import Draw
from tests.support.machine import START
from tests.support.toy_cloud import CALLBACK, ToyWorld, toy_world

TASKS = 1000
DAY = 86_400.0
PLAN = {
    "queue": ["1s", "5m"],
    "run": ["1m", "2h"],
    "upload": ["1s", "10m"],
    "progress": {"transcoding": [5, 15, 25, 35, 45, 55, 65, 75, 85], "uploading": [50]},
}

Line = tuple[int, float, str, bytes]


async def _lived(seed: int, tasks: int = TASKS) -> ToyWorld:
    """A world in which tasks were begun all day long, and a little longer so that all have ended."""
    world = toy_world(seed=seed)
    world.rule({"when": {"operation": "toy.Brew"}, "then": {"plan": PLAN}})
    draw = Draw(seed, "day")
    for instant in sorted(START + draw.between(0, DAY) for _ in range(tasks)):
        await world.driver.advance_to(world.account, instant)
        world.ask("/toy/Brew", {"leaf": "green", "callback": CALLBACK})
    await world.driver.advance_to(world.account, START + DAY)
    await world.driver.run_until_idle(world.account)
    return world


def _lines(world: ToyWorld) -> list[Line]:
    return [(entry.number, entry.due, entry.task_id, entry.order.body) for entry in world.account.ledger]


async def test_every_callback_of_a_day_is_delivered_once_and_in_order() -> None:
    world = await _lived(7)
    lines = _lines(world)

    assert len(lines) == len(world.sender.orders) == 11_000
    assert {entry.status for entry in world.account.ledger} == {"delivered"}
    assert [number for number, *_ in lines] == list(range(1, 11_001))
    assert all(earlier <= later for (_, earlier, *_), (_, later, *_) in pairwise(lines))
    assert [order.body for order in world.sender.orders] == [body for *_, body in lines]
    by_task: dict[str, list[str]] = {}
    for _, _, task_id, body in lines:
        by_task.setdefault(task_id, []).append(json.loads(body)["status"])
    assert set(map(tuple, by_task.values())) == {(*["running"] * 9, "uploading", "succeeded")}


async def test_a_day_is_the_same_again_with_the_same_seed() -> None:
    assert _lines(await _lived(7)) == _lines(await _lived(7))


async def test_a_day_is_another_with_another_seed() -> None:
    first, second = _lines(await _lived(7, 100)), _lines(await _lived(8, 100))

    assert len(first) == len(second) == 1100
    assert {line[1] for line in first}.isdisjoint(line[1] for line in second)
