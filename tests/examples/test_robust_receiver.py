"""A receiver of callbacks that survives what networks do to them: lost, repeated, late, in another order."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.serving import make_server

from emulator.testing import Emulator
from tests.examples.kvs import Kvs

SUCCEEDED, FAILED = 3, 4
STAGES = ("transcoding", "uploading")

# The application


class Videos:
    """How far each video is. What is final stays, progress never goes back, and nobody is told twice."""

    def __init__(self) -> None:
        self.state: dict[str, str] = {}
        self.told: list[str] = []
        self._rank: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def take(self, said: Any) -> None:
        """Take one callback."""
        task, details = said["TaskID"], said["Details"]
        final = said["Status"] in (SUCCEEDED, FAILED)
        rank = (len(STAGES), 0.0) if final else (STAGES.index(details["status"]), details["progress"])
        with self._lock:
            if rank <= self._rank.get(task, (-1, 0.0)):
                return
            self._rank[task] = rank
            if final:
                self.state[task] = "ready" if said["Status"] == SUCCEEDED else "failed"
                self.told.append(f"{task} is {self.state[task]}")
            else:
                self.state[task] = f"{details['status']} {details['progress']}"


def create_app(videos: Videos) -> Flask:
    """``POST /callback``; what cannot be read is refused, so that it is sent again."""
    app = Flask(__name__)

    @app.post("/callback")
    def callback() -> Any:
        try:
            videos.take(json.loads(request.get_data()))
        except ValueError:
            return "not JSON", 400
        return "Ok"

    return app


# Its tests


@pytest.fixture(name="videos")
def _videos() -> Videos:
    return Videos()


@pytest.fixture(name="callback")
def _callback(videos: Videos) -> Iterator[str]:
    """The application, served in a thread: the emulator really calls it."""
    server = make_server("127.0.0.1", 0, create_app(videos), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/callback"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(name="order")
def _order(emulator: Emulator, callback: str) -> Any:
    kvs = Kvs(emulator.kingsoft.url, **emulator.kingsoft.credentials)
    return lambda: kvs.transcode("/media/a.mp4", callback)


@pytest.mark.parametrize(
    "chaos",
    [
        {},
        {"duplicate": {"copies": 3, "after": "500ms"}},
        {"reorder": True},
        {"regress": True},
        {"late": ["1s", "1m"]},
        {"double_final": {"after": "1h"}},
        {"contradict": True},
        {"storm": {"copies": 20, "only": "final"}},
        {"drop": {"only": "progress"}},
        {"duplicate": 0.5, "reorder": 0.5, "late": 0.5, "regress": 0.5},
    ],
    ids=lambda chaos: "-".join(chaos) or "nothing",
)
def test_a_video_is_ready_once_whatever_happens_to_the_callbacks(
    order: Any, videos: Videos, emulator: Emulator, chaos: dict[str, Any]
) -> None:
    emulator.kingsoft.expect("CreateTask").progresses(10, 40, 80).delivers(**chaos)
    task = order()
    emulator.run_until_idle()

    assert videos.told == [f"{task} is ready"]


def test_what_cannot_be_read_is_refused_and_so_sent_again(order: Any, videos: Videos, emulator: Emulator) -> None:
    emulator.kingsoft.expect("CreateTask").delivers(corrupt=True, attempts=2)
    order()
    emulator.run_until_idle()

    assert videos.told == []
    assert {(delivery.status, len(delivery.attempts)) for delivery in emulator.deliveries} == {("failed", 2)}
    emulator.verify(callbacks=[{"chaos": "corrupt", "status": "failed"}])


def test_progress_never_goes_back(order: Any, videos: Videos, emulator: Emulator) -> None:
    emulator.kingsoft.expect("CreateTask").progresses(10, 40, 80).delivers(regress=True)
    task = order()
    seen = []
    while emulator.next().fired:
        seen.append(videos.state[task])

    assert list(dict.fromkeys(seen)) == [
        *(f"transcoding {percent}" for percent in (10, 40, 80)),
        "uploading 0",
        "ready",
    ]
