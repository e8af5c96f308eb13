"""A worker, as in a task queue such as Celery, that orders a wave form and polls until it is there.

It sleeps between two polls. The test hands it a sleep that moves the emulator's clock: an hour takes no time.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from emulator.testing import Emulator
from tests.examples.kvs import Kvs, KvsError

INTERNAL_ERROR = 1000


class GivenUp(Exception):
    """The task took too long."""


# The application


class Worker:
    """Polls every half a minute, for an hour."""

    def __init__(self, kvs: Kvs, sleep: Callable[[float], object] = time.sleep) -> None:
        self._kvs = kvs
        self._sleep = sleep

    def make_wave(self, path: str) -> str:
        """How the task ended: ``succ`` or ``fail``."""
        task = self._again(lambda: self._kvs.make_wave(path))
        for _ in range(120):
            self._sleep(30)
            status: str = self._kvs.call("GetTaskByTaskID", TaskID=task)["TaskInfo"]["TaskStatus"]
            if status in ("succ", "fail"):
                return status
        raise GivenUp(task)

    def _again(self, call: Callable[[], str]) -> str:
        """Call again if KVS fails by itself, twice at most, after a second and after two."""
        for wait in (1, 2):
            try:
                return call()
            except KvsError as error:
                if error.code != "LimitExceeded":
                    raise
                self._sleep(wait)
        return call()


# Its tests


@pytest.fixture(name="worker")
def _worker(emulator: Emulator) -> Worker:
    return Worker(Kvs(emulator.kingsoft.url, **emulator.kingsoft.credentials), sleep=emulator.advance)


def test_a_wave_form_is_waited_for(worker: Worker, emulator: Emulator) -> None:
    emulator.kingsoft.expect("CreateWaveTask").takes(run="10m").once()
    before = emulator.now

    assert worker.make_wave("/media/a.mp3") == "succ"
    assert (emulator.now - before).total_seconds() == 630


def test_a_failure_is_told(worker: Worker, emulator: Emulator) -> None:
    emulator.kingsoft.expect("CreateWaveTask").fails(3150)

    assert worker.make_wave("/media/a.mp3") == "fail"


def test_after_an_hour_it_is_given_up(worker: Worker, emulator: Emulator) -> None:
    emulator.kingsoft.expect("CreateWaveTask").hangs(at="50%")
    emulator.kingsoft.expect("GetTaskByTaskID").times(120)

    with pytest.raises(GivenUp):
        worker.make_wave("/media/a.mp3")


def test_a_limit_is_waited_out(worker: Worker, emulator: Emulator) -> None:
    emulator.kingsoft.expect("CreateWaveTask").fails("LimitExceeded").times(2)

    assert worker.make_wave("/media/a.mp3") == "succ"


def test_a_bucket_that_is_not_there_is_no_reason_to_try_again(worker: Worker, emulator: Emulator) -> None:
    emulator.kingsoft.options(world={"buckets": {"other": {}}})
    emulator.kingsoft.expect("CreateWaveTask").refused(1011).once()

    with pytest.raises(KvsError, match="1011"):
        worker.make_wave("/media/a.mp3")
