"""``emulator.inbox``: what it records, what it answers, and how it is waited for."""

from __future__ import annotations

from tests.plugin.conftest import User


def test_it_records_what_comes(user: User) -> None:
    user.write("""
def test_it(emulator):
    make_wave(emulator, CbUrl=emulator.inbox.url + "/songs/7?key=x")
    emulator.run_until_idle()
    came = emulator.inbox.only
    assert (came.method, came.path) == ("POST", "/songs/7?key=x")
    assert came.headers["content-type"] == "application/json; charset=utf-8"
    assert came.at == emulator.now
    assert came.json == emulator.deliveries[0].json
    assert emulator.inbox.find(Status=3) == [came]
    assert emulator.inbox.find(Status=4) == []
    emulator.inbox.clear()
    assert emulator.inbox.received == []
""")

    user.run().assert_outcomes(passed=1)


def test_it_fails_as_often_as_it_is_told(user: User) -> None:
    user.write("""
def test_it(emulator):
    emulator.kingsoft.expect("CreateWaveTask").delivers(attempts=3, backoff="1m")
    emulator.inbox.fail_times(2)
    make_wave(emulator)
    emulator.run_until_idle()
    first, second, third = (came.at for came in emulator.inbox.received)
    assert [(second - first).total_seconds(), (third - second).total_seconds()] == [60, 120]
    assert [attempt["status"] for attempt in emulator.deliveries[0].attempts] == [503, 503, 200]
    with pytest.raises(AssertionError, match="3 callbacks have arrived: "):
        emulator.inbox.only
""")

    user.run().assert_outcomes(passed=1)


def test_it_answers_as_it_is_told(user: User) -> None:
    user.write("""
def test_it(emulator):
    emulator.inbox.answer(202, "taken", {"X-Mine": "1"}, delay=0.01)
    make_wave(emulator)
    emulator.run_until_idle()
    (attempt,) = emulator.deliveries[0].attempts
    assert (attempt["status"], attempt["answer"]) == (202, "taken")
""")

    user.run().assert_outcomes(passed=1)


def test_it_hangs_until_the_sender_gives_up(user: User) -> None:
    user.write("""
def test_it(emulator):
    emulator.kingsoft.expect("CreateWaveTask").delivers(attempts=2, timeout="50ms")
    emulator.inbox.hang(times=1)
    make_wave(emulator)
    emulator.run_until_idle()
    assert [attempt["status"] for attempt in emulator.deliveries[0].attempts] == [None, 200]
""")

    user.run().assert_outcomes(passed=1)


def test_a_callback_for_a_test_that_is_over_is_refused_for_good(user: User) -> None:
    user.write("""
from urllib.error import HTTPError
from urllib.request import urlopen

old = []

def test_one(emulator):
    old.append(emulator.inbox.url)

def test_two(emulator):
    assert emulator.inbox.url
    with pytest.raises(HTTPError, match="410"):
        urlopen(old[0])
""")

    user.run("-p", "no:randomly").assert_outcomes(passed=2)


def test_who_waits_in_vain_is_told_what_may_be_missing(user: User) -> None:
    user.write("""
def test_frozen(emulator):
    make_wave(emulator)
    emulator.inbox.wait(timeout=0.01)

def test_unreachable(emulator):
    make_wave(emulator, CbUrl="http://127.0.0.1:9/")
    emulator.run_until_idle()
    emulator.inbox.last

def test_rows(emulator):
    make_wave(emulator)
    emulator.wait_for("tasks", status="succeeded", timeout=0.01)
""")
    result = user.run("-p", "no:randomly")

    result.stdout.fnmatch_lines(
        [
            "E*waited 0.01 s for 1 callbacks; arrived: none; the clock stands still and the next event is due in 6 s: "
            "emulator.advance(*",
            "E*no callback has arrived; a callback to http://127.0.0.1:9/ failed: *",
            "E*waited 0.01 s for 1 of 'tasks', status='succeeded'; 0 came. All there are: *\"status\": \"queued\"*",
        ]
    )
