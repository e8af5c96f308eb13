"""The end of a test is a verdict; a failure shows the emulator's side of it."""

from __future__ import annotations

import json
import re

import pytest

from tests.plugin.conftest import User

REFUSED = """
def test_it(emulator):
    make_wave(emulator, points=1)
"""


def test_a_refused_request_fails_a_test_that_passed(user: User) -> None:
    user.write(REFUSED)
    result = user.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*FAIL /unexpected/refused*", "*points*"])


def test_what_is_refused_as_expected_does_not(user: User) -> None:
    user.write("""
def test_it(emulator):
    emulator.kingsoft.expect("CreateWaveTask").refused(1001)
    assert make_wave(emulator, points=1)["ErrNum"] == 1001
""")

    user.run().assert_outcomes(passed=1)


@pytest.mark.parametrize("way", ["marker", "ini"])
def test_the_verdict_is_switched_off(user: User, way: str) -> None:
    user.write(("@pytest.mark.emulator(verify=False)" if way == "marker" else "") + REFUSED)

    user.run(*(["-o", "emulator_verify=false"] if way == "ini" else [])).assert_outcomes(passed=1)


def test_a_test_that_failed_is_not_judged(user: User) -> None:
    user.write("""
def test_it(emulator):
    emulator.kingsoft.expect("CreateTask")
    raise ValueError("mine")
""")
    result = user.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*ValueError: mine"])
    result.stdout.no_fnmatch_line("the test passed*")


def test_what_verify_was_told_last_holds_at_the_end_too(user: User) -> None:
    user.write("""
def test_it(emulator):
    emulator.kingsoft.expect("CreateWaveTask").delivers(corrupt=True)
    emulator.inbox.answer(400)
    make_wave(emulator)
    emulator.run_until_idle()
    verdict = emulator.verify(callbacks=[{"chaos": "corrupt", "status": "failed"}])
    assert "ok" in verdict.text
""")

    user.run().assert_outcomes(passed=1)


def test_a_failing_verify_says_why_and_nothing_else(user: User) -> None:
    user.write("""
def test_it(emulator):
    make_wave(emulator)
    emulator.verify(requests=[{"operation": "kingsoft.CreateTask"}])
""")
    result = user.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*FAIL /requests/0: kingsoft.CreateTask, at least once"])
    result.stdout.no_fnmatch_line("*facade.py*")
    result.stdout.no_fnmatch_line("not as expected so far:")


def test_a_failure_shows_what_happened_why_and_how_to_see_it_again(user: User) -> None:
    user.write("""
def test_it(emulator):
    make_wave(emulator)
    make_wave(emulator, points=1)
    emulator.advance(seconds=7)
    assert False
""")
    result = user.run("--emulator-bundle-dir=bundles")

    result.stdout.fnmatch_lines(
        [
            "*--- emulator ---*",
            "account test-it-* at http://127.0.0.1:*",
            "*+0.0s  request #1  kingsoft.CreateWaveTask -> 200",
            "*+0.0s  request #2  kingsoft.CreateWaveTask -> 200, refused with 1001: /points: *",
            "*+6.0s  callback #1 succeeded of * -> delivered (200)",
            "*+7.0s  now; the clock is frozen",
            "*task * of kingsoft.CreateWaveTask: succeeded 100 %, ends as succeed",
            "request 2: POST / *",
            "So it was refused with 1001: *",
            "not as expected so far:",
            "*FAIL /unexpected/refused*",
            "seed 1; the clock began at *",
            "again:   pytest test_it.py::test_it --emulator-seed=1 --emulator-clock=*",
            "saved:   *bundles/test-it-*",
        ]
    )
    (bundle,) = (user.folder / "bundles").iterdir()
    assert json.loads((bundle / "snapshot.json").read_text())["emulator_snapshot"] == 1
    assert len(json.loads((bundle / "journal.har").read_text())["log"]["entries"]) == 3


def test_the_line_to_reproduce_gives_the_same_again(user: User) -> None:
    user.write("""
def test_it(emulator):
    assert 0, make_wave(emulator)["TaskID"]
""")
    first = user.run("--emulator-seed=9").stdout.str()
    again = re.search(r"^again:   pytest (.*)$", first, re.MULTILINE)
    assert again is not None
    second = user.run(*again[1].split()).stdout.str()

    tasks = [re.findall(r"AssertionError: (\w+)", said) for said in (first, second)]
    assert tasks[0] == tasks[1] != []


def test_requests_without_credentials_are_pointed_at(user: User) -> None:
    user.write("""
from urllib.request import urlopen

def test_it(emulator):
    urlopen(emulator.kingsoft.url + "/?Action=GetPresetList&Version=2017-01-01").read()
    assert emulator.requests
""")

    user.run().stdout.fnmatch_lines(["*account default*has 1: are emulator.kingsoft.credentials*used?"])


def test_a_test_that_is_expected_to_fail_may_fail_by_its_verdict(user: User) -> None:
    user.write(f"@pytest.mark.xfail{REFUSED}")

    user.run().assert_outcomes(xfailed=1)
