"""The main job on the wire: a task is created, its clock moved, its callbacks arrive."""

from __future__ import annotations

from tests.support.client import WAVE, Client
from tests.support.inbox import Inbox


async def test_a_wave_task_calls_back_when_its_clock_has_moved_past_its_end(client: Client, inbox: Inbox) -> None:
    created = await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})

    await client.advance("10m")

    assert inbox.bodies == [
        {
            "TaskID": created.json["TaskID"],
            "Status": 3,
            "Type": "audiowave",
            "Details": {"errnum": 0, "bucket": "dst-bucket", "items": [{"dstpath": "wave/a.json"}]},
        }
    ]
