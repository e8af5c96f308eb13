"""``expect(…)``: what becomes of requests, how often they come, and what is said if they do not."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import User


def test_an_effect_that_is_met_once_is_over_then(user: User) -> None:
    user.write("""
def test_it(emulator):
    emulator.kingsoft.expect("CreateWaveTask").fails(1011).once()
    assert [make_wave(emulator)["ErrNum"] for _ in range(3)] == [1011, 0, 0]

def test_after(emulator):
    emulator.kingsoft.expect("CreateWaveTask").after(1).fails(1011).times(2)
    assert [make_wave(emulator)["ErrNum"] for _ in range(4)] == [0, 1011, 1011, 0]

def test_one_after_the_other(emulator):
    emulator.kingsoft.expect("CreateWaveTask").fails(1011).once()
    emulator.kingsoft.expect("CreateWaveTask").fails(1012).once()
    assert [make_wave(emulator)["ErrNum"] for _ in range(3)] == [1011, 1012, 0]
""")

    user.run().assert_outcomes(passed=3)


def test_only_requests_whose_parameters_fit_are_meant(user: User) -> None:
    user.write("""
def test_values(emulator):
    emulator.kingsoft.expect("CreateWaveTask").with_params(DstBucket="other").fails(1011)
    assert [make_wave(emulator, DstBucket=name)["ErrNum"] for name in ("media", "other")] == [0, 1011]

def test_a_schema(emulator):
    emulator.kingsoft.expect("Create*Task").fails(1011).with_params({"properties": {"points": {"minimum": 2000}}})
    assert [make_wave(emulator, points=points)["ErrNum"] for points in (1000, 3000)] == [0, 1011]
""")

    user.run().assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("chain", "asked"),
    [
        ("once()", 1),
        ("times(2)", 2),
        ("never()", 0),
        ("at_least(2)", 3),
        ("at_most(2)", 0),
        ("at_least(1).at_most(2)", 2),
    ],
)
def test_a_count_that_is_right(user: User, chain: str, asked: int) -> None:
    user.write(f"""
def test_it(emulator):
    emulator.kingsoft.expect("CreateWaveTask").{chain}
    for _ in range({asked}):
        make_wave(emulator)
""")

    user.run().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("chain", "asked"),
    [
        ("with_params(points=1000)", 0),
        ("once()", 2),
        ("times(2)", 1),
        ("never()", 1),
        ("at_least(2)", 1),
        ("at_most(2)", 3),
        ("at_least(1).at_most(2)", 0),
        ("fails(1011)", 0),
        ("fails(1011).times(2)", 1),
        ("fails(1011).never()", 1),
        ("slow('1ms').at_most(1)", 2),
    ],
)
def test_a_count_that_is_wrong_fails_the_test(user: User, chain: str, asked: int) -> None:
    user.write(f"""
def test_it(emulator):
    emulator.kingsoft.expect("CreateWaveTask").{chain}
    for _ in range({asked}):
        make_wave(emulator)
""")
    result = user.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["the test passed, but not all went as expected", "*FAIL*expect('CreateWaveTask')*"])


def test_two_effects_are_not_met_by_one_request(user: User) -> None:
    user.write("""
def test_it(emulator):
    emulator.kingsoft.expect("CreateWaveTask").fails(1011).once()
    emulator.kingsoft.expect("CreateWaveTask").fails(1012).once()
    make_wave(emulator)
""")
    result = user.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*FAIL*.fails(1012).once()*"])
    result.stdout.no_fnmatch_line("*FAIL*.fails(1011).once()*")


def test_what_is_arranged_with_when_need_not_come(user: User) -> None:
    user.write("""
def test_it(emulator):
    emulator.kingsoft.when("CreateWaveTask").slow("1ms").breaks(502)
""")

    user.run().assert_outcomes(passed=1)


def test_effects_on_answers(user: User) -> None:
    user.write("""
from urllib.error import HTTPError

def test_answers(emulator):
    emulator.kingsoft.expect("CreateWaveTask").answers({"TaskID": "a" * 40, "ErrNum": 0, "ErrMsg": "success"})
    assert make_wave(emulator)["TaskID"] == "a" * 40

def test_breaks(emulator):
    emulator.kingsoft.expect("CreateWaveTask").breaks(502).slow("1ms").once()
    with pytest.raises(HTTPError, match="502"):
        make_wave(emulator)
    assert make_wave(emulator)["ErrNum"] == 0

def test_message(emulator):
    emulator.kingsoft.expect("CreateWaveTask").fails(1011, message="no such place")
    assert make_wave(emulator)["ErrMsg"] == "no such place"
""")

    user.run().assert_outcomes(passed=3)


def test_effects_on_tasks(user: User) -> None:
    user.write("""
def ended(emulator):
    make_wave(emulator)
    start = emulator.now
    emulator.run_until_idle()
    return (emulator.now - start).total_seconds(), emulator.tasks[0].status

def test_takes(emulator):
    emulator.kingsoft.expect("CreateWaveTask").takes(queue="1m", run=60).takes(upload="1m")
    assert ended(emulator) == (180, "succeeded")

def test_hangs(emulator):
    emulator.kingsoft.expect("CreateWaveTask").hangs(at="50%")
    make_wave(emulator)
    emulator.advance(hours=1)
    assert emulator.tasks[0].status == "running"

def test_vanishes(emulator):
    emulator.kingsoft.expect("CreateWaveTask").vanishes()
    assert ended(emulator)[1] == "vanished"

def test_plans(emulator):
    emulator.kingsoft.expect("CreateWaveTask").plan("slow").plan({"run": "1s"}).takes(queue=0).fails(3150)
    assert ended(emulator) == (1, "failed")

def test_delivers(emulator):
    emulator.kingsoft.expect("CreateWaveTask").delivers(double_final=True).delivers(attempts=2)
    emulator.inbox.fail_times(1)
    ended(emulator)
    assert len(emulator.inbox.received) == 3
""")

    user.run().assert_outcomes(passed=5)


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        (
            'expect("CreateWavTask")',
            "no operation is called kingsoft.CreateWavTask; did you mean 'kingsoft.CreateWaveTask'?",
        ),
        ('expect("CreateWaveTask").fails("SignatureDoesMatch")', "nearest: SignatureDoesNotMatch"),
        ('expect("CreateWaveTask").plan("hapy")', "no plan is called 'hapy'; did you mean 'happy'?"),
        ('expect("GetTaskList").hangs()', "kingsoft.GetTaskList starts no task"),
        ('expect("CreateWaveTask").delivers(duplicates=True)', "duplicates"),
        ('expect("CreateWaveTask").answers({"ErrNum": "x"})', "unchecked: true lets it pass"),
    ],
)
def test_what_does_not_exist_is_said_where_it_is_written(user: User, chain: str, said: str) -> None:
    user.write(f"""
def test_it(emulator):
    emulator.kingsoft.{chain}
""")
    result = user.run()

    result.assert_outcomes(failed=1)
    assert said in result.stdout.str()
    result.stdout.fnmatch_lines([f">       emulator.kingsoft.{chain.replace('[', '[[]')}"])
    result.stdout.no_fnmatch_line("*expectation.py:*: *")
