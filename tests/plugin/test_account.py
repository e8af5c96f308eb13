"""The fixture ``emulator``: an account for each test, its clock, what it shows, what the marker says."""

from __future__ import annotations

from tests.plugin.conftest import User


def test_a_task_fails_as_it_is_told_without_any_waiting(user: User) -> None:
    user.write("""
def test_it(emulator):
    emulator.kingsoft.expect("CreateWaveTask").fails(3150, at="80%")
    make_wave(emulator)
    emulator.advance(minutes=10)
    assert emulator.inbox.only.json["Details"]["errnum"] == 3150
    emulator.verify()
""")

    user.run().assert_outcomes(passed=1)


def test_what_one_test_does_no_other_sees(user: User) -> None:
    user.write("""
@pytest.mark.parametrize("number", range(3))
def test_it(emulator, number):
    assert (emulator.requests, emulator.tasks, emulator.inbox.received) == ([], [], [])
    make_wave(emulator)
    emulator.run_until_idle()
    assert [len(found) for found in (emulator.requests, emulator.tasks, emulator.inbox.received)] == [1, 1, 1]

def test_nothing_is_left(emulator, emulator_server):
    accounts = emulator_server.client.get("/accounts")[1]["accounts"]
    assert {account["name"] for account in accounts} == {"default", emulator.account}
""")

    user.run("-p", "no:randomly").assert_outcomes(passed=4)


def test_what_it_shows(user: User) -> None:
    user.write("""
def test_it(emulator):
    task = make_wave(emulator)["TaskID"]
    fired = emulator.advance("10m").fired
    cloud = emulator.kingsoft
    (request,), (shown,), (delivery,) = cloud.requests, cloud.tasks, cloud.deliveries
    assert (request.operation, request.code, request.json["points"]) == ("kingsoft.CreateWaveTask", None, 1000)
    assert request.headers["Content-Type"] == "application/json"
    assert (shown.id, shown.status, shown.parameters["points"]) == (task, "succeeded", 1000)
    assert (delivery.task, delivery.status, delivery.json["Status"]) == (task, "delivered", 3)
    assert delivery.url == emulator.inbox.url
    assert [(event.what, event.status) for event in fired] == [("end", "succeeded"), ("attempt", "delivered")]
    assert emulator.baidu.requests == []
    assert "authenticate" in emulator.explain(request)
""")

    user.run().assert_outcomes(passed=1)


def test_its_clock(user: User) -> None:
    user.write("""
from datetime import timedelta

def test_it(emulator):
    start = emulator.now
    emulator.advance(90)
    emulator.advance(timedelta(minutes=1), )
    emulator.advance(to=start + timedelta(hours=1))
    assert emulator.now - start == timedelta(hours=1)
    emulator.freeze("2030-01-01T00:00:00Z")
    assert (emulator.now.year, emulator.next().fired, emulator.run_until_idle().now) == (2030, [], emulator.now)
    emulator.scale(1000)
    make_wave(emulator)
    assert emulator.inbox.wait(timeout=30)[0].json["Status"] == 3
    emulator.run()
    assert emulator.wait_for("deliveries", status="delivered", timeout=30)[0].event == "succeeded"
    with pytest.raises(Exception, match="only a frozen clock"):
        emulator.advance(1)

@pytest.mark.parametrize("given", [{}, {"minutes": 1, "to": 5}])
def test_how_far(emulator, given):
    with pytest.raises(TypeError, match="say how far"):
        emulator.advance(**given)
""")

    user.run().assert_outcomes(passed=3)


def test_a_reset_forgets_all(user: User) -> None:
    user.write("""
def test_it(emulator):
    emulator.kingsoft.expect("CreateTask")
    make_wave(emulator)
    emulator.run_until_idle()
    emulator.reset()
    assert (emulator.requests, emulator.inbox.received, emulator.expectations) == ([], [], [])
""")

    user.run().assert_outcomes(passed=1)


def test_the_marker(user: User) -> None:
    user.write("""
pytestmark = pytest.mark.emulator(auth="off", seed=5, clock="2026-01-01T00:00:00Z")

@pytest.mark.emulator(seed=7, rules={"when": {"operation": "kingsoft.CreateWaveTask"}, "then": {"error": 1011}})
def test_it(emulator):
    assert (emulator.seed, emulator.began) == (7, "2026-01-01T00:00:00.000Z")
    assert make_wave(emulator)["ErrNum"] == 1011

@pytest.mark.emulator(kingsoft={"concurrency": 1}, clock="real")
def test_more(emulator):
    assert (emulator.seed, emulator.kingsoft.options()["concurrency"]) == (5, 1)
    assert emulator.kingsoft.options(concurrency=2)["concurrency"] == 2
    assert emulator.ask("GET", "clock")["mode"] == "real"
""")

    user.run().assert_outcomes(passed=2)


def test_what_the_marker_does_not_know_is_said_with_the_nearest(user: User) -> None:
    user.write("""
@pytest.mark.emulator(sed=7)
def test_it(emulator):
    pass
""")
    result = user.run()

    result.stdout.fnmatch_lines(["*mark.emulator knows no sed=; did you mean 'seed'?*"])


def test_settings_address_and_accounts_are_overridden(user: User) -> None:
    user.write("""
@pytest.fixture(scope="session")
def emulator_settings():
    return {"list_limit": "refuse", "seed": 11}

@pytest.fixture(scope="session")
def emulator_address():
    return "127.0.0.2", 0

@pytest.fixture
def emulator_account():
    return {"kingsoft": {"concurrency": 3}}

def test_it(emulator, emulator_server):
    assert emulator.url.startswith("http://127.0.0.2:")
    assert emulator.kingsoft.options()["concurrency"] == 3
    assert emulator_server.client.get("/operations")[0] == 200
    emulator.kingsoft.expect("GetTaskList").refused(1001)
    assert call(emulator, "GetTaskList", Limit=101)["ErrNum"] == 1001
""")

    user.run().assert_outcomes(passed=1)


def test_a_setting_that_does_not_exist_is_said_with_the_nearest(user: User) -> None:
    user.write("""
@pytest.fixture(scope="session")
def emulator_settings():
    return {"limit": "on"}

def test_it(emulator):
    pass
""")
    result = user.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no emulator for these tests: limit: no such setting; did you mean 'limits'?*"])


def test_options_of_the_command_line(user: User) -> None:
    user.write("""
def test_it(emulator):
    assert (emulator.seed, emulator.began) == (42, "2026-02-03T04:05:06.000Z")
""")

    user.run("--emulator-seed=42", "--emulator-clock=2026-02-03T04:05:06Z").assert_outcomes(passed=1)


def test_a_program_of_its_own_finds_the_account_by_its_environment(user: User) -> None:
    user.write("""
import json, os, subprocess, sys

CODE = '''
import os, urllib.request
key = os.environ["EMULATOR_KINGSOFT_ACCESS_KEY"]
query = f"Action=GetPresetList&Version=2017-01-01&X-Amz-Credential={key}/x/x/kvs/x"
print(urllib.request.urlopen(f"https://kvs.api.ksyun.com/?{query}").read().decode())
'''

def test_it(emulator, emulator_environment):
    emulator.kingsoft.expect("GetPresetList").once()
    environment = {**os.environ, **emulator_environment}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True)
    assert json.loads(done.stdout)["ErrNum"] == 0, done.stderr
    assert emulator_environment["EMULATOR_KINGSOFT_ENDPOINT"] == emulator.url
""")

    user.run().assert_outcomes(passed=1)
